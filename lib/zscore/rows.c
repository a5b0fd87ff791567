/* SPDX-License-Identifier: MIT */
/* Judges z-score rows in eight blocks side by side.
 *
 * In a full window of so many events without missing values, an event x is judged by three stretches
 * (window/sliding.h): a suffix of an old block, the closed blocks between, and the prefix of the new block that x
 * belongs to:
 *
 *      old block              closed blocks            new block
 *     |......q=======|=======.= middle =.=======|=== ... =p x
 *            suffix                                 prefix
 *
 * While p goes once through the new block, q goes through the rest of one old block and then through the start of the
 * next, because tail and head move together. The middle changes with the old block, so a new block has two middles.
 * Of the events of another new block only their total matters for this. So eight consecutive new blocks, N to N+7, run
 * in eight lanes, and the old blocks O to O+8 beside them, where O is the block of the tail:
 *
 *     lane                     0       1      ...     7
 *     new block                N      N+1     ...    N+7     one value each a row: x[row][lane]
 *     old block, first         O      O+1     ...    O+7     which = 0: suffixes in columns 0 to 7
 *     old block, then         O+1     O+2     ...    O+8     which = 1: suffixes in columns 1 to 8
 *
 * 1. sum_chunk(): the totals of the new blocks (upwards) and the suffixes of the old blocks O+1 to O+8 (downwards).
 *    Only one suffix in a tile is kept: the one that the suffixes of the tile can be made from again.
 * 2. walk_blocks(): block by block, as the loop would: the tail enters the next old block, the new block is closed.
 *    The middles of each lane.
 * 3. judge_chunk(): tile by tile: makes the suffixes again, joins the three stretches, and scores. The suffixes of O
 *    are those of the sliding; those of O+8, where the tail stands in the end, take their place.
 *
 * A value that needs another path than the short one ends step 1, before anything has changed. An event whose join
 * needs another path is judged alone in step 3. Cost: docs/benchmarks.md. Memory: 15 KB of stack, which is why tables
 * are of a tile and not of a block. */
#include "zscore/rows.h"

#include "base/simd.h"
#include "detector/judgement.h"
#include "detector/rows.h"
#include "window/sliding.h"
#include "zscore/batch.h"
#include "zscore/kernels.h"
#include "zscore/verdicts.h"

#include <string.h>

#if defined(__GNUC__)

/* Eight blocks of rows and where they go. */
typedef struct lanes_chunk {
    anomaly_detector *detector;
    an_sliding *sliding;
    const lanes_kernels *kernels;
    const anomaly_verdicts *verdicts;
    const char *values; /* of the chunk's first row */
    ptrdiff_t stride;
    size_t row;   /* the chunk's first */
    size_t block; /* events in a block */
    const double *ring;
    uint64_t mask, head, tail;
    int more;         /* is there another chunk? */
    int are_together; /* do the values of each block lie side by side? Then here: */
    const double *new_block[LANE_COUNT], *old_block[LANE_COUNT];
} lanes_chunk;

/* ---- values ---- */

/* Finds the value of an event, in the window or in the chunk's rows. */
static double value_at(const lanes_chunk *c, uint64_t index)
{
    if (index < c->head)
        return c->ring[index & c->mask];
    return an_load_double(c->values + (ptrdiff_t)(index - c->head) * c->stride) + 0.0;
}

static uint64_t new_start(const lanes_chunk *c, size_t lane)
{
    return c->head + lane * c->block;
}

/* Finds the first event of the old block that the tail passes into in a lane. */
static uint64_t old_start(const lanes_chunk *c, size_t lane)
{
    return (c->tail | (c->block - 1)) + 1 + lane * c->block;
}

