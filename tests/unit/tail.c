/* SPDX-License-Identifier: MIT
 * tail.c - how rare a score is, and the threshold of a budget (lib/stage/tail.h): beside counting over the last scores, for ten shapes
 * of scores; the budget is kept whatever ties; the fit beyond the record; snapshots. */
#include "../support/test.h"

#include <float.h>

#include "../support/random.h"
#include "../support/stage.h"
#include "../support/test_memory.h"
#include "../support/written.h"
#include "base/simd.h"
#include "stage/tail.h"

static an_tail made(an_budget budget)
{
    an_tail tail;
    an_tail_init(&tail, &budget, an_places_for(an_simd_path(ANOMALY_SIMD_AUTO)));
    return tail;
}

static void add(an_tail *tail, double score, int64_t t_ns)
{
    assert_ok(an_tail_prepare(tail, memory()));
    an_tail_add(tail, score, t_ns);
}

/* ---- shapes of scores ---- */

typedef double (*shape)(random_state *r, int i);

static double even(random_state *r, int i)
{
    (void)i;
    return random_unit(r);
}

static double bell(random_state *r, int i)
{
    (void)i;
    return random_normal(r);
}

static double half_bell(random_state *r, int i)
{
    (void)i;
    return fabs(random_normal(r));
}

static double exponential(random_state *r, int i)
{
    (void)i;
    return -log(1 - random_unit(r));
}

static double heavy(random_state *r, int i)
{
    (void)i;
    return pow(1 - random_unit(r), -0.5);
}

static double lognormal(random_state *r, int i)
{
    (void)i;
    return exp(random_normal(r));
}

static double far_below(random_state *r, int i)
{
    (void)i;
    return -1e6 - exponential(r, 0);
}

static double few(random_state *r, int i)
{
    (void)i;
    return (double)random_below(r, 5);
}

static double constant(random_state *r, int i)
{
    (void)r;
    (void)i;
    return 2.5;
}

static double up(random_state *r, int i)
{
    return i + random_unit(r);
}

static double endless(random_state *r, int i)
{
    (void)i;
    return one_in(r, 50) ? (one_in(r, 2) ? -(double)INFINITY : (double)INFINITY) : random_normal(r) * 1e308;
}

static const struct {
    const char *name;
    shape of;
} shapes[] = {{"even", even},           {"bell", bell},
              {"half bell", half_bell}, {"exponential", exponential},
              {"heavy", heavy},         {"lognormal", lognormal},
              {"far below", far_below}, {"few", few},
              {"constant", constant},   {"up", up},
              {"endless", endless}};

/* ---- beside counting ---- */

enum { EVENTS = 3000 };

static double counted(double score)
{
    return score > DBL_MAX ? DBL_MAX : score < -DBL_MAX ? -DBL_MAX : score;
}

static size_t at_least(const double *scores, size_t n, double s)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += counted(scores[i]) >= counted(s);
    return count;
}

/* A score is within the budget when it and those at least as high are no larger a share than the rate. */
static void check_event(const an_tail *tail, const double *scores, size_t n, double s, double rate)
{
    int estimated;
    double got = an_tail_of(tail, s, &estimated);
    size_t above = at_least(scores, n, s);
    double rank = ((double)above + 1) / ((double)n + 1);
    if (above > 0) {
        assert_false(estimated);
        assert_same(got, rank);
    } else {
        assert_true(estimated && got >= 0 && got <= rank);
    }
    if (rate * ((double)n + 1) >= 1)
        assert_int_equal(an_tail_exceeds(tail, s), rank <= rate);
    else if (above > 0)
        assert_false(an_tail_exceeds(tail, s));
}

static void check_shape(shape of, uint64_t bound, double rate)
{
    static double scores[EVENTS];
    random_state r = {bound};
    an_tail tail = made((an_budget){.scores = bound, .rate = rate});
    for (int i = 0; i < EVENTS; i++) {
        size_t n = (size_t)i < bound ? (size_t)i : (size_t)bound;
        scores[i] = of(&r, i);
        if (n >= AN_TAIL_LEAST)
            check_event(&tail, scores + i - n, n, one_in(&r, 2) ? scores[i] : scores[i] + random_normal(&r), rate);
        else
            assert_false(an_tail_exceeds(&tail, (double)INFINITY));
        add(&tail, scores[i], ANOMALY_NO_TIME);
    }
    an_tail_free(&tail, memory());
}

