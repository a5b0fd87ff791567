/* SPDX-License-Identifier: MIT
 * interval.c - when the next event is due (lib/stage/interval.h): by hand, and beside one that keeps all events there were. */
#include "../support/test.h"

#include "../support/distributions.h"
#include "../support/random.h"
#include "../support/stage.h"
#include "../support/written.h"
#include "stage/interval.h"

#define MINUTE (60 * SECOND)
#define DAY    (1440 * MINUTE)

static const an_interval_options BY_FACTOR = {.factor = 3}, BY_DAY = {.period_ns = DAY};

static an_interval interval_of(an_interval_options options)
{
    an_interval interval;
    assert_ok(an_interval_create(&interval, &options, memory()));
    return interval;
}

static void learn(an_interval *interval, const int64_t *times, size_t count, int64_t unit)
{
    for (size_t i = 0; i < count; i++)
        an_interval_learn(interval, times[i] * unit);
}

/* How long after the newest event the next one is due. */
static int64_t limit_at(const an_interval *interval, int64_t now_ns)
{
    anomaly_silence silence;
    assert_ok(an_interval_at(interval, now_ns, &silence));
    return silence.due_ns - silence.last_ns;
}

/* An event each `step` from `from` on; returns the time of the last. */
static int64_t learn_regular(an_interval *interval, int64_t from, int64_t step, int count)
{
    for (int i = 0; i < count; i++)
        an_interval_learn(interval, from + i * step);
    return from + (count - 1) * step;
}

/* ---- by hand ---- */

static void test_too_few(void **state)
{
    an_interval interval = interval_of(BY_DAY);
    anomaly_silence silence = {1, 2, 3, 4};
    (void)state;
    assert_int_equal(an_interval_at(&interval, 0, &silence), ANOMALY_E_EMPTY);
    int64_t last = learn_regular(&interval, 5 * MINUTE, MINUTE, 8);
    assert_int_equal(an_interval_at(&interval, DAY, &silence), ANOMALY_E_EMPTY);
    an_interval_learn(&interval, last); /* no other time */
    assert_int_equal(an_interval_at(&interval, DAY, &silence), ANOMALY_E_EMPTY);
    assert_int_equal(silence.due_ns, 3);
    an_interval_learn(&interval, last + MINUTE);
    assert_ok(an_interval_at(&interval, DAY, &silence));
    assert_int_equal(an_interval_at(&interval, last, &silence), ANOMALY_E_EMPTY); /* the ninth had not come then */
    an_interval_reset(&interval);
    assert_int_equal(an_interval_at(&interval, DAY, &silence), ANOMALY_E_EMPTY);
    an_interval_free(&interval, memory());
}

/* Events at 0, 1, 3, 6, 10, ... minutes: gaps of 1 to 9. */
static void test_by_hand(void **state)
{
    static const int64_t times[] = {0, 1, 3, 6, 10, 15, 21, 28, 36, 45};
    an_interval factor = interval_of(BY_FACTOR), budget = interval_of(BY_DAY);
    anomaly_silence silence;
    (void)state;
    learn(&factor, times, ARRAY_COUNT(times), MINUTE);
    learn(&budget, times, ARRAY_COUNT(times), MINUTE);
    assert_ok(an_interval_at(&factor, 69 * MINUTE, &silence));
    assert_int_equal(silence.last_ns, 45 * MINUTE);
    assert_int_equal(silence.usual_ns, 5 * MINUTE);
    assert_int_equal(silence.due_ns, (45 + 3 * 8) * MINUTE); /* the longest but one is 8 */
    assert_int_equal(silence.overdue_ns, 0);
    assert_ok(an_interval_at(&factor, 69 * MINUTE + 1, &silence));
    assert_int_equal(silence.overdue_ns, 1);
    /* 4 gaps are longer than the median of 5, by 4 3 2 1; S = 3 + 3 + 2 + 1; share 5/10, chance 5/1440: 144^(1/3) = 5.241482788 */
    assert_ok(an_interval_at(&budget, DAY, &silence));
    assert_int_equal(silence.due_ns / SECOND, 45 * 60 + 2590); /* 5 + 9 * 4.241482788 = 43.17334509 minutes = 2590.4 s */
    assert_int_equal(silence.overdue_ns, DAY - silence.due_ns);
    an_interval_free(&factor, memory());
    an_interval_free(&budget, memory());
}

