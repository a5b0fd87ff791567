/* SPDX-License-Identifier: MIT */
/* z-score rows, eight blocks side by side.
 *
 * In a full count window without missing values every event of block k is judged by three stretches: a suffix of an old block,
 * the closed blocks between (one set until the tail passes into the next old block, another after), and a prefix of block k
 * (window/sliding.h). So eight consecutive new blocks can run in eight lanes:
 *
 * 1. the lanes' totals, and the suffixes of the eight blocks after the tail's, the last of which is where the tail stands in
 *    the end (those of the tail's own block are there already);
 * 2. block by block, as the loop would: the tail enters the next old block, the new block is closed. This gives the two
 *    middles of every lane;
 * 3. all events: join the three stretches, score.
 *
 * A value that needs a path other than the short one ends step 1 before anything has changed; a join that does is done alone
 * in step 3. Cost: docs/benchmarks.md; memory: about 85 KB of stack. */
#include "zscore/rows.h"

#include "base/simd.h"
#include "detector/judgement.h"
#include "detector/rows.h"
#include "window/sliding.h"
#include "zscore/batch.h"

#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#elif defined(__SSE2__)
#include <emmintrin.h>
#endif

#define LANES     8
#define COLUMNS   (LANES + 1) /* the tail's block and the eight after it */
#define MIN_BLOCK 8
#define MAX_BLOCK 256
#define LINE      64 /* bytes in a line of the cache */
#define TILE      32 /* events of each lane that are scored at a time */

#if defined(__GNUC__)

typedef struct an_lanes_middle {
    double hi[LANES], lo[LANES], m2[LANES];
    int64_t bad[LANES]; /* -1: not of scale 0 */
    uint32_t n[LANES];
    int32_t scale[LANES];
} an_lanes_middle;

typedef struct an_lanes {
    _Alignas(64) double x[MAX_BLOCK * LANES]; /* new values: [event of the block][lane] */
    double hi[MAX_BLOCK * COLUMNS], lo[MAX_BLOCK * COLUMNS], m2[MAX_BLOCK * COLUMNS]; /* old blocks: values, then suffixes */
    double inverse[MAX_BLOCK];                                                        /* 1 / (p + 1), but for p = 0 */
    double total_hi[LANES], total_lo[LANES], total_m2[LANES];
    struct {
        double hi[LANES], lo[LANES], m2[LANES];
    } open;                    /* prefixes as step 3 goes on */
    an_lanes_middle middle[2]; /* before and after the tail passes into the next old block */
    double inverse_n, inverse_divisor, least_spread;
    int64_t keep, negate; /* for scores towards the watched side: bits to keep; -1: the opposite sign */
    double deviation[TILE * LANES], spread[TILE * LANES], mean[TILE * LANES], score[TILE * LANES];
} an_lanes;

/* Where the events of a tile come from. */
typedef struct tile {
    size_t p, end; /* of each block */
    size_t q;      /* place in the old block at p */
    size_t which;  /* 0: the tail is in the lane's first old block, 1: in the next */
} tile;

#define LANES_NAME(name) name##_portable
#define LANES_TARGET
#define LANES_WIDTH 2
#define LANES_TURN(from, from_stride, to, to_stride)
#if defined(__SSE2__)
#define LANES_SQRT(v) (vector_portable) _mm_sqrt_pd((__m128d)(v))
#else
#define LANES_SQRT(v)              \
    (vector_portable)              \
    {                              \
        sqrt((v)[0]), sqrt((v)[1]) \
    }
#endif
#include "zscore/lanes.h"

#if defined(__x86_64__)
/* Four rows of four doubles into four columns. */
__attribute__((target("avx2"))) static inline void turn(const double *from, size_t from_stride, double *to, size_t to_stride)
{
    __m256d a = _mm256_loadu_pd(from), b = _mm256_loadu_pd(from + from_stride);
    __m256d c = _mm256_loadu_pd(from + 2 * from_stride), d = _mm256_loadu_pd(from + 3 * from_stride);
    __m256d ab_even = _mm256_unpacklo_pd(a, b), ab_odd = _mm256_unpackhi_pd(a, b);
    __m256d cd_even = _mm256_unpacklo_pd(c, d), cd_odd = _mm256_unpackhi_pd(c, d);
    _mm256_storeu_pd(to, _mm256_permute2f128_pd(ab_even, cd_even, 0x20));
    _mm256_storeu_pd(to + to_stride, _mm256_permute2f128_pd(ab_odd, cd_odd, 0x20));
    _mm256_storeu_pd(to + 2 * to_stride, _mm256_permute2f128_pd(ab_even, cd_even, 0x31));
    _mm256_storeu_pd(to + 3 * to_stride, _mm256_permute2f128_pd(ab_odd, cd_odd, 0x31));
}

