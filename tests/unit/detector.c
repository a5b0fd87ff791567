/* SPDX-License-Identifier: MIT
 * detector.c - the life of a detector and its calls' errors: what is wrong is said, and changes nothing. */
#include "../support/test.h"

static const int KINDS[] = {ANOMALY_ZSCORE, ANOMALY_PERCENTILE};

/* Every output, filled with a pattern that an error must leave alone. */
typedef struct untouched {
    anomaly_verdict verdict;
    anomaly_stats stats;
    anomaly_counts counts;
    anomaly_config config;
    double value;
    size_t size;
} untouched;

static untouched pattern(void)
{
    untouched u;
    memset(&u, 0x5a, sizeof u);
    return u;
}

static void test_null_arguments(void **state)
{
    anomaly_detector *d = zscore_of("window=10");
    untouched u = pattern(), before = u;
    double x = 1;
    (void)state;
    assert_error(anomaly_update(NULL, &x, 0, &u.verdict), ANOMALY_E_ARG);
    assert_error(anomaly_update(d, NULL, 0, &u.verdict), ANOMALY_E_ARG);
    assert_error(anomaly_score(NULL, &x, 0, &u.verdict), ANOMALY_E_ARG);
    assert_error(anomaly_score(d, NULL, 0, &u.verdict), ANOMALY_E_ARG);
    assert_error(anomaly_learn(NULL, &x, 0), ANOMALY_E_ARG);
    assert_error(anomaly_learn(d, NULL, 0), ANOMALY_E_ARG);
    assert_error(anomaly_advance(NULL, 0), ANOMALY_E_ARG);
    assert_error(anomaly_window_stats(NULL, 0, &u.stats), ANOMALY_E_ARG);
    assert_error(anomaly_window_stats(d, 0, NULL), ANOMALY_E_ARG);
    assert_error(anomaly_window_stats(d, 1, &u.stats), ANOMALY_E_ARG);
    assert_error(anomaly_quantile(NULL, 0, 0.5, &u.value), ANOMALY_E_ARG);
    assert_error(anomaly_counters(NULL, &u.counts), ANOMALY_E_ARG);
    assert_error(anomaly_counters(d, NULL), ANOMALY_E_ARG);
    assert_error(anomaly_set_threshold(NULL, 1), ANOMALY_E_ARG);
    assert_error(anomaly_get_config(NULL, &u.config, sizeof u.config), ANOMALY_E_ARG);
    assert_error(anomaly_get_config(d, NULL, sizeof u.config), ANOMALY_E_ARG);
    assert_memory_equal(&u, &before, sizeof u);
    assert_true(counters_of(d).events == 0 && counters_of(d).learned == 0);
    anomaly_destroy(d);
}

static void test_null_is_allowed_where_said(void **state)
{
    anomaly_detector *d = zscore_of("window=10");
    double x = 1;
    (void)state;
    anomaly_destroy(NULL);
    anomaly_reset(NULL);
    assert_ok(anomaly_update(d, &x, ANOMALY_NO_TIME, NULL));
    assert_ok(anomaly_score(d, &x, ANOMALY_NO_TIME, NULL));
    assert_true(count_of(d) == 1);
    anomaly_destroy(d);
}

static void test_quantile_errors(void **state)
{
    anomaly_detector *z = zscore_of("window=10"), *p = percentile_of("window=10"), *r = zscore_of("window=10 robust=1");
    double value = 7;
    (void)state;
    push(z, 1);
    assert_error(anomaly_quantile(z, 0, 0.5, &value), ANOMALY_E_KIND);
    assert_error(anomaly_quantile(p, 0, 0.5, &value), ANOMALY_E_EMPTY);
    assert_error(anomaly_quantile(r, 0, 0.5, &value), ANOMALY_E_EMPTY);
    push(p, 1);
    push(r, 1);
    assert_error(anomaly_quantile(p, 1, 0.5, &value), ANOMALY_E_ARG);
    assert_error(anomaly_quantile(p, 0, -0.001, &value), ANOMALY_E_ARG);
    assert_error(anomaly_quantile(p, 0, 1.001, &value), ANOMALY_E_ARG);
    assert_error(anomaly_quantile(p, 0, NAN, &value), ANOMALY_E_ARG);
    assert_error(anomaly_quantile(p, 0, 0.5, NULL), ANOMALY_E_ARG);
    assert_same(value, 7);
    assert_same(quantile_of(p, 0.5), 1);
    assert_same(quantile_of(r, 0.5), 1);
    anomaly_destroy(z);
    anomaly_destroy(p);
    anomaly_destroy(r);
}

