/* SPDX-License-Identifier: MIT
 * stages.c - detectors with stages round them, call by call: options as text, what is refused, bounds in the unit of the values,
 * budgets that a threshold ends, counters, pools. tests/model/stages.c compares whole streams. */
#include "../support/test.h"

#include "../support/random.h"
#include "../support/snapshots.h"

#define MINUTE (60 * SECOND)
#define DAY    (1440 * MINUTE)

/* ---- options ---- */

static const struct {
    const char *name, *given, *kept;
} TEXTS[] = {
    {"alarms", "2/day", "2/1d"},      {"alarms", "10/1h", "10/1h"},  {"alarms", "0.5/7d", "0.5/7d"},
    {"alarms", "off", "off"},         {"season", "1d", "1d"},        {"season", "1d,7d", "1d,7d"},
    {"season", "60s", "1m"},          {"season", "off", "off"},      {"season_offset", "-5h", "-5h"},
    {"season_offset", "+90m", "90m"}, {"season_offset", "0s", "0s"}, {"rest", "150", "150"},
    {"rest", "30m", "30m"},           {"rest", "off", "off"},        {"confirm", "3/5", "3/5"},
    {"confirm", "64/64", "64/64"},    {"min_change", "5", "5"},      {"min_change", "10%", "10%"},
    {"alarm_rate", "0.001", "0.001"}, {"transform", "rate", "rate"}, {"calibrate", "128", "128"},
    {"silence", "3x", "3x"},          {"silence", "1/day", "1/1d"},  {"silence", "2.5/1d", "2.5/1d"},
    {"silence", "off", "off"},
};

static void test_texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(TEXTS); i++) {
        anomaly_config config, again;
        char text[64];
        assert_ok(anomaly_config_init(&config, sizeof config, ANOMALY_ZSCORE));
        again = config;
        assert_ok(anomaly_config_set(&config, TEXTS[i].name, TEXTS[i].given, NULL));
        assert_ok(anomaly_config_get(&config, TEXTS[i].name, text, sizeof text));
        assert_string_equal(text, TEXTS[i].kept);
        assert_ok(anomaly_config_set(&again, TEXTS[i].name, text, NULL));
        assert_memory_equal(&config, &again, sizeof config);
    }
}

static const char *const REFUSED[][2] = {
    {"alarms", "2"},        {"alarms", "/day"},    {"alarms", "0/day"},  {"alarms", "-1/day"},     {"alarms", "2/0s"},
    {"alarms", "2/dday"},   {"season", "30s"},     {"season", "1d,36h"}, {"season", "7d,1d"},      {"season", "400d"},
    {"season", "1d,"},      {"season", ",7d"},     {"season", "0s"},     {"season_offset", "25h"}, {"season_offset", "--1h"},
    {"rest", "0"},          {"rest", "-5"},        {"rest", "5x"},       {"confirm", "3"},         {"confirm", "5/3"},
    {"confirm", "0/3"},     {"confirm", "1/65"},   {"min_change", "-1"}, {"min_change", "10%%"},   {"min_change", "inf"},
    {"alarm_rate", "0.51"}, {"alarm_rate", "nan"}, {"transform", "exp"}, {"calibrate", "127"},     {"margin", "-1"},
    {"calibrate", "1e9"},   {"silence", "3"},      {"silence", "0.9x"},  {"silence", "x"},         {"silence", "3xx"},
    {"silence", "infx"},    {"silence", "0/7d"},   {"silence", "1/0s"},  {"silence", ""},
};

static void test_refused_texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(REFUSED); i++) {
        anomaly_config config, before;
        anomaly_error error = {0};
        assert_ok(anomaly_config_init(&config, sizeof config, ANOMALY_ZSCORE));
        before = config;
        if (anomaly_config_set(&config, REFUSED[i][0], REFUSED[i][1], &error) != ANOMALY_E_CONFIG)
            fail_msg("%s=%s is taken", REFUSED[i][0], REFUSED[i][1]);
        assert_string_equal(error.field, REFUSED[i][0]);
        assert_memory_equal(&config, &before, sizeof config);
    }
}