/* Finds where the values of each block lie together; the values of a block in the ring always do. */
static void find_blocks(lanes_chunk *c)
{
    const double *values = (const double *)(const void *)c->values;
    c->are_together = c->stride == (ptrdiff_t)sizeof(double) && (uintptr_t)c->values % sizeof(double) == 0;
    for (size_t lane = 0; c->are_together && lane < LANE_COUNT; lane++) {
        uint64_t old = old_start(c, lane);
        c->new_block[lane] = values + lane * c->block;
        c->old_block[lane] = old < c->head ? c->ring + (old & c->mask) : values + (old - c->head);
    }
}

/* Reads rows of the new blocks. */
static void load_new(const lanes_chunk *c, an_lanes *work, size_t row, size_t rows)
{
    if (c->are_together)
        c->kernels->load_blocks(c->new_block, row, rows, work->x, LANE_COUNT);
    for (size_t i = 0; !c->are_together && i < LANE_COUNT * rows; i++)
        work->x[i] = value_at(c, new_start(c, i % LANE_COUNT) + row + i / LANE_COUNT);
}

/* Reads a tile's rows of the old blocks after the tail's. */
static void load_old(const lanes_chunk *c, an_lanes *work, const lanes_tile *t)
{
    size_t rows = t->end - t->p;
    if (c->are_together)
        c->kernels->load_blocks(c->old_block, t->q, rows, work->hi + 1, OLD_BLOCKS);
    for (size_t i = 0; !c->are_together && i < LANE_COUNT * rows; i++)
        work->hi[i / LANE_COUNT * OLD_BLOCKS + 1 + i % LANE_COUNT] =
            value_at(c, old_start(c, i % LANE_COUNT) + t->q + i / LANE_COUNT);
}

/* ---- step 1: totals and suffixes ---- */

/* Makes the tile that begins at p: it ends where the tail passes into the next old block, or where it is full. */
static lanes_tile tile_from(const lanes_chunk *c, size_t p)
{
    size_t offset = (size_t)(c->tail & (c->block - 1)), passes = c->block - offset;
    lanes_tile t = {p, p + TILE_ROWS, offset + p, 0};
    if (p >= passes) {
        t.q = p - passes;
        t.which = 1;
    } else if (t.end > passes) {
        t.end = passes;
    }
    t.end = t.end < c->block ? t.end : c->block;
    return t;
}

static void cut_tiles(const lanes_chunk *c, an_lanes *work)
{
    size_t p = 0;
    work->passing_tile = 0;
    for (work->tiles = 0; p < c->block; work->tiles++) {
        work->tile[work->tiles] = tile_from(c, p);
        work->passing_tile += work->tile[work->tiles].which == 0;
        p = work->tile[work->tiles].end;
    }
}

/* Sums one tile: its old rows, and as many of the next new rows. */
static int sum_tile(const lanes_chunk *c, an_lanes *work, size_t k, size_t *done)
{
    const lanes_tile *t = &work->tile[k];
    size_t rows = t->end - t->p;
    work->behind[k] = work->suffix;
    load_old(c, work, t);
    load_new(c, work, *done, rows);
    int ordinary = c->kernels->sum_rows(work, rows, *done);
    *done += rows;
    return ordinary;
}

/* Tells whether all suffixes of the tail's block are of scale 0. */
static int is_first_ordinary(const lanes_chunk *c)
{
    int32_t scales = 0;
    for (size_t q = (size_t)(c->tail & (c->block - 1)); q < c->block; q++)
        scales |= c->sliding->inner[q & c->sliding->inner_mask].scale;
    return scales == 0;
}

/* Sums all rows, the old rows from the last to the first: the rows that the tail reads before it passes on lie behind
 * the others in their block. 0: a value needs another path. */
static int sum_chunk(const lanes_chunk *c, an_lanes *work)
{
    size_t done = 0;
    int ordinary = is_first_ordinary(c);
    memset(&work->suffix, 0, sizeof work->suffix);
    memset(&work->total, 0, sizeof work->total);
    cut_tiles(c, work);
    for (size_t k = work->passing_tile; ordinary && k-- > 0;)
        ordinary = sum_tile(c, work, k, &done);
    for (size_t k = work->tiles; ordinary && k-- > work->passing_tile;)
        ordinary = sum_tile(c, work, k, &done);
    return ordinary;
}

