/* SPDX-License-Identifier: MIT */
/* Gives the forest its memory, decides at which events trees are renewed, and scores events. */
#include "forest/forest.h"

#include "base/simd.h"
#include "base/stack.h"

#define LEAST_RELATIVE_PATH 0x1p-50

/* ---- memory ---- */

static uint32_t round_up(uint32_t n, uint32_t unit)
{
    return (n + unit - 1) / unit * unit;
}

/* Counts the nodes of a tree grown from `room` events at most: 2 * leaves, since the root is node 1, and at least the
 * 16 that copy_top() may read; rounded up to an odd number of cache lines, so that the roots of the trees do not share
 * a set of the cache. */
static uint32_t nodes_of_tree(uint32_t depth, uint32_t room)
{
    uint32_t leaves = depth < 14 && (1u << depth) < room ? 1u << depth : room;
    return (round_up(leaves < 8 ? 16 : 2 * leaves, 4) / 4 | 1u) * 4;
}

static void set_sizes(an_forest *f, const anomaly_config *config)
{
    memset(f, 0, sizeof *f);
    f->values = config->features;
    f->lags = an_forest_lags(config);
    f->features = f->values * f->lags;
    f->trees = config->trees;
    f->sample = config->sample;
    f->depth = config->depth;
    f->candidates = config->candidates;
    f->guided = (uint32_t)(config->guided * 65536.0 + 0.5);
    f->seed = config->seed;
    f->trees_padded = round_up(config->trees, AN_FOREST_LANES);
    f->pitch = round_up(f->values, AN_FOREST_LANES);
    f->row_pitch = round_up(f->features, AN_FOREST_LANES);
}

/* Places an array behind the arrays before it, at the start of a cache line. */
static void *place_array(unsigned char *block, size_t *at, size_t count, size_t size)
{
    void *array = block ? block + *at : NULL;
    *at = an_sum(*at, an_sum(an_product(count, size), AN_CACHE_LINE_BYTES - 1) & ~(size_t)(AN_CACHE_LINE_BYTES - 1));
    return array;
}

/* Places the arrays that last as long as the forest; with `block` NULL only finds their size. */
static size_t lay_out(an_forest *f, unsigned char *block)
{
    size_t at = 0;
    place_array(block, &at, 1, sizeof *f);
    f->coding[0].origin = place_array(block, &at, f->values, sizeof(double));
    f->coding[0].inverse = place_array(block, &at, f->values, sizeof(double));
    f->coding[1].origin = place_array(block, &at, f->values, sizeof(double));
    f->coding[1].inverse = place_array(block, &at, f->values, sizeof(double));
    f->pending.origin = place_array(block, &at, f->values, sizeof(double));
    f->pending.inverse = place_array(block, &at, f->values, sizeof(double));
    f->step = place_array(block, &at, f->values, sizeof *f->step);
    f->next_code = place_array(block, &at, AN_CODE_ROOM(f->features) + AN_CODE_SLACK, sizeof *f->next_code);
    return at + AN_CACHE_LINE_BYTES; /* to begin at a line */
}

/* Counts the floats for the codes and the paths of a row. */
static uint32_t floats_of_row(const an_forest *f)
{
    return AN_CODE_ROOM(f->features) + f->trees_padded;
}

/* Returns how many rows can be walked together in so many floats; 0 where they are too few to be worth it. */
static uint32_t rows_in(const an_forest *f, uint32_t floats)
{
    uint32_t code = AN_CODE_ROOM(f->features), room = code > f->trees_padded ? code : f->trees_padded;
    uint32_t most = AN_ROWS_FLOATS / 2 / room, fit = floats / floats_of_row(f);
    most = most < fit ? most : fit;
    if (most < 4)
        return 0;
    most = most < AN_ROWS_VALUES / f->features ? most : AN_ROWS_VALUES / f->features;
    most = most > 4 ? most / 4 * 4 : 4; /* as the kernels walk them */
    return most < AN_ROWS_TOGETHER ? most : AN_ROWS_TOGETHER;
}