static void check_refused(int kind, const char *options, const char *field)
{
    anomaly_config config;
    anomaly_detector *d = NULL;
    anomaly_error error = {0};
    config_of(&config, kind, options);
    assert_error(anomaly_create(&config, NULL, &d, &error), ANOMALY_E_CONFIG);
    assert_string_equal(error.field, field);
    assert_null(d);
}

static void test_refused_together(void **state)
{
    anomaly_config config;
    (void)state;
    check_refused(ANOMALY_ZSCORE, "alarm_rate=0.01 alarms=2/day", "alarms");
    check_refused(ANOMALY_ZSCORE, "include_self=1 transform=log", "include_self");
    check_refused(ANOMALY_ZSCORE, "features=1025 rest=5", "features");
    config_of(&config, ANOMALY_ZSCORE, "");
    config.alarms_ns = -1;
    assert_error(anomaly_create(&config, NULL, &(anomaly_detector *){NULL}, NULL), ANOMALY_E_CONFIG);
    config_of(&config, ANOMALY_ZSCORE, "");
    config.confirm_of = 0;
    assert_error(anomaly_create(&config, NULL, &(anomaly_detector *){NULL}, NULL), ANOMALY_E_CONFIG);
    assert_error(anomaly_config_set(&config, "min_change", "5", NULL), ANOMALY_OK);
    config_of(&config, ANOMALY_IFOREST, "");
    assert_error(anomaly_config_set(&config, "min_change", "5", NULL), ANOMALY_E_CONFIG);
}

/* ---- the automatic budget ---- */

static void test_automatic_alarms(void **state)
{
    anomaly_config config;
    char text[64];
    anomaly_verdict v;
    random_state r = {4};
    (void)state;
    config_of(&config, ANOMALY_ZSCORE, "alarms=auto");
    assert_true(config.alarms == 1 && config.alarms_ns == ANOMALY_ALARMS_AUTO);
    assert_ok(anomaly_config_get(&config, "alarms", text, sizeof text));
    assert_string_equal(text, "auto");
    assert_false(anomaly_needs_times(&config));
    check_refused(ANOMALY_ZSCORE, "alarm_rate=0.01 alarms=auto", "alarms");
    anomaly_detector *d = detector_of(ANOMALY_ZSCORE, "alarms=auto threshold=6"),
                     *plain = detector_of(ANOMALY_ZSCORE, "threshold=6");
    for (int i = 0; i < 1200; i++) { /* 5 events of each are no scores */
        anomaly_verdict w;
        double x = i == 100 || i == 200 ? 50 : random_normal(&r);
        assert_ok(anomaly_update(d, &x, ANOMALY_NO_TIME, &v));
        assert_ok(anomaly_update(plain, &x, ANOMALY_NO_TIME, &w));
        assert_true(i < 5 || i >= 1005 || (v.threshold == 6 && v.lower == w.lower && (v.flags & 1) == (w.flags & 1)));
        assert_true(i < 1005 || v.threshold != 6);
    }
    assert_true(counters_of(d).anomalies >= 2);
    anomaly_destroy(d);
    anomaly_destroy(plain);
}

/* The budget of an incident is that of one alarm: after a shift of 100 events the next one of its kind is told as well, which without
 * a rest 100 scores as high would hide. */
static uint64_t alarms_of_two_shifts(const char *options, uint32_t flag)
{
    random_state r = {8};
    anomaly_detector *d = detector_of(ANOMALY_ZSCORE, options);
    uint64_t count = 0;
    for (int i = 0; i < 5000; i++) {
        double x = random_normal(&r) + (i % 2000 > 1900 ? 30 + i / 2000 * 5 : 0);
        anomaly_verdict v;
        assert_ok(anomaly_update(d, &x, ANOMALY_NO_TIME, &v));
        count += i > 3900 && i < 4000 && (v.flags & flag);
    }
    anomaly_destroy(d);
    return count;
}

