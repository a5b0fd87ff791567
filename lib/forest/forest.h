/* SPDX-License-Identifier: MIT */
/* Streaming isolation forest.
 *
 * Trees (Liu, Ting, Zhou 2008): a node cuts a random feature at a uniform place between its least and greatest value;
 * few cuts isolate an odd event. Here
 *   - a tree is grown from `sample` events, one from each of `sample` equal stretches of the window, and every event
 *     learned brings the renewal of the oldest tree nearer: all are renewed once per window (while the window fills,
 *     once per so many events as it holds). So the forest describes the window, no event pays for more than a few
 *     small trees, there is no delete path and no range to know beforehand;
 *   - a share of the cuts is the best of `candidates` random ones, by the share of the feature's variance in the node
 *     that the cut explains (compare Liu, Ting, Zhou 2010 and Cortes 2021): guided and random cuts fail on different
 *     data;
 *   - the walk lowers the weight of what lies deeper where the event is out of a cut's range
 *     (forest/kernels/kernels.h);
 *   - path lengths are taken relative to the forest's typical one, the mean over the trees' own samples, in place of
 *     c(sample): guided trees are not as deep as random ones, young ones not as deep as full ones, and the difference
 *     is not the event's. So score = 2^-(path / typical), and 0.5 is typical whatever the data.
 *
 * Features are coded to float for the walk, code = (x - origin) / spread, with origin and spread taken from the
 * window, so an offset of 1e9 costs nothing (forest/coding.c). A tree's cuts are codes, so a tree is walked with the
 * coding it was grown in. When the data have moved away a new coding begins, and there are two until the last tree of
 * the old one is renewed:
 *
 *     a feature around 1000, spread 10       coding[0]: code = (x - 1000) / 10    now = 0, older = 0
 *     the feature moves to 9000, spread 20   codes are around 800, cuts are coarse
 *     a round of checks ends                 coding[1]: code = (x - 9000) / 20    now = 1, older = trees
 *     a tree is renewed, in coding[1]                                             now = 1, older = trees - 1
 *     an event of 9010 is scored             its code is 801 for trees in coding[0], 0.5 for trees in coding[1]
 *     the last tree is renewed               an event is coded once again         now = 1, older = 0
 *
 * Cost of an event: depth * trees steps of the walk, and trees/window of a tree: about depth * sample * (1 + guided *
 * candidates) column elements.
 *
 * With lags, a tree sees the newest k events as one with k times as many features, the newest first. Nothing is kept
 * for that: what is seen is put together from the codes of the window's events (forest/coding.c). The first event
 * of the window that can be seen so has k - 1 before it there; counts and ages are those of such events.
 *
 * Memory comes in three pieces: what lasts, with the forest; the codes of the window's events, growing with the ring;
 * the trees, for a detector of its own from the start, for one of many growing with the ring until a whole sample
 * fits. */
#ifndef AN_FOREST_H
#define AN_FOREST_H

#include "anomaly.h"
#include "base/memory.h"
#include "base/rng.h"
#include "forest/kernels/kernels.h"
#include "window/window.h"

#define AN_FIRST_TREE_EVENTS   16u /* events before the first tree */
#define AN_FOREST_MAX_FEATURES 4096u
#define AN_FOREST_MAX_TREES    1024u
#define AN_NARROW_TREES        256u /* up to so many a call keeps to 16 KB of stack */

/* One coding of the features: code = (x - origin) * inverse. */
typedef struct an_coding {
    double *origin, *inverse;
} an_coding;

/* The part of a tree's sample that comes to a node: `count` events from `begin` on. */
typedef struct an_branch {
    uint32_t node, begin, count, level;
} an_branch;

