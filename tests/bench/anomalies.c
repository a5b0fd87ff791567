/* SPDX-License-Identifier: MIT
 * anomalies.c - see anomalies.h. Sizes are in units of the metric's spread at one time of the day. */
#include "anomalies.h"

#include <math.h>

enum { DAYS = 45, LEARNING_DAYS = 10, INCIDENTS = 14, SPREAD = 10 };

const sort_of_anomaly SORT[SORTS] = {
    {"spike", "one or two values, 8 to 14 spreads off", 0, 0},
    {"shift", "another level for 3 to 8 hours, 4 to 6 spreads off", 0, 0},
    {"noise", "3 to 5 times the spread for 3 to 8 hours", 0, 0},
    {"stuck", "the same usual value for 3 to 8 hours", 0, 0},
    {"silence", "no event for 3 to 8 hours", 0, 0},
    {"drift", "12 to 20 hours on the way to a level 6 to 9 spreads off", 0, 0},
    {"wrong hour", "values of the other half of the day for 3 to 8 hours", 0, 1},
    {"joint", "two metrics that go together part for 3 to 8 hours, each in its usual range", 1, 0},
};
enum { SPIKE, SHIFT, NOISE, STUCK, SILENCE, DRIFT, WRONG_HOUR, JOINT };

typedef struct teller {
    story *s;
    random_state r;
    double at[2];           /* what each metric goes on from */
    double before;          /* the last value */
    double size[INCIDENTS]; /* of each incident */
    int sort, rhythm;
} teller;

static double usual(const teller *t, int64_t t_ns)
{
    double turn = 6.283185307179586 * (double)(t_ns % DAY) / (double)DAY;
    return t->rhythm ? 100 - 40 * cos(turn) : 100;
}

static double usual_spread(teller *t, int metric)
{
    return t->at[metric] = 0.6 * t->at[metric] + 0.8 * normal(&t->r);
}

static int64_t length_of(teller *t)
{
    switch (t->sort) {
    case SPIKE: return whole_between(&t->r, 1, 2) * t->s->step_ns;
    case DRIFT: return whole_between(&t->r, 12, 20) * HOUR;
    default: return whole_between(&t->r, 36, 96) * t->s->step_ns;
    }
}

static double size_of(teller *t)
{
    static const double LEAST[SORTS] = {8, 4, 3, 0, 0, 6, 0, 0}, MOST[SORTS] = {14, 6, 5, 0, 0, 9, 0, 0};
    double size = between(&t->r, LEAST[t->sort], MOST[t->sort]);
    return t->sort != NOISE && one_in(&t->r, 2) ? -size : size;
}

/* By day and by night the halves of the day lie far apart; a wrong hour is one of those. */
static int64_t begin_of(teller *t, int k)
{
    int64_t from = time_of(&t->r, k, INCIDENTS, LEARNING_DAYS * DAY, DAYS * DAY, 2 * DAY) / t->s->step_ns * t->s->step_ns;
    return t->sort == WRONG_HOUR ? from / DAY * DAY + (k % 2 ? 9 : 21) * HOUR : from;
}

static void plan(teller *t)
{
    for (int k = 0; k < INCIDENTS; k++) {
        int64_t from = begin_of(t, k);
        t->size[k] = size_of(t);
        add_incident(t->s, from, from + length_of(t), 0, SORT[t->sort].name);
    }
}

/* The metric's value, in spreads from the usual, with what the incident makes of it. */
static double odd_spreads(teller *t, const incident *now, int64_t t_ns, double spreads)
{
    double size = t->size[now - t->s->incident];
    switch (t->sort) {
    case NOISE: return spreads * size;
    case DRIFT: return spreads + size * (double)(t_ns - now->from_ns) / (double)(now->to_ns - now->from_ns);
    default: return spreads + size;
    }
}

static double value_at(teller *t, const incident *now, int64_t t_ns)
{
    double spreads = usual_spread(t, 0);
    if (now && t->sort == STUCK)
        return t->before;
    if (now && t->sort == WRONG_HOUR)
        t_ns += DAY / 2;
    else if (now)
        spreads = odd_spreads(t, now, t_ns, spreads);
    return t->before = floor((usual(t, t_ns) + SPREAD * spreads) * 100 + 0.5) / 100;
}

/* The second metric goes with the first one, until it goes its own way. */
static void add_pair(teller *t, const incident *now, int64_t t_ns)
{
    double first = usual_spread(t, 0), own = usual_spread(t, 1);
    double second = now ? own : 0.97 * first + 0.24 * own;
    add_event(t->s, t_ns, usual(t, t_ns) + SPREAD * first, 0);
    add_event(t->s, t_ns, 2 * usual(t, t_ns) + 2 * SPREAD * second, 1);
}

/* Events come up to half a minute late, and one in fifty is lost. */
static void add_moment(teller *t, int64_t t_ns)
{
    const incident *now = incident_at(t->s, t_ns);
    t_ns += (int64_t)random_below(&t->r, (uint64_t)(30 * SECOND));
    if (!now && one_in(&t->r, 50))
        return;
    if (t->sort == JOINT)
        add_pair(t, now, t_ns);
    else if (!now || t->sort != SILENCE)
        add_event(t->s, t_ns, value_at(t, now, t_ns), 0);
}

story anomalies_of(const sort_of_anomaly *which, int rhythm, uint64_t seed)
{
    story s = {.days = DAYS, .step_ns = 5 * MINUTE};
    teller t = {.s = &s, .r = {seed}, .sort = (int)(which - SORT), .rhythm = rhythm};
    plan(&t);
    for (int64_t t_ns = 0; t_ns < DAYS * DAY; t_ns += s.step_ns)
        add_moment(&t, t_ns);
    return s;
}