/* An event without time in a window of time, or without a time window, where it is fine. */
static void check_no_time(int kind)
{
    anomaly_detector *timed = detector_of(kind, "window=300s,50 warmup=1"),
                     *twin = detector_of(kind, "window=300s,50 warmup=1");
    untouched u = pattern(), before = u;
    double x = 3;
    for (int i = 0; i < 9; i++) {
        push_at(timed, i, i * SECOND);
        push_at(twin, i, i * SECOND);
    }
    assert_error(anomaly_update(timed, &x, ANOMALY_NO_TIME, &u.verdict), ANOMALY_E_ARG);
    assert_error(anomaly_score(timed, &x, ANOMALY_NO_TIME, &u.verdict), ANOMALY_E_ARG);
    assert_error(anomaly_learn(timed, &x, ANOMALY_NO_TIME), ANOMALY_E_ARG);
    assert_error(anomaly_advance(timed, ANOMALY_NO_TIME), ANOMALY_E_ARG);
    assert_memory_equal(&u, &before, sizeof u);
    assert_same_state(timed, twin);
    anomaly_destroy(timed);
    anomaly_destroy(twin);
}

static void test_no_time(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(KINDS); i++) {
        anomaly_detector *counted = detector_of(KINDS[i], "window=5 warmup=1");
        check_no_time(KINDS[i]);
        for (int k = 0; k < 7; k++)
            push_at(counted, k, k % 2 ? ANOMALY_NO_TIME : 100 - k);
        assert_true(count_of(counted) == 5);
        assert_true(stats_of(counted, 0).min == 2); /* by arrival, whatever the times say */
        anomaly_destroy(counted);
    }
}

static void test_empty_window(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(KINDS); i++) {
        anomaly_detector *d = detector_of(KINDS[i], "window=10");
        anomaly_stats s = stats_of(d, 0);
        anomaly_verdict v = judge(d, 4);
        assert_true(s.count == 0);
        assert_nan(s.mean);
        assert_nan(s.variance);
        assert_nan(s.stddev);
        assert_nan(s.min);
        assert_nan(s.max);
        assert_nan(v.score);
        assert_nan(v.expected);
        assert_nan(v.lower);
        assert_nan(v.upper);
        assert_int_equal(v.flags, ANOMALY_WARMING_UP);
        assert_true(v.events == 0);
        anomaly_destroy(d);
    }
}

static void test_one_event(void **state)
{
    anomaly_detector *d = zscore_of("window=10"), *n = zscore_of("window=10 ddof=0 warmup=1");
    anomaly_stats s;
    (void)state;
    push(d, 4);
    s = stats_of(d, 0);
    assert_true(s.count == 1 && s.mean == 4 && s.min == 4 && s.max == 4);
    assert_nan(s.variance);
    assert_nan(s.stddev);
    assert_nan(judge(d, 5).score);
    assert_true(has_flag(judge(d, 5), ANOMALY_WARMING_UP));
    push(n, 4);
    s = stats_of(n, 0);
    assert_same(s.variance, 0);
    assert_same(s.stddev, 0);
    assert_same(judge(n, 4).score, 0);
    assert_same(judge(n, 5).score, INFINITY);
    anomaly_destroy(d);
    anomaly_destroy(n);
}

/* A reset detector is a new one, but for its threshold. */
static void check_reset(int kind, const char *options)
{
    anomaly_detector *used = detector_of(kind, options), *fresh = detector_of(kind, options);
    assert_ok(anomaly_set_threshold(used, 0.25));
    assert_ok(anomaly_set_threshold(fresh, 0.25));
    for (int i = 0; i < 500; i++)
        push_at(used, i % 17 == 0 ? (double)NAN : i * i % 101, (1000 + i) * SECOND);
    anomaly_reset(used);
    assert_true(count_of(used) == 0);
    assert_same_state(used, fresh);
    for (int i = 0; i < 200; i++) { /* at earlier times: the clock is forgotten too */
        anomaly_verdict a = push_at(used, i * i % 37, i * SECOND), b = push_at(fresh, i * i % 37, i * SECOND);
        assert_same_verdict(&a, &b);
    }
    assert_same_state(used, fresh);
    anomaly_destroy(used);
    anomaly_destroy(fresh);
}

static void test_reset(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(KINDS); i++) {
        check_reset(KINDS[i], "window=50");
        check_reset(KINDS[i], "window=60s");
        check_reset(KINDS[i], "window=60s,20 max_jump=100s learn=normal:3");
        check_reset(KINDS[i], "window=50 reserve=1");
    }
    check_reset(ANOMALY_ZSCORE, "window=50 robust=1");
}