/* Counts the floats of the block, which serves to judge the candidates of a cut and to update rows. Rows are updated
 * together only with a full window, when trees have all the room that they will ever have. */
static size_t floats_of_block(const an_forest *f, uint32_t room)
{
    size_t rows = room < f->sample ? 0 : (size_t)rows_in(f, AN_ROWS_FLOATS) * floats_of_row(f);
    size_t cuts = (size_t)room * AN_FOREST_LANES;
    return rows > cuts ? rows : cuts;
}

/* Places trees of up to `room` events, and what is needed to grow them; `block` as above. */
static size_t lay_out_trees(an_forest *f, unsigned char *block, uint32_t room)
{
    size_t at = 0, sample = round_up(room, 16);
    f->room = room;
    f->stride = nodes_of_tree(f->depth, room);
    f->nodes = place_array(block, &at, (size_t)f->trees_padded * f->stride, sizeof *f->nodes);
    f->top = place_array(block, &at, f->trees_padded / AN_FOREST_LANES, sizeof *f->top);
    f->typical = place_array(block, &at, (size_t)f->trees_padded * f->stride, sizeof *f->typical);
    f->count = place_array(block, &at, (size_t)f->trees_padded * f->stride, sizeof *f->count);
    f->tree_typical = place_array(block, &at, f->trees, sizeof *f->tree_typical);
    f->tree_coding = place_array(block, &at, f->trees_padded, sizeof *f->tree_coding);
    f->rows = place_array(block, &at, sample + AN_PART_SLACK_ROWS, sizeof *f->rows);
    f->rows2 = place_array(block, &at, sample + AN_PART_SLACK_ROWS, sizeof *f->rows2);
    if (f->lags > 1)
        f->lagged = place_array(block, &at, (size_t)room * f->row_pitch, sizeof *f->lagged);
    f->size = place_array(block, &at, f->stride, sizeof *f->size);
    f->column = place_array(block, &at, sample, sizeof *f->column);
    f->block = place_array(block, &at, floats_of_block(f, room), sizeof *f->block);
    f->branch = place_array(block, &at, f->stride, sizeof *f->branch);
    f->inner = place_array(block, &at, f->stride, sizeof *f->inner);
    f->cuts = place_array(block, &at, 1, sizeof *f->cuts);
    f->still = place_array(block, &at, (size_t)f->features * f->trees_padded, sizeof *f->still);
    f->usual = place_array(block, &at, f->features, sizeof *f->usual);
    f->still_trees = place_array(block, &at, f->features, sizeof *f->still_trees);
    f->still_list = place_array(block, &at, f->features, sizeof *f->still_list);
    f->alike = place_array(block, &at, f->features, sizeof *f->alike);
    f->harmonic = place_array(block, &at, (size_t)room + 1, sizeof *f->harmonic);
    return at + AN_CACHE_LINE_BYTES;
}

/* Returns from how many events trees may be grown with a ring of so many slots: none before there are events for the
 * first tree, then as many as the ring can hold, up to a whole sample. */
static uint32_t room_for(const an_forest *f, uint64_t slots)
{
    uint64_t events = slots < f->lags ? 0 : slots - (f->lags - 1);
    if (events < AN_FIRST_TREE_EVENTS)
        return 0;
    return events < f->sample ? (uint32_t)events : f->sample;
}

static unsigned char *at_line(void *block)
{
    return (unsigned char *)block + (AN_CACHE_LINE_BYTES - (uintptr_t)block % AN_CACHE_LINE_BYTES) % AN_CACHE_LINE_BYTES;
}

size_t an_forest_bytes(const anomaly_config *config, uint64_t slots)
{
    an_forest shape;
    set_sizes(&shape, config);
    uint32_t room = room_for(&shape, slots);
    size_t trees = room ? lay_out_trees(&shape, NULL, room) : 0;
    return an_sum(lay_out(&shape, NULL) + trees, an_segments_bytes(an_forest_code_bytes(shape.pitch), slots));
}

