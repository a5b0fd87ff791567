/* SPDX-License-Identifier: MIT
 * window.c - what is in the window when: counts, times, both; late events, leaps, equal times, the cut of the count bound. */
#include "../support/test.h"

/* The window's contents, in order of value: the value of an event is its name. */
static void check_window(const anomaly_detector *d, size_t count, const double *sorted, const char *file, int line)
{
    anomaly_stats s = stats_of(d, 0);
    if (s.count != count)
        print_error("%s:%d: %llu events, want %zu\n", file, line, (unsigned long long)s.count, count);
    assert_true(s.count == count);
    for (size_t i = 0; i < count; i++) {
        double q = count > 1 ? (double)i / (double)(count - 1) : 0.5, got = quantile_of(d, q);
        if (fabs(got - sorted[i]) > 1e-9)
            print_error("%s:%d: place %zu holds %g, want %g\n", file, line, i, got, sorted[i]);
        assert_true(fabs(got - sorted[i]) <= 1e-9);
    }
}

#define assert_window(d, ...)                                                 \
    do {                                                                      \
        const double wanted_[] = {__VA_ARGS__};                               \
        check_window((d), ARRAY_COUNT(wanted_), wanted_, __FILE__, __LINE__); \
    } while (0)

/* Both ways of keeping a window must agree; the percentile one shows its contents. */
static anomaly_detector *show(const char *options)
{
    return percentile_of(options);
}

static void learn_at(anomaly_detector *d, double x, int t)
{
    teach_at(d, x, t * SECOND);
}

static void test_count(void **state)
{
    anomaly_detector *d = show("window=3");
    (void)state;
    teach(d, 1);
    assert_window(d, 1);
    teach(d, 2);
    teach(d, 3);
    assert_window(d, 1, 2, 3);
    teach(d, 4);
    assert_window(d, 2, 3, 4);
    teach(d, NAN); /* takes no place */
    teach(d, INFINITY);
    assert_window(d, 2, 3, 4);
    teach(d, 0);
    assert_window(d, 0, 3, 4);
    anomaly_destroy(d);
}

static void test_window_of_one(void **state)
{
    anomaly_detector *d = show("window=1 warmup=1"), *z = zscore_of("window=1 ddof=0 warmup=1");
    (void)state;
    for (int i = 0; i < 20; i++) {
        teach(d, i);
        teach(z, i);
        assert_window(d, i);
        assert_same(stats_of(z, 0).mean, i);
        assert_same(stats_of(z, 0).stddev, 0);
    }
    anomaly_destroy(d);
    anomaly_destroy(z);
}

/* Every size around the places where rings and blocks grow: the last w values, exactly. */
static void test_every_small_count(void **state)
{
    (void)state;
    for (int w = 1; w <= 70; w++) {
        char options[64];
        anomaly_detector *d, *z;
        snprintf(options, sizeof options, "window=%d ddof=0", w);
        d = show(options);
        z = zscore_of(options);
        for (int i = 0; i < 3 * w + 9; i++) {
            int first = i + 1 < w ? 0 : i + 1 - w;
            teach(d, i);
            teach(z, i);
            assert_true(count_of(d) == (uint64_t)(i - first + 1));
            assert_true(count_of(z) == (uint64_t)(i - first + 1));
            assert_same(stats_of(z, 0).min, first);
            assert_close(stats_of(z, 0).mean, 0.5 * (first + i), 1e-15);
            assert_same(quantile_of(d, 0), first);
            assert_same(quantile_of(d, 1), i);
        }
        anomaly_destroy(d);
        anomaly_destroy(z);
    }
}

/* Exactly as old as the window is still inside; a nanosecond more is not. */
static void test_edge_of_time(void **state)
{
    anomaly_detector *d = show("window=10s");
    (void)state;
    learn_at(d, 1, 0);
    assert_ok(anomaly_advance(d, 10 * SECOND));
    assert_window(d, 1);
    assert_ok(anomaly_advance(d, 10 * SECOND + 1));
    assert_true(count_of(d) == 0);
    anomaly_destroy(d);
}

