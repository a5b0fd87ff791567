/* SPDX-License-Identifier: MIT */
/* z-score rows, eight blocks side by side.
 *
 * In a full count window without missing values every event of block k is judged by three stretches: a suffix of an old block,
 * the closed blocks between (one set until the tail passes into the next old block, another after), and a prefix of block k
 * (sliding.h). So eight consecutive new blocks can run in eight lanes:
 *
 * 1. the lanes' totals, and the suffixes of the eight old blocks under the tail and the one after (which is where the tail
 *    stands in the end);
 * 2. block by block, as the loop would: the tail enters the next old block, the new block is closed. This gives the two
 *    middles of every lane;
 * 3. all events: join the three stretches, score.
 *
 * A value that needs a path other than the short one ends step 1 before anything has changed; a join that does is done alone
 * in step 3. Cost: about 3 ns a row with AVX-512; memory: about 80 KB of stack. */
#include "zscore_rows.h"

#include "rows.h"
#include "simd.h"
#include "sliding.h"

#include <string.h>

#define LANES 8
#define MIN_BLOCK 8
#define MAX_BLOCK 256
#define TILE 32 /* events of each lane that are scored at a time */

#if defined(__GNUC__)

typedef struct an_lanes_middle {
    double hi[LANES], lo[LANES], m2[LANES];
    int64_t bad[LANES]; /* -1: not of scale 0 */
} an_lanes_middle;

typedef struct an_lanes {
    double x[MAX_BLOCK * LANES];        /* new values: [event of the block][lane] */
    double hi[MAX_BLOCK][LANES + 1];    /* old blocks: values, then suffixes; the last column is the block after the eighth */
    double lo[MAX_BLOCK][LANES + 1];
    double m2[MAX_BLOCK][LANES + 1];
    double total_hi[LANES], total_lo[LANES], total_m2[LANES];
    double open_hi[LANES], open_lo[LANES], open_m2[LANES]; /* prefixes as step 3 goes on */
    an_lanes_middle middle[2];          /* before and after the tail passes into the next old block */
    an_moments middle_moments[2][LANES];
    double inverse_n, inverse_divisor;
    double deviation[TILE * LANES], window_m2[TILE * LANES], mean[TILE * LANES], score[TILE * LANES];
} an_lanes;

#define LANES_NAME(name) name##_portable
#define LANES_TARGET
#define LANES_WIDTH 2
#include "zscore_lanes.h"

#if defined(__x86_64__)
#define LANES_NAME(name) name##_avx2
#define LANES_TARGET __attribute__((target("avx2")))
#define LANES_WIDTH 4
#include "zscore_lanes.h"

#define LANES_NAME(name) name##_avx512
#define LANES_TARGET __attribute__((target("avx512f,avx512dq,avx512vl,prefer-vector-width=512")))
#define LANES_WIDTH 8
#include "zscore_lanes.h"
#endif

typedef struct an_kernels {
    size_t width;
    int (*tables)(an_lanes *, size_t block, size_t lane);
    void (*join)(an_lanes *, size_t p, size_t end, size_t q, size_t old_n, size_t shift, size_t lane);
    void (*scores)(an_lanes *, size_t count, double min_stddev);
} an_kernels;

static const an_kernels portable = {2, tables_portable, join_portable, scores_portable};
#if defined(__x86_64__)
static const an_kernels avx2 = {4, tables_avx2, join_avx2, scores_avx2};
static const an_kernels avx512 = {8, tables_avx512, join_avx512, scores_avx512};
#endif

static const an_kernels *kernels_for(int simd)
{
#if defined(__x86_64__)
    if (simd == ANOMALY_SIMD_AVX512)
        return &avx512;
    if (simd == ANOMALY_SIMD_AVX2)
        return &avx2;
#endif
    return simd == ANOMALY_SIMD_SCALAR ? NULL : &portable;
}

/* One call's circumstances. */
typedef struct job {
    anomaly_detector *detector;
    an_sliding *sliding;
    const an_kernels *kernels;
    const anomaly_verdicts *verdicts;
    const char *values; /* of the chunk's first row */
    ptrdiff_t stride;
    size_t row;         /* the chunk's first */
    size_t block;       /* events in a block */
    double *ring;
    uint64_t mask, head, tail;
} job;

/* ---- step 1: values and tables ---- */

static int load_new(const job *j, an_lanes *work)
{
    size_t unknown = 0;
    for (size_t lane = 0; lane < LANES; lane++) {
        const char *at = j->values + (ptrdiff_t)(lane * j->block) * j->stride;
        for (size_t p = 0; p < j->block; p++, at += j->stride) {
            double x = an_load_double(at) + 0.0;
            unknown += !(fabs(x) < (double)INFINITY);
            work->x[p * LANES + lane] = x;
        }
    }
    return unknown == 0;
}

