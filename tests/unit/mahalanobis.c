/* SPDX-License-Identifier: MIT
 * mahalanobis.c - the distance, call by call: numbers worked by hand, and what must hold on any data. */
#include "../support/test.h"

#include "../support/random.h"

static anomaly_detector *distance_of(const char *options)
{
    return detector_of(ANOMALY_MAHALANOBIS, options);
}

static anomaly_verdict push_two(anomaly_detector *d, double a, double b)
{
    anomaly_verdict v;
    double x[2] = {a, b};
    assert_ok(anomaly_update(d, x, ANOMALY_NO_TIME, &v));
    return v;
}

static anomaly_verdict judge_two(const anomaly_detector *d, double a, double b)
{
    anomaly_verdict v;
    double x[2] = {a, b};
    assert_ok(anomaly_score(d, x, ANOMALY_NO_TIME, &v));
    return v;
}

/* ---- by hand ---- */

/* Mean 0, variance 1, a tenth added. */
static void test_without_lags_one_value_has_a_z_score(void **state)
{
    anomaly_detector *d = distance_of("lags=0 window=128");
    (void)state;
    for (int i = 0; i < 128; i++)
        push(d, i % 2 ? 1 : -1);
    assert_close(judge(d, 11).score, 11 / sqrt(1.1), 1e-15);
    assert_close(judge(d, -0.5).score, 0.5 / sqrt(1.1), 1e-15);
    assert_same(judge(d, 0).score, 0);
    anomaly_destroy(d);
}

/* Correlation 1, 0.3 added: the inverse of (1.3 1, 1 1.3) is (1.3 -1, -1 1.3) / 0.69. */
static void test_a_correlation_that_breaks_is_odd_though_each_value_is_usual(void **state)
{
    anomaly_detector *d = distance_of("features=2 window=128");
    (void)state;
    for (int i = 0; i < 128; i++)
        push_two(d, i % 2 ? 1 : -1, i % 2 ? 5 : 3);
    assert_close(judge_two(d, 1, 5).score, sqrt(0.6 / 0.69 / 2), 1e-14);
    assert_close(judge_two(d, 1, 3).score, sqrt(4.6 / 0.69 / 2), 1e-14);
    assert_close(judge_two(d, 2, 2).score, sqrt(18.4 / 0.69 / 2), 1e-14);
    anomaly_destroy(d);
}

/* The distance of the feature that is there, as if the other had never been: 2 standard deviations and the ridge. */
static void test_a_missing_feature_leaves_the_distance_of_the_others(void **state)
{
    anomaly_detector *d = distance_of("features=2 window=128");
    (void)state;
    for (int i = 0; i < 128; i++)
        push_two(d, i % 2 ? 1 : -1, i % 2 ? 5 : 3);
    anomaly_verdict v = judge_two(d, 2, (double)NAN);
    assert_close(v.score, 2 / sqrt(1.3), 1e-14);
    assert_true(has_flag(v, ANOMALY_MISSING) && !flagged(v));
    v = judge_two(d, (double)NAN, (double)NAN);
    assert_nan(v.score);
    assert_int_equal(v.flags, ANOMALY_MISSING);
    anomaly_destroy(d);
}

/* What is there is as always; which one is missing makes no difference. */
static void test_a_still_feature_beside_a_missing_one_is_usual(void **state)
{
    anomaly_detector *d = distance_of("features=2 window=128");
    (void)state;
    for (int i = 0; i < 128; i++)
        push_two(d, 1, 2);
    assert_same(judge_two(d, 1, (double)NAN).score, 0);
    assert_same(judge_two(d, (double)NAN, 2).score, 0);
    assert_true(has_flag(judge_two(d, 3, (double)NAN), ANOMALY_FLAT));
    anomaly_destroy(d);
}

/* The values before it are no event. */
static void test_a_missing_event_has_no_distance(void **state)
{
    static const char *const OPTIONS[] = {"window=128", "window=128 lags=3"};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(OPTIONS); i++) {
        anomaly_detector *d = distance_of(OPTIONS[i]);
        for (int k = 0; k < 200; k++)
            push(d, k % 7);
        anomaly_verdict v = judge(d, (double)NAN);
        assert_nan(v.score);
        assert_int_equal(v.flags, ANOMALY_MISSING);
        anomaly_destroy(d);
    }
}

