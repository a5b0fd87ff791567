/* SPDX-License-Identifier: MIT
 * percentile.c - exact percentiles of the window: both interpolations, bounds, scores, flat windows. */
#include "../support/test.h"

static anomaly_detector *window_of(const char *options, const double *x, size_t count)
{
    anomaly_detector *d = percentile_of(options);
    teach_all(d, x, count);
    return d;
}

static const double TEN[] = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3}; /* 1 1 2 3 3 4 5 5 6 9 */

static void test_linear(void **state)
{
    anomaly_detector *d = window_of("window=10", TEN, 10);
    (void)state;
    assert_same(quantile_of(d, 0), 1);
    assert_same(quantile_of(d, 1), 9);
    assert_same(quantile_of(d, 0.5), 3.5);
    assert_same(quantile_of(d, 0.25), 2.25);
    assert_same(quantile_of(d, 0.75), 5);
    assert_close(quantile_of(d, 0.95), 7.65, 1e-15);
    assert_close(quantile_of(d, 0.99), 8.73, 1e-15);
    anomaly_destroy(d);
}

/* From either end, whichever is nearer: 0.1 + (0.3 - 0.1) * t and 0.3 - (0.3 - 0.1) * (1 - t) differ in the last bit. */
static void test_linear_from_both_ends(void **state)
{
    static const double X[] = {0.1, 0.3};
    anomaly_detector *d = window_of("window=2", X, 2);
    (void)state;
    for (int i = 0; i <= 64; i++) {
        const double t = i / 64.0, a = 0.1, b = 0.3;
        assert_same(quantile_of(d, t), t < 0.5 ? a + (b - a) * t : b - (b - a) * (1 - t));
    }
    anomaly_destroy(d);
}

static void test_nearest(void **state)
{
    anomaly_detector *d = window_of("window=10 quantile=nearest", TEN, 10);
    (void)state;
    assert_same(quantile_of(d, 0), 1);
    assert_same(quantile_of(d, 0.1), 1);
    assert_same(quantile_of(d, 0.2), 1);
    assert_same(quantile_of(d, 0.21), 2);
    assert_same(quantile_of(d, 0.5), 3);
    assert_same(quantile_of(d, 0.51), 4);
    assert_same(quantile_of(d, 0.9), 6);
    assert_same(quantile_of(d, 0.91), 9);
    assert_same(quantile_of(d, 1), 9);
    anomaly_destroy(d);
}

static void test_one_value(void **state)
{
    static const double X[] = {-2.5};
    anomaly_detector *d = window_of("window=9 warmup=1", X, 1);
    (void)state;
    for (int i = 0; i <= 10; i++)
        assert_same(quantile_of(d, i / 10.0), -2.5);
    assert_false(has_flag(judge(d, 1), ANOMALY_WARMING_UP));
    anomaly_destroy(d);
}

static anomaly_detector *hundred(const char *options)
{
    char text[256];
    anomaly_detector *d;
    snprintf(text, sizeof text, "window=101 %s", options);
    d = percentile_of(text);
    for (int i = 0; i <= 100; i++) /* 0 .. 100: percentile p is p */
        teach(d, (i * 37) % 101);
    return d;
}

static void test_verdict_fields(void **state)
{
    anomaly_detector *d = hundred("lower=10 upper=90");
    anomaly_verdict v = judge(d, 98);
    (void)state;
    assert_same(v.expected, 50);
    assert_same(v.lower, 10);
    assert_same(v.upper, 90);
    assert_same(v.score, 0.1);
    assert_same(v.threshold, 0);
    assert_int_equal(v.flags, ANOMALY_IS_ANOMALY | ANOMALY_ABOVE);
    assert_true(v.events == 101);
    v = judge(d, 2);
    assert_same(v.score, 0.1);
    assert_int_equal(v.flags, ANOMALY_IS_ANOMALY | ANOMALY_BELOW);
    v = judge(d, 30);
    assert_same(v.score, -0.25);
    assert_int_equal(v.flags, 0);
    v = judge(d, 50);
    assert_same(v.score, -0.5);
    anomaly_destroy(d);
}

static void test_on_the_bound(void **state)
{
    anomaly_detector *gt = hundred(""), *ge = hundred("compare=ge");
    (void)state;
    assert_same(judge(gt, 99).score, 0);
    assert_same(judge(gt, 1).score, 0);
    assert_int_equal(judge(gt, 99).flags, 0);
    assert_int_equal(judge(gt, 1).flags, 0);
    assert_true(flagged(judge(gt, nextafter(99, 100))));
    assert_true(flagged(judge(gt, nextafter(1, 0))));
    assert_true(flagged(judge(ge, 99)));
    assert_true(flagged(judge(ge, 1)));
    assert_false(flagged(judge(ge, 98.5)));
    anomaly_destroy(gt);
    anomaly_destroy(ge);
}

static void test_threshold(void **state)
{
    anomaly_detector *d = hundred("lower=10 upper=90 threshold=0.125");
    (void)state;
    assert_false(flagged(judge(d, 100)));
    assert_true(flagged(judge(d, 100.5)));
    assert_false(flagged(judge(d, 0)));
    assert_true(flagged(judge(d, -0.5)));
    anomaly_destroy(d);
}

