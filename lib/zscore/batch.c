/* SPDX-License-Identifier: MIT */
/* Judges z-score rows one event after the other: for windows by time, and where zscore/rows.c cannot have blocks side
 * by side.
 *
 * The window moves as in the loop, while the sums of the newest block stay in registers. What each event is judged by
 * goes into a batch, and the roots and quotients of a batch are computed together, several in a vector: the same
 * operations, the same bits. An event that needs another than the short way (it is late, missing or out of scale,
 * there are too few before it, there is no room for it) is left to the loop. */
#include "zscore/batch.h"

#include "detector/judgement.h"
#include "detector/rows.h"
#include "window/sliding.h"
#include "zscore/verdicts.h"

#include <string.h>

typedef struct batch_run {
    anomaly_detector *detector;
    an_sliding *sliding;
    const anomaly_verdicts *verdicts;
    an_batch_scores score_batch;
    an_moments open; /* of the sliding */
    size_t row;      /* of the batch's first event */
    an_batch batch;
} batch_run;

/* ---- verdicts ---- */

static void put_batch_flags(const batch_run *r)
{
    const an_batch *b = &r->batch;
    for (size_t i = 0; i < b->count; i++)
        r->verdicts->flags[r->row + i] = an_zscore_flags(r->detector->config, b->deviation[i], b->score[i]);
}

static void put_batch_bounds(const batch_run *r)
{
    const anomaly_config *config = r->detector->config;
    const anomaly_verdicts *out = r->verdicts;
    const an_batch *b = &r->batch;
    for (size_t i = 0; out->lower && i < b->count; i++)
        out->lower[r->row + i] = an_zscore_lower(config, b->mean[i], b->spread[i]);
    for (size_t i = 0; out->upper && i < b->count; i++)
        out->upper[r->row + i] = an_zscore_upper(config, b->mean[i], b->spread[i]);
}

static uint64_t events_before(const batch_run *r, size_t i)
{
    return (uint64_t)(r->batch.divisor[i] + r->detector->config->ddof);
}

static void put_batch_columns(const batch_run *r)
{
    const anomaly_verdicts *out = r->verdicts;
    const an_batch *b = &r->batch;
    if (out->score)
        memcpy(out->score + r->row, b->score, b->count * sizeof *b->score);
    if (out->expected)
        memcpy(out->expected + r->row, b->mean, b->count * sizeof *b->mean);
    if (out->flags)
        put_batch_flags(r);
    put_batch_bounds(r);
    for (size_t i = 0; out->threshold && i < b->count; i++)
        out->threshold[r->row + i] = r->detector->config->threshold;
    for (size_t i = 0; out->feature && i < b->count; i++)
        out->feature[r->row + i] = 0;
    for (size_t i = 0; out->events && i < b->count; i++)
        out->events[r->row + i] = events_before(r, i);
}

/* Judges the events whose spread is 0 by the functions of the loop. */
static void put_batch_flat(const batch_run *r)
{
    const an_batch *b = &r->batch;
    for (size_t i = 0; i < b->count; i++)
        if (b->spread[i] == 0)
            an_zscore_put_flat(r->detector, r->verdicts, r->row + i, b->deviation[i], b->mean[i], events_before(r, i));
}

static void finish_batch(batch_run *r)
{
    an_batch *b = &r->batch;
    anomaly_counts *counts = &r->detector->counts;
    int flat = r->score_batch(b);
    for (size_t i = 0; i < b->count; i++)
        counts->anomalies += an_exceeds(r->detector->config, b->score[i]) ? 1u : 0u;
    counts->events += b->count;
    counts->learned += b->count;
    if (r->verdicts)
        put_batch_columns(r);
    if (flat)
        put_batch_flat(r);
    r->row += b->count;
    b->count = 0;
}

/* Sets the fields that no event sets, too: a batch is scored whole. */
static void clear_batch(an_batch *b, const anomaly_config *config)
{
    for (size_t i = 0; i < AN_BATCH_EVENTS; i++)
        b->deviation[i] = b->m2[i] = b->divisor[i] = 1;
    b->least_spread = config->min_stddev;
    b->keep = an_zscore_kept_bits(config);
    b->negate = an_zscore_negates(config);
    b->count = 0;
}

