/* SPDX-License-Identifier: MIT
 * zscore.c - mean and standard deviation: the fields of the verdict, sides, comparison, flat windows, least spread. */
#include "../support/test.h"

/* -1 and 1 with divisor n: mean 0, standard deviation exactly 1, so that a score is the value itself. */
static anomaly_detector *unit_window(const char *options)
{
    char text[256];
    anomaly_detector *d;
    snprintf(text, sizeof text, "window=2 ddof=0 warmup=2 %s", options);
    d = zscore_of(text);
    teach(d, -1);
    teach(d, 1);
    return d;
}

static void test_verdict_fields(void **state)
{
    static const double X[] = {2, 4, 4, 4, 5, 5, 7, 9};
    anomaly_detector *d = zscore_of("window=8 ddof=0 threshold=2");
    anomaly_verdict v;
    anomaly_stats s;
    (void)state;
    teach_all(d, X, ARRAY_COUNT(X)); /* mean 5, standard deviation 2 */
    v = judge(d, 8);
    assert_same(v.score, 1.5);
    assert_same(v.threshold, 2);
    assert_same(v.expected, 5);
    assert_same(v.lower, 1);
    assert_same(v.upper, 9);
    assert_int_equal(v.flags, ANOMALY_ABOVE);
    assert_int_equal(v.feature, 0);
    assert_true(v.events == 8);
    v = judge(d, 1);
    assert_same(v.score, 2);
    assert_int_equal(v.flags, ANOMALY_BELOW | ANOMALY_IS_ANOMALY);
    v = judge(d, 5);
    assert_same(v.score, 0);
    assert_int_equal(v.flags, 0);
    s = stats_of(d, 0);
    assert_same(s.variance, 4);
    assert_same(s.stddev, 2);
    assert_same(s.min, 2);
    assert_same(s.max, 9);
    anomaly_destroy(d);
}

static void test_ddof(void **state)
{
    static const double X[] = {2, 4, 4, 4, 5, 5, 7, 9};
    anomaly_detector *d = zscore_of("window=8");
    (void)state;
    teach_all(d, X, ARRAY_COUNT(X));
    assert_close(stats_of(d, 0).variance, 32.0 / 7, 1e-15);
    assert_close(judge(d, 8).score, 3 / sqrt(32.0 / 7), 1e-15);
    anomaly_destroy(d);
}

static void test_compare_on_the_threshold(void **state)
{
    anomaly_detector *ge = unit_window("threshold=3"), *gt = unit_window("threshold=3 compare=gt");
    (void)state;
    assert_same(judge(ge, 3).score, 3);
    assert_true(flagged(judge(ge, 3)));
    assert_true(flagged(judge(ge, -3)));
    assert_false(flagged(judge(ge, nextafter(3, 0))));
    assert_false(flagged(judge(gt, 3)));
    assert_false(flagged(judge(gt, -3)));
    assert_true(flagged(judge(gt, nextafter(3, 4))));
    anomaly_destroy(ge);
    anomaly_destroy(gt);
}

static void test_upper_side(void **state)
{
    anomaly_detector *d = unit_window("side=upper");
    anomaly_verdict v = judge(d, 4);
    (void)state;
    assert_same(v.score, 4);
    assert_same(v.lower, -INFINITY);
    assert_same(v.upper, 3);
    assert_int_equal(v.flags, ANOMALY_IS_ANOMALY | ANOMALY_ABOVE);
    v = judge(d, -4);
    assert_same(v.score, -4);
    assert_int_equal(v.flags, ANOMALY_BELOW);
    anomaly_destroy(d);
}

static void test_lower_side(void **state)
{
    anomaly_detector *d = unit_window("side=lower");
    anomaly_verdict v = judge(d, -4);
    (void)state;
    assert_same(v.score, 4);
    assert_same(v.lower, -3);
    assert_same(v.upper, INFINITY);
    assert_int_equal(v.flags, ANOMALY_IS_ANOMALY | ANOMALY_BELOW);
    v = judge(d, 4);
    assert_same(v.score, -4);
    assert_int_equal(v.flags, ANOMALY_ABOVE);
    anomaly_destroy(d);
}

static anomaly_detector *flat_window(const char *options)
{
    anomaly_detector *d = zscore_of(options);
    for (int i = 0; i < 10; i++)
        teach(d, 0.1);
    return d;
}