/* A stream as regular as can be waits for twice its interval, whatever the budget. */
static void test_regular(void **state)
{
    an_interval interval = interval_of(BY_DAY);
    (void)state;
    int64_t last = learn_regular(&interval, 0, MINUTE, 100);
    assert_int_equal(limit_at(&interval, last), 2 * MINUTE);
    assert_false(an_interval_is_overdue(&interval, last + 2 * MINUTE));
    assert_true(an_interval_is_overdue(&interval, last + 2 * MINUTE + 1));
    an_interval_free(&interval, memory());
}

/* The same events in another order, and some twice, are the same events. */
static void test_out_of_order(void **state)
{
    static const int64_t times[] = {0, 3, 1, 1, 3, 6, 15, 15, 10, 28, 21, 45, 36, 45};
    an_interval interval = interval_of(BY_FACTOR);
    anomaly_silence silence;
    (void)state;
    learn(&interval, times, ARRAY_COUNT(times), MINUTE);
    assert_ok(an_interval_at(&interval, DAY, &silence));
    assert_int_equal(silence.usual_ns, 5 * MINUTE);
    assert_int_equal(silence.due_ns, (45 + 3 * 8) * MINUTE);
    an_interval_free(&interval, memory());
}

/* One outage changes next to nothing, two are what happens; after two periods they are forgotten. */
static void test_outages(void **state)
{
    an_interval interval = interval_of(BY_DAY), factor = interval_of(BY_FACTOR);
    (void)state;
    int64_t last = learn_regular(&interval, 0, MINUTE, 100);
    last = learn_regular(&interval, last + 90 * MINUTE, MINUTE, 20);
    assert_int_equal(limit_at(&interval, last), 2 * MINUTE);
    last = learn_regular(&interval, last + 60 * MINUTE, MINUTE, 100);
    assert_int_equal(limit_at(&interval, last), 60 * MINUTE);
    last = learn_regular(&interval, last + MINUTE, MINUTE, 1500);
    assert_int_equal(limit_at(&interval, last), 60 * MINUTE);
    last = learn_regular(&interval, last + MINUTE, MINUTE, 1500);
    assert_int_equal(limit_at(&interval, last), 2 * MINUTE);
    last = learn_regular(&factor, 0, MINUTE, 100);
    last = learn_regular(&factor, last + 90 * MINUTE, MINUTE, 20);
    assert_int_equal(limit_at(&factor, last), 3 * MINUTE);
    an_interval_free(&interval, memory());
    an_interval_free(&factor, memory());
}

/* A clock that runs a year ahead for one event, and one at the beginning of time. */
static void test_wrong_clocks(void **state)
{
    an_interval interval = interval_of(BY_DAY);
    (void)state;
    int64_t last = learn_regular(&interval, 10 * DAY, MINUTE, 100);
    an_interval_learn(&interval, 375 * DAY);
    last = learn_regular(&interval, last + MINUTE, MINUTE, 20);
    an_interval_learn(&interval, 0);
    assert_int_equal(limit_at(&interval, last), 2 * MINUTE);
    assert_true(an_interval_is_overdue(&interval, last + 3 * MINUTE));
    last =
        learn_regular(&interval, last + MINUTE, MINUTE, 64); /* now that event is forgotten: the stream has a newest again */
    last = learn_regular(&interval, last + 30 * MINUTE, MINUTE, 64);
    last = learn_regular(&interval, last + 30 * MINUTE, MINUTE, 64);
    assert_int_equal(limit_at(&interval, last), 30 * MINUTE);
    an_interval_free(&interval, memory());
}

static void test_ends_of_time(void **state)
{
    an_interval interval = interval_of(BY_FACTOR), budget = interval_of((an_interval_options){.period_ns = 1});
    anomaly_silence silence;
    (void)state;
    int64_t t_ns = INT64_MIN + 1;
    for (int i = 0; i < 12; i++, t_ns += INT64_MAX / 6) {
        an_interval_learn(&interval, t_ns);
        an_interval_learn(&budget, t_ns);
    }
    assert_ok(an_interval_at(&interval, INT64_MAX, &silence));
    assert_int_equal(silence.due_ns, INT64_MAX);
    assert_int_equal(silence.usual_ns, (int64_t)(double)(INT64_MAX / 6)); /* gaps are doubles */
    assert_int_equal(silence.overdue_ns, 0);
    assert_ok(an_interval_at(&budget, INT64_MAX, &silence));
    assert_int_equal(silence.due_ns, INT64_MAX);
    an_interval_reset(&interval);
    for (int i = 0; i < 12; i++)
        an_interval_learn(&interval, INT64_MIN + 1 + i);
    assert_ok(an_interval_at(&interval, INT64_MAX, &silence));
    assert_int_equal(silence.overdue_ns, INT64_MAX); /* at most that */
    an_interval_free(&interval, memory());
    an_interval_free(&budget, memory());
}