/* Computes c(n) for n <= room, the mean path of a failed search in a binary search tree of n values, as an exact
 * sum. */
static void set_harmonic(an_forest *f)
{
    double sum = 0.0;
    f->harmonic[0] = f->harmonic[1] = 0.0;
    for (uint32_t n = 2; n <= f->room; n++) {
        sum += 1.0 / (double)(n - 1);
        f->harmonic[n] = 2.0 * sum - 2.0 * (double)(n - 1) / (double)n;
    }
}

/* Puts the forest at the start of its block, and what the forest points to behind it, from the next cache line on. */
an_forest *an_forest_create(const anomaly_config *config, const an_window *window, const anomaly_allocator *allocator)
{
    an_forest shape;
    set_sizes(&shape, config);
    size_t bytes = lay_out(&shape, NULL);
    unsigned char *block = an_alloc(allocator, 1, bytes);
    if (!block)
        return NULL;
    memset(block, 0, bytes);
    an_forest *f = (an_forest *)(void *)block;
    set_sizes(f, config);
    lay_out(f, at_line(block));
    f->window = window;
    f->hash_leaving = an_forest_hash_leaving(f);
    f->codes.row_bytes = an_forest_code_bytes(f->pitch);
    f->k = an_forest_kernels_for(an_simd_path(config->simd));
    f->bytes = bytes;
    an_forest_reset(f);
    return f;
}

static void free_trees(an_forest *f, const anomaly_allocator *allocator)
{
    an_free(allocator, f->grown, 1, f->grown_bytes);
}

static void copy_trees(an_forest *to, const an_forest *from)
{
    for (uint32_t t = 0; t < to->built; t++) {
        memcpy(to->nodes + (size_t)t * to->stride, from->nodes + (size_t)t * from->stride, from->stride * sizeof *to->nodes);
        memcpy(to->typical + (size_t)t * to->stride, from->typical + (size_t)t * from->stride,
               from->stride * sizeof *to->typical);
        memcpy(to->count + (size_t)t * to->stride, from->count + (size_t)t * from->stride, from->stride * sizeof *to->count);
        to->tree_typical[t] = from->tree_typical[t];
        to->tree_coding[t] = from->tree_coding[t];
    }
    for (uint32_t g = 0; g * AN_FOREST_LANES < to->built; g++)
        to->top[g] = from->top[g];
    an_forest_copy_still(to, from);
}

int an_forest_make_room(an_forest *f, uint64_t events, const anomaly_allocator *allocator)
{
    uint32_t room = events < f->sample ? (uint32_t)events : f->sample;
    an_forest larger = *f;
    if (room <= f->room)
        return ANOMALY_OK;
    larger.grown_bytes = lay_out_trees(&larger, NULL, room);
    larger.grown = an_alloc(allocator, 1, larger.grown_bytes);
    if (!larger.grown)
        return ANOMALY_E_NOMEM;
    memset(larger.grown, 0, larger.grown_bytes);
    lay_out_trees(&larger, at_line(larger.grown), room);
    set_harmonic(&larger);
    larger.cuts->count = larger.candidates;
    for (uint32_t t = 0; t < larger.trees_padded; t++)
        an_forest_clear_tree(&larger, t);
    if (f->room)
        copy_trees(&larger, f);
    else
        an_forest_clear_still(&larger);
    free_trees(f, allocator);
    *f = larger;
    return ANOMALY_OK;
}

void an_forest_destroy(an_forest *f, const anomaly_allocator *allocator)
{
    if (!f)
        return;
    an_segments_free(&f->codes, allocator);
    free_trees(f, allocator);
    an_free(allocator, f, 1, f->bytes);
}

