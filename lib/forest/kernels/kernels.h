/* SPDX-License-Identifier: MIT */
/* The forest's inner loops, for each instruction set. All of them do the same operations on the same floats in the
 * same order, so every instruction set gives the same bits.
 *
 * The walk of an event down a tree:
 *
 *     weight = 1, path = 0, at = root
 *     `depth` times:
 *         v      = code[feature of the node]
 *         right  = v > cut, or, for a missing v, the node's stray bit
 *         excess = max(lo - v, v - hi)
 *         if excess > 0:  weight = weight * (range * reciprocal(range + excess)),  range = hi - lo
 *         at an inner node: path = path + weight
 *         at     = left child + right
 *     path = path + weight * leaf value
 *
 * The factor range / (range + excess) is the chance that a uniform cut over the range stretched to the event would not
 * have cut the event off: what lies deeper counts only as far as the event would have come along (after the insertion
 * rule of Mondrian and robust random cut trees; Guha, Mishra, Roy, Schrijvers 2016). In small nodes a value is out of
 * range more often than not, so there is no branch; and as a division of a vector costs as much as the rest of a step,
 * the reciprocal is an integer subtraction and two Newton steps: within 2e-5, and the same bits everywhere. Codes are
 * 0 or at least 2^-100 and at most 2^40, hence range + excess is within 2^-124 .. 2^58.
 *
 * A walk waits for nothing but loads, so many are in flight: 16 trees a vector for one event, several vectors
 * interleaved. */
#ifndef AN_FOREST_KERNELS_H
#define AN_FOREST_KERNELS_H

#include "window/window.h"

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__)
#define AN_X86 1
#include <immintrin.h>
#define AN_TARGET(t) __attribute__((target(t)))
#endif

/* AN_INLINE: kernels are made of small functions, each inlined for each case. Sanitizers expand every instruction so
 * much that compiling the inlined text takes many minutes, so under a sanitizer these functions are called. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(undefined_behavior_sanitizer)
#define AN_SANITIZED 1
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define AN_SANITIZED 1
#endif
#if defined(__GNUC__) && !defined(AN_SANITIZED)
#define AN_INLINE static inline __attribute__((always_inline))
#else
#define AN_INLINE static inline
#endif

#define AN_FOREST_LANES 16u /* trees in flight; part of the order of summation */

/* A node takes 16 bytes. Nodes of one tree lie together: root at 1, brothers side by side at 2k and 2k+1, so a pair
 * never straddles a cache line.
 *   inner node: cut, the cut feature's least and greatest value in the sample, link = feature, stray bit, left child
 *   leaf:       cut = what is added for the leaf, lo = PAD, link = feature `features` (a column holding PAD) and
 *   itself
 * A leaf walks to itself for ever: PAD <= cut goes left, and PAD is never below lo. For example three events with x =
 * 1, 2, 9, cut at x <= 4, in a tree of one feature (x is feature 0, the leaves' column is feature 1):
 *
 *     node   cut    link: feature, child   lo    hi
 *       1    4      0, 2                   1     9     x <= 4 goes to node 2, the others to node 3
 *       2    c(2)   1, 2                   PAD   0     a leaf of two events, if the depth allows no further cut
 *       3    c(1)   1, 3                   PAD   0     a leaf of one event */
typedef struct an_node {
    float cut;
    uint32_t link;
    float lo, hi;
} an_node;

#define AN_LINK_FEATURE 19u        /* bits 19..31 */
#define AN_LINK_STRAY   (1u << 18) /* where a missing value goes: set = right */
#define AN_LINK_CHILD   (AN_LINK_STRAY - 1u)
#define AN_CODE_LIMIT   0x1p40f   /* codes are clamped to this */
#define AN_CODE_LEAST   0x1p-100f /* smaller ones are raised to this, but 0 stays 0 */
#define AN_CODE_PAD     (-0x1p50f)
#define AN_RECIPROCAL   0x7ef311c7u /* minus the bits of x: an approximate 1/x */

