/* SPDX-License-Identifier: MIT
 * watch.c - the kind `watch`: scores and expected values worked by hand, what it takes and refuses, what is odd to it, and that it
 * forgets. The scores of long streams are compared with slow ones in tests/model/watch.c. */
#include "../support/test.h"

#include "../support/random.h"
#include "../support/snapshots.h"

#define DAY (86400 * SECOND)

static anomaly_detector *watch_of(const char *options)
{
    return detector_of(ANOMALY_WATCH, options);
}

/* ---- by hand ---- */

static void test_no_event_no_score(void **state)
{
    anomaly_detector *d = watch_of("");
    anomaly_verdict v = push(d, 5);
    (void)state;
    assert_nan(v.score);
    assert_nan(v.expected);
    assert_nan(v.lower);
    assert_nan(v.upper);
    assert_int_equal(v.flags, ANOMALY_WARMING_UP);
    assert_true(v.events == 0 && v.threshold == 7.3);
    anomaly_destroy(d);
}

/* Of 100 equal values every share is 1, so the score is 0. Another value is the first with a residual, a level and a spread: each
 * share is 1 / 101, and no shape is known to be usual. */
static void test_a_flat_series(void **state)
{
    anomaly_detector *d = watch_of("");
    anomaly_verdict v;
    (void)state;
    for (int i = 0; i < 100; i++)
        v = push(d, 5);
    assert_same(v.score, 0.0);
    assert_same(v.expected, 5.0);
    assert_int_equal(v.flags, 0);
    v = judge(d, 6);
    assert_close(v.score, 3 * log10(101), 1e-14);
    assert_same(v.expected, 5.0);
    assert_int_equal(v.flags, ANOMALY_ABOVE);
    assert_same(judge(d, 4).score, v.score);
    assert_int_equal(judge(d, 4).flags, ANOMALY_BELOW);
    anomaly_destroy(d);
}

/* After 100 fives and a six the largest residual is 1, the largest levels 1/10, 1/40 and 1/60. Of values that far above all of them
 * the shares differ by nothing but how far. */
static void test_beyond_the_largest_the_share_is_divided(void **state)
{
    anomaly_detector *d = watch_of("");
    double expected = (100 * 5 + 6) / 101.0, near, far;
    (void)state;
    for (int i = 0; i < 100; i++)
        push(d, 5);
    push(d, 6);
    assert_close(judge(d, 7).expected, expected, 1e-15);
    near = judge(d, expected + 3).score;
    far = judge(d, expected + 6).score;
    /* P grows by log10 4. Levels: (1 + 3) / 10 and (1 + 6) / 10 of the largest 1/10 and so on: by 2 log10 (7 / 4).
     * The spreads of n - 2 fives, a six and a seven (y: how far the last is above 5). */
    double grown = log10(4) + 2 * log10(7.0 / 4), y[2] = {expected - 5 + 3, expected - 5 + 6}, spread[2];
    for (int k = 0; k < 2; k++) {
        double of[3], n[3] = {10, 40, 60}, share[3];
        for (int i = 0; i < 3; i++) {
            double mean = (1 + y[k]) / n[i], usual = sqrt((1 - 1 / n[i]) / n[i]);
            of[i] = sqrt((1 + y[k] * y[k]) / n[i] - mean * mean);
            share[i] = of[i] / usual * (of[i] / usual);
        }
        spread[k] = 0.5 * (log10(fmax(share[0], share[1])) + log10(fmax(share[0], share[2])));
    }
    assert_close(far - near, grown + spread[1] - spread[0], 1e-9);
    anomaly_destroy(d);
}

/* ---- the time of the day ---- */

/* At three o'clock 10, 12 and then 50; at four 100. */
static void test_expected_follows_the_hour(void **state)
{
    static const double AT_THREE[] = {10, 12, 50};
    anomaly_detector *d = watch_of("");
    (void)state;
    for (int64_t epoch = -5000; epoch <= 20000; epoch += 25000) {
        int64_t begin = epoch * DAY;
        for (int k = 0; k < 3; k++) {
            anomaly_verdict v = push_at(d, AT_THREE[k], begin + k * DAY + DAY / 8);
            if (k == 0)
                assert_nan(v.expected);
            if (k == 1)
                assert_same(v.expected, 10.0); /* of one visit: what the slot has seen */
            if (k == 2)
                assert_same(v.expected, 11.0);
            push_at(d, 100, begin + k * DAY + DAY / 6);
        }
        assert_same(judge_at(d, 1, begin + 3 * DAY + DAY / 8).expected, 12.0); /* one odd day moves nothing */
        assert_same(judge_at(d, 1, begin + 3 * DAY + DAY / 8 + 899 * SECOND).expected, 12.0);
        assert_same(judge_at(d, 1, begin + 3 * DAY + DAY / 6).expected, 100.0);
        assert_nan(judge_at(d, 1, begin + 3 * DAY + DAY / 8 + 900 * SECOND).expected);
        assert_nan(judge(d, 1).expected); /* without a time: another slot */
        anomaly_reset(d);
    }
    anomaly_destroy(d);
}