/* flat=ignore is about the feature that stands still, not about the infinite one beside it; with a budget, too. */
static void test_an_infinite_value_is_odd_beside_an_ignored_flat_one(void **state)
{
    static const char *const OPTIONS[] = {"features=2 window=128 flat=ignore",
                                          "features=2 window=128 flat=ignore alarm_rate=0.1"};
    random_state r = {1};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(OPTIONS); i++) {
        anomaly_detector *d = distance_of(OPTIONS[i]);
        for (int k = 0; k < 400; k++)
            push_two(d, random_normal(&r), 5);
        assert_false(flagged(judge_two(d, 0, 6)));
        assert_true(flagged(judge_two(d, (double)INFINITY, 6)));
        anomaly_destroy(d);
    }
}

/* u = P d = (4.6, -4.6) / 0.69 for the first; each feature adds the same. */
static void test_contributions_sum_to_the_score(void **state)
{
    anomaly_detector *d = distance_of("features=2 window=128");
    double share[2], odd[2] = {1, 3}, first[2] = {5, 4};
    (void)state;
    assert_error(anomaly_explain(d, odd, share), ANOMALY_E_EMPTY);
    for (int i = 0; i < 128; i++)
        push_two(d, i % 2 ? 1 : -1, i % 2 ? 5 : 3);
    assert_ok(anomaly_explain(d, odd, share));
    assert_close(share[0] + share[1], judge_two(d, 1, 3).score, 1e-14);
    assert_close(share[0], share[1], 1e-14);
    assert_ok(anomaly_explain(d, first, share));
    assert_close(share[0] + share[1], judge_two(d, 5, 4).score, 1e-14);
    assert_close(share[0] / share[1], 1.3 * 1.3, 1e-14);
    assert_int_equal(judge_two(d, 5, 4).feature, 0);
    assert_int_equal(judge_two(d, 0, 14).feature, 1);
    anomaly_destroy(d);
}

/* ---- warm-up, options ---- */

/* 63 values before the first vector, and 16 vectors; or what `warmup` says. */
static void test_warm_up(void **state)
{
    anomaly_detector *early = distance_of("warmup=1"), *late = distance_of("");
    (void)state;
    for (int i = 0; i < 96; i++) {
        assert_int_equal(has_flag(push(early, i * 7 % 31), ANOMALY_WARMING_UP), i < 79);
        assert_true(has_flag(push(late, i * 7 % 31), ANOMALY_WARMING_UP));
    }
    assert_true(flagged(judge(early, 1000)) && flagged(judge(late, 1000)));
    assert_int_equal(judge(late, 1).events, 96);
    anomaly_destroy(early);
    anomaly_destroy(late);
}

static void check_refused(const char *options, const char *field, const char *message)
{
    anomaly_config config;
    anomaly_error error;
    anomaly_detector *d = NULL;
    config_of(&config, ANOMALY_MAHALANOBIS, options);
    assert_error(anomaly_create(&config, NULL, &d, &error), ANOMALY_E_CONFIG);
    assert_string_equal(error.field, field);
    assert_string_equal(error.message, message);
}

static void test_what_is_refused(void **state)
{
    (void)state;
    check_refused("window=5m", "window", "the window of mahalanobis is a number of events");
    check_refused("window=1000", "window", "the window of mahalanobis is a multiple of 128 events, such as 1024");
    check_refused("features=200", "features",
                  "features 200 times lags 1 are 200 coordinates: mahalanobis takes at most 128");
    check_refused("features=20 lags=pyramid", "lags",
                  "features 20 times lags 7 are 140 coordinates: mahalanobis takes at most 128");
    check_refused("features=100 window=128", "window", "100 coordinates need a window of at least 208 events");
}