#define LANES_NAME(name) name##_avx2
#define LANES_TARGET     __attribute__((target("avx2")))
#define LANES_WIDTH      4
#define LANES_TURN       turn
#define LANES_SQRT(v)    (vector_avx2) _mm256_sqrt_pd((__m256d)(v))
#include "zscore/lanes.h"

#define LANES_NAME(name) name##_avx512
#if defined(__clang__)
#define LANES_TARGET __attribute__((target("avx512f,avx512dq,avx512vl")))
#else /* gcc's own loops would stay at half the width */
#define LANES_TARGET __attribute__((target("avx512f,avx512dq,avx512vl,prefer-vector-width=512")))
#endif
#define LANES_WIDTH   8
#define LANES_TURN    turn
#define LANES_SQRT(v) (vector_avx512) _mm512_sqrt_pd((__m512d)(v))
#include "zscore/lanes.h"
#endif

typedef struct an_kernels {
    size_t width;
    void (*transpose)(const double *from, size_t from_stride, double *to, size_t to_stride, size_t rows, size_t columns);
    void (*copy)(const char *from, ptrdiff_t stride, double *to, size_t count);
    size_t (*settle)(double *values, size_t count);
    int (*tables)(an_lanes *, size_t block, size_t lane);
    int (*judge)(an_lanes *, const tile *t, size_t block, size_t lane);
    size_t (*anomalies)(const an_lanes *, size_t count, const anomaly_config *config);
    an_batch_scores scores;
} an_kernels;

static const an_kernels portable = {2,
                                    transpose_portable,
                                    copy_portable,
                                    settle_portable,
                                    tables_portable,
                                    judge_portable,
                                    anomalies_portable,
                                    scores_portable};
#if defined(__x86_64__)
static const an_kernels avx2 = {4,           transpose_avx2, copy_avx2,      settle_avx2,
                                tables_avx2, judge_avx2,     anomalies_avx2, scores_avx2};
static const an_kernels avx512 = {
    8, transpose_avx512, copy_avx512, settle_avx512, tables_avx512, judge_avx512, anomalies_avx512, scores_avx512};
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
    size_t row;   /* the chunk's first */
    size_t block; /* events in a block */
    double *ring;
    uint64_t mask, head, tail;
    int more; /* is there another chunk? */
} job;

/* ---- step 1: values and tables ---- */

/* 0 when a value is not finite. */
static int load_new(const job *j, an_lanes *work)
{
    if (j->stride == (ptrdiff_t)sizeof(double) && (uintptr_t)j->values % sizeof(double) == 0)
        j->kernels->transpose((const double *)(const void *)j->values, j->block, work->x, LANES, LANES, j->block);
    else
        for (size_t i = 0; i < LANES * j->block; i++)
            work->x[i] = an_load_double(j->values + (ptrdiff_t)(i % LANES * j->block + i / LANES) * j->stride);
    return j->kernels->settle(work->x, LANES * j->block) == 0;
}

/* One old block; those at and behind the head are new. */
static void load_block(const job *j, const an_lanes *work, uint64_t start, double *to)
{
    int is_old = start < j->head;
    const double *from = is_old ? j->ring + (start & j->mask) : work->x + (start - j->head) / j->block;
    size_t stride = is_old ? 1 : LANES;
    for (size_t q = 0; q < j->block; q++)
        to[q * COLUMNS] = from[q * stride];
}

