/* SPDX-License-Identifier: MIT */
/* z-score rows, one event after the other: for windows by time, and where zscore/rows.c cannot have blocks side by side.
 *
 * The window moves as in the loop, the sums of the newest block in registers. What an event is judged by is put down, and the
 * roots and quotients of a batch are made together, several to a vector: same operations, same bits. An event that needs
 * anything but the short way (late, missing, out of scale, too few before it, no room for it) is left to the loop. */
#include "zscore/batch.h"

#include "detector/judgement.h"
#include "detector/rows.h"
#include "window/sliding.h"
#include "zscore/rows.h"

#include <string.h>

typedef struct run {
    anomaly_detector *detector;
    an_sliding *sliding;
    const anomaly_verdicts *verdicts;
    an_batch_scores scores;
    an_moments open; /* of the sliding */
    size_t row;      /* of the batch's first event */
    an_batch batch;
} run;

/* ---- verdicts ---- */

static void put_flags(const run *r)
{
    const anomaly_config *config = r->detector->config;
    const an_batch *b = &r->batch;
    for (size_t i = 0; i < b->count; i++)
        r->verdicts->flags[r->row + i] = (b->deviation[i] > 0 ? ANOMALY_ABOVE : 0u) |
                                         (b->deviation[i] < 0 ? ANOMALY_BELOW : 0u) |
                                         (an_exceeds(config, b->score[i]) ? ANOMALY_IS_ANOMALY : 0u);
}

static void put_bounds(const run *r)
{
    const anomaly_config *config = r->detector->config;
    const anomaly_verdicts *out = r->verdicts;
    const an_batch *b = &r->batch;
    for (size_t i = 0; out->lower && i < b->count; i++)
        out->lower[r->row + i] =
            config->side == ANOMALY_UPPER ? -(double)INFINITY : b->mean[i] - config->threshold * b->spread[i];
    for (size_t i = 0; out->upper && i < b->count; i++)
        out->upper[r->row + i] =
            config->side == ANOMALY_LOWER ? (double)INFINITY : b->mean[i] + config->threshold * b->spread[i];
}

static void put_columns(const run *r)
{
    const anomaly_config *config = r->detector->config;
    const anomaly_verdicts *out = r->verdicts;
    const an_batch *b = &r->batch;
    if (out->score)
        memcpy(out->score + r->row, b->score, b->count * sizeof *b->score);
    if (out->expected)
        memcpy(out->expected + r->row, b->mean, b->count * sizeof *b->mean);
    if (out->flags)
        put_flags(r);
    put_bounds(r);
    for (size_t i = 0; out->threshold && i < b->count; i++)
        out->threshold[r->row + i] = config->threshold;
    for (size_t i = 0; out->feature && i < b->count; i++)
        out->feature[r->row + i] = 0;
    for (size_t i = 0; out->events && i < b->count; i++)
        out->events[r->row + i] = (uint64_t)(b->divisor[i] + config->ddof);
}

/* Those whose spread is 0, by the functions of the loop. */
static void put_flat(const run *r)
{
    const an_batch *b = &r->batch;
    for (size_t i = 0; i < b->count; i++) {
        anomaly_verdict v = {0};
        if (b->spread[i] != 0)
            continue;
        v.events = (uint64_t)(b->divisor[i] + r->detector->config->ddof);
        an_judge_spread(r->detector->config, b->deviation[i], b->mean[i], 0, &v);
        an_conclude(r->detector, &v);
        an_put_verdict(r->verdicts, r->row + i, &v);
        r->detector->counts.anomalies += (v.flags & ANOMALY_IS_ANOMALY) != 0;
        r->detector->counts.flat += (v.flags & ANOMALY_FLAT) != 0;
    }
}

static void finish_batch(run *r)
{
    an_batch *b = &r->batch;
    anomaly_counts *counts = &r->detector->counts;
    int flat = r->scores(b);
    for (size_t i = 0; i < b->count; i++)
        counts->anomalies += an_exceeds(r->detector->config, b->score[i]) ? 1u : 0u;
    counts->events += b->count;
    counts->learned += b->count;
    if (r->verdicts)
        put_columns(r);
    if (flat)
        put_flat(r);
    r->row += b->count;
    b->count = 0;
}