static void test_the_option_lags_takes_words_and_numbers(void **state)
{
    static const char *const GOOD[] = {"auto", "pyramid", "0", "1", "128"}, *const BAD[] = {"", "4097", "-1", "-2", "many"};
    anomaly_config config;
    char text[64];
    (void)state;
    assert_ok(anomaly_config_init(&config, sizeof config, ANOMALY_MAHALANOBIS));
    for (size_t i = 0; i < ARRAY_COUNT(GOOD); i++) {
        assert_ok(anomaly_config_set(&config, "lags", GOOD[i], NULL));
        assert_ok(anomaly_config_get(&config, "lags", text, sizeof text));
        assert_string_equal(text, GOOD[i]);
    }
    for (size_t i = 0; i < ARRAY_COUNT(BAD); i++)
        assert_error(anomaly_config_set(&config, "lags", BAD[i], NULL), ANOMALY_E_CONFIG);
    assert_int_equal(config.lags, 128);
}

/* ---- one value: shape ---- */

static double wave(random_state *r, int i)
{
    return (i % 32 < 16 ? 1 : -1) + 0.1 * random_normal(r);
}

/* A square wave that misses a beat, and a level that is usual but not there. */
static void test_a_usual_value_at_an_unusual_place_is_odd(void **state)
{
    anomaly_detector *d = distance_of("window=1024");
    random_state r = {4};
    int alarms = 0;
    (void)state;
    for (int i = 0; i < 3200; i++)
        alarms += flagged(push(d, wave(&r, i))) && i > 1600;
    assert_int_equal(alarms, 0);
    for (int i = 3200; i < 3208; i++)
        push(d, wave(&r, i));
    assert_true(judge(d, -1).score > 2 * judge(d, 1).score);
    anomaly_destroy(d);
}

static void test_drift_is_usual(void **state)
{
    anomaly_detector *d = distance_of("");
    random_state r = {9};
    (void)state;
    for (int i = 0; i < 30000; i++) {
        anomaly_verdict v = push(d, 1e-4 * i + random_normal(&r));
        assert_true(i < 1000 || !flagged(v));
    }
    assert_true(flagged(push(d, 30)));
    anomaly_destroy(d);
}

/* ---- streams without spread, and with two values ---- */

static void test_a_constant_stream_that_moves(void **state)
{
    anomaly_detector *d = distance_of("window=128"), *shown = distance_of("window=128 flat=ignore");
    anomaly_verdict v;
    (void)state;
    for (int i = 0; i < 300; i++) {
        v = push(d, 0.1);
        assert_true(i < 80 ? isnan(v.score) || v.score == 0 : v.score == 0);
        push(shown, 0.1);
    }
    v = push(d, 0.2);
    assert_true(flagged(v) && has_flag(v, ANOMALY_FLAT) && isinf(v.score));
    v = push(shown, 0.2);
    assert_true(!flagged(v) && has_flag(v, ANOMALY_FLAT));
    for (int i = 0; i < 16; i++)
        v = push(d, i % 2 ? 0.1 : 0.2);
    v = judge(d, 0.2); /* the next batch has seen both */
    assert_true(isfinite(v.score) && !has_flag(v, ANOMALY_FLAT));
    anomaly_destroy(d);
    anomaly_destroy(shown);
}

static void test_a_constant_feature_beside_others(void **state)
{
    anomaly_detector *d = distance_of("features=2 window=128");
    random_state r = {5};
    (void)state;
    for (int i = 0; i < 200; i++)
        push_two(d, random_normal(&r), 7);
    assert_true(isfinite(judge_two(d, 1, 7).score));
    anomaly_verdict v = judge_two(d, 0, 7.5);
    assert_true(isinf(v.score) && has_flag(v, ANOMALY_FLAT) && flagged(v));
    assert_int_equal(v.feature, 1);
    anomaly_destroy(d);
}

static void test_two_values(void **state)
{
    anomaly_detector *d = distance_of("");
    random_state r = {6};
    (void)state;
    for (int i = 0; i < 20000; i++) {
        anomaly_verdict v = push(d, one_in(&r, 2));
        assert_true(isnan(v.score) || isfinite(v.score));
        assert_true(i < 1000 || !flagged(v));
    }
    assert_true(flagged(judge(d, 20)));
    anomaly_destroy(d);
}