static void test_set_threshold(void **state)
{
    anomaly_detector *d = zscore_of("window=10 ddof=0 warmup=2");
    anomaly_config c;
    (void)state;
    push(d, -1);
    push(d, 1);
    assert_false(flagged(judge(d, 2.5)));
    assert_error(anomaly_set_threshold(d, NAN), ANOMALY_E_ARG);
    assert_error(anomaly_set_threshold(d, INFINITY), ANOMALY_E_ARG);
    assert_error(anomaly_set_threshold(d, -INFINITY), ANOMALY_E_ARG);
    assert_same(judge(d, 2.5).threshold, 3);
    assert_ok(anomaly_set_threshold(d, 2));
    assert_true(flagged(judge(d, 2.5)));
    assert_same(judge(d, 2.5).threshold, 2);
    assert_same(judge(d, 2.5).upper, 2);
    assert_same(judge(d, 2.5).lower, -2);
    assert_true(count_of(d) == 2);
    assert_ok(anomaly_get_config(d, &c, sizeof c));
    assert_same(c.threshold, 2);
    anomaly_destroy(d);
}

static void test_get_config(void **state)
{
    anomaly_config given, got, before;
    anomaly_detector *d = NULL;
    (void)state;
    config_of(&given, ANOMALY_PERCENTILE, "window=300s,77 lower=5 upper=95 quantile=nearest learn=normal:4 features=3");
    assert_ok(anomaly_create(&given, NULL, &d, NULL));
    assert_ok(anomaly_get_config(d, &got, sizeof got));
    assert_memory_equal(&got, &given, sizeof got);
    before = got;
    assert_error(anomaly_get_config(d, &got, sizeof got + 1), ANOMALY_E_VERSION);
    assert_true(anomaly_get_config(d, &got, 0) < 0);
    assert_memory_equal(&got, &before, sizeof got);
    anomaly_destroy(d);
}

/* Nothing of the caller's is kept: config, values and texts may go. */
static void test_nothing_borrowed(void **state)
{
    anomaly_config *c = malloc(sizeof *c);
    double *x = malloc(sizeof *x);
    anomaly_detector *d = NULL;
    (void)state;
    assert_non_null(c);
    assert_non_null(x);
    config_of(c, ANOMALY_ZSCORE, "window=3 warmup=2");
    assert_ok(anomaly_create(c, NULL, &d, NULL));
    memset(c, 0xff, sizeof *c);
    free(c);
    *x = 5;
    assert_ok(anomaly_update(d, x, ANOMALY_NO_TIME, NULL));
    *x = -9;
    free(x);
    assert_same(stats_of(d, 0).mean, 5);
    anomaly_destroy(d);
}

/* -0.0 comes back as 0.0, from every question. */
static void test_negative_zero(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(KINDS); i++) {
        anomaly_detector *d = detector_of(KINDS[i], "window=4 warmup=1");
        anomaly_stats s;
        push(d, -0.0);
        push(d, -0.0);
        s = stats_of(d, 0);
        assert_same(s.min, 0.0);
        assert_same(s.max, 0.0);
        assert_same(s.mean, 0.0);
        assert_same(judge(d, -0.0).score, 0.0);
        assert_same(judge(d, -0.0).expected, 0.0);
        anomaly_destroy(d);
    }
}

/* From subnormals to a quarter of the largest double. */
static void test_extreme_values(void **state)
{
    static const double EXTREME[] = {4e307, -4e307, 5e-324, -5e-324, 2.2250738585072014e-308, 0, 1e300, -1e300};
    (void)state;
    for (int kind = ANOMALY_ZSCORE; kind <= ANOMALY_PERCENTILE; kind++) {
        anomaly_detector *d = detector_of(kind, "window=6 warmup=2");
        for (size_t k = 0; k < 400; k++) {
            anomaly_verdict v = push(d, EXTREME[(k * k / 3 + k) % ARRAY_COUNT(EXTREME)]);
            anomaly_stats s = stats_of(d, 0);
            assert_true(k < 2 || v.score >= 0 || kind == ANOMALY_PERCENTILE);
            assert_true(k < 2 || v.score == v.score);
            assert_true(s.min <= s.max);
            assert_true(s.min <= s.mean && s.mean <= s.max);
        }
        anomaly_reset(d);
        for (int k = 0; k < 6; k++)
            push(d, k % 2);
        assert_same(stats_of(d, 0).mean, 0.5);
        anomaly_destroy(d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_null_arguments),  cmocka_unit_test(test_null_is_allowed_where_said),
        cmocka_unit_test(test_quantile_errors), cmocka_unit_test(test_no_time),
        cmocka_unit_test(test_empty_window),    cmocka_unit_test(test_one_event),
        cmocka_unit_test(test_reset),           cmocka_unit_test(test_set_threshold),
        cmocka_unit_test(test_get_config),      cmocka_unit_test(test_nothing_borrowed),
        cmocka_unit_test(test_negative_zero),   cmocka_unit_test(test_extreme_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