static void test_beside_counting(void **state)
{
    (void)state;
    for (size_t s = 0; s < ARRAY_COUNT(shapes); s++) {
        check_shape(shapes[s].of, 128, 0.05);
        check_shape(shapes[s].of, 1000, 0.01);
        check_shape(shapes[s].of, 5000, 0.001);
    }
}

/* ---- the budget ---- */

static double flagged_share(shape of, an_budget budget, int events)
{
    random_state r = {9};
    an_tail tail = made(budget);
    int flagged = 0, asked = 0;
    for (int i = 0; i < events; i++) {
        double score = of(&r, i);
        if (tail.count == budget.scores) {
            asked++;
            flagged += an_tail_exceeds(&tail, score);
        }
        add(&tail, score, i * SECOND);
    }
    an_tail_free(&tail, memory());
    return (double)flagged / asked;
}

/* Of scores that come in any order, within a factor of 2; of those that tie, no more. */
static void test_observed_over_asked(void **state)
{
    int events = is_quick() ? 30000 : 300000;
    (void)state;
    for (size_t s = 0; s < ARRAY_COUNT(shapes); s++) {
        int ties = shapes[s].of == few || shapes[s].of == constant, drifts = shapes[s].of == up,
            odd = shapes[s].of == endless;
        double share = flagged_share(shapes[s].of, (an_budget){.scores = 10000, .rate = 1e-2}, events) / 1e-2;
        if (!drifts && !(share <= 2 && (share >= 0.5 || ties || odd)))
            fail_msg("%s: %g of what was asked", shapes[s].name, share);
    }
}

/* Two alarms an hour, an event a second. */
static void test_by_time(void **state)
{
    an_budget budget = {.scores = 10000, .alarms = 2, .period_ns = 3600 * SECOND};
    (void)state;
    for (int s = 0; s < 6; s++) {
        double share = flagged_share(shapes[s].of, budget, is_quick() ? 60000 : 400000) * 3600 / 2;
        if (!(share >= 0.5 && share <= 2))
            fail_msg("%s: %g of what was asked", shapes[s].name, share);
    }
}

/* Whether a single time is years ahead, behind, or none at all: the threshold stays what it is without that, at any place among the
 * strides between the times that are kept, in a short record and in a full one. */
static void check_wrong_time(an_budget budget, int scores, int64_t wrong_ns)
{
    random_state r = {8};
    an_tail tail = made(budget), right = made(budget);
    for (int i = 0; i < scores + 200; i++) {
        double score = bell(&r, i);
        add(&tail, score, i == scores ? wrong_ns : i * SECOND);
        add(&right, score, i * SECOND);
        if (i >= scores && !(fabs(tail.threshold - right.threshold) <= 0.1 * fabs(right.threshold)))
            fail_msg("%d scores, then %g s: %g, without %g", scores, (double)wrong_ns / 1e9, tail.threshold,
                     right.threshold);
    }
    an_tail_free(&tail, memory());
    an_tail_free(&right, memory());
}

/* In a record of few times the threshold may rise, not fall. */
static void check_wrong_time_is_no_alarm(int scores, int64_t wrong_ns)
{
    an_tail tail = made((an_budget){.scores = 10000, .alarms = 20, .period_ns = 3600 * SECOND});
    random_state r = {9};
    for (int i = 0; i < scores; i++)
        add(&tail, bell(&r, i), i * SECOND);
    double before = tail.threshold;
    add(&tail, 0, wrong_ns);
    assert_true(tail.threshold >= 0.8 * before);
    an_tail_free(&tail, memory());
}

