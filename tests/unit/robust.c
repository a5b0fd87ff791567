/* SPDX-License-Identifier: MIT
 * robust.c - median and median absolute deviation. */
#include "../support/test.h"

static anomaly_detector *window_of(const char *options, const double *x, size_t count)
{
    char text[256];
    anomaly_detector *d;
    snprintf(text, sizeof text, "robust=1 %s", options);
    d = zscore_of(text);
    teach_all(d, x, count);
    return d;
}

static void test_verdict_fields(void **state)
{
    static const double X[] = {1, 1, 2, 2, 4, 6, 9}; /* median 2, deviations 0 0 1 1 2 4 7: MAD 1 */
    anomaly_detector *d = window_of("window=7", X, 7);
    anomaly_verdict v = judge(d, 9);
    (void)state;
    assert_same(v.expected, 2);
    assert_same(v.score, 7 / 1.4826);
    assert_same(v.lower, 2 - 3 * 1.4826);
    assert_same(v.upper, 2 + 3 * 1.4826);
    assert_int_equal(v.flags, ANOMALY_IS_ANOMALY | ANOMALY_ABOVE);
    assert_true(v.events == 7);
    v = judge(d, 0);
    assert_same(v.score, 2 / 1.4826);
    assert_int_equal(v.flags, ANOMALY_BELOW);
    assert_same(quantile_of(d, 0.5), 2);
    assert_close(stats_of(d, 0).mean, 25.0 / 7, 1e-15);
    anomaly_destroy(d);
}

static void test_even_count(void **state)
{
    static const double X[] = {1, 2, 3, 10}; /* median 2.5, deviations 0.5 0.5 1.5 7.5: MAD 1 */
    anomaly_detector *d = window_of("window=4 warmup=1", X, 4);
    (void)state;
    assert_same(judge(d, 3.5).expected, 2.5);
    assert_same(judge(d, 3.5).score, 1 / (1.4826 * 1.0));
    anomaly_destroy(d);
}

/* Five columns of sample data, each outlier judged against the others of its column. */
static void check_outlier(const double *others, size_t count, double x, double score)
{
    anomaly_detector *d = window_of("warmup=3 threshold=3.5", others, count);
    anomaly_verdict v = judge(d, x);
    if (fabs(v.score - score) > 0.05)
        print_error("%g scores %.3f, want %.1f\n", x, v.score, score);
    assert_true(fabs(v.score - score) <= 0.05);
    assert_true(flagged(v));
    anomaly_destroy(d);
}

static void test_sample_outliers(void **state)
{
    static const double PRESSURE[] = {1010.2, 1011.0, 1009.8, 1010.5}, VIBRATION[] = {4.1, 4.3, 3.9, 4.2};
    static const double CPU[] = {41.0, 42.5, 40.2, 41.8}, MEMORY[] = {58.1, 58.9, 57.6, 58.4};
    static const double LATENCY[] = {11.9, 12.6, 11.2, 13.4, 12.1}, DISK[] = {40.2, 42.0, 41.5, 40.9};
    (void)state;
    check_outlier(PRESSURE, 4, 1060.4, 96.5);
    check_outlier(VIBRATION, 4, 44.0, 268.8);
    check_outlier(CPU, 4, 97.3, 50.3);
    check_outlier(MEMORY, 4, 140.2, 138.2);
    check_outlier(LATENCY, 5, 180.7, 227.4);
    check_outlier(DISK, 4, 260.3, 268.7);
}

/* More than half of the window on one value: no spread, although there are others. */
static void test_flat(void **state)
{
    static const double X[] = {5, 5, 5, 5, 9, 1, 5};
    anomaly_detector *d = window_of("window=7", X, 7), *least = window_of("window=7 min_stddev=0.5", X, 7);
    (void)state;
    assert_same(judge(d, 5).score, 0);
    assert_int_equal(judge(d, 5).flags, 0);
    assert_same(judge(d, 6).score, INFINITY);
    assert_int_equal(judge(d, 6).flags, ANOMALY_IS_ANOMALY | ANOMALY_FLAT | ANOMALY_ABOVE);
    assert_same(judge(least, 6).score, 2);
    assert_int_equal(judge(least, 6).flags, ANOMALY_ABOVE);
    anomaly_destroy(d);
    anomaly_destroy(least);
}

/* One value is enough for a median: judged from `warmup` on, whatever ddof says. */
static void test_warmup(void **state)
{
    static const double X[] = {5};
    anomaly_detector *d = window_of("warmup=1", X, 1), *later = window_of("warmup=2", X, 1);
    (void)state;
    assert_true(flagged(judge(d, 6)));
    assert_same(judge(d, 5).score, 0);
    assert_true(has_flag(judge(later, 6), ANOMALY_WARMING_UP));
    assert_same(judge(later, 6).score, INFINITY);
    assert_false(flagged(judge(later, 6)));
    anomaly_destroy(d);
    anomaly_destroy(later);
}

/* A gross outlier in the window hardly moves the verdict: that is what it is for. */
static void test_outlier_in_the_window(void **state)
{
    static const double X[] = {1, 2, 3, 4, 1e300};
    anomaly_detector *d = window_of("window=5", X, 5);
    (void)state;
    assert_same(judge(d, 9).expected, 3);
    assert_same(judge(d, 9).score, 6 / 1.4826);
    anomaly_destroy(d);
}

static void test_sides(void **state)
{
    static const double X[] = {1, 1, 2, 2, 4, 6, 9};
    anomaly_detector *up = window_of("side=upper", X, 7), *low = window_of("side=lower", X, 7);
    (void)state;
    assert_same(judge(up, 9).score, 7 / 1.4826);
    assert_same(judge(low, 9).score, -7 / 1.4826);
    assert_same(judge(up, 9).lower, -INFINITY);
    assert_same(judge(low, 9).upper, INFINITY);
    assert_false(flagged(judge(low, 9)));
    anomaly_destroy(up);
    anomaly_destroy(low);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdict_fields),  cmocka_unit_test(test_even_count),
        cmocka_unit_test(test_sample_outliers), cmocka_unit_test(test_flat),
        cmocka_unit_test(test_warmup),          cmocka_unit_test(test_outlier_in_the_window),
        cmocka_unit_test(test_sides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