/* The suffixes that the tail's block has. 0 when one is not of scale 0. */
static int load_first(const job *j, an_lanes *work)
{
    int32_t scales = 0;
    for (size_t q = (size_t)(j->tail & (j->block - 1)); q < j->block; q++) {
        const an_moments *suffix = &j->sliding->inner[q & j->sliding->inner_mask];
        work->hi[q * COLUMNS] = suffix->hi;
        work->lo[q * COLUMNS] = suffix->lo;
        work->m2[q * COLUMNS] = suffix->m2;
        scales |= suffix->scale;
    }
    return scales == 0;
}

/* The eight blocks after the tail's. Four at a time where they lie one after the other in the ring. */
static void load_old(const job *j, an_lanes *work)
{
    uint64_t start = (j->tail & ~(uint64_t)(j->block - 1)) + j->block, four = 4 * j->block;
    for (size_t lane = 1; lane < COLUMNS; lane += 4, start += four) {
        if (start + four <= j->head && (start & j->mask) + four <= j->mask + 1)
            j->kernels->transpose(j->ring + (start & j->mask), j->block, work->hi + lane, COLUMNS, 4, j->block);
        else
            for (size_t i = 0; i < 4; i++)
                load_block(j, work, start + i * j->block, work->hi + lane + i);
    }
}

static int make_tables(const job *j, an_lanes *work)
{
    int ordinary = load_first(j, work);
    load_old(j, work);
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
    middle->n[lane] = m->n;
    middle->scale[lane] = m->scale;
}

static an_moments total_of(const job *j, const an_lanes *work, size_t lane)
{
    return (an_moments){work->total_hi[lane], work->total_lo[lane], work->total_m2[lane], (uint32_t)j->block, 0};
}

static void walk_blocks(const job *j, an_lanes *work)
{
    uint64_t old_block = j->tail >> j->sliding->at.block_bits;
    for (size_t lane = 0; lane < LANES; lane++) {
        an_moments total = total_of(j, work, lane);
        keep_middle(work, 0, lane, &j->sliding->middle);
        an_sliding_enter(j->sliding, old_block + lane + 1);
        keep_middle(work, 1, lane, &j->sliding->middle);
        an_sliding_close(j->sliding, &total);
    }
}

/* The new values into the ring, a run up to its end at a time. */
static void fill_ring(const job *j)
{
    const size_t count = LANES * j->block, slots = (size_t)j->mask + 1;
    for (size_t i = 0, run; i < count; i += run) {
        size_t start = (size_t)(j->head + i) & (size_t)j->mask;
        run = count - i < slots - start ? count - i : slots - start;
        j->kernels->copy(j->values + (ptrdiff_t)i * j->stride, j->stride, j->ring + start, run);
    }
}

/* The new values into the ring, the tail's block into `inner`. */
static void commit(const job *j, const an_lanes *work)
{
    an_window *window = &j->detector->window;
    fill_ring(j);
    window->head += LANES * j->block;
    window->tail += LANES * j->block;
    for (size_t q = (size_t)(window->tail & (j->block - 1)); q < j->block; q++) {
        size_t at = q * COLUMNS + LANES;
        j->sliding->inner[q & j->sliding->inner_mask] =
            (an_moments){work->hi[at], work->lo[at], work->m2[at], (uint32_t)(j->block - q), 0};
    }
    j->detector->counts.learned += LANES * j->block;
    j->detector->counts.events += LANES * j->block;
}

/* ---- step 3: verdicts ---- */

static void put_verdict(const job *j, size_t row, const anomaly_verdict *v)
{
    an_put_verdict(j->verdicts, row, v);
    j->detector->counts.anomalies += (v->flags & ANOMALY_IS_ANOMALY) != 0;
    j->detector->counts.flat += (v->flags & ANOMALY_FLAT) != 0;
}

/* One event by the functions of the loop. */
static void judge_by_loop(const job *j, const an_lanes *work, const tile *t, size_t p, size_t lane, anomaly_verdict *v)
{
    size_t q = t->q + (p - t->p), at = q * COLUMNS + lane + t->which;
    const an_lanes_middle *m = &work->middle[t->which];
    an_moments middle = {m->hi[lane], m->lo[lane], m->m2[lane], m->n[lane], m->scale[lane]};
    an_moments open = {0}, oldest = {work->hi[at], work->lo[at], work->m2[at], (uint32_t)(j->block - q), 0};
    for (size_t i = 0; i < p; i++)
        an_moments_add(&open, work->x[i * LANES + lane]);
    an_moments window = an_moments_join(&oldest, &middle, &open);
    an_zscore_judge(j->detector->config, &window, work->x[p * LANES + lane], v);
}