static void test_one_wrong_time(void **state)
{
    const int64_t year = INT64_C(365) * 86400 * SECOND, wrong[] = {year, 20 * year, -year, INT64_MAX};
    (void)state;
    for (size_t w = 0; w < ARRAY_COUNT(wrong); w++)
        for (int scores = 1000; scores < 1130; scores += 3) {
            check_wrong_time((an_budget){.scores = 10000, .alarms = 20, .period_ns = 3600 * SECOND}, scores, wrong[w]);
            check_wrong_time((an_budget){.scores = 600, .alarms = 20, .period_ns = 3600 * SECOND}, scores, wrong[w]);
            check_wrong_time((an_budget){.scores = 10000, .alarms = 1, .period_ns = AN_AUTOMATIC}, scores, wrong[w]);
        }
    for (int scores = 100; scores < 320; scores += 3) /* ahead only: fewer alarms for a moment are no harm */
        check_wrong_time_is_no_alarm(scores, year);
}

/* Without time going on there is no event a day, and nothing is within the budget. */
static void test_time_stands_still(void **state)
{
    random_state r = {3};
    an_tail tail = made((an_budget){.scores = 200, .alarms = 2, .period_ns = SECOND});
    (void)state;
    for (int i = 0; i < 500; i++)
        add(&tail, random_normal(&r), 77);
    assert_false(an_tail_exceeds(&tail, 1e300));
    add(&tail, 0, 77 + 1000 * SECOND);
    assert_false(an_tail_exceeds(&tail, 1e300)); /* one time alone tells nothing */
    for (int i = 0; i < 130; i++)
        add(&tail, random_normal(&r), 77 + (1000 + i) * SECOND);
    assert_true(an_tail_exceeds(&tail, 1e300));
    an_tail_free(&tail, memory());
}

/* ---- the automatic budget ---- */

/* Scores 1, 2, 3, ... in steps of one second, or without times. */
static an_tail automatic(int scores, int timed)
{
    an_tail tail = made((an_budget){.scores = 10000, .alarms = 1, .period_ns = AN_AUTOMATIC});
    for (int i = 1; i <= scores; i++)
        add(&tail, i, timed ? i * SECOND : ANOMALY_NO_TIME);
    return tail;
}

static void test_automatic_is_young_at_first(void **state)
{
    an_tail tail = automatic(999, 0), small = made((an_budget){.scores = 128, .alarms = 1, .period_ns = AN_AUTOMATIC});
    (void)state;
    assert_true(an_tail_is_young(&tail));
    add(&tail, 1000, ANOMALY_NO_TIME);
    assert_false(an_tail_is_young(&tail));
    for (int i = 0; i < 128; i++) {
        assert_true(an_tail_is_young(&small));
        add(&small, i, 0);
    }
    assert_false(an_tail_is_young(&small));
    an_tail_free(&tail, memory());
    an_tail_free(&small, memory());
}

/* A share of 1e-4 of 9,995 scores is none. Yet three outliers hide no fourth that is as large; four do. */
static void test_automatic_forgives_three(void **state)
{
    an_tail tail = made((an_budget){.scores = 10000, .alarms = 1, .period_ns = AN_AUTOMATIC}),
            strict = made((an_budget){.scores = 10000, .rate = 1e-4});
    (void)state;
    for (int i = 0; i < 9995; i++) {
        double score = i % 3000 == 2999 ? 1e6 : i % 101 / 10.0;
        add(&tail, score, ANOMALY_NO_TIME);
        add(&strict, score, ANOMALY_NO_TIME);
    }
    assert_true(an_tail_exceeds(&tail, 1e6));
    assert_false(an_tail_exceeds(&tail, 10));
    assert_false(an_tail_exceeds(&strict, 1e6));
    add(&tail, 1e6, ANOMALY_NO_TIME);
    assert_false(an_tail_exceeds(&tail, 1e6));
    an_tail_free(&tail, memory());
    an_tail_free(&strict, memory());
}

/* Where events have no times, the estimate beyond a record is made without its three largest scores: those of outliers
 * hide no next one, which is as large. A budget by rate takes them as they are. */