static void test_sides(void **state)
{
    anomaly_detector *up = hundred("side=upper lower=10 upper=90"), *low = hundred("side=lower lower=10 upper=90");
    (void)state;
    assert_same(judge(up, 98).score, 0.1);
    assert_true(flagged(judge(up, 98)));
    assert_same(judge(up, 2).score, -1.1);
    assert_false(flagged(judge(up, 2)));
    assert_same(judge(up, 2).lower, -INFINITY);
    assert_same(judge(up, 2).upper, 90);
    assert_same(judge(low, 2).score, 0.1);
    assert_true(flagged(judge(low, 2)));
    assert_same(judge(low, 98).score, -1.1);
    assert_false(flagged(judge(low, 98)));
    assert_same(judge(low, 2).lower, 10);
    assert_same(judge(low, 2).upper, INFINITY);
    assert_same(judge(up, INFINITY).score, INFINITY);
    assert_same(judge(up, -INFINITY).score, -INFINITY);
    assert_true(flagged(judge(up, INFINITY)));
    assert_false(flagged(judge(up, -INFINITY)));
    anomaly_destroy(up);
    anomaly_destroy(low);
}

static void check_flat(const char *options, double x, double score, uint32_t flags)
{
    anomaly_detector *d = percentile_of(options);
    anomaly_verdict v;
    for (int i = 0; i < 30; i++)
        teach(d, 0.1);
    v = judge(d, x);
    assert_same(v.score, score);
    assert_int_equal(v.flags, flags);
    anomaly_destroy(d);
}

static void test_flat(void **state)
{
    const uint32_t up = ANOMALY_FLAT | ANOMALY_ABOVE, down = ANOMALY_FLAT | ANOMALY_BELOW;
    (void)state;
    check_flat("", 0.1, 0, 0);
    check_flat("", 0.2, INFINITY, up | ANOMALY_IS_ANOMALY);
    check_flat("", nextafter(0.1, 0), INFINITY, down | ANOMALY_IS_ANOMALY);
    check_flat("flat=ignore", 0.2, INFINITY, up);
    check_flat("flat=ignore", 0.1, 0, 0);
    check_flat("side=upper", 0.2, INFINITY, up | ANOMALY_IS_ANOMALY);
    check_flat("side=lower", -1, INFINITY, down | ANOMALY_IS_ANOMALY);
    check_flat("side=upper", 0.1, 0, 0);
}

/* Bounds may meet although the window has a spread. */
static void test_bounds_meet(void **state)
{
    anomaly_detector *d = percentile_of("window=100 warmup=3 lower=25 upper=75");
    (void)state;
    for (int i = 0; i < 100; i++)
        teach(d, i == 50 ? 9 : 4);
    assert_same(judge(d, 4).score, 0);
    assert_same(judge(d, 9).score, INFINITY);
    assert_int_equal(judge(d, 9).flags, ANOMALY_FLAT | ANOMALY_ABOVE | ANOMALY_IS_ANOMALY);
    anomaly_destroy(d);
}

static void test_warmup(void **state)
{
    anomaly_detector *d = percentile_of("");
    (void)state;
    for (int i = 0; i < 20; i++)
        assert_true(has_flag(push(d, i), ANOMALY_WARMING_UP));
    assert_false(has_flag(judge(d, 5), ANOMALY_WARMING_UP));
    assert_true(flagged(judge(d, 99)));
    anomaly_destroy(d);
}

static void test_missing_and_infinite(void **state)
{
    anomaly_detector *d = hundred("");
    anomaly_verdict v = push(d, NAN);
    (void)state;
    assert_nan(v.score);
    assert_int_equal(v.flags, ANOMALY_MISSING);
    assert_same(v.lower, 1);
    assert_same(v.upper, 99);
    v = push(d, -INFINITY);
    assert_same(v.score, INFINITY);
    assert_int_equal(v.flags, ANOMALY_NONFINITE | ANOMALY_IS_ANOMALY | ANOMALY_BELOW);
    assert_true(count_of(d) == 101);
    assert_same(quantile_of(d, 0), 0);
    anomaly_destroy(d);
}

/* Any two percentiles, 0 and 100 too: what is outside all that was seen. */
static void test_extreme_percentiles(void **state)
{
    anomaly_detector *d = hundred("lower=0 upper=100");
    (void)state;
    assert_false(flagged(judge(d, 0)));
    assert_false(flagged(judge(d, 100)));
    assert_true(flagged(judge(d, 100.001)));
    assert_true(flagged(judge(d, -0.001)));
    anomaly_destroy(d);
}

/* A distance of the bounds that no double holds must not hide what is outside. */
static void test_huge_bounds(void **state)
{
    anomaly_detector *d = percentile_of("window=40 warmup=4 lower=10 upper=90");
    (void)state;
    for (int i = 0; i < 40; i++)
        teach(d, i % 2 ? 1.5e308 : -1.5e308);
    assert_true(flagged(judge(d, 1.7e308)));
    assert_true(flagged(judge(d, -1.7e308)));
    assert_false(flagged(judge(d, 0)));
    anomaly_destroy(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_linear),
        cmocka_unit_test(test_linear_from_both_ends),
        cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_one_value),
        cmocka_unit_test(test_verdict_fields),
        cmocka_unit_test(test_on_the_bound),
        cmocka_unit_test(test_threshold),
        cmocka_unit_test(test_sides),
        cmocka_unit_test(test_flat),
        cmocka_unit_test(test_bounds_meet),
        cmocka_unit_test(test_warmup),
        cmocka_unit_test(test_missing_and_infinite),
        cmocka_unit_test(test_extreme_percentiles),
        cmocka_unit_test(test_huge_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