/* On the first day a value that opens a quarter of an hour is judged by those just before; if it is odd, it does not make the
 * usual values behind it odd. */
static void test_the_first_day_is_judged_by_the_level(void **state)
{
    anomaly_detector *d = watch_of("");
    random_state r = {7};
    uint64_t flagged = 0;
    (void)state;
    for (int i = 0; i < 1200; i++) {
        anomaly_verdict v = push_at(d, i == 900 ? 150 : 50 + 5 * random_normal(&r), i * 60 * SECOND);
        if (i == 900)
            assert_true((v.flags & (ANOMALY_IS_ANOMALY | ANOMALY_ABOVE)) == (ANOMALY_IS_ANOMALY | ANOMALY_ABOVE));
        flagged += i > 910 && (v.flags & ANOMALY_IS_ANOMALY); /* 150 is none of the newest 10 values */
        assert_true(i < 915 || fabs(v.expected - 50) < 15);
    }
    assert_int_equal(flagged, 0);
    anomaly_destroy(d);
}

/* What is learned within today's visit does not move what is expected of it, once two days are known. */
static void test_today_is_judged_by_the_days_before(void **state)
{
    anomaly_detector *d = watch_of("");
    (void)state;
    for (int day = 0; day < 4; day++)
        for (int i = 0; i < 10; i++)
            push_at(d, day < 3 ? 10 : 1000, day * DAY + i * SECOND);
    assert_same(judge_at(d, 1000, 3 * DAY + 20 * SECOND).expected, 10.0);
    anomaly_destroy(d);
}

/* Eight visits are kept: of nine, the first has left. */
static void test_old_visits_leave(void **state)
{
    anomaly_detector *d = watch_of("");
    (void)state;
    for (int day = 0; day < 9; day++)
        push_at(d, day < 5 ? 10 : 20, day * DAY);
    assert_same(judge_at(d, 1, 9 * DAY).expected, 15.0); /* 10 10 10 10 20 20 20 20 */
    push_at(d, 20, 9 * DAY);
    assert_same(judge_at(d, 1, 10 * DAY).expected, 20.0);
    anomaly_destroy(d);
}

/* Without times: the median of stretches of 64. */
static void test_expected_without_times(void **state)
{
    anomaly_detector *d = watch_of("");
    (void)state;
    for (int i = 0; i < 192; i++)
        push(d, i < 64 ? 10 : i < 128 ? 12 : 50);
    assert_same(judge(d, 1).expected, 12.0);
    anomaly_destroy(d);
}

/* A clock that is once far ahead, and events that come late. */
static void test_wrong_times_spoil_nothing(void **state)
{
    anomaly_detector *d = watch_of("");
    (void)state;
    for (int day = 0; day < 4; day++)
        push_at(d, 10, day * DAY);
    push_at(d, 77, 90000 * DAY);
    push_at(d, 10, 4 * DAY + SECOND);
    push_at(d, 10, 2 * DAY + SECOND);
    assert_same(judge_at(d, 1, 5 * DAY).expected, 10.0);
    assert_same(judge_at(d, 1, INT64_MAX).expected, judge_at(d, 1, INT64_MAX - 1).expected);
    assert_ok(anomaly_update(d, &(double){1}, INT64_MIN + 1, NULL));
    anomaly_destroy(d);
}

/* ---- what is odd ---- */

/* A daily wave of one value each five minutes. */
static double usual(random_state *r, int i)
{
    return 100 + 40 * sin(i / 288.0 * 6.283185307) + 3 * random_normal(r);
}

typedef double (*incident)(random_state *r, int i, int since);

static double spike(random_state *r, int i, int since)
{
    return usual(r, i) + (since == 0 ? 60 : 0);
}

static double level(random_state *r, int i, int since)
{
    (void)since;
    return usual(r, i) + 20;
}

static double noisier(random_state *r, int i, int since)
{
    (void)since;
    return usual(r, i) + 15 * random_normal(r);
}

/* At noon the value of midnight, which is none too large or small by itself. */
static double quiet_noon(random_state *r, int i, int since)
{
    (void)since;
    return usual(r, i + 144);
}