/* A value of the old blocks; those at and behind the head are new. */
static double old_value(const job *j, const an_lanes *work, uint64_t index)
{
    if (index < j->head)
        return j->ring[index & j->mask];
    size_t behind = (size_t)(index - j->head);
    return work->x[behind % j->block * LANES + behind / j->block];
}

static void load_old(const job *j, an_lanes *work)
{
    uint64_t start = j->tail & ~(uint64_t)(j->block - 1);
    for (size_t column = 0; column <= LANES; column++, start += j->block)
        for (size_t q = 0; q < j->block; q++)
            work->hi[q][column] = old_value(j, work, start + q);
}

/* Suffixes of the block after the eighth, which are the `inner` of the state in the end. */
static int make_last_column(const job *j, an_lanes *work)
{
    an_moments suffix = {0};
    for (size_t q = j->block; q-- > 0;) {
        an_moments_add(&suffix, work->hi[q][LANES]);
        work->hi[q][LANES] = suffix.hi;
        work->lo[q][LANES] = suffix.lo;
        work->m2[q][LANES] = suffix.m2;
    }
    return suffix.scale == 0;
}

static int make_tables(const job *j, an_lanes *work)
{
    load_old(j, work);
    int ordinary = make_last_column(j, work);
    for (size_t lane = 0; ordinary && lane < LANES; lane += j->kernels->width)
        ordinary = j->kernels->tables(work, j->block, lane);
    return ordinary;
}

/* ---- step 2: the blocks' middles, and the state at the end ---- */

static void keep_middle(an_lanes *work, int which, size_t lane, const an_moments *m)
{
    an_lanes_middle *middle = &work->middle[which];
    middle->hi[lane] = m->hi;
    middle->lo[lane] = m->lo;
    middle->m2[lane] = m->m2;
    middle->bad[lane] = m->scale == 0 ? 0 : -1;
    work->middle_moments[which][lane] = *m;
}

static an_moments total_of(const job *j, const an_lanes *work, size_t lane)
{
    return (an_moments){work->total_hi[lane], work->total_lo[lane], work->total_m2[lane], (uint32_t)j->block, 0};
}

static void walk_blocks(const job *j, an_lanes *work)
{
    uint64_t old_block = j->tail >> j->sliding->block_bits;
    for (size_t lane = 0; lane < LANES; lane++) {
        an_moments total = total_of(j, work, lane);
        keep_middle(work, 0, lane, &j->sliding->middle);
        an_sliding_enter(j->sliding, old_block + lane + 1);
        keep_middle(work, 1, lane, &j->sliding->middle);
        an_sliding_close(j->sliding, &total);
    }
}

static an_moments suffix_at(const job *j, const an_lanes *work, size_t q, size_t column)
{
    return (an_moments){work->hi[q][column], work->lo[q][column], work->m2[q][column], (uint32_t)(j->block - q), 0};
}

/* The new values into the ring, the tail's block into `inner`. */
static void commit(const job *j, const an_lanes *work)
{
    an_window *window = &j->detector->window;
    for (size_t i = 0; i < LANES * j->block; i++)
        j->ring[(j->head + i) & j->mask] = work->x[i % j->block * LANES + i / j->block];
    window->head += LANES * j->block;
    window->tail += LANES * j->block;
    for (size_t q = window->tail & (j->block - 1); q < j->block; q++)
        j->sliding->inner[q & j->sliding->inner_mask] = suffix_at(j, work, q, LANES);
    j->detector->counts.learned += LANES * j->block;
    j->detector->counts.events += LANES * j->block;
}

/* ---- step 3: verdicts ---- */

/* Where the events of a tile come from. */
typedef struct tile {
    size_t p, end; /* of each block */
    size_t q;      /* place in the old block at p */
    size_t shift;  /* 0: the old block of the lane, 1: the next one */
} tile;

static void put_verdict(const job *j, size_t row, const anomaly_verdict *v)
{
    an_put_verdict(j->verdicts, row, v);
    j->detector->counts.anomalies += (v->flags & ANOMALY_IS_ANOMALY) != 0;
    j->detector->counts.flat += (v->flags & ANOMALY_FLAT) != 0;
}

/* One event by the functions of the loop. */
static void judge_by_loop(const job *j, const an_lanes *work, const tile *t, size_t p, size_t lane, anomaly_verdict *v)
{
    an_moments open = {0}, oldest = suffix_at(j, work, t->q + (p - t->p), lane + t->shift);
    for (size_t i = 0; i < p; i++)
        an_moments_add(&open, work->x[i * LANES + lane]);
    an_moments window = an_moments_join(&oldest, &work->middle_moments[t->shift][lane], &open);
    an_zscore_judge(&j->detector->config, &window, work->x[p * LANES + lane], v);
}

