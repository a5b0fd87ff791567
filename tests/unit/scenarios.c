/* SPDX-License-Identifier: MIT
 * scenarios.c - acceptance scenarios with their numbers, from outside the project: the client example, a flat window,
 * creation warnings, percentiles of 1..100, a spike that has left, a time window, blocks of rows, late arrivals, a level
 * shift. Known here as S01, S02, S03, S06, S07, S08, S10, S21 and S25. */
#include "../support/test.h"

static double wave(int i)
{
    return 50 + i % 10;
}

/* ---- S01: 50 + i % 10 for twenty seconds, then 95 ---- */

static anomaly_verdict s01(const char *options)
{
    anomaly_detector *d = zscore_of(options);
    anomaly_verdict v;
    for (int i = 0; i < 20; i++)
        assert_false(flagged(push_at(d, wave(i), i * SECOND)));
    v = push_at(d, 95, 20 * SECOND);
    assert_true(flagged(v));
    assert_true(has_flag(v, ANOMALY_ABOVE));
    assert_true(counters_of(d).anomalies == 1);
    anomaly_destroy(d);
    return v;
}

static void test_s01(void **state)
{
    anomaly_verdict v = s01("window=300s");
    (void)state;
    assert_close(v.score, 13.743263, 1e-7);
    assert_close(v.expected, 54.5, 1e-15);
    assert_close((v.upper - v.expected) / 3, 2.946898, 1e-6);
    assert_true(v.events == 20);
    v = s01("window=300s include_self=1");
    assert_close(v.score, 4.150655, 1e-6);
    assert_close(v.expected, 56.428571, 1e-7);
    assert_true(v.events == 21);
    assert_close(s01("window=300s ddof=0").score, 14.100290, 1e-7);
    assert_close(s01("window=300s ddof=0 include_self=1").score, 4.253155, 1e-6);
}

/* ---- S02: ten times 50 at one instant, then 200 ---- */

static anomaly_verdict s02(const char *options, double last)
{
    anomaly_detector *d = zscore_of(options);
    anomaly_verdict v;
    for (int i = 0; i < 10; i++)
        assert_false(flagged(push_at(d, 50, 7 * SECOND)));
    v = push_at(d, last, 7 * SECOND);
    anomaly_destroy(d);
    return v;
}

static void test_s02(void **state)
{
    anomaly_verdict v = s02("window=300s", 200);
    (void)state;
    assert_true(flagged(v) && has_flag(v, ANOMALY_FLAT));
    assert_same(v.score, INFINITY);
    v = s02("window=300s", 50);
    assert_false(flagged(v) || has_flag(v, ANOMALY_FLAT));
    assert_same(v.score, 0);
    v = s02("window=300s flat=ignore", 200);
    assert_true(!flagged(v) && has_flag(v, ANOMALY_FLAT));
    v = s02("window=300s include_self=1", 200);
    assert_true(flagged(v));
    assert_close(v.score, 3.015113, 1e-6);
    v = s02("window=300s include_self=1 ddof=0", 200);
    assert_true(flagged(v));
    assert_close(v.score, 3.162278, 1e-6);
}

/* ---- S03: four times 50, then 200, judged in their own window ---- */

static void check_s03(const char *options, const char *message, double score)
{
    anomaly_config c;
    anomaly_detector *d = NULL;
    anomaly_error e;
    anomaly_verdict v;
    config_of(&c, ANOMALY_ZSCORE, options);
    assert_ok(anomaly_create(&c, NULL, &d, &e));
    assert_string_equal(e.message, message);
    for (int i = 0; i < 4; i++)
        push(d, 50);
    v = push(d, 200);
    assert_false(flagged(v));
    if (score > 0)
        assert_close(v.score, score, 1e-6);
    anomaly_destroy(d);
}

static void test_s03(void **state)
{
    (void)state;
    check_s03("include_self=1", "cannot flag before 11 samples", 1.788854);
    check_s03("include_self=1 ddof=0", "cannot flag before 10 samples", 2.0);
    check_s03("", "", 0);
}

/* ---- S06: percentiles of 1 .. 100 ---- */