/* ---- infinite values, policies ---- */

static void test_infinite_values_are_odd_and_never_learned(void **state)
{
    anomaly_detector *a = distance_of("window=128"), *b = distance_of("window=128");
    (void)state;
    for (int i = 0; i < 200; i++) {
        push(a, i * 7 % 31);
        push(b, i * 7 % 31);
        anomaly_verdict v = push(a, i % 2 ? (double)INFINITY : -(double)INFINITY);
        assert_true(isinf(v.score) && has_flag(v, ANOMALY_NONFINITE));
        assert_int_equal(flagged(v), i >= 95);
        assert_same(judge(a, 3).score, judge(b, 3).score);
    }
    assert_int_equal(counters_of(a).nonfinite, 200);
    anomaly_destroy(a);
    anomaly_destroy(b);
}

/* What is kept out of the window is no lag either: one spike is one alarm, and the stream goes on as if it had not been. */
static void test_what_is_kept_out_leaves_no_trace(void **state)
{
    anomaly_detector *a = distance_of("window=128 learn=normal"), *b = distance_of("window=128 learn=normal");
    random_state r = {7};
    (void)state;
    for (int i = 0; i < 1000; i++) {
        double x = random_normal(&r);
        anomaly_verdict v = push(a, x), w = push(b, x);
        assert_same_verdict(&v, &w);
        if (i > 100 && i % 50 == 0)
            assert_true(has_flag(push(b, 40), ANOMALY_NOT_LEARNED));
    }
    anomaly_destroy(a);
    anomaly_destroy(b);
}

/* ---- whatever the unit, whatever was ---- */

static void test_units_do_not_matter(void **state)
{
    static const double FACTOR[] = {0x1p600, 0x1p-800, 1e290, 1e-290, 3.7};
    (void)state;
    for (size_t k = 0; k < ARRAY_COUNT(FACTOR); k++)
        for (int two = 0; two < 2; two++) {
            const char *options = two ? "features=2 window=256" : "window=256";
            anomaly_detector *a = distance_of(options), *b = distance_of(options);
            random_state r = {k + 20};
            for (int i = 0; i < 700; i++) {
                double x[2] = {random_normal(&r), random_normal(&r)}, y[2] = {x[0] * FACTOR[k], x[1] * FACTOR[k] * 0.5};
                anomaly_verdict v, w;
                x[0] += i % 90 == 40 ? 9 : 0;
                y[0] = x[0] * FACTOR[k];
                assert_ok(anomaly_update(a, x, ANOMALY_NO_TIME, &v));
                assert_ok(anomaly_update(b, y, ANOMALY_NO_TIME, &w));
                assert_close(w.score, v.score, 1e-9);
                assert_int_equal(w.flags, v.flags);
            }
            anomaly_destroy(a);
            anomaly_destroy(b);
        }
}

/* The last event of which something is left: window, the block that was being filled, lags. */
static void test_spikes_are_forgotten(void **state)
{
    static const double SPIKE[] = {1e300, -1.7e308, 1e-300, 1.7e308};
    (void)state;
    for (size_t k = 0; k < ARRAY_COUNT(SPIKE); k++)
        for (int two = 0; two < 2; two++) {
            const char *options = two ? "features=2 window=256" : "window=256";
            anomaly_detector *a = distance_of(options), *b = distance_of(options);
            random_state r = {k + 30};
            for (int i = 0; i < 1000; i++) {
                double x[2] = {random_normal(&r), random_normal(&r)}, y[2] = {x[0], x[1]};
                anomaly_verdict v, w;
                if (i >= 300 && i < 304)
                    y[0] = SPIKE[k];
                assert_ok(anomaly_update(a, x, ANOMALY_NO_TIME, &v));
                assert_ok(anomaly_update(b, y, ANOMALY_NO_TIME, &w));
                assert_true(isnan(v.score) == isnan(w.score));
                if (i >= 304 + 256 + 32 + 64)
                    assert_same_verdict(&v, &w);
            }
            anomaly_destroy(a);
            anomaly_destroy(b);
        }
}

