/* SPDX-License-Identifier: MIT */
/* Percentile rows, without keeping the whole window in order.
 *
 * A percentile is a value of known rank. While many rows come in one call, only the values near that rank are kept in order,
 * in a bracket: all values strictly between two bounds, and how many lie at or below the lower one. An event that comes and
 * one that goes on the same side of a bracket change nothing but that count; few fall into it. So an event costs little more
 * than two comparisons for each percentile, whatever the window.
 *
 * The bracket is wide enough for the rank of stationary data to stay inside for good: its place moves like a binomial count,
 * and four and a half standard deviations to each side are kept. When it leaves, because the level moves, the run is over: the
 * ordered list is brought up to date and goes on (percentile/walk.c), for a while without trying again. Ties never harm: if
 * equal values take up the bracket's ends so that the rank is not inside, there is no run.
 *
 * Bringing the list up to date costs the events themselves, or filling it anew, so only long calls gain. Memory: about 60 KB of
 * stack. Source of the idea: the rank bracket of docs/methods.md. */
#include "percentile/rows.h"

#include "detector/rows.h"
#include "percentile/order.h"
#include "percentile/walk.h"

#include <math.h>
#include <string.h>

#define MOST_HALF 1000 /* values to each side of the rank, at most */
#define CAPACITY  (2 * MOST_HALF + 256)
#define KEPT      1024 /* events up to which the list is brought up to date one by one */
#define WORTH     8    /* windows that a call must have before it */
#define RETRY     64   /* events between trials while something is missing in the window */
#define SHARE     6    /* a bracket is at most a third of the window: half of it this often */

typedef struct an_bracket {
    double low, high; /* holds every value of the window strictly between them */
    uint32_t before;  /* values at or below low */
    uint32_t size;
    an_place place;     /* of the percentile in the whole window */
    double *percentile; /* where it is told */
    double values[CAPACITY];
} an_bracket;

typedef struct run {
    anomaly_detector *detector;
    uint32_t brackets;
    an_bracket bracket[AN_CURSORS];
    double left[KEPT]; /* the first values that went */
} run;

/* ---- one bracket ---- */

static uint32_t half_for(double q, uint32_t n)
{
    double half = 8 + 4.5 * sqrt(2 * (double)n * q * (1 - q));
    return half < MOST_HALF ? (uint32_t)half : MOST_HALF;
}

/* The first place whose value is above x. No branch on a comparison, which would be a coin toss to the processor. */
static uint32_t first_above(const an_bracket *b, double x)
{
    const double *from = b->values;
    uint32_t left = b->size;
    while (left > 0) {
        uint32_t half = (left + 1) / 2;
        from += half * (size_t)(from[half - 1] <= x);
        left -= half;
    }
    return (uint32_t)(from - b->values);
}

static void put(an_bracket *b, double x)
{
    uint32_t at = first_above(b, x);
    memmove(b->values + at + 1, b->values + at, (b->size - at) * sizeof *b->values);
    b->values[at] = x;
    b->size++;
}

/* x is there. */
static void take(an_bracket *b, double x)
{
    uint32_t at = first_above(b, x) - 1;
    b->size--;
    memmove(b->values + at, b->values + at + 1, (b->size - at) * sizeof *b->values);
}

/* Tells the percentile. 0: it is not inside. */
static int tell(const an_bracket *b)
{
    uint32_t next = b->place.t == 0 ? 0 : 1;
    if (b->place.rank < b->before || b->place.rank - b->before + next >= b->size)
        return 0;
    const double *at = b->values + (b->place.rank - b->before);
    *b->percentile = next ? an_interpolate(at[0], at[1], b->place.t) : at[0];
    return 1;
}

/* The values near the rank, out of the list. 0: too many are equal. */
static int open(an_bracket *b, const an_ranks *ranks, uint32_t half)
{
    an_cursor cursor = {0, 0};
    uint32_t from = b->place.rank > half ? b->place.rank - half : 0;
    uint32_t end = ranks->size - b->place.rank > half + 2 ? b->place.rank + half + 2 : ranks->size;
    b->low = from > 0 ? an_ranks_at(ranks, &cursor, from - 1) : -(double)INFINITY;
    b->high = end < ranks->size ? an_ranks_at(ranks, &cursor, end) : (double)INFINITY;
    b->before = from;
    b->size = 0;
    for (uint32_t rank = from; rank < end; rank++) {
        double x = an_ranks_at(ranks, &cursor, rank);
        b->before += x <= b->low;
        if (x > b->low && x < b->high)
            b->values[b->size++] = x;
    }
    return tell(b);
}

/* One value goes, another comes. 0: the percentile has left the bracket, or there is no room. */
static int follow(an_bracket *b, double left, double came)
{
    if ((left >= b->high && came >= b->high) || (left <= b->low && came <= b->low))
        return 1;
    if (left <= b->low)
        b->before--;
    else if (left < b->high)
        take(b, left);
    if (came <= b->low)
        b->before++;
    else if (came < b->high)
        put(b, came);
    return b->size < CAPACITY && tell(b);
}

/* ---- a run ---- */