static void test_an_incident_counts_once(void **state)
{
    (void)state;
    assert_int_equal(alarms_of_two_shifts("learn=normal alarm_rate=0.002", ANOMALY_IS_ANOMALY) > 50, 0);
    assert_int_equal(alarms_of_two_shifts("learn=normal alarm_rate=0.002 rest=50", ANOMALY_ALARM), 1);
    assert_true(alarms_of_two_shifts("learn=normal alarm_rate=0.002 rest=50", ANOMALY_HELD) > 90);
}

/* ---- times ---- */

static int needs_times(const char *options)
{
    anomaly_config config;
    config_of(&config, ANOMALY_ZSCORE, options);
    return anomaly_needs_times(&config);
}

/* Each of five values is one event in five, whatever its score is just now; a sixth is none. */
static void test_equal_events_are_not_rare(void **state)
{
    static const struct {
        int kind;
        const char *options;
    } OF[] = {{ANOMALY_ZSCORE, "alarm_rate=0.001"},
              {ANOMALY_ZSCORE, "alarm_rate=0.001 features=2"},
              {ANOMALY_ZSCORE, "alarms=3/1h"},
              {ANOMALY_IFOREST, "window=2000 trees=20 alarm_rate=0.001"},
              {ANOMALY_IFOREST, "window=2000 trees=20 alarm_rate=0.001 features=2"}};
    (void)state;
    for (size_t k = 0; k < ARRAY_COUNT(OF); k++) {
        anomaly_detector *d = detector_of(OF[k].kind, OF[k].options);
        random_state r = {k};
        anomaly_verdict v;
        int flagged = 0, events = is_quick() ? 4000 : 20000;
        for (int i = 0; i < events; i++) {
            double x[] = {(double)random_below(&r, 5), 7};
            assert_ok(anomaly_update(d, x, i * SECOND, &v));
            flagged += i > events / 2 && (v.flags & ANOMALY_IS_ANOMALY);
            if (i > events / 2 && (v.flags & ANOMALY_IS_ANOMALY) == 0)
                assert_true(v.score < v.threshold);
        }
        assert_int_equal(flagged, 0);
        assert_ok(anomaly_update(d, (double[]){9, 7}, events * SECOND, &v));
        assert_true(v.flags & ANOMALY_IS_ANOMALY);
        anomaly_destroy(d);
    }
}

static void test_needs_times(void **state)
{
    double x = 1;
    (void)state;
    assert_true(needs_times("season=1d") && needs_times("alarms=1/day") && needs_times("rest=5m") &&
                needs_times("transform=rate") && needs_times("window=5m"));
    assert_false(needs_times("") || needs_times("alarm_rate=0.1 rest=5 transform=diff confirm=2/3"));
    assert_false(anomaly_needs_times(NULL));
    anomaly_detector *d = zscore_of("season=1d");
    assert_error(anomaly_update(d, &x, ANOMALY_NO_TIME, NULL), ANOMALY_E_ARG);
    assert_ok(anomaly_update(d, &x, 0, NULL));
    anomaly_destroy(d);
}

/* ---- transform ---- */

/* e^1 and e^3 in turns: mean 2, standard deviation about 1 of the logarithms. */
static void test_bounds_in_units_of_the_values(void **state)
{
    anomaly_detector *d = zscore_of("transform=log ddof=0 threshold=2");
    anomaly_verdict v;
    (void)state;
    for (int i = 0; i < 10; i++)
        push(d, i % 2 ? 2.718281828459045 : 20.085536923187668);
    v = judge(d, 7.38905609893065);
    assert_close(v.expected, 7.38905609893065, 1e-13);
    assert_close(v.lower, 1, 1e-12);
    assert_close(v.upper, 54.598150033144236, 1e-12);
    assert_int_equal(v.flags & ANOMALY_IS_ANOMALY, 0);
    assert_true(judge(d, 60).flags & ANOMALY_IS_ANOMALY);
    anomaly_destroy(d);
}

