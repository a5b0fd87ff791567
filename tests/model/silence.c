/* SPDX-License-Identifier: MIT
 * silence.c - how often a stream that lives is reported as silent, over ten kinds of streams and a budget of one false report in a
 * week; and how soon one that has stopped is. The table that it prints is in docs/benchmarks.md. */
#include "../support/test.h"

#include "../support/distributions.h"
#include "../support/random.h"

#include <stdio.h>

#define MINUTE    (60 * SECOND)
#define WEEK      (7 * 1440.0) /* in minutes */
#define HALF_TURN 3.141592653589793

enum { FIRST_WEEKS = 2 }; /* the budget's two periods, until a stream is known */

typedef struct stream {
    random_state r;
    double now; /* in minutes */
    int left;   /* of a burst */
} stream;

/* Minutes to the next event. */
static double exact(stream *s)
{
    (void)s;
    return 10;
}

static double jittered(stream *s)
{
    return 10 + random_normal(&s->r);
}

static double by_themselves(stream *s)
{
    return 10 * exponential(&s->r);
}

static double smooth(stream *s)
{
    return 2.5 * (exponential(&s->r) + exponential(&s->r) + exponential(&s->r) + exponential(&s->r));
}

static double skewed(stream *s)
{
    return 6 * lognormal(&s->r);
}

static double heavy(stream *s)
{
    return 4 * pow(uniform(&s->r), -1 / 1.5);
}

/* One in twenty gets lost. */
static double lossy(stream *s)
{
    double gap = 10 + 0.2 * random_normal(&s->r);
    while (one_in(&s->r, 20))
        gap += 10;
    return gap;
}

/* Twenty to two hundred together, every hundred minutes. */
static double bursty(stream *s)
{
    if (s->left-- > 0)
        return 0.01 * exponential(&s->r);
    s->left = 20 + (int)random_below(&s->r, 180);
    return 100 + 20 * random_normal(&s->r);
}

/* Forty times as many by day as by night. */
static double daily(stream *s)
{
    return 10 * exponential(&s->r) / (1.05 + cos(2 * HALF_TURN * s->now / 1440));
}

/* None from 18 to 8 o'clock. */
static double by_day(stream *s)
{
    double gap = 10 + random_normal(&s->r), hour = fmod(s->now / 60, 24);
    return hour + gap / 60 > 18 ? (32 - hour) * 60 + gap : gap;
}

static const struct {
    const char *name;
    double (*gap)(stream *s);
    int stops_within; /* usual intervals; 0: it is not regular */
} STREAMS[] = {
    {"regular", exact, 3},
    {"regular, jitter 10 %", jittered, 3},
    {"by themselves (Poisson)", by_themselves, 0},
    {"smooth (Erlang 4)", smooth, 0},
    {"lognormal", skewed, 0},
    {"Pareto 1.5", heavy, 0},
    {"one in 20 lost", lossy, 0},
    {"bursts", bursty, 0},
    {"day and night", daily, 0},
    {"by day only", by_day, 0},
};

typedef struct tally {
    double first, later; /* false reports a week */
    double intervals;    /* of the usual one, from the last event to when it is told, in the mean */
} tally;

/* Asks at each event whether the stream had been reported before it came. */
static tally live(double (*gap)(stream *), double weeks)
{
    stream s = {{7}, 0, 0};
    tally sum = {0, 0, 0};
    anomaly_detector *d = detector_of(ANOMALY_ZSCORE, "window=16 silence=1/7d");
    double limits = 0, x = 1;
    while (s.now < weeks * WEEK) {
        anomaly_silence silence;
        s.now += gap(&s);
        int64_t now_ns = (int64_t)(s.now * (double)MINUTE);
        if (anomaly_overdue(d, now_ns, &silence) == ANOMALY_OK) {
            *(s.now < FIRST_WEEKS * WEEK ? &sum.first : &sum.later) += silence.overdue_ns > 0;
            sum.intervals += (double)(silence.due_ns - silence.last_ns) / (double)silence.usual_ns;
            limits++;
        }
        assert_ok(anomaly_update(d, &x, now_ns, NULL));
    }
    anomaly_destroy(d);
    return (tally){sum.first / FIRST_WEEKS, sum.later / (weeks - FIRST_WEEKS), sum.intervals / limits};
}

static void test_the_budget_holds(void **state)
{
    (void)state;
    print_message("%-24s %24s %20s\n", "a budget of 1/7d", "false a week, at first", "after two weeks");
    for (size_t i = 0; i < ARRAY_COUNT(STREAMS); i++) {
        tally sum = live(STREAMS[i].gap, is_quick() ? 30 : 120);
        print_message("%-24s %24.1f %20.2f\n", STREAMS[i].name, sum.first, sum.later);
        assert_true(sum.later <= 1.5);
        assert_true(sum.first <= 12);
        if (STREAMS[i].stops_within)
            assert_true(sum.intervals <= STREAMS[i].stops_within && sum.first <= 0.5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_budget_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
