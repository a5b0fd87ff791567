/* SPDX-License-Identifier: MIT
 * iforest_lags.c - a forest that judges the newest values together: what it sees, what counts as a value before, what it costs.
 * The scores themselves are compared with a slow forest in tests/model/forest.c. */
#include "../support/test.h"

#include "../support/forest_data.h"

/* ---- what it sees ---- */

static void test_one_lag_is_none(void **state)
{
    anomaly_detector *none = forest_of("features=2 window=128"), *zero = forest_of("features=2 window=128 lags=0"),
                     *one = forest_of("features=2 window=128 lags=1");
    random_state r = {1};
    (void)state;
    for (int i = 0; i < 600; i++) {
        double x[2];
        normal_event(&r, x, 2, 0, one_in(&r, 50) ? 9 : 1);
        anomaly_verdict v = update(none, x), at_zero = update(zero, x), at_one = update(one, x);
        assert_same_verdict(&at_zero, &v);
        assert_same_verdict(&at_one, &v);
    }
    anomaly_destroy(none);
    anomaly_destroy(zero);
    anomaly_destroy(one);
}

/* Up and down in turn: twice up is odd, though up is usual. */
static void test_usual_values_in_an_unusual_order(void **state)
{
    anomaly_detector *alone = forest_of("contamination=0"), *lagged = forest_of("contamination=0 lags=3");
    random_state r = {2};
    double odd = 10;
    (void)state;
    for (int i = 0; i < 1001; i++) { /* the last one is up */
        double x = (i % 2 ? 0 : 10) + 0.1 * random_normal(&r);
        update(alone, &x);
        update(lagged, &x);
    }
    assert_false(flagged(score(alone, &odd)));
    assert_true(flagged(score(lagged, &odd)));
    odd = 0;
    assert_false(flagged(score(lagged, &odd)));
    anomaly_destroy(alone);
    anomaly_destroy(lagged);
}

/* All of three events repeat for ever: each is a third of all, whatever comes before it. */
static void test_a_cycle_is_never_flagged(void **state)
{
    anomaly_detector *d = forest_of("lags=5 warmup=20 window=500");
    (void)state;
    for (int i = 0; i < 3000; i++) {
        anomaly_verdict v = push(d, i % 3 == 1 ? 7 : i % 3);
        assert_false(flagged(v));
        assert_true(i < 100 || !has_flag(v, ANOMALY_WARMING_UP));
    }
    anomaly_destroy(d);
}

/* The first tree is grown from sixteen events that have seven before them. */
static void test_first_events_are_not_judged(void **state)
{
    anomaly_detector *d = forest_of("lags=8 warmup=1 trees=64 window=64 sample=32");
    (void)state;
    for (int i = 0; i < 40; i++) {
        anomaly_verdict v = push(d, i % 5);
        assert_true(v.events == (uint64_t)i);
        assert_true(i >= 23 || (has_flag(v, ANOMALY_WARMING_UP) && v.score == 0.5));
    }
    assert_false(has_flag(push(d, 0), ANOMALY_WARMING_UP));
    anomaly_destroy(d);
}

/* ---- what counts as a value before ---- */

static void test_only_what_is_learned_comes_before(void **state)
{
    anomaly_detector *d = forest_of("lags=3 contamination=0 threshold=0.7 learn=normal window=300");
    random_state r = {4};
    double next = 0.3;
    (void)state;
    teach_normal(d, &r, 500, 1);
    double before = score(d, &next).score;
    assert_same(score(d, &next).score, before);
    assert_true(has_flag(push(d, 80), ANOMALY_NOT_LEARNED));
    assert_same(score(d, &next).score, before);
    push(d, NAN);
    assert_same(score(d, &next).score, before);
    teach(d, 0);
    assert_true(score(d, &next).score != before);
    anomaly_destroy(d);
}

/* A value that was missing is missing for the events after it; the flag is the newest event's. */
static void test_missing_values_before(void **state)
{
    anomaly_detector *d = forest_of("features=2 lags=3 contamination=0 window=300");
    random_state r = {5};
    double part[2] = {NAN, 0.2}, odd[2] = {0, 60}, usual[2] = {0, 0};
    (void)state;
    teach_normal(d, &r, 600, 2);
    assert_int_equal(update(d, part).flags, ANOMALY_MISSING);
    anomaly_verdict v = score(d, usual);
    assert_int_equal(v.flags, 0);
    assert_true(v.score > 0.3 && v.score < 0.6);
    v = score(d, odd);
    assert_int_equal(v.flags, ANOMALY_IS_ANOMALY);
    assert_int_equal(v.feature, 1);
    anomaly_destroy(d);
}