/* Writes to memory that is taken before there are events, so that no event has to wait for a page fault. */
static int grow_codes(an_forest *f, uint64_t slots, const anomaly_allocator *allocator)
{
    uint32_t before = f->codes.pieces;
    int status = an_segments_grow(&f->codes, slots, allocator);
    if (an_window_count(f->window) == 0)
        an_segments_touch(&f->codes);
    else
        an_forest_clear_codes(f, before);
    return status;
}

/* Grows the trees before the codes: so an_forest_slots() is right for both, even after one of the two was refused. */
int an_forest_resize(an_forest *f, uint64_t slots, const anomaly_allocator *allocator)
{
    int status = an_forest_make_room(f, room_for(f, slots), allocator);
    return status ? status : grow_codes(f, slots, allocator);
}

void an_forest_reset(an_forest *f)
{
    f->built = f->next = f->now = f->number = f->older = f->check = 0;
    f->wanted = f->coded = 0;
    f->credit = 0;
    f->forest_typical = 1.0;
    for (uint32_t t = 0; f->room && t < f->trees_padded; t++)
        an_forest_clear_tree(f, t);
    if (f->room)
        an_forest_clear_still(f);
    for (uint32_t i = 0; i < f->values; i++)
        f->step[i] = 0.0;
    an_rng_seed(&f->rng, f->seed);
}

/* ---- learning ---- */

/* Adds in the order of the trees, so that the sum does not depend on which tree was renewed last. */
void an_forest_sum_typical(an_forest *f)
{
    double sum = 0.0;
    for (uint32_t t = 0; t < f->built; t++)
        sum += f->tree_typical[t];
    f->forest_typical = sum > 0.0 ? sum : 1.0;
}

/* Returns how many trees fall due with each event learned, times the events held. Half the forest grows in the 16
 * events after the first 16, while trees are small; after that all trees are renewed once in `count` events, but at
 * most one an event, so that no event pays for two. */
static uint64_t rate_of(const an_forest *f, uint32_t count)
{
    if (count < 2 * AN_FIRST_TREE_EVENTS)
        return (uint64_t)f->trees * count / (2 * AN_FIRST_TREE_EVENTS);
    return f->trees < count ? f->trees : count;
}

int an_forest_is_due(const an_forest *f)
{
    uint32_t count = an_forest_count(f) + 1;
    return count >= AN_FIRST_TREE_EVENTS && f->credit + rate_of(f, count) >= count;
}

void an_forest_learn(an_forest *f, const double *x)
{
    uint32_t count = an_forest_count(f);
    an_forest_note_event(f, x);
    an_forest_check_coding(f);
    if (count < AN_FIRST_TREE_EVENTS)
        return;
    f->credit += rate_of(f, count);
    if (f->credit < count)
        return;
    for (; f->credit >= count; f->credit -= count)
        an_forest_grow_next(f);
    an_forest_sum_typical(f);
}

void an_forest_rebuild(an_forest *f)
{
    if (an_forest_count(f) < 2)
        return;
    f->built = f->next = f->older = 0;
    f->credit = 0;
    an_forest_code_anew(f);
    for (uint32_t t = 0; t < f->trees; t++)
        an_forest_grow_next(f);
    an_forest_sum_typical(f);
}

/* ---- scoring ---- */

#define SCORES_TOGETHER 8u /* found side by side */

/* Computes 2^-x for each of `wide` numbers x >= 0 by + and * alone, for the same bits everywhere: 2^-k times the
 * series of e^(r ln 2), where k is x rounded and r = k - x, |r| <= 1/2. */
