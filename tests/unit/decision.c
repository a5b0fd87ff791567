/* SPDX-License-Identifier: MIT
 * decision.c - which odd events are alarms (lib/stage/decision.h): by hand, and beside one that looks through all events there were. */
#include "../support/test.h"

#include "../support/random.h"
#include "../support/written.h"
#include "stage/decision.h"

/* '#' is odd with score 5, a digit odd with that score, anything else is usual. */
static an_judged event_of(char c, int64_t t_ns)
{
    int digit = c >= '0' && c <= '9', odd = digit || c == '#';
    return (an_judged){odd, odd ? (digit ? c - '0' : 5) : 0, 10, 0, t_ns};
}

#define SMALL (ANOMALY_HELD | ANOMALY_SMALL_CHANGE)

static char letter_of(uint32_t flags)
{
    switch (flags) {
    case 0: return '.';
    case ANOMALY_ALARM: return 'A';
    case ANOMALY_EPISODE: return 'E';
    case ANOMALY_EPISODE_END: return 'X';
    case ANOMALY_HELD | ANOMALY_UNCONFIRMED: return 'H';
    case ANOMALY_EPISODE | ANOMALY_HELD: return 'h';
    case ANOMALY_EPISODE | ANOMALY_ALARM: return 'a'; /* told again */
    case ANOMALY_EPISODE_END | ANOMALY_ALARM: return 'Y';
    case ANOMALY_EPISODE_END | ANOMALY_HELD | ANOMALY_UNCONFIRMED: return 'x';
    default: return '?';
    }
}

/* An event a second. */
static void check(an_decision_options options, const char *events, const char *flags)
{
    char got[128] = "";
    an_decision decision;
    an_decision_init(&decision, &options);
    for (int i = 0; events[i]; i++) {
        an_judged event = event_of(events[i], i * SECOND);
        uint32_t asked = an_decide(&decision, &event), moved = an_decision_move(&decision, &event);
        assert_int_equal(asked, moved);
        got[i] = letter_of(moved);
    }
    assert_string_equal(got, flags);
}

static void test_without_options(void **state)
{
    (void)state;
    check((an_decision_options){0}, "..##.#", "..AA.A");
}

static void test_rest(void **state)
{
    an_decision_options events = {.rest_events = 4}, time = {.rest_ns = 4 * SECOND};
    (void)state;
    check(events, "..##.#.....#", "..AhEhEEEEXA");
    check(events, "#....#", "AEEEEY");
    check(events, "#...#....", "AEEEhEEEE");
    check(time, "..##.#.....#", "..AhEhEEEEXA");
    check(time, "#....#", "AEEEEY");
}

static void test_margin(void **state)
{
    (void)state;
    check((an_decision_options){.rest_events = 9, .margin = 1.5}, "3454667.8", "AhahhhaEh");
}

static void test_confirm(void **state)
{
    (void)state;
    check((an_decision_options){.confirm = 2, .of = 3}, "#..#.##..", "H..H.AA..");
    check((an_decision_options){.confirm = 3, .of = 3, .rest_events = 2}, "##.######....", "HH.HHAhhhEEX.");
    check((an_decision_options){.confirm = 64, .of = 64}, "####", "HHHH");
}

static void test_min_change(void **state)
{
    an_decision decision;
    an_judged event = {1, 9, 110, 100, 0};
    (void)state;
    an_decision_init(&decision, &(an_decision_options){.min_change = 10});
    assert_int_equal(an_decide(&decision, &event), ANOMALY_ALARM);
    event.value = 109.5;
    assert_int_equal(an_decide(&decision, &event), SMALL);
    event.value = 90.5;
    assert_int_equal(an_decide(&decision, &event), SMALL);
    event.expected = (double)NAN;
    assert_int_equal(an_decide(&decision, &event), ANOMALY_ALARM);
    an_decision_init(&decision, &(an_decision_options){.min_percent = 10});
    event = (an_judged){1, 9, -109, -100, 0};
    assert_int_equal(an_decide(&decision, &event), SMALL);
    event.value = -111;
    assert_int_equal(an_decide(&decision, &event), ANOMALY_ALARM);
}