static void test_untransformed(void **state)
{
    anomaly_detector *d = zscore_of("transform=log window=10");
    anomaly_counts counts;
    (void)state;
    for (int i = 0; i < 8; i++)
        push(d, 1 + i);
    assert_int_equal(judge(d, 0).flags, ANOMALY_UNTRANSFORMED);
    assert_int_equal(push(d, -3).flags, ANOMALY_UNTRANSFORMED);
    assert_nan(push(d, 0).score);
    assert_ok(anomaly_counters(d, &counts));
    assert_int_equal(counts.untransformed, 2);
    assert_int_equal(counts.learned, 8);
    assert_int_equal(counts.missing, 0);
    assert_int_equal(push(d, (double)NAN).flags & ANOMALY_MISSING, ANOMALY_MISSING);
    anomaly_destroy(d);
}

/* ---- budget ---- */

static anomaly_detector *with_budget(void)
{
    random_state r = {1};
    anomaly_detector *d = zscore_of("window=200 alarm_rate=0.02 calibrate=500");
    for (int i = 0; i < 1000; i++)
        push(d, random_normal(&r));
    return d;
}

static void test_a_threshold_ends_the_budget(void **state)
{
    anomaly_detector *d = with_budget();
    anomaly_config config;
    (void)state;
    anomaly_verdict v = judge(d, 100);
    assert_true((v.flags & ANOMALY_IS_ANOMALY) && v.tail < 0.002 && (v.flags & ANOMALY_TAIL_ESTIMATED));
    assert_ok(anomaly_set_threshold(d, 1e6));
    v = judge(d, 100);
    assert_same(v.threshold, 1e6);
    assert_nan(v.tail);
    assert_int_equal(v.flags & (ANOMALY_IS_ANOMALY | ANOMALY_TAIL_ESTIMATED), 0);
    assert_ok(anomaly_get_config(d, &config, sizeof config));
    assert_same(config.alarm_rate, 0);
    anomaly_detector *copy = copy_of(d);
    push(d, 3);
    push(copy, 3);
    assert_same_bytes(d, copy);
    anomaly_destroy(copy);
    anomaly_destroy(d);
}

/* The bounds lie where the score is the threshold in force. */
static void test_bounds_of_a_budget(void **state)
{
    anomaly_detector *d = with_budget();
    (void)state;
    anomaly_verdict v = judge(d, 0.1);
    assert_close(judge(d, v.upper + 1e-9).score, v.threshold, 1e-7);
    assert_close(judge(d, v.lower - 1e-9).score, v.threshold, 1e-7);
    anomaly_destroy(d);
}

/* ---- decision ---- */

static void test_alarms_are_counted(void **state)
{
    random_state r = {2};
    anomaly_detector *d = zscore_of("window=500 threshold=5 rest=50 learn=normal");
    anomaly_counts counts;
    int alarms = 0, ends = 0;
    (void)state;
    for (int i = 0; i < 1000; i++) {
        int in_incident = i >= 600 && i < 700;
        uint32_t flags = push(d, random_normal(&r) + (in_incident ? 30 : 0)).flags;
        alarms += (flags & ANOMALY_ALARM) != 0;
        ends += (flags & ANOMALY_EPISODE_END) != 0;
        assert_int_equal((flags & ANOMALY_IS_ANOMALY) != 0, in_incident);
    }
    assert_int_equal(alarms, 1);
    assert_int_equal(ends, 1);
    assert_ok(anomaly_counters(d, &counts));
    assert_int_equal(counts.anomalies, 100);
    assert_int_equal(counts.alarms, 1);
    assert_int_equal(counts.held, 99);
    anomaly_destroy(d);
}

/* The level is 0, then 20, then 0 again: two alarms, an end after each. */
static void test_a_shift_is_told_once_and_again_when_it_ends(void **state)
{
    random_state r = {5};
    anomaly_detector *d = zscore_of("window=200 threshold=6 rest=30 learn=normal:40");
    int alarm_at[4] = {0}, alarms = 0, ends = 0, flagged = 0;
    (void)state;
    for (int i = 0; i < 1500; i++) {
        uint32_t flags = push(d, random_normal(&r) + (i >= 500 && i < 1000 ? 20 : 0)).flags;
        flagged += (flags & ANOMALY_IS_ANOMALY) != 0;
        ends += (flags & ANOMALY_EPISODE_END) != 0;
        if (flags & ANOMALY_ALARM)
            alarm_at[alarms++ % 4] = i;
        assert_true(i != 999 || ends == 1);
    }
    assert_true(flagged > 80 && flagged < 120);
    assert_int_equal(alarms, 2);
    assert_int_equal(alarm_at[0], 500);
    assert_int_equal(alarm_at[1], 1000);
    assert_int_equal(ends, 2);
    anomaly_destroy(d);
}