static void test_flat(void **state)
{
    anomaly_detector *d = flat_window("");
    anomaly_verdict v = judge(d, 0.1);
    (void)state;
    assert_same(v.score, 0);
    assert_int_equal(v.flags, 0);
    assert_same(v.lower, 0.1);
    assert_same(v.upper, 0.1);
    v = judge(d, nextafter(0.1, 1));
    assert_same(v.score, INFINITY);
    assert_int_equal(v.flags, ANOMALY_IS_ANOMALY | ANOMALY_FLAT | ANOMALY_ABOVE);
    v = judge(d, nextafter(0.1, 0));
    assert_same(v.score, INFINITY);
    assert_int_equal(v.flags, ANOMALY_IS_ANOMALY | ANOMALY_FLAT | ANOMALY_BELOW);
    anomaly_destroy(d);
}

static void test_flat_ignored(void **state)
{
    anomaly_detector *d = flat_window("flat=ignore");
    anomaly_verdict v = judge(d, 7);
    (void)state;
    assert_same(v.score, INFINITY);
    assert_int_equal(v.flags, ANOMALY_FLAT | ANOMALY_ABOVE);
    anomaly_destroy(d);
}

static void test_flat_one_sided(void **state)
{
    anomaly_detector *d = flat_window("side=upper");
    (void)state;
    assert_same(judge(d, 7).score, INFINITY);
    assert_true(flagged(judge(d, 7)));
    assert_same(judge(d, -7).score, -INFINITY);
    assert_int_equal(judge(d, -7).flags, ANOMALY_FLAT | ANOMALY_BELOW);
    anomaly_destroy(d);
}

static void test_min_stddev(void **state)
{
    anomaly_detector *flat = flat_window("min_stddev=0.5"), *spread = unit_window("min_stddev=0.5"),
                     *wide = unit_window("min_stddev=2");
    anomaly_verdict v = judge(flat, 2.1);
    (void)state;
    assert_same(v.score, (2.1 - 0.1) / 0.5);
    assert_int_equal(v.flags, ANOMALY_IS_ANOMALY | ANOMALY_ABOVE);
    assert_same(v.lower, 0.1 - 1.5);
    assert_same(v.upper, 0.1 + 1.5);
    assert_int_equal(judge(flat, 1.5).flags, ANOMALY_ABOVE);
    assert_same(judge(spread, 2).score, 2);
    assert_same(judge(wide, 2).score, 1);
    assert_same(stats_of(wide, 0).stddev, 1); /* the statistics stay what they are */
    anomaly_destroy(flat);
    anomaly_destroy(spread);
    anomaly_destroy(wide);
}

static void test_missing(void **state)
{
    anomaly_detector *d = unit_window("window=3"), *twin = unit_window("window=3");
    anomaly_verdict v = push(d, NAN);
    (void)state;
    assert_nan(v.score);
    assert_int_equal(v.flags, ANOMALY_MISSING);
    assert_same(v.expected, 0);
    assert_same(v.upper, 3);
    assert_true(v.events == 2);
    assert_true(count_of(d) == 2);
    assert_true(counters_of(d).missing == 1 && counters_of(d).learned == 2);
    for (int i = 0; i < 9; i++) { /* no trace */
        anomaly_verdict a, b = push(twin, i);
        push(d, NAN);
        a = push(d, i);
        assert_same_verdict(&a, &b);
    }
    anomaly_destroy(d);
    anomaly_destroy(twin);
}

static void check_infinite(double x, const char *side, double score, uint32_t flags)
{
    char options[64];
    anomaly_detector *d;
    anomaly_verdict v;
    snprintf(options, sizeof options, "side=%s", side);
    d = unit_window(options);
    v = push(d, x);
    assert_same(v.score, score);
    assert_int_equal(v.flags, flags);
    assert_same(v.expected, 0);
    assert_true(count_of(d) == 2 && stats_of(d, 0).max == 1);
    assert_true(counters_of(d).nonfinite == 1);
    anomaly_destroy(d);
}

