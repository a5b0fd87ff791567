/* SPDX-License-Identifier: MIT
 * features.c - several features in one detector: each with its own statistics, the worst one in the verdict. */
#include "../support/test.h"

static anomaly_verdict push3(anomaly_detector *d, double a, double b, double c)
{
    const double x[3] = {a, b, c};
    anomaly_verdict v;
    assert_ok(anomaly_update(d, x, 0, &v));
    return v;
}

static anomaly_verdict judge3(const anomaly_detector *d, double a, double b, double c)
{
    const double x[3] = {a, b, c};
    anomaly_verdict v;
    assert_ok(anomaly_score(d, x, 0, &v));
    return v;
}

/* Feature 0 has standard deviation 1, feature 1 has 2, feature 2 has 4; all have mean 0. */
static anomaly_detector *three(const char *options)
{
    char text[256];
    anomaly_detector *d;
    snprintf(text, sizeof text, "features=3 window=20 ddof=0 warmup=2 %s", options);
    d = zscore_of(text);
    for (int i = 0; i < 10; i++)
        push3(d, i % 2 ? 1 : -1, i % 2 ? 2 : -2, i % 2 ? 4 : -4);
    return d;
}

static void test_worst_feature(void **state)
{
    anomaly_detector *d = three("");
    anomaly_verdict v = judge3(d, 2, -10, 8);
    (void)state;
    assert_int_equal(v.feature, 1);
    assert_same(v.score, 5);
    assert_same(v.expected, 0);
    assert_same(v.lower, -6);
    assert_same(v.upper, 6);
    assert_int_equal(v.flags, ANOMALY_IS_ANOMALY | ANOMALY_BELOW);
    assert_int_equal(judge3(d, 0, 0, 1).feature, 2);
    anomaly_destroy(d);
}

static void test_tie_goes_to_the_first(void **state)
{
    anomaly_detector *d = three("");
    (void)state;
    assert_int_equal(judge3(d, 3, 6, 12).feature, 0);
    assert_int_equal(judge3(d, 0, 6, -12).feature, 1);
    assert_int_equal(judge3(d, 0, 0, 0).feature, 0);
    anomaly_destroy(d);
}

static void test_one_sided_worst(void **state)
{
    anomaly_detector *d = three("side=upper");
    anomaly_verdict v = judge3(d, -50, 4, -50);
    (void)state;
    assert_int_equal(v.feature, 1);
    assert_same(v.score, 2);
    assert_false(flagged(v));
    anomaly_destroy(d);
}

static void test_missing_feature(void **state)
{
    anomaly_detector *d = three("");
    anomaly_verdict v = judge3(d, NAN, 2, 0);
    (void)state;
    assert_int_equal(v.feature, 1);
    assert_same(v.score, 1);
    assert_int_equal(v.flags, ANOMALY_MISSING | ANOMALY_ABOVE);
    v = judge3(d, 0, NAN, 40);
    assert_int_equal(v.flags, ANOMALY_MISSING | ANOMALY_ABOVE | ANOMALY_IS_ANOMALY);
    assert_int_equal(v.feature, 2);
    v = judge3(d, NAN, NAN, NAN);
    assert_int_equal(v.flags, ANOMALY_MISSING);
    assert_int_equal(v.feature, 0);
    assert_nan(v.score);
    assert_same(v.expected, 0);
    assert_true(v.events == 10);
    anomaly_destroy(d);
}

/* An event takes one place if any feature is finite; the others' statistics skip it. */
static void test_place_in_the_window(void **state)
{
    anomaly_detector *d = zscore_of("features=3 window=3 ddof=0");
    (void)state;
    push3(d, 1, 10, NAN);
    push3(d, 2, NAN, INFINITY);
    push3(d, 3, NAN, NAN);
    assert_true(stats_of(d, 0).count == 3);
    assert_true(stats_of(d, 1).count == 1);
    assert_true(stats_of(d, 2).count == 0);
    assert_same(stats_of(d, 1).mean, 10);
    push3(d, NAN, NAN, NAN);
    push3(d, NAN, -INFINITY, INFINITY);
    assert_true(stats_of(d, 0).count == 3 && stats_of(d, 1).count == 1); /* no place taken */
    push3(d, NAN, NAN, 7);
    assert_true(stats_of(d, 0).count == 2 && stats_of(d, 1).count == 0 && stats_of(d, 2).count == 1);
    assert_same(stats_of(d, 0).min, 2);
    assert_same(stats_of(d, 2).max, 7);
    assert_true(counters_of(d).learned == 4);
    assert_true(counters_of(d).missing == 6);
    assert_true(counters_of(d).nonfinite == 2);
    anomaly_destroy(d);
}