static void copy_out(const job *j, double *column, const double *tile_values, const tile *t)
{
    for (size_t lane = 0; column && lane < LANES; lane++)
        for (size_t p = t->p; p < t->end; p++)
            column[j->row + lane * j->block + p] = tile_values[(p - t->p) * LANES + lane];
}

static uint32_t flags_for(const anomaly_config *config, double deviation, double score)
{
    return (deviation > 0 ? ANOMALY_ABOVE : 0u) | (deviation < 0 ? ANOMALY_BELOW : 0u) | (an_exceeds(config, score) ? ANOMALY_IS_ANOMALY : 0u);
}

static void turn_scores(const anomaly_config *config, double *score, size_t count)
{
    if (config->side == ANOMALY_BOTH)
        for (size_t i = 0; i < count; i++)
            score[i] = fabs(score[i]);
    if (config->side == ANOMALY_LOWER)
        for (size_t i = 0; i < count; i++)
            score[i] = -score[i];
}

static void put_flags(const job *j, const an_lanes *work, const tile *t)
{
    const anomaly_config *config = &j->detector->config;
    for (size_t lane = 0; lane < LANES; lane++)
        for (size_t p = t->p; p < t->end; p++) {
            size_t i = (p - t->p) * LANES + lane;
            j->verdicts->flags[j->row + lane * j->block + p] = flags_for(config, work->deviation[i], work->score[i]);
        }
}

/* Bounds are made in the arrays of the mean and the deviation, which nobody reads any more. */
static void put_bounds(const job *j, an_lanes *work, const tile *t, size_t count)
{
    const anomaly_config *config = &j->detector->config;
    for (size_t i = 0; i < count; i++) {
        double reach = config->threshold * work->window_m2[i];
        work->deviation[i] = config->side == ANOMALY_LOWER ? (double)INFINITY : work->mean[i] + reach;
        work->mean[i] = config->side == ANOMALY_UPPER ? -(double)INFINITY : work->mean[i] - reach;
    }
    copy_out(j, j->verdicts->lower, work->mean, t);
    copy_out(j, j->verdicts->upper, work->deviation, t);
}

static void put_columns(const job *j, an_lanes *work, const tile *t, size_t count)
{
    const anomaly_verdicts *out = j->verdicts;
    copy_out(j, out->score, work->score, t);
    copy_out(j, out->expected, work->mean, t);
    if (out->flags)
        put_flags(j, work, t);
    if (out->lower || out->upper)
        put_bounds(j, work, t, count);
}

static size_t count_anomalies(const anomaly_config *config, const double *score, size_t count)
{
    size_t anomalies = 0;
    if (config->compare == ANOMALY_GT)
        for (size_t i = 0; i < count; i++)
            anomalies += score[i] > config->threshold;
    else
        for (size_t i = 0; i < count; i++)
            anomalies += score[i] >= config->threshold;
    return anomalies;
}

/* Events that the columns cannot tell: what is needed to judge them once the columns are out. */
typedef struct alone {
    size_t count;
    uint16_t at[TILE * LANES];
    double deviation[TILE * LANES], mean[TILE * LANES];
} alone;

/* Those whose deviation is NaN (another path) or whose spread is 0 (flat). As NaN they count for nothing in the columns. */
static void set_alone(an_lanes *work, size_t count, alone *those)
{
    those->count = 0;
    for (size_t i = 0; i < count; i++) {
        those->at[those->count] = (uint16_t)i;
        those->count += isnan(work->deviation[i]) || work->window_m2[i] == 0;
    }
    for (size_t k = 0; k < those->count; k++) {
        size_t i = those->at[k];
        those->deviation[k] = work->deviation[i];
        those->mean[k] = work->mean[i];
        work->score[i] = work->deviation[i] = (double)NAN;
    }
}

static void judge_those(const job *j, const an_lanes *work, const tile *t, const alone *those)
{
    for (size_t k = 0; k < those->count; k++) {
        size_t p = t->p + those->at[k] / LANES, lane = those->at[k] % LANES;
        anomaly_verdict v = {0};
        if (isnan(those->deviation[k]))
            judge_by_loop(j, work, t, p, lane, &v);
        else
            an_judge_spread(&j->detector->config, those->deviation[k], those->mean[k], 0, &v);
        v.events = j->detector->window.bound;
        an_conclude(j->detector, &v);
        put_verdict(j, j->row + lane * j->block + p, &v);
    }
}

