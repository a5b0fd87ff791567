/* SPDX-License-Identifier: MIT
 * season.c - what is usual at this hour (lib/stage/season.h): by hand, and beside one that remembers every value and sorts them anew. */
#include "../support/test.h"

#include <float.h>

#include "../support/random.h"
#include "../support/stage.h"
#include "../support/test_memory.h"
#include "../support/written.h"
#include "stage/season.h"

#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

static an_season made(an_season_options options)
{
    an_season season;
    assert_ok(an_season_create(&season, &options, memory()));
    return season;
}

static an_season daily(void)
{
    return made((an_season_options){.period_ns = {DAY}, .features = 1});
}

static void learn(an_season *season, double value, int64_t t_ns, int flagged)
{
    an_season_advance(season, t_ns);
    an_season_follow(season, t_ns);
    an_season_learn(season, 0, value, t_ns, flagged);
}

/* 10 and 14 in turns, four values an hour, at noon 110 and 114. */
static double of_hour(int64_t t_ns, int64_t i)
{
    return (t_ns % DAY / HOUR == 12 ? 110 : 10) + (i % 2 ? 4 : 0);
}

static void learn_days(an_season *season, int64_t from_day, int64_t days)
{
    for (int64_t i = from_day * 96; i < (from_day + days) * 96; i++)
        for (int k = 0; k < 4; k++)
            learn(season, of_hour(i * 15 * MINUTE, k), i * 15 * MINUTE + k * MINUTE, 0);
}

static void test_known_after_two_days(void **state)
{
    an_season season = daily();
    (void)state;
    learn_days(&season, 0, 1);
    assert_false(an_season_at(&season, 0, DAY + HOUR).known);
    assert_same(an_season_at(&season, 0, DAY + HOUR).centre, 0);
    assert_same(an_season_at(&season, 0, DAY + HOUR).spread, 1);
    learn_days(&season, 1, 1);
    an_season_advance(&season, 2 * DAY);
    assert_true(an_season_at(&season, 0, 2 * DAY + HOUR).known);
    assert_same(an_season_at(&season, 0, 2 * DAY + HOUR).centre, 12);
    assert_same(an_season_at(&season, 0, 2 * DAY + 12 * HOUR).centre, 112);
    assert_close(an_season_at(&season, 0, 2 * DAY + HOUR).spread, 2 * 1.2533, 0.3);
    an_season_free(&season, memory());
}

/* One day on which everything is 50 times as much. */
static void test_one_odd_day(void **state)
{
    an_season season = daily();
    (void)state;
    learn_days(&season, 0, 5);
    for (int64_t i = 5 * 96; i < 6 * 96; i++)
        learn(&season, 500, i * 15 * MINUTE, i % 3 == 0);
    learn_days(&season, 6, 1);
    assert_same(an_season_at(&season, 0, 7 * DAY + HOUR).centre, 12);
    assert_same(an_season_at(&season, 0, 7 * DAY + 12 * HOUR).centre, 112);
    an_season_free(&season, memory());
}

/* Flagged values are left out, until more than half of a visit is flagged. */
static void test_flagged(void **state)
{
    an_season season = daily();
    (void)state;
    for (int64_t day = 0; day < 3; day++) {
        learn(&season, 10, day * DAY, 0);
        learn(&season, 10, day * DAY, 0);
        learn(&season, 900, day * DAY, 1);
        learn(&season, 900, day * DAY, 1);
        learn(&season, 7, day * DAY + HOUR, 0);
        learn(&season, 70, day * DAY + HOUR, 1);
        learn(&season, 70, day * DAY + HOUR, 1);
    }
    an_season_advance(&season, 3 * DAY);
    assert_same(an_season_at(&season, 0, 3 * DAY).centre, 10);
    assert_close(an_season_at(&season, 0, 3 * DAY + HOUR).centre, 49, 1e-15);
    an_season_free(&season, memory());
}