static int add(run *r, an_order *order, int which, double q, double *percentile)
{
    an_bracket *b = &r->bracket[r->brackets++];
    uint32_t half = half_for(q, order->ranks.size);
    b->place = order->place[which];
    b->percentile = percentile;
    return half * SHARE <= order->ranks.size && open(b, &order->ranks, half);
}

/* The median only where it is asked for. */
static int begin(run *r, an_order *order, const anomaly_verdicts *verdicts)
{
    const anomaly_config *config = r->detector->config;
    return add(r, order, 0, config->lower_percent / 100, &order->lower) &&
           add(r, order, 2, config->upper_percent / 100, &order->upper) &&
           (!verdicts || !verdicts->expected || add(r, order, 1, 0.5, &order->centre));
}

/* Judges and takes in one row after the other; returns how many. */
static size_t judge_rows(run *r, const anomaly_rows *rows, const anomaly_verdicts *verdicts, size_t from)
{
    anomaly_detector *detector = r->detector;
    an_window *window = &detector->window;
    const char *values = an_rows_column(rows, 0);
    ptrdiff_t stride = an_rows_stride(rows, 1);
    double *ring = an_window_ring(window, 0);
    const an_order *order = an_order_of(detector, 0);
    size_t row = from;
    for (int inside = 1; inside && row < rows->count; row++) {
        double x = an_load_double(values + (ptrdiff_t)row * stride) + 0.0; /* no negative zero */
        if (!isfinite(x))
            break;
        an_percentile_tell(detector, order, verdicts, row, x);
        double left = ring[window->tail++ & window->mask];
        ring[window->head++ & window->mask] = x;
        if (row - from < KEPT)
            r->left[row - from] = left;
        for (uint32_t i = 0; i < r->brackets; i++)
            inside &= follow(&r->bracket[i], left, x);
    }
    return row - from;
}

/* The list after so many events. */
static void catch_up(const run *r, an_order *order, size_t events)
{
    const an_window *window = &r->detector->window;
    const double *ring = an_window_ring(window, 0);
    uint64_t first = window->head - (events < window->bound ? events : window->bound);
    if (events > KEPT) {
        an_ranks_reset(&order->ranks);
        first = window->tail;
    }
    for (uint64_t i = first; i < window->head; i++) {
        if (events <= KEPT)
            an_ranks_remove(&order->ranks, r->left[i - first]);
        an_ranks_insert(&order->ranks, ring[i & window->mask]);
    }
}

static int is_full(const anomaly_detector *detector)
{
    const an_window *window = &detector->window;
    return window->span_ns == 0 && an_window_count(window) == window->bound && detector->warmup <= window->bound &&
           an_order_of(detector, 0)->ranks.size == window->bound;
}

#if defined(__GNUC__)
__attribute__((noinline)) /* its stack is for those who need it */
#endif
static size_t
do_run(anomaly_detector *detector, const anomaly_rows *rows, const anomaly_verdicts *verdicts, size_t from)
{
    an_order *order = an_order_of(detector, 0);
    size_t count = 0;
    run r;
    r.detector = detector;
    r.brackets = 0;
    if (begin(&r, order, verdicts)) {
        count = judge_rows(&r, rows, verdicts, from);
        catch_up(&r, order, count);
        detector->counts.events += count;
        detector->counts.learned += count;
    }
    detector->kind->by_feature.settle(detector);
    if (count < WORTH * detector->window.bound && from + count < rows->count)
        order->runs_from = detector->window.head + WORTH / 2 * detector->window.bound;
    return count;
}

/* ---- the call ---- */

/* The settings for which every event is learned and judged the plain way. */
static int is_plain(const anomaly_config *config)
{
    return config->features == 1 && config->learn == ANOMALY_LEARN_ALWAYS && !config->include_self;
}

static int is_long(const anomaly_detector *detector, size_t left)
{
    const an_window *window = &detector->window;
    return window->span_ns == 0 && window->bound > KEPT / 16 && left >= WORTH * window->bound;
}

/* How many of the rows left the list takes before brackets are worth a trial. */
static size_t before_brackets(const anomaly_detector *detector, size_t left)
{
    const an_window *window = &detector->window;
    uint64_t from = an_order_of(detector, 0)->runs_from, count = an_window_count(window);
    if (!is_long(detector, left))
        return left;
    if (window->head < from)
        return (size_t)(from - window->head);
    return count < window->bound ? (size_t)(window->bound - count) : RETRY;
}

size_t an_percentile_update_rows(anomaly_detector *detector, const anomaly_rows *rows, const anomaly_verdicts *verdicts,
                                 size_t from)
{
    size_t row = from, done = is_plain(detector->config) ? 1 : 0;
    while (done > 0 && row < rows->count) {
        if (is_long(detector, rows->count - row) && is_full(detector) &&
            detector->window.head >= an_order_of(detector, 0)->runs_from)
            row += do_run(detector, rows, verdicts, row);
        done = an_percentile_walk(detector, rows, verdicts, row, before_brackets(detector, rows->count - row));
        row += done;
    }
    return row - from;
}