static void test_equal_times(void **state)
{
    anomaly_detector *d = show("window=10s,4");
    (void)state;
    for (int i = 1; i <= 6; i++) /* the first to arrive are the first to go */
        learn_at(d, i, 5);
    assert_window(d, 3, 4, 5, 6);
    assert_ok(anomaly_advance(d, 15 * SECOND));
    assert_window(d, 3, 4, 5, 6);
    assert_ok(anomaly_advance(d, 16 * SECOND));
    assert_true(count_of(d) == 0);
    anomaly_destroy(d);
}

static void test_both_bounds(void **state)
{
    anomaly_detector *d = show("window=10s,3");
    (void)state;
    for (int i = 0; i <= 4; i++)
        learn_at(d, i, i);
    assert_window(d, 2, 3, 4);
    learn_at(d, 12, 12);
    assert_window(d, 3, 4, 12);
    learn_at(d, 14, 14);
    assert_window(d, 4, 12, 14);
    learn_at(d, 30, 30);
    assert_window(d, 30);
    anomaly_destroy(d);
}

/* After an idle gap a window of time warms up again. */
static void test_idle_gap(void **state)
{
    anomaly_detector *d = zscore_of("window=10s warmup=3");
    (void)state;
    for (int i = 0; i < 9; i++)
        push_at(d, i, i * SECOND);
    assert_true(flagged(push_at(d, 1e6, 9 * SECOND)));
    assert_true(has_flag(push_at(d, 5, 1000 * SECOND), ANOMALY_WARMING_UP));
    assert_true(count_of(d) == 1);
    anomaly_destroy(d);
}

/* The event is judged after its own time has put out what is too old. */
static void test_update_advances_first(void **state)
{
    anomaly_detector *d = zscore_of("window=10s warmup=2");
    anomaly_verdict v;
    (void)state;
    push_at(d, 1, 0);
    push_at(d, 2, 1 * SECOND);
    push_at(d, 4, 2 * SECOND);
    v = judge_at(d, 3, 11 * SECOND);
    assert_true(v.events == 3); /* score moves nothing */
    v = push_at(d, 3, 11 * SECOND);
    assert_true(v.events == 2);
    assert_same(v.expected, 3);
    anomaly_destroy(d);
}

static void test_advance_backwards(void **state)
{
    anomaly_detector *d = show("window=10s"), *counted = show("window=3");
    (void)state;
    learn_at(d, 1, 100);
    assert_ok(anomaly_advance(d, 50 * SECOND));
    assert_window(d, 1);
    learn_at(d, 2, 95); /* the clock has stayed at 100 */
    assert_window(d, 1, 2);
    learn_at(d, 3, 89);
    assert_window(d, 1, 2);
    learn_at(counted, 1, 100);
    assert_ok(anomaly_advance(counted, 100000 * SECOND));
    assert_window(counted, 1);
    anomaly_destroy(d);
    anomaly_destroy(counted);
}

/* An event that is not learned still moves the clock. */
static void test_missing_moves_the_clock(void **state)
{
    anomaly_detector *d = show("window=10s");
    (void)state;
    learn_at(d, 1, 0);
    learn_at(d, NAN, 20);
    assert_true(count_of(d) == 0);
    assert_true(has_flag(push_at(d, 2, 9 * SECOND), ANOMALY_LATE));
    anomaly_destroy(d);
}

/* ---- late ---- */

static void test_late_takes_its_place(void **state)
{
    anomaly_detector *d = show("window=10s");
    (void)state;
    learn_at(d, 1, 10);
    learn_at(d, 2, 20);
    assert_int_equal(push_at(d, 3, 12 * SECOND).flags & ANOMALY_LATE, 0);
    assert_window(d, 1, 2, 3);
    assert_ok(anomaly_advance(d, 21 * SECOND)); /* out in order of time */
    assert_window(d, 2, 3);
    assert_ok(anomaly_advance(d, 23 * SECOND));
    assert_window(d, 2);
    anomaly_destroy(d);
}