/* 100 is usual, 105 is odd and small, 150 is odd. */
static void test_what_was_held_and_why(void **state)
{
    anomaly_detector *d = zscore_of("window=100 learn=normal rest=3 confirm=2/3 min_change=10%");
    anomaly_counts counts;
    (void)state;
    for (int i = 0; i < 100; i++)
        push(d, 100 + (i % 3) / 10.0);
    uint32_t decided = ANOMALY_ALARM | ANOMALY_EPISODE | ANOMALY_HELD | ANOMALY_UNCONFIRMED | ANOMALY_SMALL_CHANGE;
    assert_int_equal(push(d, 105).flags & decided, ANOMALY_HELD | ANOMALY_SMALL_CHANGE);
    assert_int_equal(push(d, 105).flags & decided, ANOMALY_HELD | ANOMALY_SMALL_CHANGE);
    assert_int_equal(push(d, 150).flags & decided, ANOMALY_HELD | ANOMALY_UNCONFIRMED);
    assert_int_equal(push(d, 100).flags & decided, 0);
    assert_int_equal(push(d, 150).flags & decided, ANOMALY_ALARM);
    assert_int_equal(push(d, 150).flags & decided, ANOMALY_EPISODE | ANOMALY_HELD);
    assert_ok(anomaly_counters(d, &counts));
    assert_int_equal(counts.anomalies, 5);
    assert_int_equal(counts.alarms, 1);
    assert_int_equal(counts.held, 4);
    assert_int_equal(counts.unconfirmed, 1);
    assert_int_equal(counts.small_change, 2);
    anomaly_detector *copy = copy_of(d);
    assert_ok(anomaly_counters(copy, &counts));
    assert_int_equal(counts.small_change, 2);
    anomaly_destroy(copy);
    anomaly_destroy(d);
}

/* 1 % of 1000 scores are 10; an incident of 50 odd events, told once, leaves a threshold that the next one reaches. */
static void test_an_episode_uses_the_budget_once(void **state)
{
    random_state r = {5};
    anomaly_detector *d = zscore_of("window=1000 alarm_rate=0.01 calibrate=1000 rest=20");
    int alarms = 0;
    (void)state;
    for (int i = 0; i < 1500; i++)
        push(d, random_normal(&r));
    for (int i = 0; i < 600; i++)
        alarms += (push(d, random_normal(&r) + (i % 300 < 50 ? 9 - i / 100 : 0)).flags & ANOMALY_ALARM) && i % 300 < 50;
    assert_int_equal(alarms, 2);
    assert_true(push(d, 5).threshold < 4);
    anomaly_destroy(d);
}

/* A new level is told once and ends; the episode lasts for an eighth of the record, and a rest. */
static void test_a_level_that_lasts_becomes_usual(void **state)
{
    random_state r = {6};
    anomaly_detector *d = zscore_of("window=100000 alarm_rate=0.01 calibrate=800 rest=50");
    int end = 0;
    (void)state;
    for (int i = 0; i < 1500; i++)
        push(d, random_normal(&r));
    for (int i = 0; i < 1000 && !end; i++)
        end = push(d, 20 + random_normal(&r)).flags & ANOMALY_EPISODE_END ? i : 0;
    assert_true(end > 100 && end < 200);
    anomaly_destroy(d);
}

/* ---- season ---- */