static void test_infinite_feature(void **state)
{
    anomaly_detector *d = three("");
    anomaly_verdict v = push3(d, 1, INFINITY, 3);
    (void)state;
    assert_int_equal(v.feature, 1);
    assert_same(v.score, INFINITY);
    assert_int_equal(v.flags, ANOMALY_IS_ANOMALY | ANOMALY_NONFINITE | ANOMALY_ABOVE);
    assert_true(stats_of(d, 0).count == 11 && stats_of(d, 1).count == 10 && stats_of(d, 2).count == 11);
    anomaly_destroy(d);
}

/* Each feature warms up for itself; one that is judged comes before one that is not. */
static void test_warmup_by_feature(void **state)
{
    anomaly_detector *d = zscore_of("features=3 window=20 warmup=4 ddof=0");
    anomaly_verdict v;
    (void)state;
    for (int i = 0; i < 6; i++)
        push3(d, i < 5 ? NAN : 0, i % 2, NAN);
    v = judge3(d, 100, 0.5, 100);
    assert_int_equal(v.feature, 1);
    assert_true(v.events == 6);
    assert_int_equal(v.flags, 0);
    assert_same(v.score, 0);
    v = judge3(d, 100, NAN, 100); /* only those that warm up */
    assert_int_equal(v.flags & (ANOMALY_WARMING_UP | ANOMALY_IS_ANOMALY | ANOMALY_MISSING),
                     ANOMALY_WARMING_UP | ANOMALY_MISSING);
    assert_int_equal(v.feature, 0);
    assert_same(v.score, INFINITY);
    v = judge3(d, NAN, NAN, 100);
    assert_int_equal(v.feature, 2);
    assert_nan(v.score);
    anomaly_destroy(d);
}

/* The same values as three detectors of one feature each. */
static void check_independent(int kind, const char *options)
{
    char text[256];
    anomaly_detector *d, *one[3];
    snprintf(text, sizeof text, "features=3 %s", options);
    d = detector_of(kind, text);
    for (int f = 0; f < 3; f++)
        one[f] = detector_of(kind, options);
    for (int i = 0; i < 300; i++) {
        double x[3] = {i * 7 % 31, i * i % 17 / 8.0, i % 50};
        anomaly_verdict v, best = {0}, w;
        assert_ok(anomaly_update(d, x, i, &v));
        for (int f = 0; f < 3; f++) {
            assert_ok(anomaly_update(one[f], &x[f], i, &w));
            if (f == 0 || w.score > best.score) {
                best = w;
                best.feature = (uint32_t)f;
            }
        }
        if (!has_flag(v, ANOMALY_WARMING_UP))
            assert_same_verdict(&v, &best);
    }
    for (uint32_t f = 0; f < 3; f++) {
        anomaly_stats a = stats_of(d, f), b = stats_of(one[f], 0);
        assert_true(same_stats(&a, &b));
        anomaly_destroy(one[f]);
    }
    anomaly_destroy(d);
}

static void test_independent(void **state)
{
    (void)state;
    check_independent(ANOMALY_ZSCORE, "window=40");
    check_independent(ANOMALY_ZSCORE, "window=40 robust=1");
    check_independent(ANOMALY_PERCENTILE, "window=40");
}

static void test_most_features(void **state)
{
    enum { MOST = 4096 };
    anomaly_detector *d = zscore_of("features=4096 window=6 warmup=3");
    double *x = calloc(MOST, sizeof *x);
    anomaly_verdict v;
    (void)state;
    assert_non_null(x);
    for (int i = 0; i < 10; i++) {
        for (int f = 0; f < MOST; f++)
            x[f] = f + i % 3;
        assert_ok(anomaly_update(d, x, 0, NULL));
    }
    x[MOST - 1] = -1e6;
    assert_ok(anomaly_score(d, x, 0, &v));
    assert_int_equal(v.feature, MOST - 1);
    assert_true(flagged(v) && has_flag(v, ANOMALY_BELOW));
    assert_same(stats_of(d, 4000).mean, 4001);
    free(x);
    anomaly_destroy(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_worst_feature),       cmocka_unit_test(test_tie_goes_to_the_first),
        cmocka_unit_test(test_one_sided_worst),     cmocka_unit_test(test_missing_feature),
        cmocka_unit_test(test_place_in_the_window), cmocka_unit_test(test_infinite_feature),
        cmocka_unit_test(test_warmup_by_feature),   cmocka_unit_test(test_independent),
        cmocka_unit_test(test_most_features),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