/* The first three levels of 16 trees, a lane for each tree: the roots in slot 0, their children in slots 1 and 2,
 * their grandchildren in slots 3 to 6; below a leaf the leaf itself. The first three steps of a walk then load four
 * cache lines each, in place of gathers. */
#define AN_TOP_LEVELS 3u
#define AN_TOP_SLOTS  7u
typedef struct an_top {
    float cut[AN_TOP_SLOTS][AN_FOREST_LANES];
    uint32_t link[AN_TOP_SLOTS][AN_FOREST_LANES];
    float lo[AN_TOP_SLOTS][AN_FOREST_LANES];
    float hi[AN_TOP_SLOTS][AN_FOREST_LANES];
} an_top;

/* A walk of coded events through groups of 16 trees. */
typedef struct an_walk {
    const an_node *nodes; /* of the first group */
    const an_top *top;
    uint32_t stride, groups, depth, features; /* stride: nodes a tree */
    uint32_t code_pitch, path_pitch;          /* floats a row */
    int missing;                              /* some code is NaN */
} an_walk;

/* The codes of an event, `pitch` of them (a multiple of 16). */
typedef const float *an_row;

#define AN_EXPLAIN_GROUPS 4u /* walked together to explain an event; part of the order of summation */

/* Adds what a step of 16 trees changed to the features' shares. Each leaf has a place of its own, because additions to
 * the same place wait for each other. */
AN_INLINE void an_add_changes(const uint32_t *place, const float *change, float *share)
{
    for (uint32_t k = 0; k < AN_FOREST_LANES; k++)
        share[place[k]] += change[k];
}

/* What all rows of a sample have in common. */
typedef struct an_sample {
    uint32_t pitch;
    int missing; /* a value is missing in some row */
} an_sample;

/* 16 candidate cuts of a node, a lane for each. The gain of a cut is the share of the feature's variance in the node
 * that the cut explains, times the share of events in which the feature is present. For the `present` values of a
 * feature, `below` of which go left and `above` right, with their distances from the middle of the range summed to
 * `sum` (those that go left: `left`) and the squares of the distances to `square`:
 *
 *     d        = present * left - below * sum
 *     between  = d^2 / (present^2 * below * above)
 *     variance = (present * square - sum^2) / present^2
 *     gain     = between / variance * present / n
 *
 * Each lane adds its rows in order. */
typedef struct an_cuts {
    uint32_t feature[AN_FOREST_LANES], low[AN_FOREST_LANES]; /* low: random bits, 24 of which place the cut */
    float lo[AN_FOREST_LANES], hi[AN_FOREST_LANES], cut[AN_FOREST_LANES], present[AN_FOREST_LANES];
    float gain[AN_FOREST_LANES];
    uint32_t count; /* the lanes that count, from the first on */
} an_cuts;

/* The sums from which the gain is computed. */
typedef struct an_sums {
    float below[AN_FOREST_LANES], left[AN_FOREST_LANES], sum[AN_FOREST_LANES], square[AN_FOREST_LANES];
} an_sums;

#define AN_FOREST_MAX_SAMPLE 16384u
#define AN_PART_SLACK_ROWS   16u /* rows */

#define AN_PROBED_FEATURES 8u /* features whose coding is found together */
#define AN_PROBED_EVENTS   9u /* events of the window from which a coding is found */

/* Finds the median of nine values by 19 exchanges (Paeth 1990), each of which puts two values in order. */
#define AN_MEDIAN_EXCHANGES 19u
static const uint8_t an_exchange[AN_MEDIAN_EXCHANGES][2] = {{1, 2}, {4, 5}, {7, 8}, {0, 1}, {3, 4}, {6, 7}, {1, 2},
                                                            {4, 5}, {7, 8}, {0, 3}, {5, 8}, {4, 7}, {3, 6}, {1, 4},
                                                            {2, 5}, {4, 7}, {4, 2}, {6, 4}, {4, 2}};