/* At noon 100, else 10: a noon of 10 is odd, one of 100 is not. */
static void test_a_quiet_noon_is_odd(void **state)
{
    random_state r = {3};
    anomaly_detector *d = zscore_of("season=1d window=2000 threshold=6");
    int64_t noon = 10 * DAY + 12 * 60 * MINUTE;
    (void)state;
    for (int64_t t = 0; t < 10 * DAY + 11 * 60 * MINUTE; t += 5 * MINUTE)
        push_at(d, (t % DAY / (60 * MINUTE) == 12 ? 100 : 10) + random_normal(&r), t);
    assert_true(judge_at(d, 10, noon).flags & ANOMALY_IS_ANOMALY);
    assert_int_equal(judge_at(d, 100, noon).flags & ANOMALY_IS_ANOMALY, 0);
    assert_int_equal(judge_at(d, 10, noon - 60 * MINUTE).flags & ANOMALY_IS_ANOMALY, 0);
    assert_true(judge_at(d, 100, noon - 60 * MINUTE).flags & ANOMALY_IS_ANOMALY);
    anomaly_verdict v = judge_at(d, 100, noon);
    assert_true(v.expected > 95 && v.expected < 105 && v.lower > 50 && v.upper < 150);
    anomaly_destroy(d);
}

/* Two days are learned; on the third the window fills. */
static void test_two_periods_are_learned(void **state)
{
    random_state r = {6};
    anomaly_detector *d = zscore_of("season=1d window=2000");
    anomaly_counts counts;
    (void)state;
    for (int64_t t = 0; t < 3 * DAY; t += 5 * MINUTE) {
        uint32_t flags = push_at(d, 10 + random_normal(&r), t).flags;
        if (t < 2 * DAY || t >= 2 * DAY + 30 * MINUTE)
            assert_int_equal((flags & ANOMALY_WARMING_UP) != 0, t < 2 * DAY);
    }
    assert_ok(anomaly_counters(d, &counts));
    assert_true(counts.warming_up >= 2 * 288 && counts.warming_up <= 2 * 288 + 6);
    anomaly_destroy(d);
}

/* Noons are 100, on the seventh day of the week 10, like every other hour. */
static double of_week(random_state *r, int64_t t)
{
    int at_noon = t % DAY / (60 * MINUTE) == 12, is_sunday = t / DAY % 7 == 6;
    return (at_noon && !is_sunday ? 100 : 10) + random_normal(r);
}

static void test_the_week_knows_its_sundays(void **state)
{
    random_state r = {7};
    anomaly_detector *both = zscore_of("season=1d,7d window=4000 threshold=6");
    int64_t sunday = 34 * DAY + 12 * 60 * MINUTE;
    (void)state;
    for (int64_t t = 0; t < sunday; t += 10 * MINUTE)
        push_at(both, of_week(&r, t), t);
    assert_int_equal(judge_at(both, 10, sunday).flags & ANOMALY_IS_ANOMALY, 0);
    assert_true(judge_at(both, 100, sunday).flags & ANOMALY_IS_ANOMALY);
    for (int64_t t = sunday; t < sunday + DAY; t += 10 * MINUTE)
        push_at(both, of_week(&r, t), t);
    assert_int_equal(judge_at(both, 100, sunday + DAY).flags & ANOMALY_IS_ANOMALY, 0);
    assert_true(judge_at(both, 10, sunday + DAY).flags & ANOMALY_IS_ANOMALY);
    anomaly_destroy(both);
}

/* From 5 to 20 minutes past noon it is 100, else 10: a slot of its own where the zone is 10 minutes ahead. */
static void test_an_offset_moves_the_slots(void **state)
{
    random_state r = {8};
    anomaly_detector *there = zscore_of("season=1d season_offset=10m window=2000 threshold=6");
    int64_t noon = 5 * DAY + 12 * 60 * MINUTE;
    (void)state;
    for (int64_t t = 0; t < noon; t += MINUTE) {
        int64_t past_noon = t % DAY - 12 * 60 * MINUTE;
        push_at(there, (past_noon >= 5 * MINUTE && past_noon < 20 * MINUTE ? 100 : 10) + random_normal(&r), t);
    }
    assert_close(judge_at(there, 10, noon + 4 * MINUTE).expected, 10, 0.1);
    assert_close(judge_at(there, 10, noon + 5 * MINUTE).expected, 100, 0.1);
    assert_close(judge_at(there, 10, noon + 19 * MINUTE).expected, 100, 0.1);
    assert_close(judge_at(there, 10, noon + 20 * MINUTE).expected, 10, 0.1);
    anomaly_destroy(there);
}