static void test_edge_of_lateness(void **state)
{
    anomaly_detector *d = show("window=10s"), *less = show("window=10s max_late=4s"), *none = show("window=10s max_late=0s"),
                     *more = show("window=10s max_late=60s");
    (void)state;
    learn_at(d, 1, 100);
    assert_false(has_flag(push_at(d, 2, 90 * SECOND), ANOMALY_LATE));
    assert_true(has_flag(push_at(d, 3, 90 * SECOND - 1), ANOMALY_LATE));
    assert_window(d, 1, 2);
    learn_at(less, 1, 100);
    assert_false(has_flag(push_at(less, 2, 96 * SECOND), ANOMALY_LATE));
    assert_true(has_flag(push_at(less, 3, 96 * SECOND - 1), ANOMALY_LATE));
    assert_window(less, 1, 2);
    learn_at(none, 1, 100);
    assert_false(has_flag(push_at(none, 2, 100 * SECOND), ANOMALY_LATE));
    assert_true(has_flag(push_at(none, 3, 100 * SECOND - 1), ANOMALY_LATE));
    assert_window(none, 1, 2);
    learn_at(more, 1, 100); /* nothing can take a place outside the window */
    assert_true(has_flag(push_at(more, 3, 89 * SECOND), ANOMALY_LATE));
    assert_window(more, 1);
    anomaly_destroy(d);
    anomaly_destroy(less);
    anomaly_destroy(none);
    anomaly_destroy(more);
}

/* Too late is judged all the same. */
static void test_late_is_judged(void **state)
{
    anomaly_detector *d = zscore_of("window=10s warmup=2");
    anomaly_verdict v;
    (void)state;
    push_at(d, 1, 100 * SECOND);
    push_at(d, 2, 101 * SECOND);
    v = push_at(d, 100, 0);
    assert_int_equal(v.flags, ANOMALY_LATE | ANOMALY_IS_ANOMALY | ANOMALY_ABOVE);
    assert_true(v.events == 2);
    assert_true(count_of(d) == 2);
    assert_int_equal(judge_at(d, 1.5, 0).flags, ANOMALY_LATE);
    assert_true(counters_of(d).late == 1 && counters_of(d).learned == 2);
    anomaly_destroy(d);
}

/* Behind those of its own time that came before it. */
static void test_late_among_equals(void **state)
{
    anomaly_detector *d = show("window=10s,4");
    (void)state;
    learn_at(d, 1, 5);
    learn_at(d, 2, 5);
    learn_at(d, 3, 8);
    learn_at(d, 4, 5);
    learn_at(d, 5, 9); /* puts 1 out */
    assert_window(d, 2, 3, 4, 5);
    learn_at(d, 6, 9); /* then 2 */
    assert_window(d, 3, 4, 5, 6);
    learn_at(d, 7, 9); /* then 4, before 3 */
    assert_window(d, 3, 5, 6, 7);
    anomaly_destroy(d);
}

static void test_late_at_the_count_bound(void **state)
{
    anomaly_detector *d = show("window=100s,3");
    (void)state;
    learn_at(d, 1, 10);
    learn_at(d, 2, 20);
    learn_at(d, 3, 30);
    learn_at(d, 4, 15); /* the oldest goes first */
    assert_window(d, 2, 3, 4);
    assert_true(counters_of(d).learned == 4);
    learn_at(d, 5, 12); /* itself the oldest: does not stay */
    assert_window(d, 2, 3, 4);
    assert_true(counters_of(d).learned == 4 && counters_of(d).late == 0);
    learn_at(d, 6, 15); /* as old as the oldest: after it */
    assert_window(d, 2, 3, 6);
    assert_true(counters_of(d).learned == 5);
    anomaly_destroy(d);
}

/* ---- leaps ---- */