static void test_infinite(void **state)
{
    (void)state;
    check_infinite(INFINITY, "both", INFINITY, ANOMALY_IS_ANOMALY | ANOMALY_NONFINITE | ANOMALY_ABOVE);
    check_infinite(-INFINITY, "both", INFINITY, ANOMALY_IS_ANOMALY | ANOMALY_NONFINITE | ANOMALY_BELOW);
    check_infinite(INFINITY, "upper", INFINITY, ANOMALY_IS_ANOMALY | ANOMALY_NONFINITE | ANOMALY_ABOVE);
    check_infinite(-INFINITY, "upper", -INFINITY, ANOMALY_NONFINITE | ANOMALY_BELOW);
    check_infinite(INFINITY, "lower", -INFINITY, ANOMALY_NONFINITE | ANOMALY_ABOVE);
    check_infinite(-INFINITY, "lower", INFINITY, ANOMALY_IS_ANOMALY | ANOMALY_NONFINITE | ANOMALY_BELOW);
}

static void test_infinite_while_warming_up(void **state)
{
    anomaly_detector *d = zscore_of("warmup=3");
    anomaly_verdict v = push(d, INFINITY);
    (void)state;
    assert_same(v.score, INFINITY);
    assert_int_equal(v.flags, ANOMALY_NONFINITE | ANOMALY_WARMING_UP | ANOMALY_ABOVE);
    assert_true(count_of(d) == 0);
    anomaly_destroy(d);
}

/* Warm after exactly `warmup` earlier events, the score defined before that. */
static void test_warmup(void **state)
{
    anomaly_detector *d = zscore_of("warmup=4");
    (void)state;
    for (int i = 0; i < 4; i++) {
        anomaly_verdict v = push(d, i);
        assert_true(has_flag(v, ANOMALY_WARMING_UP));
        assert_int_equal(isnan(v.score), i < 2);
        assert_true(v.events == (uint64_t)i);
    }
    assert_false(has_flag(judge(d, 1000), ANOMALY_WARMING_UP));
    assert_true(flagged(judge(d, 1000)));
    assert_true(counters_of(d).warming_up == 4);
    anomaly_destroy(d);
}

/* A score needs two values with divisor n-1, however short the warm-up. */
static void test_least_warmup(void **state)
{
    anomaly_detector *d = zscore_of("warmup=1"), *n = zscore_of("warmup=1 ddof=0");
    (void)state;
    push(d, 1);
    push(n, 1);
    assert_true(has_flag(judge(d, 9), ANOMALY_WARMING_UP));
    assert_false(has_flag(judge(n, 9), ANOMALY_WARMING_UP));
    assert_true(flagged(judge(n, 9)));
    push(d, 2);
    assert_false(has_flag(judge(d, 9), ANOMALY_WARMING_UP));
    anomaly_destroy(d);
    anomaly_destroy(n);
}

/* With include_self the event counts itself. */
static void test_include_self(void **state)
{
    anomaly_detector *d = zscore_of("include_self=1 warmup=3 window=3 ddof=0 threshold=1");
    anomaly_verdict v;
    (void)state;
    assert_true(has_flag(push(d, 0), ANOMALY_WARMING_UP));
    assert_true(has_flag(push(d, 0), ANOMALY_WARMING_UP));
    v = push(d, 3);
    assert_false(has_flag(v, ANOMALY_WARMING_UP));
    assert_true(v.events == 3);
    assert_same(v.expected, 1);
    assert_close(v.score, 2 / sqrt(2), 1e-15);
    assert_true(flagged(v));
    v = push(d, NAN); /* not learned: judged against what is there */
    assert_int_equal(v.flags, ANOMALY_MISSING);
    assert_true(v.events == 3);
    v = push(d, 3); /* 0 3 3 */
    assert_same(v.expected, 2);
    v = judge(d, 3); /* score alone learns nothing */
    assert_same(v.expected, 2);
    anomaly_destroy(d);
}

static void test_score_moves_nothing(void **state)
{
    anomaly_detector *d = zscore_of("window=300s,10 warmup=2"), *twin = zscore_of("window=300s,10 warmup=2");
    (void)state;
    for (int i = 0; i < 20; i++) {
        push_at(d, i % 7, i * SECOND);
        push_at(twin, i % 7, i * SECOND);
        judge_at(d, 100, (i + 1000) * SECOND);
        judge_at(d, NAN, (i - 1000) * SECOND);
        judge_at(d, INFINITY, i * SECOND);
        assert_same_state(d, twin);
    }
    anomaly_destroy(d);
    anomaly_destroy(twin);
}