AN_INLINE void exp2_minus(const double *x, double *power, uint32_t wide)
{
    static const double coefficient[] = {
        /* (ln 2)^k / k! */
        0x1.62e42fefa39efp-1,  0x1.ebfbdff82c58fp-3,  0x1.c6b08d704a0c0p-5,  0x1.3b2ab6fba4e77p-7,  0x1.5d87fe78a6731p-10,
        0x1.430912f86c787p-13, 0x1.ffcbfc588b0c7p-17, 0x1.62c0223a5c824p-20, 0x1.b5253d395e7c4p-24, 0x1.e4cf5158b8ecap-28,
        0x1.e8cac7351bb25p-32, 0x1.c3bd650fc2986p-36, 0x1.816193166d0f9p-40};
    double r[SCORES_TOGETHER], sum[SCORES_TOGETHER];
    for (uint32_t j = 0; j < wide; j++) {
        double y = x[j] < 1000.0 ? x[j] : 1000.0;
        int k = (int)(y + 0.5);
        uint64_t bits = (uint64_t)(1023 - k) << 52;
        memcpy(&power[j], &bits, sizeof bits);
        r[j] = (double)k - y;
        sum[j] = 0.0;
    }
    for (int i = (int)(sizeof coefficient / sizeof coefficient[0]) - 1; i >= 0; i--)
        for (uint32_t j = 0; j < wide; j++)
            sum[j] = (sum[j] + coefficient[i]) * r[j];
    for (uint32_t j = 0; j < wide; j++)
        power[j] = (1.0 + sum[j]) * power[j];
}

/* Finds the event's path relative to the typical one. */
static double relative_path(const an_forest *f, const float *path)
{
    double relative = f->k.sum(path, f->trees_padded / AN_FOREST_LANES) / f->forest_typical;
    return relative > LEAST_RELATIVE_PATH ? relative : LEAST_RELATIVE_PATH; /* a score is below 1 */
}

static double score_of_path(const an_forest *f, const float *path)
{
    double relative = relative_path(f, path), score;
    exp2_minus(&relative, &score, 1);
    return score;
}

an_walk an_forest_walk(const an_forest *f, int missing)
{
    return (an_walk){.nodes = f->nodes,
                     .top = f->top,
                     .stride = f->stride,
                     .groups = f->trees_padded / AN_FOREST_LANES,
                     .depth = f->depth,
                     .features = f->features,
                     .code_pitch = AN_CODE_ROOM(f->features),
                     .path_pitch = f->trees_padded,
                     .missing = missing};
}

/* Floats to work out a score in: codes, paths, and the paths of the older coding. */
#define SCORE_FLOATS(features, trees) (AN_CODE_ROOM(features) + AN_CODE_SLACK + 2 * (trees))

/* Finds the paths in those trees that are still in the older coding. */
static void walk_older(const an_forest *f, uint64_t index, const double *x, float *code, float *other, float *path)
{
    an_walk w = an_forest_walk(f, an_forest_encode(f, f->now ^ 1u, index, x, code));
    f->k.walk(&w, code, 1, other);
    an_forest_leave_still(f, code, other);
    for (uint32_t t = 0; t < f->trees; t++)
        if (f->tree_coding[t] != f->now)
            path[t] = other[t];
}

/* `ready`: its codes, if they are known and none is missing; else NULL. */
static double score_event(const an_forest *f, uint64_t index, const double *x, const float *ready, float *room)
{
    float *path = room + AN_CODE_ROOM(f->features) + AN_CODE_SLACK;
    const float *code = ready ? ready : room;
    an_walk w = an_forest_walk(f, ready ? 0 : an_forest_encode(f, f->now, index, x, room));
    f->k.walk(&w, code, 1, path);
    an_forest_leave_still(f, code, path);
    if (f->older > 0)
        walk_older(f, index, x, room, path + f->trees_padded, path);
    return score_of_path(f, path);
}

static AN_OWN_STACK double score_narrow(const an_forest *f, uint64_t index, const double *x, const float *ready)
{
    float room[SCORE_FLOATS(AN_NARROW_FEATURES, AN_NARROW_TREES)];
    return score_event(f, index, x, ready, room);
}

static AN_OWN_STACK double score_wide(const an_forest *f, uint64_t index, const double *x, const float *ready)
{
    float room[SCORE_FLOATS(AN_FOREST_MAX_FEATURES, AN_FOREST_MAX_TREES)];
    return score_event(f, index, x, ready, room);
}