static void test_jump(void **state)
{
    anomaly_detector *d = zscore_of("window=10s warmup=2 max_jump=5s");
    anomaly_verdict v;
    (void)state;
    push_at(d, 1, 100 * SECOND); /* the first may be at any time */
    push_at(d, 2, 105 * SECOND);
    assert_true(count_of(d) == 2);
    v = push_at(d, 50, 110 * SECOND + 1);
    assert_int_equal(v.flags, ANOMALY_JUMPED | ANOMALY_IS_ANOMALY | ANOMALY_ABOVE);
    assert_true(v.events == 2 && count_of(d) == 2);
    assert_int_equal(judge_at(d, 50, 111 * SECOND).flags, v.flags);
    push_at(d, 3, 106 * SECOND); /* the clock has stayed at 105 */
    assert_true(count_of(d) == 3);
    assert_ok(anomaly_advance(d, 112 * SECOND)); /* goes by any distance */
    assert_true(count_of(d) == 2);
    assert_true(counters_of(d).jumped == 1);
    teach_at(d, 9, 200 * SECOND);
    assert_true(counters_of(d).jumped == 2 && count_of(d) == 2);
    anomaly_destroy(d);
}

/* ---- the cut of the count bound ---- */

static void test_truncated(void **state)
{
    anomaly_detector *d = zscore_of("window=10s,3 warmup=2");
    (void)state;
    for (int i = 0; i < 3; i++)
        assert_false(has_flag(push_at(d, i, i * SECOND), ANOMALY_TRUNCATED));
    assert_false(has_flag(push_at(d, 3, 3 * SECOND), ANOMALY_TRUNCATED)); /* judged before the cut */
    assert_true(has_flag(push_at(d, 4, 4 * SECOND), ANOMALY_TRUNCATED));  /* 0 was cut */
    assert_true(has_flag(judge_at(d, 4, 4 * SECOND), ANOMALY_TRUNCATED)); /* 1 was cut */
    assert_ok(anomaly_advance(d, 11 * SECOND));
    assert_true(has_flag(judge_at(d, 4, 11 * SECOND), ANOMALY_TRUNCATED)); /* 1 would still be inside */
    assert_ok(anomaly_advance(d, 11 * SECOND + 1));
    assert_false(has_flag(judge_at(d, 4, 12 * SECOND), ANOMALY_TRUNCATED));
    assert_true(counters_of(d).truncated == 1);
    anomaly_destroy(d);
}

static void test_truncated_by_a_late_one(void **state)
{
    anomaly_detector *d = zscore_of("window=10s,2 warmup=2");
    (void)state;
    push_at(d, 1, 9 * SECOND);
    push_at(d, 2, 10 * SECOND);
    assert_false(has_flag(push_at(d, 3, 5 * SECOND), ANOMALY_TRUNCATED)); /* itself the one that is cut */
    assert_true(has_flag(judge_at(d, 3, 10 * SECOND), ANOMALY_TRUNCATED));
    assert_ok(anomaly_advance(d, 15 * SECOND));
    assert_true(has_flag(judge_at(d, 3, 15 * SECOND), ANOMALY_TRUNCATED));
    assert_ok(anomaly_advance(d, 15 * SECOND + 1));
    assert_false(has_flag(judge_at(d, 3, 16 * SECOND), ANOMALY_TRUNCATED));
    assert_true(count_of(d) == 2);
    anomaly_destroy(d);
}

/* A window of time alone holds at most 65,536 events. */
static void check_bound_of_time(int kind)
{
    anomaly_detector *d = detector_of(kind, "window=1d warmup=2");
    for (int64_t i = 0; i < 65536; i++)
        teach_at(d, (double)i, i);
    assert_true(count_of(d) == 65536);
    assert_false(has_flag(judge_at(d, 1, 65536), ANOMALY_TRUNCATED));
    teach_at(d, 65536, 65536);
    assert_true(count_of(d) == 65536);
    assert_same(stats_of(d, 0).min, 1);
    assert_close(stats_of(d, 0).mean, 32768.5, 1e-15);
    assert_true(has_flag(judge_at(d, 1, 65536), ANOMALY_TRUNCATED));
    anomaly_destroy(d);
}