/* ---- step 2: the blocks' middles, and the state at the end ---- */

static void keep_middle(an_lanes *work, int which, size_t lane, const an_moments *m)
{
    lanes_middle *middle = &work->middle[which];
    middle->sums.hi[lane] = m->hi;
    middle->sums.lo[lane] = m->lo;
    middle->sums.m2[lane] = m->m2;
    middle->bad[lane] = m->scale == 0 ? 0 : -1;
    middle->n[lane] = m->n;
    middle->scale[lane] = m->scale;
}

static an_moments total_of(const lanes_chunk *c, const an_lanes *work, size_t lane)
{
    return (an_moments){work->total.hi[lane], work->total.lo[lane], work->total.m2[lane], (uint32_t)c->block, 0};
}

static void walk_blocks(const lanes_chunk *c, an_lanes *work)
{
    uint64_t old_block = c->tail >> c->sliding->at.block_bits;
    for (size_t lane = 0; lane < LANE_COUNT; lane++) {
        an_moments total = total_of(c, work, lane);
        keep_middle(work, 0, lane, &c->sliding->middle);
        an_sliding_enter(c->sliding, old_block + lane + 1);
        keep_middle(work, 1, lane, &c->sliding->middle);
        an_sliding_close(c->sliding, &total);
    }
}

/* Writes the new values into the ring, up to its end at a time. */
static void fill_ring(const lanes_chunk *c)
{
    const size_t count = LANE_COUNT * c->block, slots = (size_t)c->mask + 1;
    double *ring = c->detector->window.values;
    for (size_t i = 0, together; i < count; i += together) {
        size_t start = (size_t)(c->head + i) & (size_t)c->mask;
        together = count - i < slots - start ? count - i : slots - start;
        c->kernels->copy_values(c->values + (ptrdiff_t)i * c->stride, c->stride, ring + start, together);
    }
}

static void commit_chunk(const lanes_chunk *c)
{
    anomaly_detector *detector = c->detector;
    fill_ring(c);
    detector->window.head += LANE_COUNT * c->block;
    detector->window.tail += LANE_COUNT * c->block;
    detector->counts.learned += LANE_COUNT * c->block;
    detector->counts.events += LANE_COUNT * c->block;
}

/* ---- step 3: suffixes and verdicts ---- */

/* Copies the suffixes that the tail's block has into column 0. */
static void load_first(const lanes_chunk *c, an_lanes *work, const lanes_tile *t)
{
    size_t at = 0;
    for (size_t q = t->q; q < t->q + (t->end - t->p); q++, at += OLD_BLOCKS) {
        const an_moments *suffix = &c->sliding->inner[q & c->sliding->inner_mask];
        work->hi[at] = suffix->hi;
        work->lo[at] = suffix->lo;
        work->m2[at] = suffix->m2;
    }
}

/* Puts the suffixes of the last column, the tail's block in the end, in the place of those of the first. */
static void store_last(const lanes_chunk *c, const an_lanes *work, const lanes_tile *t)
{
    size_t at = LANE_COUNT;
    for (size_t q = t->q; q < t->q + (t->end - t->p); q++, at += OLD_BLOCKS)
        c->sliding->inner[q & c->sliding->inner_mask] =
            (an_moments){work->hi[at], work->lo[at], work->m2[at], (uint32_t)(c->block - q), 0};
}

/* Fills the tile's tables: the suffixes of the old blocks, and then the new values, so that the suffixes have left
 * the store buffer when judging reads them. */
static void fill_tables(const lanes_chunk *c, an_lanes *work, size_t k)
{
    const lanes_tile *t = &work->tile[k];
    size_t rows = t->end - t->p;
    load_old(c, work, t);
    c->kernels->make_suffixes(work, &work->behind[k], rows, c->block - t->q - rows);
    if (t->which == 0) {
        load_first(c, work, t);
        store_last(c, work, t);
    }
    load_new(c, work, t->p, rows);
}