/* Fields that no event sets are read all the same: a batch is scored whole. */
static void begin_batches(an_batch *b, const anomaly_config *config)
{
    for (size_t i = 0; i < AN_BATCH; i++)
        b->deviation[i] = b->m2[i] = b->divisor[i] = 1;
    b->least_spread = config->min_stddev;
    b->keep = config->side == ANOMALY_BOTH ? INT64_MAX : -1;
    b->negate = config->side == ANOMALY_LOWER ? -1 : 0;
    b->count = 0;
}

static void begin(run *r, anomaly_detector *detector, const anomaly_verdicts *verdicts, an_batch_scores scores, size_t row)
{
    r->detector = detector;
    r->sliding = detector->state;
    r->open = r->sliding->open;
    r->verdicts = verdicts;
    r->scores = scores;
    r->row = row;
    begin_batches(&r->batch, detector->config);
}

/* ---- the window ---- */

/* The sliding's own `open` is only right around calls of window/sliding.c. */
static void leave_block(run *r, uint64_t tail)
{
    const an_window *window = &r->detector->window;
    r->sliding->open = r->open;
    an_sliding_leave(r->sliding, window->values, window->mask, tail, window->head);
    r->open = r->sliding->open;
}

static void close_block(run *r)
{
    an_moments total = r->open;
    an_sliding_close(r->sliding, &total);
    r->open = r->sliding->open;
}

/* To a tail that is further on, if it differs: an eviction of nothing can move the borders. */
static inline void evict(run *r, uint64_t tail)
{
    an_window *window = &r->detector->window;
    if (tail >= r->sliding->at.inner_end && tail != window->tail)
        leave_block(r, tail);
    window->tail = tail;
}

/* What has become too old leaves. 0: the event is not for here. */
static inline int make_way(run *r, int64_t t)
{
    uint64_t tail;
    if (!an_window_make_way(&r->detector->window, t, r->detector->config->max_jump_ns, &tail))
        return 0;
    evict(r, tail);
    return 1;
}

/* Puts down what x is judged by. 0: not the short way. */
static inline int note(run *r, double x)
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

static inline void take_in(run *r, double x, int64_t t)
{
    an_window *window = &r->detector->window;
    an_window_append(window, x, t);
    an_moments_add(&r->open, x);
    if ((window->head & (((uint64_t)1 << r->sliding->at.block_bits) - 1)) == 0)
        close_block(r);
}

/* One row; 0: left to the loop, before it has been judged. */
static inline int do_row(run *r, double x, int64_t t)
{
    const an_window *window = &r->detector->window;
    uint64_t count = an_window_count(window);
    if (!isfinite(x) || (window->times ? !make_way(r, t) : count < window->bound && count > window->mask))
        return 0;
    if (!note(r, x))
        return 0;
    if (!window->times && count == window->bound)
        evict(r, window->tail + 1);
    take_in(r, x, t);
    return 1;
}

size_t an_zscore_update_batches(anomaly_detector *detector, const anomaly_rows *rows, const anomaly_verdicts *verdicts,
                                size_t from, size_t most, an_batch_scores scores)
{
    run r;
    size_t end = most < rows->count - from ? from + most : rows->count;
    const char *values = an_rows_column(rows, 0);
    ptrdiff_t stride = an_rows_stride(rows, 1);
    begin(&r, detector, verdicts, scores, from);
    for (size_t row = from; row < end; row++) {
        double x = an_load_double(values + (ptrdiff_t)row * stride) + 0.0; /* no negative zero */
        if (!do_row(&r, x, an_rows_time(rows, row)))
            break;
        if (r.batch.count == AN_BATCH)
            finish_batch(&r);
    }
    finish_batch(&r);
    r.sliding->open = r.open;
    return r.row - from;
}