static void test_automatic_fits_without_outliers(void **state)
{
    an_tail tail = made((an_budget){.scores = 10000, .alarms = 1, .period_ns = AN_AUTOMATIC}), plain = automatic(0, 0),
            strict = made((an_budget){.scores = 10000, .rate = 1e-4});
    (void)state;
    for (int i = 0; i < 2048; i++) {
        double usual = i * 37 % 1009 / 100.0;
        add(&plain, usual, ANOMALY_NO_TIME);
        add(&tail, i % 600 == 599 ? 40 : usual, ANOMALY_NO_TIME);
        add(&strict, i % 600 == 599 ? 40 : usual, ANOMALY_NO_TIME);
    }
    assert_true(an_tail_exceeds(&tail, 40));
    assert_false(an_tail_exceeds(&tail, 10.09));
    assert_false(an_tail_exceeds(&strict, 40));
    assert_close(tail.threshold, plain.threshold, 0.05);
    an_tail_free(&tail, memory());
    an_tail_free(&plain, memory());
    an_tail_free(&strict, memory());
}

/* An event in twenty seconds is 4,320 a day: of 10,000 scores the second largest is within the budget, and so the fourth, since the three
 * largest need not be exceeded. An event in eighty seconds is 1,080 a day: the ninth is within the budget, with no three beside. */
static void test_automatic_by_time_or_not(void **state)
{
    an_tail timed = made((an_budget){.scores = 10000, .alarms = 1, .period_ns = AN_AUTOMATIC}),
            rare = made((an_budget){.scores = 10000, .alarms = 1, .period_ns = AN_AUTOMATIC}), untimed = automatic(10000, 0);
    (void)state;
    for (int i = 1; i <= 10000; i++) {
        add(&timed, i, i * 20 * SECOND);
        add(&rare, i, i * 80 * SECOND);
    }
    assert_false(an_tail_exceeds(&timed, 9997));
    assert_true(an_tail_exceeds(&timed, 9998));
    assert_false(an_tail_exceeds(&rare, 9992));
    assert_true(an_tail_exceeds(&rare, 9993));
    assert_false(an_tail_exceeds(&untimed, 9997));
    add(&timed, 1, ANOMALY_NO_TIME); /* the share of events without times */
    assert_false(an_tail_exceeds(&timed, 9997));
    assert_true(an_tail_exceeds(&timed, 1e9));
    an_tail_free(&timed, memory());
    an_tail_free(&rare, memory());
    an_tail_free(&untimed, memory());
}

/* Where all times are equal or descend, they tell no more than none. */
static void test_automatic_where_time_stands_still(void **state)
{
    an_tail untimed = automatic(2000, 0);
    (void)state;
    for (int64_t step = -SECOND; step <= 0; step += SECOND) {
        an_tail tail = made((an_budget){.scores = 10000, .alarms = 1, .period_ns = AN_AUTOMATIC});
        for (int i = 1; i <= 2000; i++)
            add(&tail, i, 77 + i * step);
        assert_true(an_tail_exceeds(&tail, 1e9));
        assert_true(tail.threshold == untimed.threshold);
        an_tail_free(&tail, memory());
    }
    an_tail_free(&untimed, memory());
}

/* ---- beyond the record ---- */

/* One in ten thousand, from a record of a thousand: the score that is given is within a factor of 5 that rare, median of rounds. */
static double asked_beyond(shape of, double (*tail_of)(double))
{
    double ratios[101];
    for (int round = 0; round < 101; round++) {
        random_state r = {(uint64_t)round};
        an_tail tail = made((an_budget){.scores = 1000, .rate = 1e-4});
        for (int i = 0; i < 1000; i++)
            add(&tail, of(&r, i), ANOMALY_NO_TIME);
        ratios[round] = tail_of(tail.threshold) / 1e-4;
        an_tail_free(&tail, memory());
    }
    for (int i = 0; i < 101; i++)
        for (int j = i + 1; j < 101; j++)
            if (ratios[j] < ratios[i]) {
                double swapped = ratios[i];
                ratios[i] = ratios[j];
                ratios[j] = swapped;
            }
    return ratios[50];
}

static double tail_of_exponential(double x)
{
    return exp(-x);
}