/* What is so far off that no number is large enough is infinitely odd, and its feature is named. */
static void test_a_huge_value_among_tiny_ones(void **state)
{
    anomaly_detector *one = distance_of("window=256"), *two = distance_of("features=2 window=256");
    random_state r = {40};
    double share[2], x[2] = {1e-250, -1e300};
    (void)state;
    for (int i = 0; i < 300; i++) {
        push(one, 1e-250 * random_normal(&r));
        push_two(two, 1e-250 * random_normal(&r), 1e-250 * random_normal(&r));
    }
    anomaly_verdict v = judge(one, 1e300);
    assert_true(isinf(v.score) && flagged(v) && !has_flag(v, ANOMALY_FLAT));
    assert_close(judge(one, 1e-20).score / judge(one, 1e-21).score, 10, 1e-9);
    v = judge_two(two, x[0], x[1]);
    assert_true(isinf(v.score) && flagged(v));
    assert_int_equal(v.feature, 1);
    assert_ok(anomaly_explain(two, x, share));
    assert_true(share[0] == 0 && isinf(share[1]));
    anomaly_destroy(one);
    anomaly_destroy(two);
}

static void test_rows_are_the_loop(void **state)
{
    enum { ROWS = 2000 };
    static double x[ROWS], score[ROWS];
    anomaly_detector *a = distance_of("window=512"), *b = distance_of("window=512");
    random_state r = {8};
    (void)state;
    for (int i = 0; i < ROWS; i++)
        x[i] = one_in(&r, 50) ? (double)NAN : random_normal(&r);
    assert_ok(
        anomaly_update_rows(a, &(anomaly_rows){.count = ROWS, .values = x}, &(anomaly_verdicts){.score = score}, NULL));
    for (int i = 0; i < ROWS; i++)
        assert_same(push(b, x[i]).score, score[i]);
    assert_same_state(a, b);
    anomaly_destroy(a);
    anomaly_destroy(b);
}

static void test_reset_and_statistics(void **state)
{
    anomaly_detector *d = distance_of("lags=0 window=128");
    (void)state;
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 100; i++)
            push(d, i % 2 ? 3 : 1);
        anomaly_stats s = stats_of(d, 0);
        assert_int_equal(s.count, 100);
        assert_same(s.mean, 2);
        assert_close(s.variance, 100.0 / 99, 1e-15);
        assert_true(isnan(s.min) && isnan(s.max)); /* totals know nothing of them */
        assert_close(judge(d, 4).score, 2 / sqrt(1.1), 1e-15);
        anomaly_reset(d);
        assert_int_equal(count_of(d), 0);
        assert_nan(judge(d, 4).score);
    }
    anomaly_destroy(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_lags_one_value_has_a_z_score),
        cmocka_unit_test(test_a_correlation_that_breaks_is_odd_though_each_value_is_usual),
        cmocka_unit_test(test_a_missing_feature_leaves_the_distance_of_the_others),
        cmocka_unit_test(test_a_still_feature_beside_a_missing_one_is_usual),
        cmocka_unit_test(test_a_missing_event_has_no_distance),
        cmocka_unit_test(test_an_infinite_value_is_odd_beside_an_ignored_flat_one),
        cmocka_unit_test(test_contributions_sum_to_the_score),
        cmocka_unit_test(test_warm_up),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_the_option_lags_takes_words_and_numbers),
        cmocka_unit_test(test_a_usual_value_at_an_unusual_place_is_odd),
        cmocka_unit_test(test_drift_is_usual),
        cmocka_unit_test(test_a_constant_stream_that_moves),
        cmocka_unit_test(test_a_constant_feature_beside_others),
        cmocka_unit_test(test_two_values),
        cmocka_unit_test(test_infinite_values_are_odd_and_never_learned),
        cmocka_unit_test(test_what_is_kept_out_leaves_no_trace),
        cmocka_unit_test(test_units_do_not_matter),
        cmocka_unit_test(test_spikes_are_forgotten),
        cmocka_unit_test(test_a_huge_value_among_tiny_ones),
        cmocka_unit_test(test_rows_are_the_loop),
        cmocka_unit_test(test_reset_and_statistics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