static void check_s06(const char *options, double lower, double upper)
{
    anomaly_detector *d = percentile_of(options);
    anomaly_verdict v;
    for (int i = 1; i <= 100; i++)
        teach(d, i);
    v = judge(d, 50);
    assert_close(v.lower, lower, 1e-15);
    assert_close(v.upper, upper, 1e-15);
    assert_false(flagged(v));
    assert_true(v.score < 0);
    v = judge(d, 101);
    assert_true(flagged(v) && has_flag(v, ANOMALY_ABOVE) && !has_flag(v, ANOMALY_BELOW));
    v = judge(d, 0);
    assert_true(flagged(v) && has_flag(v, ANOMALY_BELOW) && !has_flag(v, ANOMALY_ABOVE));
    assert_true(count_of(d) == 100 && counters_of(d).events == 0);
    anomaly_destroy(d);
}

static void test_s06(void **state)
{
    (void)state;
    check_s06("", 1.99, 99.01);
    check_s06("quantile=nearest", 1, 99);
}

static void test_s06_warning(void **state)
{
    anomaly_config c;
    anomaly_detector *d = NULL;
    anomaly_error e;
    (void)state;
    config_of(&c, ANOMALY_PERCENTILE, "include_self=1 quantile=nearest window=99");
    assert_ok(anomaly_create(&c, NULL, &d, &e));
    assert_non_null(strstr(e.message, "flag"));
    for (int i = 0; i < 99; i++) /* and indeed: the largest is its own 99th percentile */
        assert_false(flagged(push(d, i)));
    anomaly_destroy(d);
}

/* ---- S07: a spike that has left leaves nothing ---- */

static void check_s07(double spike)
{
    anomaly_detector *d = zscore_of("window=30");
    anomaly_stats s;
    for (int i = 0; i < 100; i++)
        push(d, wave(i));
    push(d, spike);
    for (int i = 0; i < 100; i++)
        push(d, wave(i));
    s = stats_of(d, 0);
    assert_true(s.count == 30);
    assert_close(s.mean, 54.5, 1e-15);
    assert_close(s.variance, 8.534482758620689, 1e-14);
    anomaly_destroy(d);
}

static void test_s07(void **state)
{
    (void)state;
    check_s07(1e9);
    check_s07(1e12);
    check_s07(1e300);
}

/* ---- S08: one event a second, 300 s ---- */

static void check_s08(int kind, const char *options)
{
    anomaly_detector *d = detector_of(kind, options);
    double q = 7;
    for (int t = 0; t <= 300; t++)
        push_at(d, t, t * SECOND);
    assert_true(count_of(d) == 301);
    assert_ok(anomaly_advance(d, 301 * SECOND));
    assert_true(count_of(d) == 300);
    assert_same(stats_of(d, 0).min, 1);
    assert_ok(anomaly_advance(d, 1000 * SECOND));
    assert_true(count_of(d) == 0);
    assert_nan(stats_of(d, 0).mean);
    if (kind == ANOMALY_PERCENTILE)
        assert_error(anomaly_quantile(d, 0, 0.5, &q), ANOMALY_E_EMPTY);
    assert_same(q, 7);
    anomaly_destroy(d);
}

static void test_s08(void **state)
{
    (void)state;
    check_s08(ANOMALY_ZSCORE, "window=300s");
    check_s08(ANOMALY_PERCENTILE, "window=300s");
    check_s08(ANOMALY_ZSCORE, "window=300s robust=1");
}

/* ---- S10: ten seconds apart, one 95; single pushes, a block, blocks of seven ---- */

enum { S10_ROWS = 60 };

static void s10_blocks(size_t block, anomaly_verdict *out)
{
    anomaly_detector *d = zscore_of("window=300s");
    double x[S10_ROWS], score[S10_ROWS], expected[S10_ROWS], lower[S10_ROWS], upper[S10_ROWS];
    uint32_t flags[S10_ROWS];
    uint64_t events[S10_ROWS];
    int64_t t[S10_ROWS];
    for (int k = 0; k < S10_ROWS; k++) {
        x[k] = k == 40 ? 95 : wave(k);
        t[k] = 10 * k * SECOND;
    }
    for (size_t k = 0; k < S10_ROWS; k += block) {
        size_t count = S10_ROWS - k < block ? S10_ROWS - k : block;
        anomaly_rows rows = {.count = count, .values = x + k, .times = t + k};
        anomaly_verdicts to = {.score = score + k,
                               .expected = expected + k,
                               .lower = lower + k,
                               .upper = upper + k,
                               .flags = flags + k,
                               .events = events + k};
        assert_ok(anomaly_update_rows(d, &rows, &to, NULL));
    }
    for (int k = 0; k < S10_ROWS; k++)
        out[k] = (anomaly_verdict){score[k], 3, expected[k], lower[k], upper[k], flags[k], 0, events[k], (double)NAN};
    anomaly_destroy(d);
}