typedef struct an_forest_kernels {
    /* Finds the path length of each row in each tree: path[row * path_pitch + tree]. */
    void (*walk)(const an_walk *w, const float *code, uint32_t rows, float *path);
    /* Computes (x - origin) * inverse, clamped, as float. Returns nonzero when a value is missing or infinite. What is
     * behind the n-th code up to a multiple of 16 gets PAD or stays as it is. */
    int (*encode)(const double *x, const double *origin, const double *inverse, uint32_t n, float *code);
    /* Sums an event's paths: lane j sums trees j, j+16, ... as floats; lanes are then added as doubles, l+8, l+4, l+2,
     * l+1. */
    double (*sum)(const float *path, uint32_t groups);
    /* Finds the median of each feature's values, and the median distance from it. Overwrites v. */
    void (*centre)(double (*v)[AN_PROBED_FEATURES], double *median, double *distance);
    /* Writes the size of the difference to the event before as the feature's last step, where both are finite and
     * differ. Returns nonzero when a value of x is infinite. */
    int (*note)(const double *x, const double *before, uint32_t n, double *restrict step);
    /* Loads the codes of one feature over row[0..n), and finds the least and the greatest. Returns how many are
     * present. */
    uint32_t (*load_column)(uint32_t feature, const an_row *row, uint32_t n, float *column, float *lo, float *hi);
    /* Judges cuts over row[0..n); block[n * 16] gets the codes. Returns the first of the best. */
    uint32_t (*judge)(const an_sample *s, const an_row *row, uint32_t n, an_cuts *c, float *block);
    /* Copies from[0..n) to `to`: first the rows whose value value[i * step] (step 1 or 16) is not over the cut, then
     * the others, both in order; a row with a missing value is among the others if `stray`. Returns how many are
     * first. May read and write up to AN_PART_SLACK_ROWS rows behind the end of both arrays. */
    uint32_t (*part)(const float *value, uint32_t step, float cut, int stray, const an_row *from, uint32_t n, an_row *to);
    /* Walks the event through all trees, four groups at a time, level by level. By how much a step shortens the
     * expected path, (path so far) + weight * (typical path from here), is added to share[feature] for the trees in
     * `lanes`. Leaves add 0 to share[features .. features + 16). */
    void (*explain)(const an_walk *w, const float *code, const float *typical, const uint16_t *lanes, float *share);
} an_forest_kernels;

/* Returns the functions for one of enum anomaly_simd (not AUTO). */
an_forest_kernels an_forest_kernels_for(int simd);

uint32_t an_load_column_portable(uint32_t feature, const an_row *row, uint32_t n, float *column, float *lo, float *hi);
void an_explain_portable(const an_walk *w, const float *code, const float *typical, const uint16_t *lanes, float *share);
double an_sum_portable(const float *path, uint32_t groups);
#ifdef AN_X86
void an_walk_sse2(const an_walk *w, const float *code, uint32_t rows, float *path);
uint32_t an_judge_sse2(const an_sample *s, const an_row *row, uint32_t n, an_cuts *c, float *block);
void an_walk_avx2(const an_walk *w, const float *code, uint32_t rows, float *path);
uint32_t an_judge_avx2(const an_sample *s, const an_row *row, uint32_t n, an_cuts *c, float *block);
int an_encode_avx2(const double *x, const double *origin, const double *inverse, uint32_t n, float *code);
void an_walk_avx512(const an_walk *w, const float *code, uint32_t rows, float *path);
uint32_t an_judge_avx512(const an_sample *s, const an_row *row, uint32_t n, an_cuts *c, float *block);
int an_encode_avx512(const double *x, const double *origin, const double *inverse, uint32_t n, float *code);
double an_sum_avx512(const float *path, uint32_t groups);
void an_centre_avx512(double (*v)[AN_PROBED_FEATURES], double *median, double *distance);
int an_note_avx512(const double *x, const double *before, uint32_t n, double *restrict step);
uint32_t an_load_column_avx512(uint32_t feature, const an_row *row, uint32_t n, float *column, float *lo, float *hi);
uint32_t an_part_avx512(const float *value, uint32_t step, float cut, int stray, const an_row *from, uint32_t n, an_row *to);
void an_explain_avx512(const an_walk *w, const float *code, const float *typical, const uint16_t *lanes, float *share);
#endif