typedef struct an_forest {
    const an_window *window;
    an_forest_kernels k;
    uint32_t values;   /* of an event */
    uint32_t lags;     /* newest events that trees see; 1: the event alone */
    uint32_t features; /* that trees see: values * lags (forest/coding.c) */
    uint32_t trees, sample, depth, candidates;
    uint32_t guided;       /* chance, of 65536, that a cut is the best of `candidates` */
    uint32_t trees_padded; /* to whole groups of 16 */
    uint32_t room;         /* events a tree may be grown from, at most; 0: no trees yet */
    uint32_t stride;       /* nodes a tree */
    uint32_t pitch;        /* codes an event */
    uint32_t row_pitch;    /* codes a row of a sample: the same without lags */
    uint32_t hash_leaving; /* of hashes with lags (forest/equal.c) */
    uint64_t seed;
    size_t bytes;      /* of the forest itself */
    an_segments codes; /* of the window's events, in the slots they have there (forest/coding.c) */
    /* trees */
    void *grown; /* as allocated */
    size_t grown_bytes;
    an_node *nodes;
    an_top *top;
    float *typical;        /* [trees_padded * stride] mean remaining path of the sample below a node */
    uint16_t *count;       /* [trees_padded * stride] the events of the sample below a node */
    double *tree_typical;  /* [trees] the mean path at the root */
    uint8_t *tree_coding;  /* [trees_padded] which coding the tree's nodes are in */
    double forest_typical; /* sum of tree_typical */
    /* still features (forest/still.c) */
    float *still; /* [features * trees_padded] the value that a tree's whole sample has of a feature; NaN: it has several */
    float *usual; /* [features] the still value of all trees that have one; NaN: they differ */
    uint32_t *still_trees; /* [features] in how many trees the feature is still */
    uint32_t *still_list;  /* [still_count] the features that are still in some tree, in order */
    uint32_t still_count;
    /* the schedule */
    uint32_t built, next; /* trees grown so far (up to all); the next to be grown */
    uint64_t credit;      /* trees due, times the events held */
    an_rng rng;
    /* codings */
    an_coding coding[2];
    an_coding pending;
    uint32_t now;       /* which of the two codings new trees are in */
    uint32_t number;    /* how many codings there have been, the present one included */
    uint32_t older;     /* trees still in the other coding */
    uint32_t check;     /* events since this round of checks of the coding began */
    int wanted;         /* the check found a feature out of its coding */
    int coded;          /* a coding exists */
    double *step;       /* last nonzero step of each feature */
    const float *ready; /* codes of the event that is learned next, if they are known and none is missing; else NULL */
    float *next_code;   /* room for such codes */
    /* scratch of the growing tree */
    an_row *rows, *rows2; /* the sample in the order of the branches: the levels use the two in turn */
    float *lagged;        /* [room * row_pitch] the codes of the sample; without lags NULL: they lie with the window's */
    uint32_t *size;
    float *column;
    float *block; /* of the candidates of a cut; while rows are updated, of their codes and paths */
    an_branch *branch;
    uint32_t *inner; /* the nodes that have been cut, then the nodes that wait to be cut, in order */
    an_cuts *cuts;
    double *harmonic; /* c(n) for n <= room */
    uint32_t *alike;  /* [features] the features of which all events of a sample have the same value */
} an_forest;

/* ---- forest/forest.c: memory, learning, scoring ---- */

/* Answers how many of the newest events trees see. */
static inline uint32_t an_forest_lags(const anomaly_config *config)
{
    return config->lags > 1 ? (uint32_t)config->lags : 1;
}

/* Counts the bytes of a forest whose ring has so many slots. */
size_t an_forest_bytes(const anomaly_config *config, uint64_t slots);

/* Makes a forest; NULL when there is no memory. The window is only read, and must outlive the forest. */
an_forest *an_forest_create(const anomaly_config *config, const an_window *window, const anomaly_allocator *allocator);
void an_forest_destroy(an_forest *f, const anomaly_allocator *allocator);
void an_forest_reset(an_forest *f);

/* Makes room for codes of a ring of that many slots, and for trees. ANOMALY_E_NOMEM changes nothing that can be seen,
 * and the next call goes on where this one was refused. */