/* Find the moments of [from, end), added as in step 1: downwards for a suffix, upwards for a prefix. */
static an_moments suffix_of(const lanes_chunk *c, uint64_t from, uint64_t end)
{
    an_moments sum = {0};
    for (uint64_t i = end; i-- > from;)
        an_moments_add(&sum, value_at(c, i));
    return sum;
}

static an_moments prefix_of(const lanes_chunk *c, uint64_t from, uint64_t end)
{
    an_moments sum = {0};
    for (uint64_t i = from; i < end; i++)
        an_moments_add(&sum, value_at(c, i));
    return sum;
}

/* Judges one event by the functions of the loop. */
static void judge_by_loop(const lanes_chunk *c, const an_lanes *work, const lanes_tile *t, size_t p, size_t lane,
                          anomaly_verdict *v)
{
    const lanes_middle *m = &work->middle[t->which];
    uint64_t index = c->head + lane * c->block + p, tail = c->tail + lane * c->block + p;
    an_moments middle = {m->sums.hi[lane], m->sums.lo[lane], m->sums.m2[lane], m->n[lane], m->scale[lane]};
    an_moments open = prefix_of(c, index - p, index), oldest = suffix_of(c, tail, (tail | (c->block - 1)) + 1);
    an_moments window = an_moments_join(&oldest, &middle, &open);
    an_zscore_judge(c->detector->config, &window, value_at(c, index), v);
}

/* Copies a column of a tile out to the rows that it belongs to. */
static void copy_out(const lanes_chunk *c, double *column, const double *from, size_t from_stride, const lanes_tile *t)
{
    if (column)
        c->kernels->store_blocks(from, from_stride, column + c->row + t->p, c->block, t->end - t->p);
}

static void put_lane_flags(const lanes_chunk *c, const an_lanes *work, const lanes_tile *t)
{
    const anomaly_config *config = c->detector->config;
    for (size_t lane = 0; lane < LANE_COUNT; lane++) {
        uint32_t *flags = c->verdicts->flags + c->row + lane * c->block + t->p;
        for (size_t i = 0; i < t->end - t->p; i++)
            flags[i] = an_zscore_flags(config, work->hi[i * OLD_BLOCKS + t->which + lane], work->x[i * LANE_COUNT + lane]);
    }
}

/* Makes the bounds in the places of the scores and the spreads, which are not needed any more. */
static void put_lane_bounds(const lanes_chunk *c, an_lanes *work, const lanes_tile *t)
{
    const anomaly_config *config = c->detector->config;
    for (size_t i = 0; i < t->end - t->p; i++)
        for (size_t lane = 0; lane < LANE_COUNT; lane++) {
            size_t at = i * OLD_BLOCKS + t->which + lane;
            double mean = work->m2[at], spread = work->lo[at];
            work->lo[at] = an_zscore_lower(config, mean, spread);
            work->x[i * LANE_COUNT + lane] = an_zscore_upper(config, mean, spread);
        }
    copy_out(c, c->verdicts->lower, work->lo + t->which, OLD_BLOCKS, t);
    copy_out(c, c->verdicts->upper, work->x, LANE_COUNT, t);
}

static void put_lane_columns(const lanes_chunk *c, an_lanes *work, const lanes_tile *t)
{
    const anomaly_verdicts *out = c->verdicts;
    copy_out(c, out->score, work->x, LANE_COUNT, t);
    copy_out(c, out->expected, work->m2 + t->which, OLD_BLOCKS, t);
    if (out->flags)
        put_lane_flags(c, work, t);
    if (out->lower || out->upper)
        put_lane_bounds(c, work, t);
}

/* The events of a tile that need more than the columns: they are judged after the columns are written. */
typedef struct odd_events {
    size_t count;
    uint8_t at[TILE_ROWS * LANE_COUNT]; /* 256 */
} odd_events;