static void copy_out(const job *j, double *column, const double *tile_values, const tile *t)
{
    if (column)
        j->kernels->transpose(tile_values, LANES, column + j->row + t->p, j->block, t->end - t->p, LANES);
}

static uint32_t flags_for(const anomaly_config *config, double deviation, double score)
{
    return (deviation > 0 ? ANOMALY_ABOVE : 0u) | (deviation < 0 ? ANOMALY_BELOW : 0u) |
           (an_exceeds(config, score) ? ANOMALY_IS_ANOMALY : 0u);
}

static void put_flags(const job *j, const an_lanes *work, const tile *t)
{
    const anomaly_config *config = j->detector->config;
    for (size_t lane = 0; lane < LANES; lane++)
        for (size_t p = t->p; p < t->end; p++) {
            size_t i = (p - t->p) * LANES + lane;
            j->verdicts->flags[j->row + lane * j->block + p] = flags_for(config, work->deviation[i], work->score[i]);
        }
}

/* Bounds are made in the arrays of the mean and the deviation, which nobody reads any more. */
static void put_bounds(const job *j, an_lanes *work, const tile *t, size_t count)
{
    const anomaly_config *config = j->detector->config;
    for (size_t i = 0; i < count; i++) {
        double reach = config->threshold * work->spread[i];
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

/* Events that the columns cannot tell: what is needed to judge them once the columns are out. */
typedef struct alone {
    size_t count;
    uint16_t at[TILE * LANES];
    double deviation[TILE * LANES], mean[TILE * LANES];
} alone;

/* Those whose deviation is NaN (another path) or whose spread is 0 (flat). As NaN they count for nothing in the columns. */
static void set_alone(an_lanes *work, size_t count, alone *those)
{
    for (size_t i = 0; i < count; i++) {
        those->at[those->count] = (uint16_t)i;
        those->count += isnan(work->deviation[i]) || work->spread[i] == 0;
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
            an_judge_spread(j->detector->config, those->deviation[k], those->mean[k], 0, &v);
        v.events = j->detector->window.bound;
        an_conclude(j->detector, &v);
        put_verdict(j, j->row + lane * j->block + p, &v);
    }
}

/* Memory has the time of the tile to bring the lines that its scores go to, and as many of the next chunk's values. */
static void fetch_lines(const job *j, const tile *t)
{
    int values = j->more && j->stride == (ptrdiff_t)sizeof(double), scores = j->verdicts && j->verdicts->score;
    const char *next = values ? j->values + LANES * j->block * sizeof(double) : NULL;
    for (size_t lane = 0; lane < LANES; lane++)
        for (size_t p = lane * j->block + t->p; p < lane * j->block + t->end; p += LINE / sizeof(double)) {
            if (values)
                __builtin_prefetch(next + p * sizeof(double));
            if (scores)
                __builtin_prefetch(j->verdicts->score + j->row + p, 1);
        }
}

static void judge_tile(const job *j, an_lanes *work, const tile *t)
{
    size_t count = (t->end - t->p) * LANES;
    int odd = 0;
    alone those;
    fetch_lines(j, t);
    those.count = 0;
    for (size_t lane = 0; lane < LANES; lane += j->kernels->width)
        odd |= j->kernels->judge(work, t, j->block, lane);
    if (odd)
        set_alone(work, count, &those);
    j->detector->counts.anomalies += j->kernels->anomalies(work, count, j->detector->config);
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
        t.which = 1;
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
        out->threshold[row] = j->detector->config->threshold;
    for (size_t row = j->row; out->feature && row < end; row++)
        out->feature[row] = 0;
    for (size_t row = j->row; out->events && row < end; row++)
        out->events[row] = j->detector->window.bound;
}

static void judge_all(const job *j, an_lanes *work)
{
    memset(&work->open, 0, sizeof work->open);
    if (j->verdicts)
        fill_constants(j);
    for (size_t p = 0; p < j->block;) {
        tile t = tile_from(j, p);
        judge_tile(j, work, &t);
        p = t.end;
    }
}

/* ---- the call ---- */

static void set_constants(const job *j, an_lanes *work)
{
    const anomaly_config *config = j->detector->config;
    double n = (double)j->detector->window.bound;
    work->inverse_n = 1.0 / n;
    work->inverse_divisor = 1.0 / (n - config->ddof);
    work->least_spread = config->min_stddev;
    work->keep = config->side == ANOMALY_BOTH ? INT64_MAX : -1;
    work->negate = config->side == ANOMALY_LOWER ? -1 : 0;
}

static int do_chunk(const job *j)
{
    an_lanes work;
    if (!load_new(j, &work) || !make_tables(j, &work))
        return 0;
    set_constants(j, &work);
    walk_blocks(j, &work);
    judge_all(j, &work);
    commit(j, &work);
    return 1;
}

/* The settings for which every event is learned and judged the plain way. */
static int is_plain(const anomaly_config *config)
{
    return config->features == 1 && config->learn == ANOMALY_LEARN_ALWAYS && !config->include_self;
}

/* The rows that blocks side by side need at least; SIZE_MAX where they cannot be. */
static size_t chunk_of(const anomaly_detector *detector, size_t block)
{
    return detector->window.span_ns || block < MIN_BLOCK || block > MAX_BLOCK ? SIZE_MAX : LANES * block;
}

/* A full window of known values of the usual scale, the tail in a block with suffixes, the head at the start of one. */
static int is_ready(const anomaly_detector *detector, const an_sliding *sliding, size_t block)
{
    const an_window *window = &detector->window;
    if ((window->head & (block - 1)) != 0 || window->head < sliding->lanes_from || an_window_count(window) != window->bound)
        return 0;
    if (window->tail >= sliding->at.inner_end || sliding->middle.scale != 0)
        return 0;
    return window->bound >= detector->warmup && an_sliding_moments(sliding, window->tail).n == window->bound;
}

static size_t do_chunks(anomaly_detector *detector, const anomaly_rows *rows, const anomaly_verdicts *verdicts, size_t from,
                        size_t block, const an_kernels *kernels)
{
    an_sliding *sliding = detector->state;
    size_t chunk = chunk_of(detector, block), row = from;
    while (rows->count - row >= chunk && is_ready(detector, sliding, block)) {
        ptrdiff_t stride = an_rows_stride(rows, 1);
        const an_window *window = &detector->window;
        job j = {detector,
                 sliding,
                 kernels,
                 verdicts,
                 an_rows_column(rows, 0) + (ptrdiff_t)row * stride,
                 stride,
                 row,
                 block,
                 window->values,
                 window->mask,
                 window->head,
                 window->tail,
                 rows->count - row >= 2 * chunk};
        if (!do_chunk(&j)) {
            sliding->lanes_from = window->head + chunk;
            break;
        }
        row += chunk;
    }
    return row - from;
}

size_t an_zscore_update_rows(anomaly_detector *detector, const anomaly_rows *rows, const anomaly_verdicts *verdicts,
                             size_t from)
{
    const an_sliding *sliding = detector->state;
    if (!sliding || !is_plain(detector->config)) /* without: a small window */
        return 0;
    const an_kernels *kernels = kernels_for(an_simd_path(detector->config->simd));
    size_t block = (size_t)1 << sliding->at.block_bits, row = from, done = kernels ? 1 : 0;
    while (done > 0) {
        row += do_chunks(detector, rows, verdicts, row, block, kernels);
        size_t most = rows->count - row;
        if (most >= chunk_of(detector, block)) /* up to where blocks can go on */
            most = block - (size_t)(detector->window.head & (block - 1));
        done = an_zscore_update_batches(detector, rows, verdicts, row, most, kernels->scores);
        row += done;
    }
    return row - from;
}

#else /* no vector extensions */

size_t an_zscore_update_rows(anomaly_detector *detector, const anomaly_rows *rows, const anomaly_verdicts *verdicts,
                             size_t from)
{
    (void)detector, (void)rows, (void)verdicts, (void)from;
    return 0;
}

#endif