static void test_late_values_are_not_learned(void **state)
{
    an_season season = daily(), twin = daily();
    (void)state;
    learn_days(&season, 0, 3);
    learn_days(&twin, 0, 3);
    learn(&season, 1e9, 2 * DAY, 0);
    learn_days(&season, 3, 1);
    learn_days(&twin, 3, 1);
    for (int64_t t = 4 * DAY; t < 5 * DAY; t += 15 * MINUTE)
        assert_same(an_season_at(&season, 0, t).centre, an_season_at(&twin, 0, t).centre);
    an_season_free(&season, memory());
    an_season_free(&twin, memory());
}

/* ---- wrong times ---- */

#define YEAR (365 * DAY)

static void assert_same_season(const an_season *a, const an_season *b, int64_t from_ns)
{
    for (int64_t t = from_ns; t < from_ns + DAY; t += 15 * MINUTE) {
        assert_same(an_season_at(a, 0, t).centre, an_season_at(b, 0, t).centre);
        assert_same(an_season_at(a, 0, t).spread, an_season_at(b, 0, t).spread);
    }
}

/* An event of 70 years later among four days, in the middle of a visit, or as the very first. */
static void test_one_wrong_time_costs_nothing(void **state)
{
    an_season season = daily(), twin = daily();
    (void)state;
    learn_days(&twin, 0, 8);
    learn_days(&season, 0, 3);
    learn(&season, 1e9, 70 * YEAR, 0);
    learn_days(&season, 3, 1);
    for (int k = 0; k < 4; k++) {
        learn(&season, of_hour(4 * DAY, k), 4 * DAY + k * MINUTE, 0);
        learn(&season, -1e9, (k % 2 ? -70 : 70) * YEAR, k % 3 == 0);
    }
    for (int64_t i = 4 * 96 + 1; i < 8 * 96; i++)
        for (int k = 0; k < 4; k++)
            learn(&season, of_hour(i * 15 * MINUTE, k), i * 15 * MINUTE + k * MINUTE, 0);
    assert_same_season(&season, &twin, 0);
    an_season_free(&season, memory());
    an_season_free(&twin, memory());
}

/* It is followed back by the 16th event: 15 values, which are not learned, and one visit of a single value. */
static void test_a_clock_that_comes_back(void **state)
{
    an_season season = daily(), first = daily();
    (void)state;
    learn_days(&season, 0, 3);
    learn(&season, 12, 70 * YEAR, 0);
    learn(&season, 12, 70 * YEAR, 0);
    learn(&first, 12, 70 * YEAR, 0);
    for (int i = 0; i < 15; i++) {
        learn(&season, 1e9, 3 * DAY + 9 * HOUR, 0);
        learn(&first, 1e9, 3 * DAY + 9 * HOUR, 0);
    }
    for (int64_t day = 4; day < 12; day++) {
        learn(&season, 77, day * DAY + 9 * HOUR, 0);
        learn(&first, 77, day * DAY + 9 * HOUR, 0);
    }
    assert_same(an_season_at(&season, 0, 9 * HOUR).centre, 77);
    assert_same(an_season_at(&first, 0, 9 * HOUR).centre, 77);
    an_season_free(&season, memory());
    an_season_free(&first, memory());
}

/* Explicit advances, however far, are no events. */
static void test_advancing_is_no_event(void **state)
{
    an_season season = daily(), twin = daily();
    (void)state;
    learn_days(&season, 0, 3);
    learn_days(&twin, 0, 3);
    for (int i = 0; i < 5; i++)
        an_season_advance(&season, 70 * YEAR);
    learn_days(&season, 3, 1);
    learn_days(&twin, 3, 1);
    assert_same_season(&season, &twin, 0);
    an_season_free(&season, memory());
    an_season_free(&twin, memory());
}

/* Six weeks of silence: the second event after them is learned. */
static void test_after_a_long_silence(void **state)
{
    an_season season = daily();
    (void)state;
    learn_days(&season, 0, 3);
    learn_days(&season, 45, 7);
    learn(&season, 12, 52 * DAY, 0);
    for (int64_t t = 52 * DAY + HOUR; t < 53 * DAY; t += HOUR)
        assert_same(an_season_at(&season, 0, t).centre, of_hour(t, 0) + 2);
    an_season_free(&season, memory());
}