static double tail_of_heavy(double x)
{
    return 1 / (x * x);
}

static double tail_of_lognormal(double x)
{
    return 0.5 * erfc(log(x) / sqrt(2));
}

static void check_ratio(const char *name, double ratio)
{
    if (!(ratio > 0.2 && ratio < 5))
        fail_msg("%s: %g of what was asked", name, ratio);
}

static void test_beyond_the_record(void **state)
{
    (void)state;
    check_ratio("exponential", asked_beyond(exponential, tail_of_exponential));
    check_ratio("heavy", asked_beyond(heavy, tail_of_heavy));
    check_ratio("lognormal", asked_beyond(lognormal, tail_of_lognormal));
}

/* The chance falls as the score rises, through the end of the record and beyond. */
static void test_tail_falls(void **state)
{
    (void)state;
    for (size_t s = 0; s < ARRAY_COUNT(shapes); s++) {
        random_state r = {7};
        an_tail tail = made((an_budget){.scores = 500, .rate = 0.01});
        double before = 1;
        int estimated;
        for (int i = 0; i < 700; i++)
            add(&tail, shapes[s].of(&r, i), ANOMALY_NO_TIME);
        for (double x = -1e7; x < 1e7; x += x < -20 || x > 2000 ? 9e5 : 0.37) {
            double chance = an_tail_of(&tail, x, &estimated);
            assert_true(chance <= before && chance >= 0);
            before = chance;
        }
        an_tail_free(&tail, memory());
    }
}

/* Something else after only the same: rarer than all there was. */
static void test_after_a_constant(void **state)
{
    int estimated;
    an_tail tail = made((an_budget){.scores = 500, .rate = 1e-4});
    (void)state;
    for (int i = 0; i < 200; i++)
        add(&tail, 1, ANOMALY_NO_TIME);
    assert_false(an_tail_exceeds(&tail, 1));
    assert_true(an_tail_exceeds(&tail, 1.5));
    assert_same(an_tail_of(&tail, 1.5, &estimated), 0);
    assert_true(estimated);
    assert_nan(an_tail_of(&tail, (double)NAN, &estimated));
    assert_false(an_tail_exceeds(&tail, (double)NAN));
    an_tail_free(&tail, memory());
}

/* ---- what has left leaves no trace ---- */

static void test_forgets(void **state)
{
    random_state r = {5}, same = {5};
    an_budget budget = {.scores = 256, .rate = 1e-3};
    an_tail tail = made(budget), twin = made(budget);
    (void)state;
    for (int i = 0; i < 256; i++) {
        add(&tail, i % 3 ? 1e300 : (double)INFINITY, ANOMALY_NO_TIME);
        add(&twin, 0, ANOMALY_NO_TIME);
    }
    for (int i = 0; i < 256; i++) {
        add(&tail, bell(&r, i), ANOMALY_NO_TIME);
        add(&twin, bell(&same, i), ANOMALY_NO_TIME);
    }
    assert_same(tail.threshold, twin.threshold);
    assert_same(tail.pareto.scale, twin.pareto.scale);
    an_tail_free(&tail, memory());
    an_tail_free(&twin, memory());
}

/* ---- memory and snapshots ---- */

static void test_no_memory(void **state)
{
    an_budget budget = {.scores = 700, .alarms = 1, .period_ns = SECOND};
    (void)state;
    for (uint64_t fail_at = 1; fail_at < 20; fail_at++) {
        test_memory m = {.fail_at = fail_at};
        anomaly_allocator allocator = {memory_take, memory_give, &m};
        random_state r = {1};
        an_tail tail = made(budget), twin = made(budget);
        for (int i = 0; i < 900; i++) {
            double score = bell(&r, i);
            while (an_tail_prepare(&tail, &allocator) != ANOMALY_OK)
                assert_true(m.calls == fail_at);
            an_tail_add(&tail, score, i);
            add(&twin, score, i);
            assert_same(tail.threshold, twin.threshold);
        }
        assert_true(m.bytes <= an_tail_bytes(&budget));
        an_tail_free(&tail, &allocator);
        an_tail_free(&twin, memory());
        assert_int_equal(m.live, 0);
        assert_int_equal(m.bad_frees, 0);
    }
}