/* ---- beside one that remembers everything ---- */

enum { MOST = 4000, LAST = 64 };

typedef struct history {
    size_t count, gaps;
    int64_t time[MOST];
    struct {
        int64_t quarter, length;
    } gap[MOST];
} history;

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int64_t floor_of(double x)
{
    return (int64_t)floor(x);
}

static void model_learn(history *h, int64_t t_ns, int64_t period_ns)
{
    int64_t newest = INT64_MIN;
    for (size_t i = h->count > LAST ? h->count - LAST : 0; i < h->count; i++)
        newest = h->time[i] > newest ? h->time[i] : newest;
    if (h->count && t_ns == newest)
        return;
    if (h->count && t_ns > newest && period_ns) {
        int64_t quarter = floor_of((double)t_ns / (double)(period_ns / 4 + 1)), latest = INT64_MIN;
        for (size_t i = 0; i < h->gaps; i++)
            latest = h->gap[i].quarter > latest ? h->gap[i].quarter : latest;
        if (h->gaps && quarter <= latest - 8)
            h->gaps = 0;
        h->gap[h->gaps].quarter = quarter;
        h->gap[h->gaps++].length = t_ns - newest;
    }
    h->time[h->count++] = t_ns;
}

static int64_t longest_but_one(const history *h)
{
    int64_t latest = INT64_MIN, longest = 0, second = 0;
    for (size_t i = 0; i < h->gaps; i++)
        latest = h->gap[i].quarter > latest ? h->gap[i].quarter : latest;
    for (size_t i = 0; i < h->gaps; i++)
        if (h->gap[i].quarter > latest - 8 && h->gap[i].length > second) {
            second = h->gap[i].length > longest ? longest : h->gap[i].length;
            longest = h->gap[i].length > longest ? h->gap[i].length : longest;
        }
    return second;
}

static double model_limit(const an_interval_options *o, const history *h, const int64_t *gap, size_t n, double mean)
{
    double second = (double)gap[n - 2], median = (double)gap[(n - 1) / 2], total = second - median;
    size_t m = n / 2;
    if (!o->period_ns)
        return o->factor * second;
    for (size_t i = n - m; i < n - 1; i++)
        total += (double)gap[i] - median;
    double ratio = (double)(m + 1) / (double)(n + 1) / (mean / (double)o->period_ns);
    double limit = ratio > 1 ? median + total * (pow(ratio, 1.0 / (double)(m - 1)) - 1) : median;
    return fmax(fmax(limit, 2 * median), fmax(second, (double)longest_but_one(h)));
}

static int model_at(const an_interval_options *o, const history *h, int64_t now_ns, anomaly_silence *silence)
{
    int64_t time[LAST], gap[LAST];
    size_t times = 0, n = 0;
    for (size_t i = h->count > LAST ? h->count - LAST : 0; i < h->count; i++)
        if (h->time[i] <= now_ns)
            time[times++] = h->time[i];
    qsort(time, times, sizeof *time, by_size);
    for (size_t i = 1; i < times; i++)
        if (time[i] != time[i - 1])
            gap[n++] = time[i] - time[i - 1];
    if (n < 8)
        return ANOMALY_E_EMPTY;
    qsort(gap, n, sizeof *gap, by_size);
    silence->last_ns = time[times - 1];
    silence->usual_ns = gap[(n - 1) / 2];
    double limit = model_limit(o, h, gap, n, (double)(silence->last_ns - time[0]) / (double)n);
    silence->due_ns = silence->last_ns + (int64_t)limit;
    return ANOMALY_OK;
}

static void compare(const an_interval *interval, const history *h, int64_t now_ns)
{
    anomaly_silence got, want;
    int status = model_at(&interval->options, h, now_ns, &want);
    assert_int_equal(an_interval_at(interval, now_ns, &got), status);
    if (status != ANOMALY_OK)
        return;
    assert_int_equal(got.last_ns, want.last_ns);
    assert_int_equal(got.usual_ns, want.usual_ns);
    double limit = (double)(want.due_ns - want.last_ns);
    assert_true(fabs((double)(got.due_ns - got.last_ns) - limit) <= 1 + limit * 1e-12);
    assert_int_equal(got.overdue_ns, now_ns > got.due_ns ? now_ns - got.due_ns : 0);
    assert_int_equal(an_interval_is_overdue(interval, now_ns), got.overdue_ns > 0);
}