/* The day of a zone two hours to the east begins two hours earlier. */
static void test_offset(void **state)
{
    an_season season = made((an_season_options){.period_ns = {DAY}, .offset_ns = 2 * HOUR, .features = 1});
    an_season far = made((an_season_options){.period_ns = {DAY}, .offset_ns = INT64_MAX, .features = 1});
    (void)state;
    for (int64_t day = 0; day < 3; day++)
        learn(&season, 5, (day * 24 - 2) * HOUR, 0);
    an_season_advance(&season, 3 * DAY);
    assert_true(an_season_at(&season, 0, -2 * HOUR).known);
    assert_false(an_season_at(&season, 0, 0).known);
    learn(&far, 1, INT64_MAX, 0);
    learn(&far, 1, INT64_MIN + 1, 0);
    an_season_free(&season, memory());
    an_season_free(&far, memory());
}

/* Every day 10 at noon, on the seventh 50: the week knows. */
static void test_week(void **state)
{
    an_season season = made((an_season_options){.period_ns = {DAY, 7 * DAY}, .features = 1});
    (void)state;
    for (int64_t day = 0; day < 35; day++)
        learn(&season, day % 7 == 6 ? 50 : 10, day * DAY + 12 * HOUR, 0);
    an_season_advance(&season, 35 * DAY);
    assert_same(an_season_at(&season, 0, 35 * DAY + 12 * HOUR).centre, 10);
    assert_same(an_season_at(&season, 0, 41 * DAY + 12 * HOUR).centre, 50);
    an_season_free(&season, memory());
}

/* Seven periods later nothing is left, of numbers of any size. */
static void test_forgets(void **state)
{
    an_season season = daily(), twin = daily();
    (void)state;
    for (int64_t i = 0; i < 3 * 96; i++) {
        learn(&season, i % 2 ? DBL_MAX : -DBL_MAX, i * 15 * MINUTE, 0);
        learn(&season, i % 5 ? 1e300 : 0, i * 15 * MINUTE, 1);
        learn(&twin, 3, i * 15 * MINUTE, 0);
    }
    learn_days(&season, 3, 8);
    learn_days(&twin, 3, 8);
    for (int64_t t = 11 * DAY; t < 12 * DAY; t += 15 * MINUTE) {
        assert_same(an_season_at(&season, 0, t).centre, an_season_at(&twin, 0, t).centre);
        assert_same(an_season_at(&season, 0, t).spread, an_season_at(&twin, 0, t).spread);
    }
    an_season_free(&season, memory());
    an_season_free(&twin, memory());
}

static written bytes;

static void save(const an_season *season)
{
    an_writer writer;
    written_begin(&bytes, &writer);
    an_season_save(season, &writer);
    assert_ok(an_writer_end(&writer));
}

/* Through a snapshot. */
static void renew(an_season *season)
{
    an_season twin = made(season->options);
    save(season);
    an_reader reader = written_reader(&bytes);
    an_season_restore(&twin, &reader);
    assert_true(written_is_read(&reader));
    an_season_free(season, memory());
    *season = twin;
}

/* ---- beside one that remembers everything: slots of 15 minutes of a day ---- */

enum { MOST = 6000 };

typedef struct seen {
    int64_t slot; /* since 1970 */
    double value;
    int flagged;
    int64_t now; /* the slot in which time is once the event has come; */
    int visit;   /* which visit that is, from 0 on */
} seen;

/* So many of the last events up to i lie off what was now, all ahead of it (way 1) or all behind (-1)? */
static int model_are_off(const seen *values, int i, int many, int way)
{
    for (int k = i; k > i - many; k--)
        if (k < 0 || (values[k].slot - values[k].now) * way <= 0)
            return 0;
    return 1;
}