static double stuck(random_state *r, int i, int since)
{
    (void)r;
    (void)i;
    (void)since;
    return 100;
}

/* Is any of 40 events flagged after ten usual days? */
static int is_found(incident happens, uint64_t seed, int at)
{
    anomaly_detector *d = watch_of("");
    random_state r = {seed};
    int found = 0, i = 0;
    for (; i < 10 * 288 + at; i++)
        push_at(d, usual(&r, i), i * 300 * SECOND);
    for (int since = 0; since < 40; since++, i++)
        found |= flagged(push_at(d, happens(&r, i, since), i * 300 * SECOND));
    anomaly_destroy(d);
    return found;
}

static void test_incidents_are_found(void **state)
{
    static const incident HAPPENS[] = {spike, level, noisier, quiet_noon, stuck};
    (void)state;
    for (size_t k = 0; k < ARRAY_COUNT(HAPPENS); k++)
        for (uint64_t seed = 1; seed <= 10; seed++) {
            if (!is_found(HAPPENS[k], seed, 72))
                print_error("incident %zu, seed %d\n", k, (int)seed);
            assert_true(is_found(HAPPENS[k], seed, 72));
        }
}

/* A sensor that tells tenths stays at a usual value: sixty equal values are quieter than any that were. (The
 * very first event has no spread, and has left the window.) */
static void test_what_is_stuck_at_a_usual_value_is_flagged(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        anomaly_detector *d = watch_of("window=1000");
        random_state r = {seed};
        uint32_t flags = 0;
        for (int i = 0; i < 2000; i++)
            push(d, floor(10 * random_normal(&r) + 0.5) / 10);
        for (int i = 0; i < 64; i++) {
            anomaly_verdict v = push(d, 0.2);
            flags |= flagged(v) ? v.flags : 0;
        }
        assert_true(flags & ANOMALY_STUCK);
        assert_false(flags & (ANOMALY_SHIFT | ANOMALY_SPIKE));
        anomaly_destroy(d);
    }
}

/* Means of equal values are rounded, so that they seem to be spread by a trace: less of that is no news. */
static void test_a_flat_metric_grows_no_quieter(void **state)
{
    anomaly_detector *d = watch_of("");
    (void)state;
    for (int i = 0; i < 500; i++)
        assert_false(flagged(push(d, 0.1)));
    for (int i = 0; i < 500; i++)
        assert_true(!flagged(push(d, 0.7)) || i < 64);
    anomaly_destroy(d);
}

/* Each slot of the day has seen another number of values on the first day: their mean is the value all the same. */
static void test_a_flat_metric_is_expected_exactly(void **state)
{
    static const double values[] = {0.1, 5, -3, 1000, 1e300};
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        anomaly_detector *d = watch_of("");
        for (int minute = 13; minute < 3 * 1440; minute += minute % 15 == 0 ? 2 : 1) {
            anomaly_verdict v = push_at(d, values[i], minute * 60 * SECOND);
            assert_true(minute < 28 || v.expected == values[i]);
            assert_true(minute == 13 || v.score == 0);
        }
        anomaly_destroy(d);
    }
}

/* 30 days after the first ten: no more than one event in a thousand. */
static void test_usual_days_are_not_flagged(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        anomaly_detector *d = watch_of("");
        random_state r = {seed};
        int alarms = 0;
        for (int i = 0; i < 40 * 288; i++)
            alarms += flagged(push_at(d, usual(&r, i), i * 300 * SECOND)) && i >= 10 * 288;
        assert_true(alarms <= 9);
        anomaly_destroy(d);
    }
}

/* ---- missing, infinite, huge ---- */

static void test_missing_and_infinite_values_are_not_learned(void **state)
{
    anomaly_detector *d = watch_of("");
    random_state r = {1};
    anomaly_verdict v;
    (void)state;
    assert_int_equal(push(d, INFINITY).flags, ANOMALY_WARMING_UP | ANOMALY_NONFINITE | ANOMALY_ABOVE);
    for (int i = 0; i < 300; i++)
        push(d, random_normal(&r));
    anomaly_detector *twin = copy_of(d);
    v = push(d, NAN);
    assert_nan(v.score);
    assert_int_equal(v.flags, ANOMALY_MISSING);
    v = push(d, -INFINITY);
    assert_same(v.score, (double)INFINITY);
    assert_int_equal(v.flags, ANOMALY_IS_ANOMALY | ANOMALY_NONFINITE | ANOMALY_BELOW | ANOMALY_SPIKE);
    assert_true(counters_of(d).missing == 1 && counters_of(d).nonfinite == 2 && counters_of(d).learned == 300);
    for (int i = 0; i < 300; i++) {
        double x = random_normal(&r);
        anomaly_verdict a = push(d, x), b = push(twin, x);
        assert_same_verdict(&a, &b);
    }
    anomaly_destroy(d);
    anomaly_destroy(twin);
}

