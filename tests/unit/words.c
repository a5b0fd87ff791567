/* SPDX-License-Identifier: MIT
 * words.c - the words of watch and mahalanobis in cases that can be told by hand. How often they are right in noise: tests/model/words.c. */
#include "../support/test.h"

#include "../support/random.h"

enum { USUAL = 1000 };

static const int KINDS[] = {ANOMALY_MAHALANOBIS, ANOMALY_WATCH};

static anomaly_detector *usual_of(int kind, const char *options, double offset, double size)
{
    anomaly_detector *d = detector_of(kind, options);
    random_state r = {3};
    for (int i = 0; i < USUAL; i++)
        push(d, offset + size * random_normal(&r));
    return d;
}

static uint32_t word_of(uint32_t flags)
{
    return flags & ((uint32_t)WORDS | ANOMALY_ABOVE | ANOMALY_BELOW);
}

static void check_word(anomaly_verdict v, uint32_t want)
{
    assert_true(flagged(v));
    assert_int_equal(word_of(v.flags), want);
}

/* The first value elsewhere is a spike, whatever comes; the second makes it a shift. Of those that follow some are usual again to
 * watch. Where the usual values lie and how large they
 * are makes no difference, up to the largest doubles. */
static void test_a_spike_becomes_a_shift(void **state)
{
    static const double OFFSET[] = {0, 1e9, -3, 1e-250, 0}, SIZE[] = {1, 1, 1e-4, 1e-252, 1e280};
    (void)state;
    for (size_t k = 0; k < 2 * ARRAY_COUNT(SIZE); k++)
        for (int side = -1; side <= 1; side += 2) {
            double offset = OFFSET[k / 2], size = SIZE[k / 2];
            anomaly_detector *d = usual_of(KINDS[k % 2], "", offset, size);
            uint32_t to = side > 0 ? ANOMALY_ABOVE : ANOMALY_BELOW;
            check_word(push(d, offset + side * 12 * size), ANOMALY_SPIKE | to);
            for (int i = 1; i < 70; i++) {
                anomaly_verdict v = push(d, offset + side * (12 + i % 3) * size);
                assert_true(flagged(v) || i > 8);
                if (flagged(v))
                    check_word(v, ANOMALY_SHIFT | to);
            }
            anomaly_destroy(d);
        }
}

/* A value that has passed is still a spike, on the side on which it was. */
static void test_a_spike_that_has_passed(void **state)
{
    (void)state;
    for (size_t k = 0; k < ARRAY_COUNT(KINDS); k++) {
        anomaly_detector *d = usual_of(KINDS[k], "", 5, 1);
        check_word(push(d, 40), ANOMALY_SPIKE | ANOMALY_ABOVE);
        check_word(push(d, 4), ANOMALY_SPIKE | ANOMALY_ABOVE);
        for (int i = 0; i < 60; i++) {
            anomaly_verdict v = push(d, 4 + i % 3);
            if (flagged(v))
                check_word(v, ANOMALY_SPIKE | ANOMALY_ABOVE);
        }
        anomaly_destroy(d);
    }
}

/* When the usual is back after 20 values, that is a shift to the other side. */
static void test_a_shift_that_ends(void **state)
{
    random_state r = {4};
    (void)state;
    for (size_t k = 0; k < ARRAY_COUNT(KINDS); k++) {
        anomaly_detector *d = usual_of(KINDS[k], "", 0, 1);
        for (int i = 0; i < 20; i++)
            push(d, 10 + random_normal(&r));
        for (int i = 0; i < 3; i++) {
            anomaly_verdict v = push(d, random_normal(&r));
            if (i > 0 && flagged(v))
                check_word(v, ANOMALY_SHIFT | ANOMALY_BELOW);
        }
        anomaly_destroy(d);
    }
}

static void test_noise(void **state)
{
    (void)state;
    for (size_t k = 0; k < ARRAY_COUNT(KINDS); k++) {
        anomaly_detector *d = usual_of(KINDS[k], "", 0, 1);
        random_state r = {7};
        int told = 0;
        for (int i = 0; i < 40; i++) {
            anomaly_verdict v = push(d, 6 * random_normal(&r));
            if (i >= 8 && flagged(v) && ++told)
                assert_int_equal(v.flags & (uint32_t)WORDS, ANOMALY_NOISIER);
        }
        assert_true(told > 5);
        anomaly_destroy(d);
    }
}

/* Five equal values where there never were two. */
static void test_a_stuck_value(void **state)
{
    (void)state;
    for (size_t k = 0; k < ARRAY_COUNT(KINDS); k++) {
        anomaly_detector *d = usual_of(KINDS[k], "", 0, 1);
        int told = 0;
        for (int i = 0; i < 40; i++) {
            anomaly_verdict v = push(d, 6);
            if (i >= 4 && flagged(v) && ++told)
                assert_int_equal(v.flags & (uint32_t)WORDS, ANOMALY_STUCK);
        }
        assert_true(told > 5);
        anomaly_destroy(d);
    }
}