static void test_reserve(void **state)
{
    an_budget budget = {.scores = 700, .alarms = 1, .period_ns = SECOND};
    test_memory m = {0};
    anomaly_allocator allocator = {memory_take, memory_give, &m};
    an_tail tail = made(budget);
    (void)state;
    assert_ok(an_tail_reserve(&tail, &allocator));
    assert_int_equal(m.bytes, an_tail_bytes(&budget));
    uint64_t calls = m.calls;
    for (int i = 0; i < 2000; i++) {
        assert_ok(an_tail_prepare(&tail, &allocator));
        an_tail_add(&tail, i % 97, i);
    }
    assert_int_equal(m.calls, calls);
    an_tail_free(&tail, &allocator);
    assert_int_equal(m.live, 0);
}

static written bytes;

static void save(const an_tail *tail)
{
    an_writer writer;
    written_begin(&bytes, &writer);
    an_tail_save(tail, &writer);
    assert_ok(an_writer_end(&writer));
}

static void test_snapshot(void **state)
{
    random_state r = {4};
    an_budget budget = {.scores = 300, .alarms = 1, .period_ns = 1000};
    an_tail tail = made(budget);
    (void)state;
    for (int i = 0; i < 2000; i++) {
        if (one_in(&r, 40)) {
            an_tail twin = made(budget);
            save(&tail);
            an_reader reader = written_reader(&bytes);
            assert_ok(an_tail_restore(&twin, &reader, memory()));
            assert_true(written_is_read(&reader));
            for (int k = 0; k < 200; k++) { /* both go on */
                double score = bell(&r, i);
                add(&tail, score, i * 20 + k / 10);
                add(&twin, score, i * 20 + k / 10);
                assert_same(tail.threshold, twin.threshold);
            }
            an_tail_free(&tail, memory());
            tail = twin;
        }
        add(&tail, bell(&r, i), i * 20);
    }
    an_tail_free(&tail, memory());
}

/* Whatever bytes come: refused, or a record that goes on and frees what it took. */
static void test_damaged_snapshot(void **state)
{
    random_state r = {6};
    an_budget budget = {.scores = 128, .alarms = 1, .period_ns = 1000};
    an_tail tail = made(budget);
    (void)state;
    for (int i = 0; i < 300; i++)
        add(&tail, bell(&r, i), i);
    for (int round = 0; round < 3000; round++) {
        an_tail twin = made(budget);
        save(&tail);
        for (int k = 0; k < 3; k++)
            bytes.bytes[random_size(&r, one_in(&r, 2) ? 12 : bytes.length)] ^= (unsigned char)(1u << random_below(&r, 8));
        bytes.length -= one_in(&r, 4) ? random_size(&r, bytes.length) : 0;
        an_reader reader = written_reader(&bytes);
        if (an_tail_restore(&twin, &reader, memory()) == ANOMALY_OK)
            for (int i = 0; i < 300; i++)
                add(&twin, bell(&r, i), i);
        an_tail_free(&twin, memory());
    }
    an_tail_free(&tail, memory());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_beside_counting),
        cmocka_unit_test(test_observed_over_asked),
        cmocka_unit_test(test_by_time),
        cmocka_unit_test(test_one_wrong_time),
        cmocka_unit_test(test_time_stands_still),
        cmocka_unit_test(test_automatic_is_young_at_first),
        cmocka_unit_test(test_automatic_forgives_three),
        cmocka_unit_test(test_automatic_fits_without_outliers),
        cmocka_unit_test(test_automatic_by_time_or_not),
        cmocka_unit_test(test_automatic_where_time_stands_still),
        cmocka_unit_test(test_beyond_the_record),
        cmocka_unit_test(test_tail_falls),
        cmocka_unit_test(test_after_a_constant),
        cmocka_unit_test(test_forgets),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_reserve),
        cmocka_unit_test(test_snapshot),
        cmocka_unit_test(test_damaged_snapshot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