static void begin_batches(batch_run *r, anomaly_detector *detector, const anomaly_verdicts *verdicts,
                          an_batch_scores score_batch, size_t row)
{
    r->detector = detector;
    r->sliding = detector->state;
    r->open = r->sliding->open;
    r->verdicts = verdicts;
    r->score_batch = score_batch;
    r->row = row;
    clear_batch(&r->batch, detector->config);
}

/* ---- the window ---- */

/* Lets the tail leave the oldest block. The sliding has the right `open` only during calls of window/sliding.c. */
static void leave_oldest_block(batch_run *r, uint64_t tail)
{
    const an_window *window = &r->detector->window;
    r->sliding->open = r->open;
    an_sliding_leave(r->sliding, window->values, window->mask, tail, window->head);
    r->open = r->sliding->open;
}

static void close_newest_block(batch_run *r)
{
    an_moments total = r->open;
    an_sliding_close(r->sliding, &total);
    r->open = r->sliding->open;
}

/* Moves the tail on, if it moves at all: an eviction of nothing could move the borders. */
static inline void move_batch_tail(batch_run *r, uint64_t tail)
{
    an_window *window = &r->detector->window;
    if (tail >= r->sliding->at.inner_end && tail != window->tail)
        leave_oldest_block(r, tail);
    window->tail = tail;
}

/* Puts what x is judged by into the batch. 0: x needs another than the short way. */
static inline int put_in_batch(batch_run *r, double x)
{
    static const an_moments none = {0, 0, 0, 0, 0};
    const anomaly_detector *detector = r->detector;
    const an_sliding *s = r->sliding;
    uint64_t tail = detector->window.tail;
    const an_moments *oldest = tail < s->at.inner_end ? &s->inner[tail & s->inner_mask] : &none;
    int ordinary;
    if (oldest->n + s->middle.n + r->open.n < detector->warmup)
        return 0;
    an_moments m = an_moments_join_largest(oldest, &s->middle, &r->open, &ordinary);
    double deviation = an_deviation(&m, x);
    if (!ordinary || !isfinite(deviation))
        return 0;
    an_batch *b = &r->batch;
    b->deviation[b->count] = deviation;
    b->mean[b->count] = m.hi + m.lo;
    b->m2[b->count] = m.m2;
    b->divisor[b->count] = (double)m.n - detector->config->ddof;
    b->count++;
    return 1;
}

static inline void learn_in_batch(batch_run *r, double x, int64_t t)
{
    an_window *window = &r->detector->window;
    an_window_append(window, x, t);
    an_moments_add(&r->open, x);
    if ((window->head & (((uint64_t)1 << r->sliding->at.block_bits) - 1)) == 0)
        close_newest_block(r);
}

/* Judges and learns one row. 0: the row is left to the loop, before it has been judged. */
static inline int batch_row(batch_run *r, double x, int64_t t)
{
    const an_window *window = &r->detector->window;
    uint64_t tail;
    if (!isfinite(x) || !an_window_make_way(window, t, r->detector->config->max_jump_ns, &tail))
        return 0;
    move_batch_tail(r, tail);
    if (!put_in_batch(r, x))
        return 0;
    if (an_window_count(window) == window->bound)
        move_batch_tail(r, window->tail + 1);
    learn_in_batch(r, x, t);
    return 1;
}

size_t an_zscore_update_batches(anomaly_detector *detector, const anomaly_rows *rows, const anomaly_verdicts *verdicts,
                                size_t from, size_t most, an_batch_scores score_batch)
{
    batch_run r;
    size_t end = most < rows->count - from ? from + most : rows->count;
    const char *values = an_rows_column(rows, 0);
    ptrdiff_t stride = an_rows_stride(rows, 1);
    begin_batches(&r, detector, verdicts, score_batch, from);
    for (size_t row = from; row < end; row++) {
        double x = an_load_double(values + (ptrdiff_t)row * stride) + 0.0; /* no negative zero */
        if (!batch_row(&r, x, an_rows_time(rows, row)))
            break;
        if (r.batch.count == AN_BATCH_EVENTS)
            finish_batch(&r);
    }
    finish_batch(&r);
    r.sliding->open = r.open;
    return r.row - from;
}