/* Where time is once event i has come: `now` is what it was. */
static void model_time(seen *values, int i)
{
    seen *event = &values[i];
    event->now = i ? values[i - 1].now : event->slot;
    event->visit = i ? values[i - 1].visit : 0;
    int near = event->slot > event->now && event->slot - event->now <= 2 * 96;
    if (near || model_are_off(values, i, 2, 1) || model_are_off(values, i, 16, -1)) {
        event->now = event->slot;
        event->visit++;
    }
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double sorted_median(double *x, int n)
{
    qsort(x, (size_t)n, sizeof *x, compare);
    return n % 2 ? x[n / 2] : (x[n / 2 - 1] + x[n / 2]) / 2;
}

/* The values of a visit, among those up to `count`. 0: there are none. */
static int model_visit(const seen *values, int count, int visit, double *mean, double *deviation)
{
    int n[2] = {0, 0};
    double sum[2] = {0, 0}, away[2] = {0, 0};
    for (int i = 0; i < count; i++)
        if (values[i].visit == visit && values[i].slot == values[i].now) {
            int k = values[i].flagged;
            away[k] += n[k] ? fabs(values[i].value - sum[k] / n[k]) * sqrt(n[k] / (n[k] + 1.0)) : 0;
            sum[k] += values[i].value;
            n[k]++;
        }
    int both = n[1] > n[0], all = n[0] + (both ? n[1] : 0);
    double own = n[0] > 1 ? away[0] / (n[0] - 1) : 0, other = n[1] > 1 ? away[1] / (n[1] - 1) : 0;
    *mean = (sum[0] + (both ? sum[1] : 0)) / all;
    *deviation = both ? (own * n[0] + other * n[1]) / all : own;
    return all;
}

/* What is usual in a slot of the day: of the last visits to it that are over. */
static int model_usual(const seen *values, int count, int64_t slot_of_day, double *centre, double *spread, int *behind)
{
    double mean[7], deviation[7], sorted[7];
    int visits = 0;
    *behind = 0;
    for (int i = count - 1; i >= 0 && visits < 7; i--) {
        int is_last = i + 1 < count && values[i + 1].visit != values[i].visit;
        if (!is_last || values[i].now % 96 != slot_of_day)
            continue;
        int n = model_visit(values, count, values[i].visit, &mean[visits], &deviation[visits]);
        visits += n > 0;
        *behind += n;
    }
    if (visits < 2)
        return 0;
    memcpy(sorted, mean, sizeof sorted);
    *centre = sorted_median(sorted, visits);
    for (int i = 0; i < visits; i++)
        deviation[i] = sqrt(deviation[i] * deviation[i] + (mean[i] - *centre) * (mean[i] - *centre));
    *spread = 1.2533141373155001 * sorted_median(deviation, visits);
    return 1;
}

static void check_slot(const an_season *season, const seen *values, int count, int64_t slot)
{
    double centre = 0, spread = 0, all = 0, c, s;
    int behind, known = model_usual(values, count, slot, &centre, &spread, &behind), slots = 0, unused;
    an_usual usual = an_season_at(season, 0, slot * 15 * MINUTE);
    assert_int_equal(usual.known, known);
    if (!known)
        return;
    for (int64_t k = 0; k < 96; k++)
        if (model_usual(values, count, k, &c, &s, &unused)) {
            all += s;
            slots++;
        }
    all /= slots;
    double drawn = (spread * behind + all * 8) / (behind + 8), least = all * 0.05;
    assert_close(usual.centre, centre, 1e-12);
    assert_close(usual.spread, drawn > least ? drawn : least, 1e-9);
}

typedef struct clock_of_events {
    int64_t right_ns, off_ns;
    int wrong; /* for so many events */
} clock_of_events;

/* Now and then later by up to three days; wrong once, or for some events. */
static int64_t random_time(random_state *r, clock_of_events *clock)
{
    clock->right_ns += (int64_t)random_below(r, 20) * MINUTE;
    clock->right_ns += one_in(r, 200) ? (int64_t)random_below(r, 72) * HOUR : 0;
    if (clock->wrong == 0 && one_in(r, 50)) {
        clock->wrong = one_in(r, 2) ? 1 : 1 + (int)random_below(r, 20);
        clock->off_ns = ((int64_t)random_below(r, 12) - 6) * (one_in(r, 2) ? 17 * HOUR : 8 * YEAR);
    }
    clock->wrong -= clock->wrong > 0;
    return clock->right_ns + (clock->wrong ? clock->off_ns : 0);
}

static void test_beside_the_model(void **state)
{
    static seen values[MOST];
    random_state r = {1};
    (void)state;
    for (int round = 0; round < (is_quick() ? 2 : 8); round++) {
        an_season season = daily();
        clock_of_events clock = {100 * YEAR, 0, 0};
        int count = 0;
        while (count < (is_quick() ? 1500 : MOST)) {
            int64_t t_ns = random_time(&r, &clock);
            double value = 100 + 50 * (double)(t_ns % DAY / HOUR) + 10 * random_normal(&r);
            values[count] = (seen){t_ns / (15 * MINUTE), value, one_in(&r, 4), 0, 0};
            model_time(values, count);
            learn(&season, value, t_ns, values[count].flagged);
            assert_int_equal(season.cycle[0].now, values[count].now);
            count++;
            if (one_in(&r, 300))
                check_slot(&season, values, count, (int64_t)random_below(&r, 96));
            if (one_in(&r, 100))
                renew(&season);
        }
        an_season_free(&season, memory());
    }
}

/* ---- memory and snapshots ---- */

static void test_no_memory(void **state)
{
    an_season_options options = {.period_ns = {DAY, 7 * DAY}, .features = 3};
    (void)state;
    for (uint64_t fail_at = 1; fail_at <= 9; fail_at++) {
        test_memory m = {.fail_at = fail_at};
        anomaly_allocator allocator = {memory_take, memory_give, &m};
        an_season season = {.cycles = 77};
        int status = an_season_create(&season, &options, &allocator);
        assert_int_equal(status, fail_at <= 8 ? ANOMALY_E_NOMEM : ANOMALY_OK);
        if (status) {
            assert_int_equal(season.cycles, 77);
        } else {
            assert_int_equal(m.bytes, an_season_bytes(&options));
            an_season_free(&season, &allocator);
        }
        assert_int_equal(m.live, 0);
        assert_int_equal(m.bad_frees, 0);
    }
}

static void test_snapshot(void **state)
{
    random_state r = {2};
    an_season_options options = {.period_ns = {DAY, 7 * DAY}, .features = 1};
    an_season season = made(options);
    (void)state;
    for (int64_t i = 0; i < 60 * 48; i++) {
        int64_t t_ns = i * 30 * MINUTE;
        if (i % 500 == 77) {
            an_season twin = made(options);
            save(&season);
            an_reader reader = written_reader(&bytes);
            an_season_restore(&twin, &reader);
            assert_true(written_is_read(&reader));
            for (int64_t k = 0; k < 7 * 96; k++) {
                an_usual a = an_season_at(&season, 0, k * 15 * MINUTE), b = an_season_at(&twin, 0, k * 15 * MINUTE);
                assert_true(a.known == b.known && a.centre == b.centre && a.spread == b.spread);
            }
            an_season_free(&season, memory());
            season = twin;
        }
        learn(&season, random_normal(&r) + (double)(i % 48), t_ns, one_in(&r, 20));
    }
    an_season_free(&season, memory());
}

/* Whatever bytes come: refused, or a season that goes on. */
static void test_damaged_snapshot(void **state)
{
    random_state r = {3};
    an_season season = daily();
    (void)state;
    learn_days(&season, 0, 4);
    for (int round = 0; round < 500; round++) {
        an_season twin = daily();
        save(&season);
        for (int k = 0; k < 3; k++)
            bytes.bytes[random_size(&r, one_in(&r, 2) ? 30 : bytes.length)] ^= (unsigned char)(1u << random_below(&r, 8));
        bytes.length -= one_in(&r, 4) ? random_size(&r, bytes.length) : 0;
        an_reader reader = written_reader(&bytes);
        an_season_restore(&twin, &reader);
        if (!reader.bad)
            learn_days(&twin, 4, 1);
        an_season_free(&twin, memory());
    }
    an_season_free(&season, memory());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_after_two_days),
        cmocka_unit_test(test_one_odd_day),
        cmocka_unit_test(test_flagged),
        cmocka_unit_test(test_late_values_are_not_learned),
        cmocka_unit_test(test_one_wrong_time_costs_nothing),
        cmocka_unit_test(test_a_clock_that_comes_back),
        cmocka_unit_test(test_advancing_is_no_event),
        cmocka_unit_test(test_after_a_long_silence),
        cmocka_unit_test(test_offset),
        cmocka_unit_test(test_week),
        cmocka_unit_test(test_forgets),
        cmocka_unit_test(test_beside_the_model),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_snapshot),
        cmocka_unit_test(test_damaged_snapshot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
