/* SPDX-License-Identifier: MIT */
/* Judges percentile rows without keeping the whole window in order.
 *
 * A percentile is a value of known rank. While many rows come in one call, only the values near that rank are kept in
 * order, in a bracket: all values strictly between two bounds, and how many lie at or below the lower one.
 *
 *     window in order:   .......... low ( v v v v R v v v v ) high ............
 *                        `before` of them       rank R
 *
 * An event that comes and one that goes on the same side of a bracket change nothing but that count; few fall into
 * it. So an event costs little more than two comparisons for each percentile, whatever the window.
 *
 * The bracket is wide enough for the rank of stationary data to stay inside for good (bracket_half()). When the rank
 * leaves its bracket, because the level moves, the run is over: the ordered list is brought up to date and used again
 * (percentile/walk.c), and for a while no run is tried. Ties do no harm: if equal values reach over an end of the
 * bracket so that the rank is not inside, there is no run.
 *
 * To bring the list up to date costs an insertion for each event of the run, or a new filling, so only long calls
 * gain. Memory: the brackets lie in unused buckets of the list; 8 KB of stack. Source of the idea: the rank bracket of
 * docs/methods.md. */
#include "percentile/rows.h"

#include "detector/rows.h"
#include "percentile/order.h"
#include "percentile/walk.h"

#include <math.h>
#include <string.h>

/* Values to each side of the rank, at most: an insertion then moves 8 KB, which takes about as long as an insertion
 * into the ordered list. Half a bracket of 4.5 deviations has so many values with windows of 100,000 for the median,
 * and of 500,000 for the 5th and 95th percentile. */
#define MOST_HALF_VALUES 1000
/* Values of a bracket, at most: it may grow by 256 over its first width before the run ends. */
#define MOST_BRACKET_VALUES (2 * MOST_HALF_VALUES + 256)
/* Room over the first width that a run needs to begin. */
#define LEAST_SPARE_VALUES 64
/* The window has at least so many times the values of half a bracket: a bracket of more than a third would save
 * little. */
#define LEAST_HALVES 6
/* After at most so many events the list is brought up to date event by event; after more it is filled anew. The values
 * that left are noted for that, in 8 KB of stack. */
#define KEPT_EVENTS 1024
/* A window of so many or fewer is one bucket of the list, which is as quick as a bracket. */
#define LIST_EVENTS 64
/* A run is tried when at least so many windows of rows are to come: its end costs about a window of insertions. */
#define WORTHWHILE_WINDOWS 8
/* After a run that was shorter, none is tried for so many windows: trials then take a fifth of the time at most. */
#define PAUSE_WINDOWS 4
/* While a value is missing in the window, the list takes so many events before brackets are tried again. */
#define RETRY_EVENTS 64

typedef struct an_bracket {
    double low, high; /* holds every value of the window strictly between them */
    uint32_t before;  /* values at or below low */
    uint32_t size, capacity;
    an_place place;     /* of the percentile in the whole window */
    double *percentile; /* where it is told */
    double *values;     /* [capacity] in order */
} an_bracket;

typedef struct bracket_run {
    anomaly_detector *detector;
    uint32_t brackets;
    an_bracket bracket[AN_CURSORS];
    double left[KEPT_EVENTS]; /* the first values that went */
} bracket_run;

/* ---- one bracket ---- */

/* Answers how many values to each side of the rank of quantile q a bracket begins with. How many of n values lie
 * below a fixed bound is a binomial count, of variance n q (1 - q); the count of the window as it was and that of one
 * of other events differ by twice as much. Four and a half deviations are passed once in 150,000 windows. 8 more:
 * where q is near 0 or 1 the count is far from normal. */
static uint32_t bracket_half(double q, uint32_t n)
{
    double half = 8 + 4.5 * sqrt(2 * (double)n * q * (1 - q));
    return half < MOST_HALF_VALUES ? (uint32_t)half : MOST_HALF_VALUES;
}

/* Finds the first place whose value is above x. The loop has no branch on a comparison: the processor would predict
 * half of them wrongly. */
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

static void put_in_bracket(an_bracket *b, double x)
{
    uint32_t at = first_above(b, x);
    memmove(b->values + at + 1, b->values + at, (b->size - at) * sizeof *b->values);
    b->values[at] = x;
    b->size++;
}

/* Takes x out, which is there. */
static void take_from_bracket(an_bracket *b, double x)
{
    uint32_t at = first_above(b, x) - 1;
    b->size--;
    memmove(b->values + at, b->values + at + 1, (b->size - at) * sizeof *b->values);
}

/* Writes the percentile where it is told. 0: the percentile is not inside. */
static int tell_percentile(const an_bracket *b)
{
    uint32_t next = b->place.t == 0 ? 0 : 1;
    if (b->place.rank < b->before || b->place.rank - b->before + next >= b->size)
        return 0;
    const double *at = b->values + (b->place.rank - b->before);
    *b->percentile = next ? an_interpolate(at[0], at[1], b->place.t) : at[0];
    return 1;
}

/* Fills a bracket with the values near its rank, out of the list. 0: too many are equal. */
static int open_bracket_at(an_bracket *b, const an_ranks *ranks, uint32_t half)
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
    return tell_percentile(b);
}

/* Takes one value out and puts another in. 0: the percentile has left the bracket, or there is no room. */
static int follow_event(an_bracket *b, double left, double came)
{
    if ((left >= b->high && came >= b->high) || (left <= b->low && came <= b->low))
        return 1;
    if (left <= b->low)
        b->before--;
    else if (left < b->high)
        take_from_bracket(b, left);
    if (came <= b->low)
        b->before++;
    else if (came < b->high)
        put_in_bracket(b, came);
    return b->size < b->capacity && tell_percentile(b);
}