/* A clock that once says 2099 has no effect on what follows but by its value in the window. */
static void test_one_time_far_ahead(void **state)
{
    random_state r = {9}, same = {9};
    anomaly_detector *d = zscore_of("season=1d window=300"), *twin = zscore_of("season=1d window=300");
    (void)state;
    for (int64_t t = 0; t < 6 * DAY; t += 5 * MINUTE) {
        if (t == 3 * DAY + 7 * 60 * MINUTE) {
            push_at(d, 10, 129 * 365 * DAY);
            push_at(twin, 10, t);
        }
        double noon = t % DAY / (60 * MINUTE) == 12 ? 100 : 10;
        push_at(d, noon + random_normal(&r), t);
        push_at(twin, noon + random_normal(&same), t);
    }
    int64_t noon = 6 * DAY + 12 * 60 * MINUTE;
    assert_close(judge_at(d, 10, noon).expected, judge_at(twin, 10, noon).expected, 1e-2);
    assert_true(judge_at(d, 10, noon).flags & ANOMALY_IS_ANOMALY);
    anomaly_destroy(d);
    anomaly_destroy(twin);
}

/* ---- pools ---- */

static void update_key(anomaly_pool *pool, int key, double x, int64_t t_ns, anomaly_verdict *v)
{
    assert_ok(anomaly_pool_update(pool, &key, sizeof key, &x, t_ns, v));
}

static void test_a_pool_keeps_stages_of_each_key(void **state)
{
    random_state r = {4};
    anomaly_config config;
    anomaly_pool *pool, *copy;
    anomaly_verdict v, w;
    size_t size, used;
    (void)state;
    config_of(&config, ANOMALY_ZSCORE, "window=50 alarms=3/1h calibrate=200 rest=10m season=1h transform=sqrt");
    assert_ok(anomaly_pool_create(&config, NULL, NULL, &pool, NULL));
    assert_error(anomaly_pool_update(pool, "a", 1, &(double){1}, ANOMALY_NO_TIME, &v), ANOMALY_E_ARG);
    for (int i = 0; i < 20000; i++)
        update_key(pool, i % 7, 100 * (1 + i % 7) + random_normal(&r), i * SECOND, &v);
    assert_ok(anomaly_pool_snapshot_size(pool, &size));
    unsigned char *bytes = malloc(size);
    assert_ok(anomaly_pool_snapshot(pool, bytes, size, &used));
    assert_ok(anomaly_pool_restore(bytes, used, NULL, NULL, NULL, &copy, NULL));
    for (int i = 20000; i < 22000; i++) {
        double x = 100 * (1 + i % 7) + random_normal(&r) * (i % 100 ? 1 : 30);
        update_key(pool, i % 7, x, i * SECOND, &v);
        update_key(copy, i % 7, x, i * SECOND, &w);
        assert_same_verdict(&v, &w);
        assert_same(v.tail, w.tail);
    }
    assert_ok(anomaly_pool_set_threshold(pool, 50));
    update_key(pool, 1, 200, 22001 * SECOND, &v);
    assert_same(v.threshold, 50);
    assert_nan(v.tail);
    update_key(pool, 99, 200, 22002 * SECOND, &v); /* a new key */
    assert_same(v.threshold, 50);
    free(bytes);
    anomaly_pool_destroy(pool);
    anomaly_pool_destroy(copy);
}

/* The shares are those of the score that the event has, so of what the kind sees. */
static void check_explained(const char *options)
{
    anomaly_detector *d = detector_of(ANOMALY_MAHALANOBIS, options);
    random_state r = {5};
    double x[2], share[2];
    for (int i = 0; i < 300; i++) {
        x[0] = 100 + i + random_unit(&r);
        x[1] = 1 + random_unit(&r);
        assert_ok(anomaly_update(d, x, i * SECOND, NULL));
    }
    x[0] += 50;
    anomaly_verdict v;
    assert_ok(anomaly_score(d, x, 300 * SECOND, &v));
    assert_ok(anomaly_explain(d, x, share));
    assert_true(v.score > 1 && fabs(share[0] + share[1] - v.score) < 1e-9 * v.score);
    anomaly_destroy(d);
}