AN_INLINE float an_reciprocal(float x)
{
    uint32_t bits;
    float y;
    memcpy(&bits, &x, sizeof bits);
    bits = AN_RECIPROCAL - bits;
    memcpy(&y, &bits, sizeof y);
    y = y * (2.0f - x * y);
    return y * (2.0f - x * y);
}

/* Returns a where `which` is all ones, b where `which` is 0, without the branch that a compiler may make of ?:. */
AN_INLINE float an_choose(uint32_t which, float a, float b)
{
    uint32_t x, y;
    memcpy(&x, &a, sizeof x);
    memcpy(&y, &b, sizeof y);
    x = (x & which) | (y & ~which);
    memcpy(&a, &x, sizeof a);
    return a;
}

/* Returns the factor by which a node changes the weight. */
AN_INLINE float an_range_share(float lo, float hi, float v)
{
    float below = lo - v, above = v - hi, excess = below > above ? below : above, range = hi - lo;
    return excess > 0.0f ? range * an_reciprocal(range + excess) : 1.0f;
}

/* Does an_forest_kernels.load_column() inline. */
AN_INLINE uint32_t an_load_column_inline(uint32_t feature, const an_row *row, uint32_t n, float *column, float *lo,
                                         float *hi)
{
    float least = AN_CODE_LIMIT, most = -AN_CODE_LIMIT;
    uint32_t present = 0;
    for (uint32_t i = 0; i < n; i++) {
        float c = row[i][feature];
        column[i] = c;
        least = c < least ? c : least;
        most = c > most ? c : most;
        present += c == c;
    }
    *lo = least;
    *hi = most;
    return present;
}

/* Places a cut uniformly from lo to below hi, by 24 random bits. */
AN_INLINE float an_cut_at(float lo, float hi, uint32_t low)
{
    float cut = lo + (float)(low & 0xffffffu) * 0x1p-24f * (hi - lo);
    return cut >= hi ? lo : cut;
}

/* Does an_forest_kernels.encode() inline. Beside the two operations only the conversion to float rounds. */
AN_INLINE int an_encode_inline(const double *restrict x, const double *restrict origin, const double *restrict inverse,
                               uint32_t n, float *restrict code)
{
    uint64_t not_finite = 0;
    for (uint32_t i = 0; i < n; i++) {
        double v = (x[i] - origin[i]) * inverse[i];
        v = v > (double)AN_CODE_LIMIT ? (double)AN_CODE_LIMIT : v;
        v = v < -(double)AN_CODE_LIMIT ? -(double)AN_CODE_LIMIT : v;
        double raised = v == 0.0 ? 0.0 : copysign((double)AN_CODE_LEAST, v);
        v = fabs(v) < (double)AN_CODE_LEAST ? raised : v;
        code[i] = (float)v;
    }
    for (uint32_t i = 0; i < n; i++)
        not_finite |= an_not_finite(x[i]);
    return not_finite != 0;
}

/* Computes the gains of the cuts; returns the first of the best. */
AN_INLINE uint32_t an_gains_of(an_cuts *c, const an_sums *t, uint32_t n)
{
    uint32_t best = 0;
    for (uint32_t j = 0; j < AN_FOREST_LANES; j++) {
        double m = (double)c->present[j], b = (double)t->below[j], sum = (double)t->sum[j];
        double d = m * (double)t->left[j] - b * sum;
        double spread = b * (m - b) * (m * (double)t->square[j] - sum * sum);
        double gain = d * d / spread * (m / (double)n);
        c->gain[j] = c->hi[j] > c->lo[j] && spread > 0.0 ? (float)gain : 0.0f;
    }
    for (uint32_t j = 1; j < c->count; j++)
        best = c->gain[j] > c->gain[best] ? j : best;
    return best;
}

#endif