/* An odd value names its feature, and still does so one event later. */
static void test_explanations_are_those_of_features(void **state)
{
    anomaly_detector *d = forest_of("features=3 lags=4 contamination=0 threshold=0.55 window=400");
    random_state r = {6};
    double odd[3] = {0, 0, 70}, usual[3] = {0, 0, 0}, share[3];
    (void)state;
    teach_normal(d, &r, 800, 3);
    for (int i = 0; i < 2; i++) {
        const double *x = i ? usual : odd;
        anomaly_verdict v = score(d, x);
        assert_true(flagged(v));
        assert_int_equal(v.feature, 2);
        assert_ok(anomaly_explain(d, x, share));
        assert_true(fabs(share[0] + share[1] + share[2] - (v.score - 0.5)) <= 1e-9);
        assert_true(share[2] > 0.8 * (v.score - 0.5));
        update(d, x);
    }
    anomaly_destroy(d);
}

static void test_window_is_that_of_the_events(void **state)
{
    anomaly_detector *d = forest_of("features=2 lags=6 window=100 sample=40");
    random_state r = {7};
    (void)state;
    for (int i = 0; i < 400; i++) {
        double x[2] = {i, random_normal(&r)};
        update(d, x);
    }
    assert_true(stats_of(d, 0).count == 100 && stats_of(d, 0).min == 300 && stats_of(d, 0).max == 399);
    anomaly_destroy(d);
}

/* ---- what it costs ---- */

static size_t bytes_of(const char *options)
{
    anomaly_config config;
    size_t bytes = 0;
    config_of(&config, ANOMALY_IFOREST, options);
    assert_ok(anomaly_memory_needed(&config, &bytes));
    return bytes;
}

/* Events are held once: however long the window, lags cost the same. */
static void test_lags_do_not_multiply_the_window(void **state)
{
    size_t small = bytes_of("features=38 lags=8 window=2048") - bytes_of("features=38 window=2048");
    size_t large = bytes_of("features=38 lags=8 window=262144") - bytes_of("features=38 window=262144");
    (void)state;
    assert_true(small == large && small > 0);
}

static void test_what_create_refuses(void **state)
{
    static const char *const REFUSED[][3] = {
        {"features=1000 lags=5", "lags", "features 1000 times lags 5 are 5000 values: the forest takes at most 4096"},
        {"lags=pyramid", "lags", "lags of the forest are a whole number, not the pyramid"},
        {"lags=8 window=22 sample=2", "window", "with lags 8 the forest needs a window of at least 23 events"},
        {"lags=8 window=100", "sample",
         "sample 96 is more than the 93 events of the window that have 7 before them for lags"}};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(REFUSED); i++) {
        anomaly_config config;
        anomaly_error error = {0};
        anomaly_detector *d = NULL;
        config_of(&config, ANOMALY_IFOREST, REFUSED[i][0]);
        assert_error(anomaly_create(&config, NULL, &d, &error), ANOMALY_E_CONFIG);
        assert_string_equal(error.field, REFUSED[i][1]);
        assert_string_equal(error.message, REFUSED[i][2]);
    }
    anomaly_destroy(forest_of("features=1024 lags=4 window=30 sample=20 trees=2"));
    anomaly_destroy(forest_of("lags=4096 window=5000 trees=2"));
    anomaly_destroy(forest_of("lags=auto window=16 sample=16"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_lag_is_none),
        cmocka_unit_test(test_usual_values_in_an_unusual_order),
        cmocka_unit_test(test_a_cycle_is_never_flagged),
        cmocka_unit_test(test_first_events_are_not_judged),
        cmocka_unit_test(test_only_what_is_learned_comes_before),
        cmocka_unit_test(test_missing_values_before),
        cmocka_unit_test(test_explanations_are_those_of_features),
        cmocka_unit_test(test_window_is_that_of_the_events),
        cmocka_unit_test(test_lags_do_not_multiply_the_window),
        cmocka_unit_test(test_what_create_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