/* What is not worth a word makes no episode last and confirms nothing. */
static void test_small_changes_count_nowhere(void **state)
{
    an_decision decision;
    an_judged odd = {1, 9, 110, 100, 0}, small = {1, 9, 101, 100, 0};
    (void)state;
    an_decision_init(&decision, &(an_decision_options){.min_change = 5, .rest_events = 2, .confirm = 2, .of = 2});
    assert_int_equal(an_decision_move(&decision, &odd), ANOMALY_HELD | ANOMALY_UNCONFIRMED);
    assert_int_equal(an_decision_move(&decision, &small), SMALL);
    assert_int_equal(an_decision_move(&decision, &odd), ANOMALY_HELD | ANOMALY_UNCONFIRMED);
    assert_int_equal(an_decision_move(&decision, &odd), ANOMALY_ALARM);
    assert_int_equal(an_decision_move(&decision, &small), ANOMALY_EPISODE | SMALL);
    assert_int_equal(an_decision_move(&decision, &small), ANOMALY_EPISODE | SMALL);
    assert_int_equal(an_decision_move(&decision, &small), ANOMALY_EPISODE_END | SMALL);
}

static void test_infinite_scores(void **state)
{
    an_decision decision;
    an_judged finite = {1, 9, 1, 0, 0}, infinite = {1, (double)INFINITY, 1, 0, 0};
    (void)state;
    an_decision_init(&decision, &(an_decision_options){.rest_events = 9, .margin = 1});
    assert_int_equal(an_decision_move(&decision, &finite), ANOMALY_ALARM);
    assert_int_equal(an_decision_move(&decision, &infinite), ANOMALY_EPISODE | ANOMALY_ALARM);
    assert_int_equal(an_decision_move(&decision, &infinite), ANOMALY_EPISODE | ANOMALY_HELD);
}

/* Late events come at once; the span between the ends of time is a span like any other. */
static void test_times(void **state)
{
    an_decision decision;
    (void)state;
    an_decision_init(&decision, &(an_decision_options){.rest_ns = INT64_MAX});
    an_judged event = event_of('#', INT64_MIN + 1);
    assert_int_equal(an_decision_move(&decision, &event), ANOMALY_ALARM);
    event = event_of('.', 0);
    assert_int_equal(an_decision_move(&decision, &event), ANOMALY_EPISODE);
    event = event_of('.', INT64_MAX);
    assert_int_equal(an_decision_move(&decision, &event), ANOMALY_EPISODE_END);
    event = event_of('#', 5);
    assert_int_equal(an_decision_move(&decision, &event), ANOMALY_ALARM);
    event = event_of('#', 4);
    assert_int_equal(an_decision_move(&decision, &event), ANOMALY_EPISODE | ANOMALY_HELD);
}

/* ---- beside one that remembers everything ---- */

enum { MOST = 400 };

typedef struct history {
    int count;
    an_judged event[MOST];
    uint32_t flags[MOST];
} history;

static int model_is_worthy(const an_decision_options *o, const an_judged *e)
{
    double change = fabs(e->value - e->expected);
    return e->is_odd && !(change < o->min_change) && !(change < o->min_percent / 100 * fabs(e->expected));
}

/* Where the episode that the next event would find began: at an alarm outside an episode; -1: there is none, or it is over. */
static int model_begin(const an_decision_options *o, const history *h, int64_t t_ns, int *over)
{
    int begin = h->count - 1, last = -1;
    *over = 0;
    while (begin >= 0 && (h->flags[begin] & (ANOMALY_ALARM | ANOMALY_EPISODE)) != ANOMALY_ALARM)
        begin--;
    for (int i = begin + 1; begin >= 0 && i < h->count; i++)
        if (h->flags[i] & ANOMALY_EPISODE_END)
            return -1;
    if (begin < 0 || (!o->rest_events && !o->rest_ns))
        return -1;
    int64_t newest = INT64_MIN;
    for (int i = begin; i < h->count; i++)
        if (model_is_worthy(o, &h->event[i])) {
            last = i;
            newest = h->event[i].t_ns > newest ? h->event[i].t_ns : newest;
        }
    *over = o->rest_ns ? t_ns - newest > o->rest_ns : (uint64_t)(h->count - 1 - last) >= o->rest_events;
    return *over ? -1 : begin;
}