/* Finds the events whose deviation is NaN (another path) or whose spread is 0 (flat). A score of NaN counts for
 * nothing in the columns. */
static void find_odd(an_lanes *work, const lanes_tile *t, odd_events *odd)
{
    for (size_t i = 0; i < (t->end - t->p) * LANE_COUNT; i++) {
        size_t at = i / LANE_COUNT * OLD_BLOCKS + t->which + i % LANE_COUNT;
        int is_odd = isnan(work->hi[at]) || work->lo[at] == 0;
        odd->at[odd->count] = (uint8_t)i;
        odd->count += (size_t)is_odd;
        if (is_odd)
            work->x[i] = (double)NAN;
    }
}

static void judge_odd(const lanes_chunk *c, const an_lanes *work, const lanes_tile *t, const odd_events *odd)
{
    for (size_t k = 0; k < odd->count; k++) {
        size_t i = odd->at[k] / LANE_COUNT, lane = odd->at[k] % LANE_COUNT, at = i * OLD_BLOCKS + t->which + lane;
        size_t row = c->row + lane * c->block + t->p + i;
        anomaly_verdict v = {0};
        if (!isnan(work->hi[at])) {
            an_zscore_put_flat(c->detector, c->verdicts, row, work->hi[at], work->m2[at], c->detector->window.bound);
            continue;
        }
        judge_by_loop(c, work, t, t->p + i, lane, &v);
        an_finish_row(c->detector, c->verdicts, row, &v);
    }
}

/* Has memory bring the lines that the tile's scores go to, and as many of the next chunk's new and old values, while
 * the tile is judged. */
static void fetch_lines(const lanes_chunk *c, const lanes_tile *t)
{
    int values = c->more && c->stride == (ptrdiff_t)sizeof(double), scores = c->verdicts && c->verdicts->score;
    const char *next = values ? c->values + LANE_COUNT * c->block * sizeof(double) : NULL;
    uint64_t next_old = old_start(c, LANE_COUNT);
    for (size_t lane = 0; lane < LANE_COUNT; lane++)
        for (size_t p = lane * c->block + t->p; p < lane * c->block + t->end; p += AN_CACHE_LINE_BYTES / sizeof(double)) {
            __builtin_prefetch(c->ring + ((next_old + p) & c->mask));
            if (values)
                __builtin_prefetch(next + p * sizeof(double));
            if (scores)
                __builtin_prefetch(c->verdicts->score + c->row + p, 1);
        }
}

static void judge_tile(const lanes_chunk *c, an_lanes *work, size_t k)
{
    const lanes_tile *t = &work->tile[k];
    odd_events odd;
    odd.count = 0;
    fetch_lines(c, t);
    fill_tables(c, work, k);
    if (c->kernels->judge_rows(work, t, c->block))
        find_odd(work, t, &odd);
    c->detector->counts.anomalies += c->kernels->count_anomalies(work->x, (t->end - t->p) * LANE_COUNT, c->detector->config);
    if (c->verdicts)
        put_lane_columns(c, work, t);
    judge_odd(c, work, t, &odd);
}

/* Writes what is the same for each event of the chunk. */
static void put_constants(const lanes_chunk *c)
{
    const anomaly_verdicts *out = c->verdicts;
    size_t end = c->row + LANE_COUNT * c->block;
    for (size_t row = c->row; out->threshold && row < end; row++)
        out->threshold[row] = c->detector->config->threshold;
    for (size_t row = c->row; out->feature && row < end; row++)
        out->feature[row] = 0;
    for (size_t row = c->row; out->events && row < end; row++)
        out->events[row] = c->detector->window.bound;
}

static void judge_chunk(const lanes_chunk *c, an_lanes *work)
{
    memset(&work->open, 0, sizeof work->open);
    if (c->verdicts)
        put_constants(c);
    for (size_t k = 0; k < work->tiles; k++)
        judge_tile(c, work, k);
}

/* ---- the call ---- */