/* Eight stretches without times, then a window, and what a batch of shapes may wait. */
static void test_it_forgets_completely(void **state)
{
    static const double HUGE_VALUES[] = {1e300, -1.7976931348623157e308, 1e155, 1e-300};
    (void)state;
    for (size_t k = 0; k < ARRAY_COUNT(HUGE_VALUES); k++) {
        anomaly_detector *d = watch_of("window=600"), *twin = watch_of("window=600");
        random_state r = {k};
        int same_from = 0, flags = 0;
        for (int i = 0; i < 4000; i++) {
            double x = random_normal(&r);
            anomaly_verdict a = push(d, x), b = push(twin, i == 1000 ? HUGE_VALUES[k] : x);
            assert_true(i == 0 || !isnan(b.score));
            flags |= i == 1000 && flagged(b);
            if (!same_verdict(&a, &b))
                same_from = i + 1;
        }
        assert_true(same_from > 1000 && same_from <= 1000 + 8 * 64 + 64 + 600);
        assert_int_equal(flags, fabs(HUGE_VALUES[k]) > 1);
        anomaly_destroy(d);
        anomaly_destroy(twin);
    }
}

/* ---- the calls ---- */

static void test_score_changes_nothing(void **state)
{
    anomaly_detector *d = watch_of("window=300"), *twin = watch_of("window=300");
    random_state r = {3};
    (void)state;
    for (int i = 0; i < 1000; i++) {
        double x = random_normal(&r);
        anomaly_verdict scored = judge_at(d, x, i * SECOND), again = judge_at(d, 17, i * SECOND),
                        v = push_at(d, x, i * SECOND);
        anomaly_verdict other = push_at(twin, x, i * SECOND);
        (void)again;
        assert_same_verdict(&scored, &v);
        assert_same_verdict(&other, &v);
    }
    anomaly_destroy(d);
    anomaly_destroy(twin);
}

/* Rows, learned or updated, are the loop. */
static void test_rows_are_the_loop(void **state)
{
    enum { ROWS = 1500 };
    static double x[ROWS], score[ROWS], expected[ROWS];
    static int64_t t[ROWS];
    anomaly_detector *d = watch_of("window=400"), *loop = watch_of("window=400");
    random_state r = {4};
    (void)state;
    for (int i = 0; i < ROWS; i++) {
        x[i] = one_in(&r, 50) ? (double)NAN : random_normal(&r);
        t[i] = i * 100 * SECOND;
    }
    anomaly_rows rows = {.count = ROWS, .values = x, .times = t};
    anomaly_verdicts out = {.score = score, .expected = expected};
    assert_ok(anomaly_update_rows(d, &rows, &out, NULL));
    for (int i = 0; i < ROWS; i++) {
        anomaly_verdict v = push_at(loop, x[i], t[i]);
        assert_same(score[i], v.score);
        assert_same(expected[i], v.expected);
    }
    assert_same_bytes(d, loop);
    anomaly_destroy(d);
    anomaly_destroy(loop);
}

/* Flagged events stay out of ranks, slots and shapes: all is as if they had not been. */
static void test_what_the_policy_keeps_out_leaves_no_trace(void **state)
{
    anomaly_detector *d = watch_of("window=300 learn=normal"), *without = watch_of("window=300 learn=normal");
    random_state r = {5};
    (void)state;
    for (int i = 0; i < 900; i++) {
        double x = random_normal(&r);
        if (i > 100 && i % 50 == 0) {
            anomaly_verdict v = push(d, 1e6);
            assert_true(has_flag(v, ANOMALY_NOT_LEARNED));
        }
        anomaly_verdict a = push(d, x), b = push(without, x);
        assert_same(a.score, b.score);
        assert_same(a.expected, b.expected);
    }
    assert_true(counters_of(d).skipped > 10);
    anomaly_destroy(d);
    anomaly_destroy(without);
}

static void test_reset_is_a_new_one(void **state)
{
    anomaly_detector *d = watch_of("window=300"), *fresh = watch_of("window=300");
    random_state r = {6};
    (void)state;
    for (int i = 0; i < 800; i++)
        push_at(d, random_normal(&r), i * SECOND);
    anomaly_reset(d);
    for (int i = 0; i < 800; i++) {
        double x = random_normal(&r);
        anomaly_verdict a = push_at(d, x, i * SECOND), b = push_at(fresh, x, i * SECOND);
        assert_same_verdict(&a, &b);
    }
    assert_same_bytes(d, fresh);
    anomaly_destroy(d);
    anomaly_destroy(fresh);
}