/* A queue that is empty but for a job now and then, and then has three waiting: nothing is stuck, whatever the run. */
static void test_equal_values_that_are_usual(void **state)
{
    (void)state;
    for (size_t k = 0; k < ARRAY_COUNT(KINDS); k++) {
        anomaly_detector *d = detector_of(KINDS[k], "");
        int told = 0;
        for (int i = 0; i < USUAL; i++)
            push(d, i % 97 == 0 ? 0.1 : 0);
        for (int i = 0; i < 60; i++) {
            anomaly_verdict v = push(d, 0.3);
            if (i > 0 && flagged(v) && ++told)
                check_word(v, ANOMALY_SHIFT | ANOMALY_ABOVE);
        }
        assert_true(told > 5);
        anomaly_destroy(d);
    }
}

/* In a window without spread. */
static void test_a_flat_window(void **state)
{
    (void)state;
    for (size_t k = 0; k < ARRAY_COUNT(KINDS); k++) {
        anomaly_detector *d = detector_of(KINDS[k], KINDS[k] == ANOMALY_WATCH ? "threshold=5" : "");
        for (int i = 0; i < 300; i++)
            push(d, 7);
        check_word(push(d, 5), ANOMALY_SPIKE | ANOMALY_BELOW);
        check_word(push(d, 5), ANOMALY_SHIFT | ANOMALY_BELOW);
        anomaly_destroy(d);
    }
}

static void test_infinite_values(void **state)
{
    (void)state;
    for (size_t k = 0; k < ARRAY_COUNT(KINDS); k++) {
        anomaly_detector *d = usual_of(KINDS[k], "", 0, 1);
        check_word(push(d, INFINITY), ANOMALY_SPIKE | ANOMALY_ABOVE);
        check_word(push(d, -INFINITY), ANOMALY_SPIKE | ANOMALY_BELOW);
        anomaly_destroy(d);
    }
}

/* Plain lags as the pyramid; of the newest value alone nothing but a spike can be told; several features have no word. */
static void test_lags(void **state)
{
    static const char *const LAGS[] = {"lags=1", "lags=2", "lags=12", "lags=100", "lags=pyramid"};
    (void)state;
    for (size_t k = 0; k < ARRAY_COUNT(LAGS); k++) {
        anomaly_detector *d = usual_of(ANOMALY_MAHALANOBIS, LAGS[k], 0, 1);
        check_word(push(d, 40), ANOMALY_SPIKE | ANOMALY_ABOVE);
        for (int i = 0; i < 30; i++)
            check_word(push(d, 40 + i % 3), (k == 0 ? ANOMALY_SPIKE : ANOMALY_SHIFT) | ANOMALY_ABOVE);
        anomaly_destroy(d);
    }
}

static void test_several_features(void **state)
{
    anomaly_detector *d = detector_of(ANOMALY_MAHALANOBIS, "features=2");
    random_state r = {5};
    anomaly_verdict v;
    (void)state;
    for (int i = 0; i < USUAL; i++) {
        double x[2] = {random_normal(&r), random_normal(&r)};
        assert_ok(anomaly_update(d, x, ANOMALY_NO_TIME, &v));
    }
    double odd[2] = {0, 40};
    assert_ok(anomaly_update(d, odd, ANOMALY_NO_TIME, &v));
    assert_int_equal(v.flags, ANOMALY_IS_ANOMALY);
    assert_int_equal(v.feature, 1);
    anomaly_destroy(d);
}

/* Stages change nothing of it: what the kind sees is what is put into a word. The score call says it, too. */
static void test_stages(void **state)
{
    (void)state;
    for (size_t k = 0; k < ARRAY_COUNT(KINDS); k++) {
        anomaly_detector *d = detector_of(KINDS[k], "transform=log rest=5");
        random_state r = {6};
        for (int i = 0; i < USUAL; i++)
            push(d, exp(random_normal(&r)));
        check_word(judge(d, exp(12)), ANOMALY_SPIKE | ANOMALY_ABOVE);
        check_word(push(d, exp(-12)), ANOMALY_SPIKE | ANOMALY_BELOW);
        check_word(judge(d, exp(-12.5)), ANOMALY_SHIFT | ANOMALY_BELOW);
        check_word(push(d, exp(-12.5)), ANOMALY_SHIFT | ANOMALY_BELOW);
        anomaly_destroy(d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_spike_becomes_a_shift),
        cmocka_unit_test(test_a_spike_that_has_passed),
        cmocka_unit_test(test_a_shift_that_ends),
        cmocka_unit_test(test_noise),
        cmocka_unit_test(test_a_stuck_value),
        cmocka_unit_test(test_equal_values_that_are_usual),
        cmocka_unit_test(test_a_flat_window),
        cmocka_unit_test(test_infinite_values),
        cmocka_unit_test(test_lags),
        cmocka_unit_test(test_several_features),
        cmocka_unit_test(test_stages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