int an_forest_resize(an_forest *f, uint64_t slots, const anomaly_allocator *allocator);

/* Returns for how many slots there is room: for codes, hence for trees too. */
static inline uint64_t an_forest_slots(const an_forest *f)
{
    return an_segments_before(f->codes.pieces);
}

/* Makes room for trees of that many events, or of a whole sample if it is less. Statuses as above. */
int an_forest_make_room(an_forest *f, uint64_t events, const anomaly_allocator *allocator);

/* Learns x, which has become the newest event of the window. */
void an_forest_learn(an_forest *f, const double *x);

/* Tells whether a tree will be grown when the window, which is not full, gets one event more. */
int an_forest_is_due(const an_forest *f);

/* Adds up the typical paths, after trees have changed. */
void an_forest_sum_typical(an_forest *f);

/* Grows every tree anew from the window. There must be room for its events. */
void an_forest_rebuild(an_forest *f);

/* Tells whether there are trees enough to score by. The others are empty and count nothing. */
static inline int an_forest_ready(const an_forest *f)
{
    return 3 * f->built >= f->trees && f->built > 0;
}

/* Returns the score of x, which is or would be event `index`, in (0, 1); 0.5 is the typical event of the window. NaN
 * marks a missing value. The forest must be ready. */
double an_forest_score(const an_forest *f, uint64_t index, const double *x);
/* Scores the event that may be learned next, and keeps its codes for that. Returns 0, with nothing done, when a value
 * is missing or infinite. */
int an_forest_score_next(an_forest *f, const double *x, double *score);

/* Describes the trees to the kernels; `missing`: some code may be NaN. */
an_walk an_forest_walk(const an_forest *f, int missing);

/* ---- for rows: events are coded one by one, then walked together ---- */

#define AN_ROWS_FLOATS   4096u /* of codes and of paths */
#define AN_ROWS_VALUES   1024u /* that are still in the first-level cache when rows are learned */
#define AN_ROWS_TOGETHER 32u
#define AN_ROWS_FEATURES (AN_ROWS_FLOATS / 8u) /* more: rows are not walked together */

/* Returns how many rows may be scored at once although each is learned before the next: no tree changes meanwhile. 0:
 * one by one. */
uint32_t an_forest_run(const an_forest *f);
/* Returns how many rows can be walked together in so many floats, AN_ROWS_FLOATS at most; 0: one by one. */
uint32_t an_forest_together(const an_forest *f, uint32_t floats);

/* Rows that are walked together. */
typedef struct an_forest_block {
    float *code; /* [rows] the codes of a row */
    float *path; /* [rows] its path in each tree */
    uint32_t rows;
    int missing;
    int learned; /* each row is learned before the next one */
} an_forest_block;

/* Makes a block of as many rows as fit into `floats`, none of which is learned. */
an_forest_block an_forest_block_in(const an_forest *f, float *floats, uint32_t rows);
/* Makes a block for an_forest_run() rows in the memory that trees are grown in. The last row may be learned from it,
 * which ends it. */
an_forest_block an_forest_block_own(an_forest *f, uint32_t rows);

/* Codes x where the next row of the block comes. Returns nonzero when a value is missing or infinite: of x, or of what
 * is seen beside the first row. */
int an_forest_block_code(const an_forest *f, an_forest_block *b, const double *x);
/* Hands the codes of row k to an_forest_learn(), which must be called for row k next. */
void an_forest_block_learn(an_forest *f, const an_forest_block *b, uint32_t k);
/* Scores all rows of the block; `score` has room for AN_ROWS_TOGETHER. */
void an_forest_block_score(const an_forest *f, an_forest_block *b, double *score);

/* ---- forest/explain.c ---- */

/* Finds the share of each value of the next event in score - 0.5; the shares sum to that, and none has the other sign.
 * With lags a value's share is that of the values before it too. The forest must be ready. */
void an_forest_explain(const an_forest *f, const double *x, double score, double *share);