static void renew(an_interval *interval)
{
    static written first, second;
    an_writer writer;
    an_interval fresh = interval_of(interval->options);
    written_begin(&first, &writer);
    an_interval_save(interval, &writer);
    assert_ok(an_writer_end(&writer));
    an_reader reader = written_reader(&first);
    an_interval_restore(&fresh, &reader);
    assert_true(written_is_read(&reader));
    written_begin(&second, &writer);
    an_interval_save(&fresh, &writer);
    assert_ok(an_writer_end(&writer));
    assert_int_equal(first.length, second.length);
    assert_memory_equal(first.bytes, second.bytes, first.length);
    an_interval_free(interval, memory());
    *interval = fresh;
}

/* Mostly on by an exponential gap; sometimes at the same time, back, far ahead, or after a long silence. */
static int64_t random_time(random_state *r, int64_t t_ns)
{
    switch (random_below(r, 200)) {
    case 0: return t_ns + (int64_t)random_below(r, 3 * DAY);
    case 1: return t_ns - (int64_t)random_below(r, 100 * DAY);
    case 2: return t_ns + (int64_t)random_below(r, 100 * DAY);
    case 3:
    case 4: return t_ns;
    case 5:
    case 6: return t_ns - (int64_t)random_below(r, 20 * MINUTE);
    default: return t_ns + 1 + (int64_t)(exponential(r) * 10e9 * 60);
    }
}

static void check_beside(random_state *r)
{
    static const an_interval_options OPTIONS[] = {{.factor = 3}, {.factor = 1}, {.period_ns = DAY}, {.period_ns = 1}};
    static history h;
    an_interval interval = interval_of(OPTIONS[random_size(r, ARRAY_COUNT(OPTIONS))]);
    int64_t t_ns = 0;
    h.count = h.gaps = 0;
    for (int i = 0; i < MOST; i++) {
        int64_t t = random_time(r, t_ns), now = one_in(r, 4) ? t_ns - (int64_t)random_below(r, DAY) : t_ns;
        t_ns = t > t_ns && t - t_ns > 3 * DAY ? t_ns : t; /* goes on from a time far ahead as if it had not been */
        an_interval_learn(&interval, t);
        model_learn(&h, t, interval.options.period_ns);
        compare(&interval, &h, one_in(r, 2) ? now : t_ns + (int64_t)random_below(r, 2 * DAY));
        if (one_in(r, 300))
            renew(&interval);
    }
    an_interval_free(&interval, memory());
}

static void test_beside_one_that_remembers(void **state)
{
    random_state r = {5};
    (void)state;
    for (int i = 0; i < (is_quick() ? 4 : 40); i++)
        check_beside(&r);
}

/* ---- snapshots ---- */

static void refuse(an_interval_options options, const unsigned char *bytes, size_t size)
{
    an_interval interval = interval_of(options);
    an_reader reader = {bytes, bytes + size, 0};
    anomaly_silence silence;
    an_interval_restore(&interval, &reader);
    assert_true(reader.bad);
    (void)an_interval_at(&interval, INT64_MAX, &silence); /* it can be used, and thrown away */
    an_interval_free(&interval, memory());
}

static void test_bad_bytes(void **state)
{
    static const unsigned char many[1 + 65 * 8] = {65}, no_time[] = {1, 0, 0, 0, 0, 0, 0, 0, 0x80}, cut[] = {1, 0, 0};
    unsigned char order[1 + 8 + 16] = {0};
    (void)state;
    refuse(BY_FACTOR, many, sizeof many);
    refuse(BY_FACTOR, no_time, sizeof no_time);
    refuse(BY_FACTOR, cut, sizeof cut);
    refuse(BY_FACTOR, cut, 0);
    refuse(BY_DAY, order, 9);
    order[10] = 1; /* the longest but one is longer than the longest */
    refuse(BY_DAY, order, sizeof order);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_too_few),      cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_regular),      cmocka_unit_test(test_out_of_order),
        cmocka_unit_test(test_outages),      cmocka_unit_test(test_wrong_clocks),
        cmocka_unit_test(test_ends_of_time), cmocka_unit_test(test_beside_one_that_remembers),
        cmocka_unit_test(test_bad_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