/* The score comes from the unrounded mean: at an offset of 2^53 a rounded one would be half a unit off. */
static void test_unrounded_mean(void **state)
{
    const double offset = 0x1p53;
    anomaly_detector *d = zscore_of("window=4 ddof=0 warmup=2");
    (void)state;
    teach(d, offset);
    teach(d, offset + 2);
    teach(d, offset + 2);
    teach(d, offset + 2); /* mean offset + 1.5, standard deviation sqrt(3)/2 */
    assert_close(judge(d, offset + 4).score, 2.5 / (sqrt(3) / 2), 1e-14);
    assert_close(judge(d, offset).score, 1.5 / (sqrt(3) / 2), 1e-14);
    anomaly_destroy(d);
}

/* The standard deviation is of the usual size where its square is not. */
static void test_scales(void **state)
{
    static const double SCALE[] = {1e300, 1e160, 1e-160, 1e-290, 1};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(SCALE); i++) {
        anomaly_detector *d = zscore_of("window=8 ddof=0");
        static const double X[] = {2, 4, 4, 4, 5, 5, 7, 9};
        for (size_t k = 0; k < ARRAY_COUNT(X); k++)
            push(d, X[k] * SCALE[i]);
        assert_close(stats_of(d, 0).stddev, 2 * SCALE[i], 1e-14);
        assert_close(stats_of(d, 0).mean, 5 * SCALE[i], 1e-15);
        assert_close(judge(d, 12 * SCALE[i]).score, 3.5, 1e-14);
        anomaly_destroy(d);
    }
}

/* The distance from the mean may be more than the largest double. */
static void test_huge_distance(void **state)
{
    anomaly_detector *d = zscore_of("window=4 ddof=0 warmup=2");
    (void)state;
    teach(d, -1.25e308);
    teach(d, -0.75e308);
    teach(d, -1.25e308);
    teach(d, -0.75e308); /* mean -1e308, standard deviation 0.25e308 */
    assert_close(judge(d, 1.5e308).score, 10, 1e-14);
    assert_int_equal(judge(d, 1.5e308).flags, ANOMALY_IS_ANOMALY | ANOMALY_ABOVE);
    assert_close(judge(d, -1.5e308).score, 2, 1e-14);
    anomaly_destroy(d);
}

/* So may the deviation: of two values a apart it is a / sqrt(2). */
static void test_huge_spread(void **state)
{
    static const double X[] = {-1.79e308, -1e308, 3, 1.2e308, 1.79e308};
    anomaly_detector *d = zscore_of("window=2 warmup=2 threshold=0.5");
    (void)state;
    teach(d, -1.7e308);
    teach(d, 1.7e308);
    for (size_t i = 0; i < ARRAY_COUNT(X); i++) {
        anomaly_verdict v = judge(d, X[i]);
        assert_close(v.score, fabs(X[i] / 1.7e308) / sqrt(2), 1e-15);
        assert_close(v.upper, 0.5 * sqrt(2) * 1.7e308, 1e-15);
        assert_close(v.lower, -v.upper, 0);
        assert_int_equal(flagged(v), v.score >= 0.5);
    }
    assert_ok(anomaly_set_threshold(d, 0));
    assert_same(judge(d, 1).upper, 0);
    anomaly_destroy(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdict_fields),
        cmocka_unit_test(test_ddof),
        cmocka_unit_test(test_compare_on_the_threshold),
        cmocka_unit_test(test_upper_side),
        cmocka_unit_test(test_lower_side),
        cmocka_unit_test(test_flat),
        cmocka_unit_test(test_flat_ignored),
        cmocka_unit_test(test_flat_one_sided),
        cmocka_unit_test(test_min_stddev),
        cmocka_unit_test(test_missing),
        cmocka_unit_test(test_infinite),
        cmocka_unit_test(test_infinite_while_warming_up),
        cmocka_unit_test(test_warmup),
        cmocka_unit_test(test_least_warmup),
        cmocka_unit_test(test_include_self),
        cmocka_unit_test(test_score_moves_nothing),
        cmocka_unit_test(test_unrounded_mean),
        cmocka_unit_test(test_scales),
        cmocka_unit_test(test_huge_distance),
        cmocka_unit_test(test_huge_spread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