/* Returns the value with the largest share, of the present ones. */
uint32_t an_forest_main_cause(const an_forest *f, const double *x);

/* ---- forest/alone.c ---- */

/* Finds by how much each feature alone makes the path shorter, summed over the trees; 0 for missing ones. There is
 * room in `code` for an event's codes, in `looks` for a number of each feature. */
void an_forest_alone(const an_forest *f, const double *x, float *code, float *looks, double *change);

/* ---- forest/grow.c ---- */

/* Grows the next tree anew, or the first time. */
void an_forest_grow_next(an_forest *f);
void an_forest_clear_tree(an_forest *f, uint32_t tree);

/* The parts a tree is made of, for growing and for restoring one. */
#define AN_GATED UINT32_MAX /* the level of a leaf below a gate */
/* Puts a leaf for `count` events at node `at`, whose branch is set. */
void an_forest_set_leaf(const an_forest *f, an_node *tree, uint32_t at, uint32_t count);
/* Puts an inner node; `node` has its cut and, in `link`, its feature and stray bit. Its children are the nodes `used`
 * and used + 1, and get their branches: `left` events go to the first. */
void an_forest_set_inner(an_forest *f, an_node *tree, const an_branch *b, an_node node, uint32_t left, uint32_t level,
                         uint32_t used);
/* Finishes a tree whose nodes before `used` are all there, `inner` of them cut; f->size has the events of each
 * node. */
void an_forest_finish(an_forest *f, uint32_t tree, uint32_t used, uint32_t inner);

/* ---- forest/snapshot.c ---- */

typedef struct an_writer an_writer;
typedef struct an_reader an_reader;
/* Writes the forest without the window, which the detector saves. */
void an_forest_save(const an_forest *f, an_writer *writer);
/* Reads what an_forest_save() wrote into a forest as it is after create and resize, the window in its place.
 * ANOMALY_E_CORRUPT, E_NOMEM. */
int an_forest_restore(an_forest *f, an_reader *reader, const anomaly_allocator *allocator);

/* ---- forest/coding.c ---- */

/* Codes the events before `index` behind the codes of its own values, the newest first. As above. */
int an_forest_encode_lags(const an_forest *f, uint32_t side, uint64_t index, float *code);

/* Codes what trees see of event `index`, whose values are x, with the leaves' column behind; returns nonzero when a
 * value is missing or infinite. The events before it must be in the window. */
static inline int an_forest_encode(const an_forest *f, uint32_t side, uint64_t index, const double *x, float *code)
{
    const an_coding *g = &f->coding[side];
    code[f->features] = AN_CODE_PAD;
    int missing = f->k.encode(x, g->origin, g->inverse, f->values, code);
    return f->lags == 1 ? missing : missing | an_forest_encode_lags(f, side, index, code);
}

/* Floats for an event's codes and the leaves' column, in whole vectors as the kernels load them: 16, 32, 64 or a
 * multiple of 128. */
#define AN_CODE_ROOM(features) \
    ((features) < 16 ? 16u : (features) < 32 ? 32u : (features) < 64 ? 64u : ((features) + 128u) / 128u * 128u)
#define AN_CODE_SLACK 16u /* floats behind it that may be written to */

/* Counts the bytes of an event's codes, of the number of their coding and of its hash. */
size_t an_forest_code_bytes(uint32_t pitch);
/* Marks the codes of new pieces of memory as not there yet. */
void an_forest_clear_codes(an_forest *f, uint32_t first_piece);
/* Returns the codes of what is seen of an event, 0 the oldest, in the coding of now, with lags at the row of
 * f->lagged; sets *missing when a value is missing. */
an_row an_forest_code_event(an_forest *f, uint64_t age, uint32_t row, int *missing);
/* Keeps the steps of the features, the codes and the hash of the event learned. */
void an_forest_note_event(an_forest *f, const double *x);
/* Checks the coding of a few features; called after each event learned. */
void an_forest_check_coding(an_forest *f);
/* Begins a new coding at once, for a forest that is grown anew. */
void an_forest_code_anew(an_forest *f);
/* Returns how many events may be learned before the coding may change. */
uint32_t an_forest_coding_left(const an_forest *f);
/* Returns how many features, from the first on, this round of checks has put into the pending coding. */
uint32_t an_forest_pending(const an_forest *f);