/* Before the window is full and after; with and without times. */
static void test_a_copy_goes_on_with_the_same_bits(void **state)
{
    static const int AT[] = {0, 1, 40, 63, 64, 97, 255, 256, 257, 300, 316, 500, 1500};
    (void)state;
    for (size_t k = 0; k < 2 * ARRAY_COUNT(AT); k++) {
        anomaly_detector *d = watch_of("window=256 warmup=10"), *copy;
        random_state r = {k};
        int64_t step = k % 2 ? 700 * SECOND : 0;
        for (int i = 0; i < AT[k / 2]; i++)
            push_at(d, random_normal(&r), step ? i * step : ANOMALY_NO_TIME);
        copy = copy_of(d);
        assert_same_bytes(d, copy);
        for (int i = 0; i < 700; i++) {
            double x = one_in(&r, 30) ? 1e5 : random_normal(&r);
            int64_t t = step ? (AT[k / 2] + i) * step : ANOMALY_NO_TIME;
            anomaly_verdict a = push_at(d, x, t), b = push_at(copy, x, t);
            assert_same_verdict(&a, &b);
        }
        assert_same_bytes(d, copy);
        anomaly_destroy(d);
        anomaly_destroy(copy);
    }
}

/* ---- options ---- */

static void refuse(const char *options, const char *field, const char *message)
{
    anomaly_config config;
    anomaly_error error = {0};
    anomaly_detector *d = NULL;
    int status = config_try(&config, ANOMALY_WATCH, options, &error);
    if (status == ANOMALY_OK)
        status = anomaly_create(&config, NULL, &d, &error);
    assert_error(status, ANOMALY_E_CONFIG);
    assert_string_equal(error.field, field);
    assert_string_equal(error.message, message);
}

static void test_what_it_refuses(void **state)
{
    (void)state;
    refuse("features=2", "features", "watch takes one value an event");
    refuse("window=300s", "window", "the window of watch is a number of events");
    refuse("window=1h,4000", "window", "the window of watch is a number of events");
    refuse("window=255", "window", "watch needs a window of at least 256 events");
    refuse("side=upper", "side", "side does not apply to this kind of detector");
    refuse("include_self=1", "include_self", "include_self does not apply to this kind of detector");
}

static void test_defaults(void **state)
{
    anomaly_config c;
    size_t bytes;
    (void)state;
    config_of(&c, ANOMALY_WATCH, "");
    assert_true(c.window_events == 4000 && c.window_ns == 0 && c.warmup_events == 50 && c.threshold == 7.3);
    assert_int_equal(c.compare, ANOMALY_GE);
    assert_ok(anomaly_memory_needed(&c, &bytes));
    assert_true(bytes > 1000000 && bytes < 1300000); /* as docs/methods.md says */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_event_no_score),
        cmocka_unit_test(test_a_flat_series),
        cmocka_unit_test(test_beyond_the_largest_the_share_is_divided),
        cmocka_unit_test(test_expected_follows_the_hour),
        cmocka_unit_test(test_the_first_day_is_judged_by_the_level),
        cmocka_unit_test(test_today_is_judged_by_the_days_before),
        cmocka_unit_test(test_old_visits_leave),
        cmocka_unit_test(test_expected_without_times),
        cmocka_unit_test(test_wrong_times_spoil_nothing),
        cmocka_unit_test(test_incidents_are_found),
        cmocka_unit_test(test_what_is_stuck_at_a_usual_value_is_flagged),
        cmocka_unit_test(test_a_flat_metric_grows_no_quieter),
        cmocka_unit_test(test_a_flat_metric_is_expected_exactly),
        cmocka_unit_test(test_usual_days_are_not_flagged),
        cmocka_unit_test(test_missing_and_infinite_values_are_not_learned),
        cmocka_unit_test(test_it_forgets_completely),
        cmocka_unit_test(test_score_changes_nothing),
        cmocka_unit_test(test_rows_are_the_loop),
        cmocka_unit_test(test_what_the_policy_keeps_out_leaves_no_trace),
        cmocka_unit_test(test_reset_is_a_new_one),
        cmocka_unit_test(test_a_copy_goes_on_with_the_same_bits),
        cmocka_unit_test(test_what_it_refuses),
        cmocka_unit_test(test_defaults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