/* ---- a run ---- */

static int add_bracket(bracket_run *r, an_order *order, int which, double q, double *percentile)
{
    an_bracket *b = &r->bracket[r->brackets++];
    uint32_t half = bracket_half(q, order->ranks.size);
    b->place = order->place[which];
    b->percentile = percentile;
    return half * LEAST_HALVES <= order->ranks.size && 2 * half + 2 + LEAST_SPARE_VALUES <= b->capacity &&
           open_bracket_at(b, &order->ranks, half);
}

/* Shares the list's unused memory out among so many brackets. */
static void lend_memory(bracket_run *r, const an_ranks *ranks, uint32_t brackets)
{
    size_t spare;
    double *values = an_ranks_spare(ranks, &spare);
    size_t capacity = spare / brackets < MOST_BRACKET_VALUES ? spare / brackets : MOST_BRACKET_VALUES;
    for (uint32_t i = 0; i < brackets; i++) {
        r->bracket[i].values = values + i * capacity;
        r->bracket[i].capacity = (uint32_t)capacity;
    }
}

/* Opens the brackets, that of the median only where it is asked for. */
static int begin_brackets(bracket_run *r, an_order *order, const anomaly_verdicts *verdicts)
{
    const anomaly_config *config = r->detector->config;
    int median = verdicts && verdicts->expected;
    lend_memory(r, &order->ranks, median ? 3 : 2);
    return add_bracket(r, order, 0, config->lower_percent / 100, &order->lower) &&
           add_bracket(r, order, 2, config->upper_percent / 100, &order->upper) &&
           (!median || add_bracket(r, order, 1, 0.5, &order->centre));
}

/* Judges and learns one row after the other; returns how many. */
static size_t judge_until_outside(bracket_run *r, const anomaly_rows *rows, const anomaly_verdicts *verdicts, size_t from)
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
        an_percentile_judge_row(detector, order, verdicts, row, x);
        double left = ring[window->tail++ & window->mask];
        ring[window->head++ & window->mask] = x;
        if (row - from < KEPT_EVENTS)
            r->left[row - from] = left;
        for (uint32_t i = 0; i < r->brackets; i++)
            inside &= follow_event(&r->bracket[i], left, x);
    }
    return row - from;
}

/* Brings the list up to date after so many events. */
static void update_list(const bracket_run *r, an_order *order, size_t events)
{
    const an_window *window = &r->detector->window;
    const double *ring = an_window_ring(window, 0);
    uint64_t first = window->head - (events < window->bound ? events : window->bound);
    if (events > KEPT_EVENTS) {
        an_ranks_reset(&order->ranks);
        first = window->tail;
    }
    for (uint64_t i = first; i < window->head; i++) {
        if (events <= KEPT_EVENTS)
            an_ranks_remove(&order->ranks, r->left[i - first]);
        an_ranks_insert(&order->ranks, ring[i & window->mask]);
    }
}

static int is_window_full(const anomaly_detector *detector)
{
    const an_window *window = &detector->window;
    return window->span_ns == 0 && an_window_count(window) == window->bound && detector->warmup <= window->bound &&
           an_order_of(detector, 0)->ranks.size == window->bound;
}

#if defined(__GNUC__)
__attribute__((noinline)) /* a call without a run does not need its stack */
#endif
static size_t
run_brackets(anomaly_detector *detector, const anomaly_rows *rows, const anomaly_verdicts *verdicts, size_t from)
{
    an_order *order = an_order_of(detector, 0);
    size_t count = 0;
    bracket_run r;
    r.detector = detector;
    r.brackets = 0;
    if (begin_brackets(&r, order, verdicts)) {
        count = judge_until_outside(&r, rows, verdicts, from);
        update_list(&r, order, count);
        detector->counts.events += count;
        detector->counts.learned += count;
    }
    detector->kind->by_feature.settle(detector);
    if (count < WORTHWHILE_WINDOWS * detector->window.bound && from + count < rows->count)
        order->runs_from = detector->window.head + PAUSE_WINDOWS * detector->window.bound;
    return count;
}

/* ---- the call ---- */

static int is_call_long(const anomaly_detector *detector, size_t left)
{
    const an_window *window = &detector->window;
    return window->span_ns == 0 && window->bound > LIST_EVENTS && left >= WORTHWHILE_WINDOWS * window->bound;
}

/* Answers how many of the rows left the list takes before brackets are worth a trial. */
static size_t rows_before_brackets(const anomaly_detector *detector, size_t left)
{
    const an_window *window = &detector->window;
    uint64_t from = an_order_of(detector, 0)->runs_from, count = an_window_count(window);
    if (!is_call_long(detector, left))
        return left;
    if (window->head < from)
        return (size_t)(from - window->head);
    return count < window->bound ? (size_t)(window->bound - count) : RETRY_EVENTS;
}

size_t an_percentile_update_rows(anomaly_detector *detector, const anomaly_rows *rows, const anomaly_verdicts *verdicts,
                                 size_t from)
{
    size_t row = from, done = an_rows_are_plain(detector->config) ? 1 : 0;
    while (done > 0 && row < rows->count) {
        if (is_call_long(detector, rows->count - row) && is_window_full(detector) &&
            detector->window.head >= an_order_of(detector, 0)->runs_from)
            row += run_brackets(detector, rows, verdicts, row);
        done = an_percentile_walk(detector, rows, verdicts, row, rows_before_brackets(detector, rows->count - row));
        row += done;
    }
    return row - from;
}