static double score_as(const an_forest *f, uint64_t index, const double *x, const float *ready)
{
    return an_forest_is_narrow(f) ? score_narrow(f, index, x, ready) : score_wide(f, index, x, ready);
}

double an_forest_score(const an_forest *f, uint64_t index, const double *x)
{
    return score_as(f, index, x, NULL);
}

/* Scores x in the coding of the newest trees and keeps the codes, which learning needs in the same coding. */
int an_forest_score_next(an_forest *f, const double *x, double *score)
{
    uint64_t index = f->window->head;
    if (an_forest_encode(f, f->now, index, x, f->next_code))
        return 0;
    f->ready = f->next_code;
    *score = score_as(f, index, x, f->ready);
    return 1;
}

/* ---- rows ---- */

uint32_t an_forest_together(const an_forest *f, uint32_t floats)
{
    return an_forest_ready(f) && f->older == 0 ? rows_in(f, floats) : 0;
}

uint32_t an_forest_run(const an_forest *f)
{
    uint32_t count = an_forest_count(f), most = an_forest_together(f, AN_ROWS_FLOATS), left = an_forest_coding_left(f);
    if (f->built < f->trees || an_window_count(f->window) < f->window->bound || f->trees >= count || most == 0 ||
        f->room < f->sample)
        return 0;
    uint32_t whole = (uint32_t)((count - f->credit - 1) / f->trees); /* events that may be learned before a tree is grown */
    left = left < whole ? left : whole;
    return left + 1 < most ? left + 1 : most;
}

an_forest_block an_forest_block_in(const an_forest *f, float *floats, uint32_t rows)
{
    return (an_forest_block){.code = floats, .path = floats + (size_t)rows * AN_CODE_ROOM(f->features)};
}

an_forest_block an_forest_block_own(an_forest *f, uint32_t rows)
{
    an_forest_block block = an_forest_block_in(f, f->block, rows);
    block.learned = 1;
    return block;
}

/* Codes a row behind one that is coded: if that is learned, it is the first of what is seen beside this one. */
static int code_next_row(const an_forest *f, const an_forest_block *b, const double *x, float *code)
{
    const an_coding *g = &f->coding[f->now];
    const float *before = code - AN_CODE_ROOM(f->features) + (b->learned ? 0 : f->values);
    int missing = f->k.encode(x, g->origin, g->inverse, f->values, code);
    memcpy(code + f->values, before, (f->features - f->values) * sizeof *code);
    code[f->features] = AN_CODE_PAD;
    return missing;
}

int an_forest_block_code(const an_forest *f, an_forest_block *b, const double *x)
{
    float *code = b->code + (size_t)b->rows * AN_CODE_ROOM(f->features);
    if (f->lags > 1 && b->rows > 0)
        return code_next_row(f, b, x, code);
    return an_forest_encode(f, f->now, f->window->head, x, code);
}

void an_forest_block_learn(an_forest *f, const an_forest_block *b, uint32_t k)
{
    f->ready = b->missing ? NULL : b->code + (size_t)k * AN_CODE_ROOM(f->features);
}

/* Finds several scores side by side, because the steps of a single one wait for each other. */
void an_forest_block_score(const an_forest *f, an_forest_block *b, double *score)
{
    double relative[AN_ROWS_TOGETHER + SCORES_TOGETHER] = {0};
    an_walk w = an_forest_walk(f, b->missing);
    f->k.walk(&w, b->code, b->rows, b->path);
    for (uint32_t r = 0; r < b->rows; r++)
        an_forest_leave_still(f, b->code + (size_t)r * w.code_pitch, b->path + (size_t)r * w.path_pitch);
    for (uint32_t r = 0; r < b->rows; r++)
        relative[r] = relative_path(f, b->path + (size_t)r * w.path_pitch);
    for (uint32_t r = 0; r < b->rows; r += SCORES_TOGETHER)
        exp2_minus(relative + r, score + r, SCORES_TOGETHER);
}