static void test_bound_of_time(void **state)
{
    (void)state;
    check_bound_of_time(ANOMALY_ZSCORE);
    check_bound_of_time(ANOMALY_PERCENTILE);
}

/* No window by count is ever cut in this sense. */
static void test_count_window_knows_no_time(void **state)
{
    anomaly_detector *d = zscore_of("window=3 warmup=2 max_late=1s max_jump=1s");
    static const int64_t TIMES[] = {100, -5, INT64_MAX, INT64_MIN, 7, 0, 3, INT64_MIN + 1};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(TIMES); i++) {
        anomaly_verdict v = push_at(d, (double)i, TIMES[i]);
        assert_false(has_flag(v, ANOMALY_LATE | ANOMALY_JUMPED | ANOMALY_TRUNCATED));
    }
    assert_same(stats_of(d, 0).min, 5);
    assert_true(count_of(d) == 3);
    anomaly_destroy(d);
}

/* Differences of times that no int64_t holds. */
static void test_extreme_times(void **state)
{
    anomaly_detector *d = show("window=10s"), *wide = show("window=106000d,50 max_jump=106000d");
    (void)state;
    teach_at(d, 1, INT64_MIN + 1);
    assert_window(d, 1);
    assert_false(has_flag(push_at(d, 2, INT64_MAX), ANOMALY_JUMPED));
    assert_window(d, 2);
    assert_true(has_flag(push_at(d, 3, INT64_MIN + 1), ANOMALY_LATE));
    assert_window(d, 2);
    assert_ok(anomaly_advance(d, INT64_MAX));
    assert_window(d, 2);
    teach_at(wide, 1, INT64_MIN + 1);
    teach_at(wide, 2, INT64_MAX); /* more than max_jump */
    assert_window(wide, 1);
    assert_true(counters_of(wide).jumped == 1);
    teach_at(wide, 3, 0);
    teach_at(wide, 4, -1);
    assert_true(counters_of(wide).jumped == 3); /* from the lowest time to these it is more than 106000 days */
    anomaly_destroy(d);
    anomaly_destroy(wide);
}

/* One event that puts out nearly all others, again and again. */
static void test_mass_exit(void **state)
{
    anomaly_detector *d = show("window=100s"), *z = zscore_of("window=100s");
    (void)state;
    for (int round = 0; round < 5; round++) {
        int start = round * 1000;
        for (int i = 0; i < 900; i++) {
            learn_at(d, i, start + i / 10);
            learn_at(z, i, start + i / 10);
        }
        learn_at(d, -1, start + 189);
        learn_at(z, -1, start + 189);
        assert_true(count_of(d) == 11 && count_of(z) == 11);
        assert_same(quantile_of(d, 0.1), 890);
        assert_same(stats_of(z, 0).max, 899);
        assert_close(stats_of(z, 0).mean, (8945.0 - 1) / 11, 1e-15);
    }
    anomaly_destroy(d);
    anomaly_destroy(z);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_count),
        cmocka_unit_test(test_window_of_one),
        cmocka_unit_test(test_every_small_count),
        cmocka_unit_test(test_edge_of_time),
        cmocka_unit_test(test_equal_times),
        cmocka_unit_test(test_both_bounds),
        cmocka_unit_test(test_idle_gap),
        cmocka_unit_test(test_update_advances_first),
        cmocka_unit_test(test_advance_backwards),
        cmocka_unit_test(test_missing_moves_the_clock),
        cmocka_unit_test(test_late_takes_its_place),
        cmocka_unit_test(test_edge_of_lateness),
        cmocka_unit_test(test_late_is_judged),
        cmocka_unit_test(test_late_among_equals),
        cmocka_unit_test(test_late_at_the_count_bound),
        cmocka_unit_test(test_jump),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_truncated_by_a_late_one),
        cmocka_unit_test(test_bound_of_time),
        cmocka_unit_test(test_count_window_knows_no_time),
        cmocka_unit_test(test_extreme_times),
        cmocka_unit_test(test_mass_exit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