static void set_constants(const lanes_chunk *c, an_lanes *work)
{
    const anomaly_config *config = c->detector->config;
    double n = (double)c->detector->window.bound;
    for (size_t p = 0; p < c->block; p++)
        work->inverse[p] = 1.0 / (double)(uint32_t)(p + 1);
    work->inverse_n = 1.0 / n;
    work->inverse_divisor = 1.0 / (n - config->ddof);
    work->least_spread = config->min_stddev;
    work->keep = an_zscore_kept_bits(config);
    work->negate = an_zscore_negates(config);
}

/* Updates a chunk; 0: nothing has changed. Not inlined, so that batches do without its stack. */
static __attribute__((noinline)) int update_chunk(const lanes_chunk *c)
{
    an_lanes work;
    set_constants(c, &work);
    if (!sum_chunk(c, &work))
        return 0;
    walk_blocks(c, &work);
    judge_chunk(c, &work);
    commit_chunk(c);
    return 1;
}

/* Returns how many rows a chunk takes; SIZE_MAX where blocks cannot run side by side. */
static size_t chunk_rows(const anomaly_detector *detector, size_t block)
{
    int can_be = !detector->window.span_ns && block >= LEAST_BLOCK_EVENTS && block <= MOST_BLOCK_EVENTS;
    return can_be ? LANE_COUNT * block : SIZE_MAX;
}

/* Tells whether the window is full of known values of the usual scale, with the tail in a block that has suffixes and
 * the head at the start of a block. */
static int is_ready(const anomaly_detector *detector, const an_sliding *sliding, size_t block)
{
    const an_window *window = &detector->window;
    if ((window->head & (block - 1)) != 0 || window->head < sliding->lanes_from || an_window_count(window) != window->bound)
        return 0;
    if (window->tail >= sliding->at.inner_end || sliding->middle.scale != 0)
        return 0;
    return window->bound >= detector->warmup && an_sliding_moments(sliding, window->tail).n == window->bound;
}

static lanes_chunk chunk_at(anomaly_detector *detector, const anomaly_rows *rows, size_t row, size_t block)
{
    const an_window *window = &detector->window;
    ptrdiff_t stride = an_rows_stride(rows, 1);
    return (lanes_chunk){
        .detector = detector,
        .sliding = detector->state,
        .values = an_rows_column(rows, 0) + (ptrdiff_t)row * stride,
        .stride = stride,
        .row = row,
        .block = block,
        .ring = window->values,
        .mask = window->mask,
        .head = window->head,
        .tail = window->tail,
        .more = rows->count - row >= 2 * LANE_COUNT * block,
    };
}

static size_t update_chunks(anomaly_detector *detector, const anomaly_rows *rows, const anomaly_verdicts *verdicts,
                            size_t from, size_t block, const lanes_kernels *kernels)
{
    an_sliding *sliding = detector->state;
    size_t chunk = chunk_rows(detector, block), row = from;
    while (rows->count - row >= chunk && is_ready(detector, sliding, block)) {
        lanes_chunk c = chunk_at(detector, rows, row, block);
        c.kernels = kernels;
        c.verdicts = verdicts;
        find_blocks(&c);
        if (!update_chunk(&c)) {
            sliding->lanes_from = detector->window.head + chunk;
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
    if (!sliding || !an_rows_are_plain(detector->config)) /* without: a small window */
        return 0;
    const lanes_kernels *kernels = kernels_for(an_simd_path(detector->config->simd));
    size_t block = (size_t)1 << sliding->at.block_bits, row = from, done = kernels ? 1 : 0;
    while (done > 0) {
        row += update_chunks(detector, rows, verdicts, row, block, kernels);
        size_t most = rows->count - row;
        if (most >= chunk_rows(detector, block)) /* up to where blocks can go on */
            most = block - (size_t)(detector->window.head & (block - 1));
        done = an_zscore_update_batches(detector, rows, verdicts, row, most, kernels->score_batch);
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
