/* SPDX-License-Identifier: MIT
 * percentile.c - exact percentiles of the window: both interpolations, bounds, scores, flat windows. */
#include "../support/test.h"

#include "../support/exact.h"

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

static void text_of_thousandths(char *text, size_t room, uint64_t thousandths)
{
    snprintf(text, room, "%llu.%03llu", (unsigned long long)(thousandths / 1000), (unsigned long long)(thousandths % 1000));
}

/* The rank by integers: the smallest k with k / n >= p / 100, the percentage as it is written. */
static void check_rank(const char *upper, uint64_t thousandths, uint64_t n)
{
    char options[128];
    snprintf(options, sizeof options, "quantile=nearest lower=0 upper=%s window=5000 warmup=1", upper);
    anomaly_detector *d = percentile_of(options);
    double rank = (double)((thousandths * n + 99999) / 100000), x[5000];
    for (uint64_t i = 0; i < n; i++)
        x[i] = (double)(i + 1);
    assert_ok(anomaly_learn_rows(d, &(anomaly_rows){.count = (size_t)n, .values = x}, NULL));
    assert_same(judge(d, 0).upper, rank);
    assert_same(quantile_of(d, (double)thousandths / 100000), rank);
    anomaly_destroy(d);
}

/* Percentages that no double is, in windows that make the rank a whole number: the nearest rank has no rounding of its own. */
static void test_nearest_is_exact(void **state)
{
    static const uint64_t N[] = {25, 50, 100, 125, 200, 1000, 2500, 5000};
    (void)state;
    for (size_t k = 0; k < ARRAY_COUNT(N); k++)
        for (uint64_t rank = 1; rank <= N[k]; rank += N[k] > 200 && is_quick() ? 37 : 1) {
            char text[32];
            text_of_thousandths(text, sizeof text, rank * 100000 / N[k]);
            check_rank(text, rank * 100000 / N[k], N[k]);
        }
}

/* A thousandth beside a whole rank is the next rank already, or still this one. */
static void test_nearest_beside_a_rank(void **state)
{
    (void)state;
    for (uint64_t rank = 1; rank < 100; rank++) {
        char text[32];
        text_of_thousandths(text, sizeof text, rank * 1000 - 1);
        check_rank(text, rank * 1000 - 1, 100);
        text_of_thousandths(text, sizeof text, rank * 1000 + 1);
        check_rank(text, rank * 1000 + 1, 100);
    }
}

/* A share that was computed, k / n, is of the k-th of n. */
static void test_nearest_of_a_quotient(void **state)
{
    (void)state;
    for (int n = 1; n <= 300; n++) {
        anomaly_detector *d = percentile_of("quantile=nearest window=300");
        for (int i = 1; i <= n; i++)
            teach(d, i);
        for (int k = 1; k <= n; k++)
            assert_same(quantile_of(d, (double)k / n), k);
        anomaly_destroy(d);
    }
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

/* Both bounds and the value are doubles, and so is the score; a difference between them is not. Exact: in 113 bits. */
static void check_huge_score(const char *options, double a, double b, double x)
{
    char text[128];
    snprintf(text, sizeof text, "warmup=1 lower=0 upper=100 threshold=5 %s", options);
    anomaly_detector *d = percentile_of(text);
    quad low = a < b ? a : b, high = a < b ? b : a, over = (quad)x - high, under = low - (quad)x;
    quad out = strstr(options, "upper") ? over : strstr(options, "lower") ? under : over > under ? over : under;
    teach(d, a);
    teach(d, b);
    assert_close(judge(d, x).score, (double)(out / (high - low)), 1e-15);
    assert_false(flagged(judge(d, x)));
    anomaly_destroy(d);
}

static void test_huge_scores(void **state)
{
    static const char *const SIDES[] = {"", "side=upper", "side=lower"};
    static const double X[] = {-1.7e308, -1.6e308, -8.3e307, -1e300, 0, 1, 9e307, 1.2e308, 1.79e308};
    (void)state;
    for (size_t s = 0; s < ARRAY_COUNT(SIDES); s++)
        for (size_t i = 0; i < ARRAY_COUNT(X); i++)
            for (size_t j = 0; j < ARRAY_COUNT(X); j++)
                for (size_t k = 0; k < ARRAY_COUNT(X); k++)
                    if (fabs(X[i] / 4 - X[j] / 4) > 1e307)
                        check_huge_score(SIDES[s], X[i], X[j], X[k]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_linear),
        cmocka_unit_test(test_linear_from_both_ends),
        cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_nearest_is_exact),
        cmocka_unit_test(test_nearest_beside_a_rank),
        cmocka_unit_test(test_nearest_of_a_quotient),
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
        cmocka_unit_test(test_huge_scores),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