static uint32_t model_next(const an_decision_options *o, const history *h, const an_judged *e)
{
    int over, begin = model_begin(o, h, e->t_ns, &over), odd = model_is_worthy(o, e);
    uint32_t flags = (begin >= 0 ? ANOMALY_EPISODE : 0u) | (over ? ANOMALY_EPISODE_END : 0u);
    if (!e->is_odd)
        return flags;
    if (!odd)
        return flags | SMALL;
    double bar = -1;
    for (int i = begin; begin >= 0 && i < h->count; i++)
        if ((h->flags[i] & ANOMALY_ALARM) && h->event[i].score > bar)
            bar = h->event[i].score;
    if (begin >= 0)
        return flags | (o->margin > 0 && e->score > bar + o->margin ? ANOMALY_ALARM : ANOMALY_HELD);
    uint32_t confirming = 1;
    for (int i = h->count - 1; i >= 0 && i > h->count - (int)o->of; i--)
        confirming += (uint32_t)model_is_worthy(o, &h->event[i]);
    return flags | (confirming >= o->confirm ? ANOMALY_ALARM : ANOMALY_HELD | ANOMALY_UNCONFIRMED);
}

static an_decision_options random_options(random_state *r)
{
    an_decision_options o = {0};
    if (one_in(r, 2))
        o.rest_events = 1 + random_below(r, 12);
    else if (one_in(r, 2))
        o.rest_ns = (int64_t)(1 + random_below(r, 12)) * SECOND;
    o.margin = one_in(r, 2) ? (double)random_below(r, 4) : 0;
    if (one_in(r, 2)) {
        o.of = 1 + (uint32_t)random_below(r, 8);
        o.confirm = 1 + (uint32_t)random_below(r, o.of);
    }
    o.min_change = one_in(r, 3) ? (double)random_below(r, 6) : 0;
    o.min_percent = one_in(r, 3) ? (double)random_below(r, 60) : 0;
    return o;
}

static an_judged random_event(random_state *r, int64_t t_ns, int busy)
{
    int odd = busy ? !one_in(r, 3) : one_in(r, 9);
    double value = (double)random_below(r, 20);
    t_ns += one_in(r, 20) ? -(int64_t)random_below(r, 5) * SECOND : 0;
    return (an_judged){odd, (double)random_below(r, 12), value, 9, t_ns};
}

/* Through a snapshot. */
static void renew(an_decision *decision)
{
    static written bytes;
    an_writer writer;
    an_decision fresh;
    written_begin(&bytes, &writer);
    an_decision_save(decision, &writer);
    assert_ok(an_writer_end(&writer));
    an_reader reader = written_reader(&bytes);
    an_decision_init(&fresh, &decision->options);
    an_decision_restore(&fresh, &reader);
    assert_true(written_is_read(&reader));
    *decision = fresh;
}

static void test_beside_the_model(void **state)
{
    random_state r = {1};
    static history h;
    (void)state;
    for (int round = 0; round < (is_quick() ? 200 : 3000); round++) {
        an_decision decision;
        an_decision_options options = random_options(&r);
        int64_t t_ns = 0;
        an_decision_init(&decision, &options);
        for (h.count = 0; h.count < MOST; h.count++) {
            t_ns += (int64_t)random_below(&r, 3) * SECOND;
            an_judged event = random_event(&r, t_ns, h.count / 50 % 2);
            uint32_t want = model_next(&options, &h, &event);
            assert_int_equal(an_decide(&decision, &event), want);
            assert_int_equal(an_decision_move(&decision, &event), want);
            h.event[h.count] = event;
            h.flags[h.count] = want;
            if (one_in(&r, 30))
                renew(&decision);
        }
    }
}

static void test_damaged_snapshot(void **state)
{
    an_decision decision;
    unsigned char bytes[] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f};
    (void)state;
    an_decision_init(&decision, &(an_decision_options){.rest_events = 3});
    an_reader nan = {bytes, bytes + sizeof bytes, 0}, many = nan, without = nan;
    an_decision_restore(&decision, &nan);
    assert_true(nan.bad);
    bytes[8] = 2;
    an_decision_restore(&decision, &many);
    assert_true(many.bad);
    bytes[8] = 1;
    an_decision_init(&decision, &(an_decision_options){0});
    an_decision_restore(&decision, &without);
    assert_true(without.bad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_options),  cmocka_unit_test(test_rest),
        cmocka_unit_test(test_margin),           cmocka_unit_test(test_confirm),
        cmocka_unit_test(test_min_change),       cmocka_unit_test(test_small_changes_count_nowhere),
        cmocka_unit_test(test_infinite_scores),  cmocka_unit_test(test_times),
        cmocka_unit_test(test_beside_the_model), cmocka_unit_test(test_damaged_snapshot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