static void test_explanations_are_of_the_score(void **state)
{
    double x[2] = {1, 1}, share[2] = {7, 7};
    (void)state;
    check_explained("window=256 features=2 transform=diff");
    check_explained("window=256 features=2 transform=log alarm_rate=0.01");
    check_explained("window=256 features=2 alarm_rate=0.01");
    anomaly_detector *d = detector_of(ANOMALY_MAHALANOBIS, "window=256 features=2 season=1h");
    assert_error(anomaly_explain(d, x, share), ANOMALY_E_KIND);
    assert_true(share[0] == 7);
    anomaly_destroy(d);
}

static int add_counts(void *sum, uint64_t slot, const void *key, size_t key_size, const anomaly_detector *d)
{
    anomaly_counts counts;
    (void)slot, (void)key, (void)key_size;
    assert_ok(anomaly_counters(d, &counts));
    for (size_t i = 0; i < sizeof counts / sizeof(uint64_t); i++)
        ((uint64_t *)sum)[i] += ((const uint64_t *)&counts)[i];
    return 0;
}

static void test_a_pool_adds_up_every_counter(void **state)
{
    random_state r = {10};
    anomaly_config config;
    anomaly_pool *pool;
    anomaly_counts sum = {0}, counts;
    anomaly_verdict v;
    (void)state;
    config_of(&config, ANOMALY_ZSCORE, "window=50 transform=log rest=3 confirm=2/3 min_change=50% threshold=2");
    assert_ok(anomaly_pool_create(&config, NULL, NULL, &pool, NULL));
    for (int i = 0; i < 3000; i++)
        update_key(pool, i % 5, i % 97 ? 10 + random_normal(&r) * (i % 400 < 20 ? 9 : 1) : 0, ANOMALY_NO_TIME, &v);
    assert_ok(anomaly_pool_each(pool, add_counts, &sum));
    assert_ok(anomaly_pool_counters(pool, &counts));
    assert_memory_equal(&counts, &sum, sizeof counts);
    assert_true(counts.untransformed && counts.alarms && counts.unconfirmed && counts.small_change);
    assert_true(counts.held > counts.unconfirmed + counts.small_change);
    assert_ok(anomaly_pool_remove(pool, &(int){3}, sizeof(int)));
    assert_ok(anomaly_pool_counters(pool, &counts));
    assert_memory_equal(&counts, &sum, sizeof counts);
    anomaly_pool_destroy(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_refused_texts),
        cmocka_unit_test(test_refused_together),
        cmocka_unit_test(test_automatic_alarms),
        cmocka_unit_test(test_an_incident_counts_once),
        cmocka_unit_test(test_equal_events_are_not_rare),
        cmocka_unit_test(test_needs_times),
        cmocka_unit_test(test_bounds_in_units_of_the_values),
        cmocka_unit_test(test_untransformed),
        cmocka_unit_test(test_a_threshold_ends_the_budget),
        cmocka_unit_test(test_bounds_of_a_budget),
        cmocka_unit_test(test_alarms_are_counted),
        cmocka_unit_test(test_a_shift_is_told_once_and_again_when_it_ends),
        cmocka_unit_test(test_what_was_held_and_why),
        cmocka_unit_test(test_an_episode_uses_the_budget_once),
        cmocka_unit_test(test_a_level_that_lasts_becomes_usual),
        cmocka_unit_test(test_a_quiet_noon_is_odd),
        cmocka_unit_test(test_two_periods_are_learned),
        cmocka_unit_test(test_the_week_knows_its_sundays),
        cmocka_unit_test(test_an_offset_moves_the_slots),
        cmocka_unit_test(test_one_time_far_ahead),
        cmocka_unit_test(test_a_pool_adds_up_every_counter),
        cmocka_unit_test(test_a_pool_keeps_stages_of_each_key),
        cmocka_unit_test(test_explanations_are_of_the_score),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
