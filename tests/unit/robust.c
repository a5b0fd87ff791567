/* SPDX-License-Identifier: MIT
 * robust.c - median and median absolute deviation. */
#include "../support/test.h"

#include "../support/exact.h"
#include "../support/random.h"

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

/* More than half of the window on one value: MAD 0, mean deviation (4 + 4) / 7, by hand. */
static void test_majority(void **state)
{
    static const double X[] = {5, 5, 5, 5, 9, 1, 5};
    const double spread = 1.253314 * (8.0 / 7);
    anomaly_detector *d = window_of("window=7", X, 7), *least = window_of("window=7 min_stddev=2", X, 7);
    (void)state;
    assert_same(judge(d, 5).score, 0);
    assert_int_equal(judge(d, 5).flags, 0);
    assert_same(judge(d, 6).score, 1 / spread);
    assert_same(judge(d, 6).lower, 5 - 3 * spread);
    assert_same(judge(d, 6).upper, 5 + 3 * spread);
    assert_int_equal(judge(d, 6).flags, ANOMALY_ABOVE);
    assert_int_equal(judge(d, 0).flags, ANOMALY_IS_ANOMALY | ANOMALY_BELOW);
    assert_same(judge(least, 6).score, 0.5);
    assert_same(quantile_of(d, 0.5), 5);
    assert_close(stats_of(d, 0).stddev, sqrt(32.0 / 6), 1e-15);
    anomaly_destroy(d);
    anomaly_destroy(least);
}

/* One other value is a spread, none is not; with it gone the window is as if it had never come. */
static void test_flat(void **state)
{
    anomaly_detector *d = zscore_of("robust=1 window=7");
    (void)state;
    for (int i = 0; i < 10; i++)
        push(d, 5);
    assert_same(judge(d, 5).score, 0);
    assert_int_equal(judge(d, 5).flags, 0);
    assert_same(judge(d, 6).score, INFINITY);
    assert_int_equal(judge(d, 6).flags, ANOMALY_IS_ANOMALY | ANOMALY_FLAT | ANOMALY_ABOVE);
    for (int i = 0; i < 7; i++) {
        push(d, i == 0 ? 1e300 : 5);
        assert_same(judge(d, 6).score, 1 / (1.253314 * ((1e300 - 5) / 7)));
        assert_int_equal(judge(d, 6).flags, ANOMALY_ABOVE);
    }
    push(d, 5);
    assert_same(judge(d, 6).score, INFINITY);
    assert_int_equal(judge(d, 6).flags, ANOMALY_IS_ANOMALY | ANOMALY_FLAT | ANOMALY_ABOVE);
    anomaly_destroy(d);
}

/* The least double beside a thousand zeros: its mean would be 0, but it is a spread. */
static void test_least_spread(void **state)
{
    anomaly_detector *d = zscore_of("robust=1 window=1000");
    (void)state;
    for (int i = 0; i < 1000; i++)
        push(d, i == 500 ? 0x1p-1074 : 0);
    assert_same(judge(d, 0x1p-1074).score, 1);
    assert_int_equal(judge(d, 0x1p-1074).flags, ANOMALY_ABOVE);
    anomaly_destroy(d);
}

/* Two thirds zeros, the others 1 to 3 in turn: mean deviation 2/3 whatever the window has seen before. */
static void test_counts(void **state)
{
    anomaly_detector *d = zscore_of("robust=1 window=900 threshold=4");
    (void)state;
    for (int i = 0; i < 5000; i++) {
        anomaly_verdict v = push(d, i == 2000 ? 1e9 : i % 3 ? 0 : i / 3 % 3 + 1);
        if (i >= 2902)
            assert_same(v.upper, 4 * (1.253314 * (600.0 / 900)));
        if (i >= 2902)
            assert_false(flagged(v));
    }
    anomaly_destroy(d);
}

/* What the window is must not matter to what the sums have been through: beside a model that sorts it anew. */
static void check_against_sorting(const char *options, size_t window, double (*value)(random_state *, size_t), size_t events)
{
    anomaly_detector *d = zscore_of(options);
    double *x = calloc(events, sizeof *x), *sorted = calloc(2 * window, sizeof *sorted);
    random_state r = {window};
    assert_true(x && sorted);
    for (size_t i = 0; i < events; i++) {
        x[i] = value(&r, i);
        push(d, x[i]);
        if (i % 7 == 3 || i < 20) {
            size_t n = i + 1 < window ? i + 1 : window;
            double median, spread;
            memcpy(sorted, x + i + 1 - n, n * sizeof *sorted);
            exact_robust(sorted, n, sorted + window, &median, &spread);
            anomaly_verdict v = judge(d, 1e5);
            assert_same(v.expected, median);
            assert_same(v.upper, median + 3 * spread);
            assert_int_equal(has_flag(v, ANOMALY_FLAT), spread == 0);
        }
    }
    free(x);
    free(sorted);
    anomaly_destroy(d);
}

static double half_zeros(random_state *r, size_t i)
{
    (void)i;
    return one_in(r, 2) ? 0 : random_normal(r);
}

/* A switch: the majority turns with each event. */
static double toggled(random_state *r, size_t i)
{
    return i % 500 == 499 ? random_normal(r) : i % 2 ? 3.25 : -1.5;
}

static double in_turn(random_state *r, size_t i)
{
    return i / 150 % 5 == 4 ? random_normal(r) : (double)(i / 150 % 5) * 0.1;
}

static double spiked(random_state *r, size_t i)
{
    (void)i;
    return one_in(r, 3) ? ldexp(random_normal(r), (int)random_below(r, 90) - 60) : 0.1;
}

static void test_beside_sorting(void **state)
{
    (void)state;
    check_against_sorting("robust=1 window=100", 100, half_zeros, 2000);
    check_against_sorting("robust=1 window=99", 99, toggled, 2000);
    check_against_sorting("robust=1 window=101", 101, in_turn, 3000);
    check_against_sorting("robust=1 window=250", 250, spiked, 2000);
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

/* Spreads and deviations that no double holds, their ratio being an ordinary number; bounds that come back into range. */
static void check_huge(const double *window, size_t n, double x, quad spread)
{
    anomaly_detector *d = window_of("warmup=1 threshold=0.5", window, n);
    anomaly_verdict v = judge(d, x);
    quad deviation = (quad)x - (quad)v.expected, upper = (quad)v.expected + spread / 2;
    assert_close(v.score, fabs((double)(deviation / spread)), 1e-15);
    assert_close(v.upper, (double)upper, 1e-15);
    assert_int_equal(flagged(v), v.score >= 0.5);
    anomaly_destroy(d);
}

static void test_huge_spreads(void **state)
{
    static const double EVEN[] = {-1.7e308, 1.7e308}, ODD[] = {-1.6e308, -1.6e308, 1.7e308};
    static const double X[] = {-1.79e308, 0, 1e10, 1.1e308, 1.79e308};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(X); i++) {
        check_huge(EVEN, 2, X[i], (quad)1.4826 * (quad)1.7e308);
        check_huge(ODD, 3, X[i], (quad)1.253314 * (((quad)1.7e308 + (quad)1.6e308) / 3));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdict_fields),
        cmocka_unit_test(test_even_count),
        cmocka_unit_test(test_sample_outliers),
        cmocka_unit_test(test_majority),
        cmocka_unit_test(test_flat),
        cmocka_unit_test(test_least_spread),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_beside_sorting),
        cmocka_unit_test(test_warmup),
        cmocka_unit_test(test_outlier_in_the_window),
        cmocka_unit_test(test_sides),
        cmocka_unit_test(test_huge_spreads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