#define AN_CHECK_EVENTS 512u /* a round of checks: in so many events the coding of every feature is checked once */

/* Returns the place of the hash of an event of the window. A piece of memory holds the codes of its events, then the
 * numbers of their codings, then their hashes. */
static inline uint32_t *an_forest_hash_at(const an_forest *f, uint64_t index)
{
    uint64_t slot = index & f->window->mask;
    uint32_t piece = an_segments_piece(slot);
    size_t rows = (size_t)an_segments_rows(piece);
    return (uint32_t *)(void *)f->codes.piece[piece] + rows * (f->pitch + 1u) + (size_t)(slot - an_segments_before(piece));
}

/* ---- forest/still.c ---- */

/* Returns the feature's still values, one for each tree; NaN where the feature is not still. */
static inline float *an_forest_still_of(const an_forest *f, uint32_t feature)
{
    return f->still + (size_t)feature * f->trees_padded;
}

/* Makes no feature still in any tree. */
void an_forest_clear_still(an_forest *f);
/* Copies what is known of still features, for a forest that moves to larger memory. */
void an_forest_copy_still(an_forest *to, const an_forest *from);
/* Finds the still features of a tree that is grown from these events. */
void an_forest_find_still(an_forest *f, uint32_t tree, const an_row *row, uint32_t n);
/* Puts the still value of a tree, NaN for none; from a snapshot. */
void an_forest_put_still(an_forest *f, uint32_t tree, uint32_t feature, float value);
/* Finds the list of still features and their usual values, once all trees have theirs. */
void an_forest_settle_still(an_forest *f);
/* Makes the paths of an event shorter where it leaves still features: of a forest that has any. */
void an_forest_shorten_paths(const an_forest *f, const float *code, float *path);
static inline void an_forest_leave_still(const an_forest *f, const float *code, float *path)
{
    if (f->still_count > 0)
        an_forest_shorten_paths(f, code, path);
}
/* Adds to met[feature] what leaving the feature took off the paths, and to alone[feature] (NULL: not wanted) what it
 * would take off if it were the only one left. `code` has room for an event's codes, `trees` for three numbers of each
 * tree. */
void an_forest_explain_still(const an_forest *f, const double *x, float *code, float *trees, float *met, double *alone);

/* ---- forest/equal.c ---- */

/* Returns the hash of what is seen of event `index`, whose values are `event` as the window has them; of the first
 * events of the window no use is made. Those before it in the window must have theirs. */
uint32_t an_forest_hash(const an_forest *f, uint64_t index, const double *event);

/* Returns how much of it a hash with lags loses for each event that leaves it. */
uint32_t an_forest_hash_leaving(const an_forest *f);

/* Tells whether more than that share of the newest events, and more than one event, are equal to x as the next one,
 * and with lags the events before it too. */
int an_forest_is_common(const an_forest *f, const double *x, double share);

/* How many of the newest events are compared, and how many of them are equal in this way; the count may end once it is
 * more than `most`. */
uint32_t an_forest_compared(const an_forest *f);
uint32_t an_forest_equals(const an_forest *f, const double *x, double most);

/* ---- inline ---- */

/* Tells whether the calls on this forest keep to 16 KB of stack (base/stack.h). */
static inline int an_forest_is_narrow(const an_forest *f)
{
    return f->features <= AN_NARROW_FEATURES && f->trees <= AN_NARROW_TREES;
}

/* Counts the events of the window that can be seen with those before them. */
static inline uint32_t an_forest_count(const an_forest *f)
{
    uint32_t events = (uint32_t)an_window_count(f->window), before = f->lags - 1;
    return events > before ? events - before : 0;
}

#endif