static void test_s10(void **state)
{
    static const size_t BLOCKS[] = {60, 7, 1, 13};
    anomaly_verdict want[S10_ROWS], got[S10_ROWS];
    anomaly_detector *d = zscore_of("window=300s");
    (void)state;
    for (int k = 0; k < S10_ROWS; k++) {
        want[k] = push_at(d, k == 40 ? 95 : wave(k), 10 * k * SECOND);
        assert_int_equal(flagged(want[k]), k == 40);
    }
    assert_true(want[40].events == 30);
    assert_close(want[40].score, 13.863294, 1e-7);
    assert_close(want[40].expected, 54.5, 1e-15);
    assert_close((want[40].upper - want[40].expected) / 3, 2.921384, 1e-6);
    for (size_t i = 0; i < ARRAY_COUNT(BLOCKS); i++) {
        s10_blocks(BLOCKS[i], got);
        for (int k = 0; k < S10_ROWS; k++)
            assert_same_verdict(&got[k], &want[k]);
    }
    anomaly_destroy(d);
}

/* ---- S21: a level shift of 100 standard deviations at event 200 ---- */

static void check_s21(int kind, const char *options, int first, int last)
{
    anomaly_detector *d = detector_of(kind, options);
    for (int i = 0; i < 400; i++) {
        anomaly_verdict v = push(d, (i < 200 ? 20 : 30) + 0.1 * (i % 10));
        if (flagged(v) != (i >= first && i <= last))
            print_error("%s: event %d: %d\n", options, i, flagged(v));
        assert_int_equal(flagged(v), i >= first && i <= last);
    }
    assert_true(counters_of(d).anomalies == (uint64_t)(last - first + 1));
    anomaly_destroy(d);
}

static void test_s21(void **state)
{
    (void)state;
    check_s21(ANOMALY_ZSCORE, "window=30 warmup=10 learn=always", 200, 203);
    check_s21(ANOMALY_ZSCORE, "window=30 warmup=10 learn=normal", 200, 399);
    check_s21(ANOMALY_ZSCORE, "window=30 warmup=10 learn=normal:5", 200, 207);
}

/* ---- S25: 0, 290, 10, 20, 320 ---- */

static void check_s25(int kind, const char *options, size_t count, const double *sorted, uint64_t late)
{
    static const int TIMES[] = {0, 290, 10, 20, 320};
    anomaly_detector *d = detector_of(kind, options);
    anomaly_stats s;
    double sum = 0;
    for (size_t i = 0; i < ARRAY_COUNT(TIMES); i++)
        push_at(d, TIMES[i], TIMES[i] * SECOND);
    s = stats_of(d, 0);
    for (size_t i = 0; i < count; i++)
        sum += sorted[i];
    assert_true(s.count == count);
    assert_same(s.min, sorted[0]);
    assert_same(s.max, sorted[count - 1]);
    assert_close(s.mean, sum / (double)count, 1e-15);
    assert_true(counters_of(d).late == late);
    if (kind == ANOMALY_PERCENTILE && count == 3)
        assert_same(quantile_of(d, 0.5), sorted[1]);
    anomaly_destroy(d);
}

static void test_s25(void **state)
{
    static const double KEPT[] = {20, 290, 320}, DROPPED[] = {290, 320};
    (void)state;
    check_s25(ANOMALY_ZSCORE, "window=300s", 3, KEPT, 0);
    check_s25(ANOMALY_ZSCORE, "window=300s robust=1", 3, KEPT, 0);
    check_s25(ANOMALY_PERCENTILE, "window=300s", 3, KEPT, 0);
    check_s25(ANOMALY_ZSCORE, "window=300s max_late=60s", 2, DROPPED, 2);
    check_s25(ANOMALY_PERCENTILE, "window=300s max_late=60s", 2, DROPPED, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_s01), cmocka_unit_test(test_s02),         cmocka_unit_test(test_s03),
        cmocka_unit_test(test_s06), cmocka_unit_test(test_s06_warning), cmocka_unit_test(test_s07),
        cmocka_unit_test(test_s08), cmocka_unit_test(test_s10),         cmocka_unit_test(test_s21),
        cmocka_unit_test(test_s25),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