static void score_tile(const job *j, an_lanes *work, const tile *t)
{
    const anomaly_config *config = &j->detector->config;
    size_t count = (t->end - t->p) * LANES;
    alone those;
    j->kernels->scores(work, count, config->min_stddev);
    set_alone(work, count, &those);
    turn_scores(config, work->score, count);
    j->detector->counts.anomalies += count_anomalies(config, work->score, count);
    if (j->verdicts)
        put_columns(j, work, t, count);
    judge_those(j, work, t, &those);
}

/* Tiles end where the tail passes into the next old block. */
static tile tile_from(const job *j, size_t p)
{
    size_t offset = (size_t)(j->tail & (j->block - 1)), passes = j->block - offset;
    tile t = {p, p + TILE, offset + p, 0};
    if (p >= passes) {
        t.q = p - passes;
        t.shift = 1;
    } else if (t.end > passes) {
        t.end = passes;
    }
    t.end = t.end < j->block ? t.end : j->block;
    return t;
}

static void fill_constants(const job *j)
{
    const anomaly_verdicts *out = j->verdicts;
    size_t end = j->row + LANES * j->block;
    for (size_t row = j->row; out->threshold && row < end; row++)
        out->threshold[row] = j->detector->config.threshold;
    for (size_t row = j->row; out->feature && row < end; row++)
        out->feature[row] = 0;
    for (size_t row = j->row; out->events && row < end; row++)
        out->events[row] = j->detector->window.bound;
}

static void judge_all(const job *j, an_lanes *work)
{
    memset(work->open_hi, 0, 3 * sizeof work->open_hi);
    if (j->verdicts)
        fill_constants(j);
    for (size_t p = 0; p < j->block;) {
        tile t = tile_from(j, p);
        for (size_t lane = 0; lane < LANES; lane += j->kernels->width)
            j->kernels->join(work, t.p, t.end, t.q, j->block - t.q, t.shift, lane);
        score_tile(j, work, &t);
        p = t.end;
    }
}

/* ---- the call ---- */

static int do_chunk(const job *j)
{
    an_lanes work;
    if (!load_new(j, &work) || !make_tables(j, &work))
        return 0;
    double n = (double)j->detector->window.bound;
    work.inverse_n = 1.0 / n;
    work.inverse_divisor = 1.0 / (n - j->detector->config.ddof);
    walk_blocks(j, &work);
    judge_all(j, &work);
    commit(j, &work);
    return 1;
}

/* The settings for which every event is learned and judged the plain way. */
static int is_plain(const anomaly_config *config)
{
    return config->features == 1 && config->window_ns == 0 && config->learn == ANOMALY_LEARN_ALWAYS && !config->include_self;
}

/* A full window of known values of the usual scale, the tail in a block with suffixes, the head at the start of one. */
static int is_ready(const anomaly_detector *detector, const an_sliding *sliding, size_t block)
{
    const an_window *window = &detector->window;
    if ((window->head & (block - 1)) != 0 || window->head < sliding->lanes_from || an_window_count(window) != window->bound)
        return 0;
    if (window->tail >= sliding->inner_end || sliding->middle.scale != 0)
        return 0;
    return window->bound >= detector->warmup && an_sliding_moments(sliding, window->tail).n == window->bound;
}

size_t an_zscore_update_rows(anomaly_detector *detector, const anomaly_rows *rows, const anomaly_verdicts *verdicts, size_t from)
{
    an_sliding *sliding = detector->state;
    size_t block = (size_t)1 << sliding->block_bits, chunk = LANES * block, row = from;
    if (rows->count - from < chunk || block < MIN_BLOCK || block > MAX_BLOCK || !is_plain(&detector->config))
        return 0;
    const an_kernels *kernels = kernels_for(an_simd_path(detector->config.simd));
    while (kernels && rows->count - row >= chunk && is_ready(detector, sliding, block)) {
        ptrdiff_t stride = an_rows_stride(rows, 1);
        const an_window *window = &detector->window;
        job j = {detector, sliding, kernels, verdicts, an_rows_column(rows, 0) + (ptrdiff_t)row * stride, stride, row, block,
                 window->values, window->mask, window->head, window->tail};
        if (!do_chunk(&j)) {
            sliding->lanes_from = window->head + chunk;
            break;
        }
        row += chunk;
    }
    return row - from;
}

#else /* no vector extensions */

size_t an_zscore_update_rows(anomaly_detector *detector, const anomaly_rows *rows, const anomaly_verdicts *verdicts, size_t from)
{
    (void)detector, (void)rows, (void)verdicts, (void)from;
    return 0;
}

#endif
