/* SPDX-License-Identifier: MIT
 * forest_model_tree.h - the model of the forest: random numbers, arithmetic, and how a tree grows. */
#ifndef FOREST_MODEL_TREE_H
#define FOREST_MODEL_TREE_H

#include "anomaly.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { SLOW_PROBES = 9, SLOW_CHECK = 512, SLOW_FIRST = 16, SLOW_TRIES = 8, SLOW_LANES = 16 };

typedef struct slow_node {
    struct slow_node *left, *right; /* both NULL: a leaf */
    uint32_t feature, count;
    uint32_t stray_right; /* where a missing value goes */
    float cut, lo, hi;
    float value; /* leaf: what is added to the path */
} slow_node;

/* code = (x - origin) * inverse; kept until the end, since trees refer to it. */
typedef struct slow_coding {
    struct slow_coding *older;
    uint32_t values;
    double *origin, *inverse; /* of the values, whichever event before they come from */
} slow_coding;

typedef struct slow_tree {
    slow_node *root;
    const slow_coding *coding;
    double typical;
    float *still; /* of each feature what the whole sample has; NaN where it differs */
} slow_tree;

typedef struct slow_forest {
    uint32_t values, lags, features;                           /* features: values of the newest `lags` events */
    uint32_t window, trees, sample, depth, candidates, guided; /* guided: of 65536 */
    uint32_t held, count, built, next; /* count: of the events held those with lags - 1 before them */
    uint64_t seen, credit, rng[4];
    double *ring, *last, *step;
    slow_tree *tree;
    slow_coding *coding;  /* of trees grown from now on; NULL: none yet */
    slow_coding *pending; /* being looked for */
    uint32_t check, effort;
    int wanted;
} slow_forest;

/* ---- random numbers: xoshiro256**, seeded by splitmix64 ---- */

static inline uint64_t slow_turn(uint64_t x, int k)
{
    return x << k | x >> (64 - k);
}

static inline uint64_t slow_next(slow_forest *f)
{
    uint64_t *s = f->rng, answer = slow_turn(s[1] * 5, 7) * 9, shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = slow_turn(s[3], 45);
    return answer;
}

static inline void slow_seed(slow_forest *f, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);
        z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
        f->rng[i] = z ^ z >> 31;
    }
}

/* 0 .. n-1 from the high half of a draw: a draw whose product falls into the uneven rest is thrown away. */
static inline uint32_t slow_below(slow_forest *f, uint32_t n, uint32_t *low_half)
{
    uint64_t uneven = (UINT64_C(1) << 32) % n;
    for (;;) {
        uint64_t r = slow_next(f), product = (r >> 32) * n;
        *low_half = (uint32_t)r;
        if ((product & UINT32_MAX) >= uneven)
            return (uint32_t)(product >> 32);
    }
}

/* ---- arithmetic ---- */

/* Expected path of an unsuccessful search among n: 2 (H(n-1)) - 2 (n-1)/n. */
static inline double slow_expected_path(uint32_t n)
{
    double h = 0;
    for (uint32_t k = 1; k < n; k++)
        h += 1.0 / (double)k;
    return n < 2 ? 0 : 2 * h - 2 * (double)(n - 1) / (double)n;
}

/* 2^-x: a power of two times the series of 2^r, highest term first; the coefficients are (ln 2)^k / k!. */
static inline double slow_power(double x)
{
    static const double SERIES[] = {6.9314718055994530942e-1, 2.4022650695910071233e-1,  5.5504108664821579953e-2,
                                    9.6181291076284771620e-3, 1.3333558146428443423e-3,  1.5403530393381609954e-4,
                                    1.5252733804059840280e-5, 1.3215486790144309488e-6,  1.0178086009239699727e-7,
                                    7.0549116208011233299e-9, 4.4455382718708114976e-10, 2.5678435993488205142e-11,
                                    1.3691488853904128881e-12};
    double whole = floor(x + 0.5), r = whole - x, sum = 0;
    for (int k = 12; k >= 0; k--)
        sum = (sum + SERIES[k]) * r;
    return ldexp(1 + sum, -(int)whole);
}

/* About 1/x: the bits subtracted from a constant, and two steps of Newton. */
static inline float slow_reciprocal(float x)
{
    uint32_t bits;
    float y;
    memcpy(&bits, &x, sizeof bits);
    bits = UINT32_C(0x7ef311c7) - bits;
    memcpy(&y, &bits, sizeof y);
    for (int i = 0; i < 2; i++)
        y = y * (2 - x * y);
    return y;
}

/* The chance that a uniform cut of the range, stretched to reach v, lies inside the range. */
static inline float slow_share(float lo, float hi, float v)
{
    float out = v < lo ? lo - v : v > hi ? v - hi : 0;
    return out > 0 ? (hi - lo) * slow_reciprocal(hi - lo + out) : 1;
}

static inline float slow_code(const slow_coding *g, uint32_t feature, double x)
{
    double v = (x - g->origin[feature % g->values]) * g->inverse[feature % g->values];
    if (isnan(v))
        return NAN;
    v = fmin(fmax(v, -0x1p40), 0x1p40);
    return v == 0 ? 0 : (float)copysign(fmax(fabs(v), 0x1p-100), v);
}

/* ---- growing a tree: a queue of nodes, first in first out ---- */

typedef struct slow_branch {
    slow_node *node;
    uint32_t *rows, n, level;
    int below_gate;
} slow_branch;

/* Events held, the oldest is 0. */
static inline double slow_held(const slow_forest *f, uint64_t place, uint32_t value)
{
    return f->ring[(f->seen - f->held + place) % f->window * f->values + value];
}

/* Events that trees see are named by their age, the oldest is 0; the newest values are the first features. */
static inline double slow_event(const slow_forest *f, uint64_t age, uint32_t feature)
{
    return slow_held(f, f->lags - 1 + age - feature / f->values, feature % f->values);
}

/* What trees see of an event that comes next. */
static inline void slow_see(const slow_forest *f, const double *x, double *seen)
{
    for (uint32_t i = 0; i < f->features; i++)
        seen[i] = i < f->values             ? x[i]
                  : f->held < i / f->values ? NAN
                                            : slow_held(f, f->held - i / f->values, i % f->values);
}

static inline float slow_value(const slow_forest *f, uint32_t age, uint32_t feature)
{
    return slow_code(f->coding, feature, slow_event(f, age, feature));
}

/* Range and place of a cut of this feature; 0 if there is nothing to cut. Answers the present values in *present. */
static inline int slow_try(const slow_forest *f, const slow_branch *b, uint32_t feature, uint32_t random, slow_node *cut,
                           uint32_t *present)
{
    *present = 0;
    cut->lo = INFINITY;
    cut->hi = -INFINITY;
    for (uint32_t i = 0; i < b->n; i++) {
        float v = slow_value(f, b->rows[i], feature);
        *present += isnan(v) ? 0 : 1;
        cut->lo = fminf(cut->lo, v);
        cut->hi = fmaxf(cut->hi, v);
    }
    cut->feature = feature;
    cut->stray_right = random >> 24; /* drawn here, decided when the sides are known */
    if (!(cut->lo < cut->hi))
        return 0;
    cut->cut = cut->lo + (float)(random % (1u << 24)) * 0x1p-24f * (cut->hi - cut->lo);
    if (cut->cut >= cut->hi)
        cut->cut = cut->lo;
    return 1;
}

/* Share of the feature's variance that the cut explains, less where values are missing. Sums are floats, in order. */
static inline float slow_gain(const slow_forest *f, const slow_branch *b, const slow_node *cut, uint32_t present)
{
    float left_sum = 0, sum = 0, squares = 0, centre = 0.5f * (cut->lo + cut->hi), left = 0;
    double n = present, a, between, within;
    for (uint32_t i = 0; i < b->n; i++) {
        float v = slow_value(f, b->rows[i], cut->feature), z = v - centre;
        if (isnan(v))
            continue;
        if (v <= cut->cut) {
            left++;
            left_sum += z;
        }
        sum += z;
        squares += z * z;
    }
    a = left;
    between = n * left_sum - a * sum;
    within = a * (n - a) * (n * squares - (double)sum * sum);
    return within > 0 ? (float)(between * between / within * (n / (double)b->n)) : 0;
}

static inline int slow_guided(slow_forest *f, const slow_branch *b, slow_node *chosen)
{
    float most = 0;
    for (uint32_t k = 0; k < f->candidates; k++) {
        slow_node cut = *chosen;
        uint32_t random, present, feature = slow_below(f, f->features, &random);
        float gain = slow_try(f, b, feature, random, &cut, &present) ? slow_gain(f, b, &cut, present) : 0;
        if (gain > most) {
            most = gain;
            *chosen = cut;
        }
    }
    return most > 0;
}

static inline int slow_random(slow_forest *f, const slow_branch *b, slow_node *cut)
{
    uint32_t random = 0, present, feature = 0;
    for (int k = 0; k < SLOW_TRIES; k++) {
        feature = slow_below(f, f->features, &random);
        if (slow_try(f, b, feature, random, cut, &present))
            return 1;
    }
    for (uint32_t k = 0; k < f->features && f->effort >= b->n; k++) {
        f->effort -= b->n;
        feature = (feature + 1) % f->features;
        if (slow_try(f, b, feature, random, cut, &present))
            return 1;
    }
    return 0;
}

static inline int slow_choose(slow_forest *f, const slow_branch *b, slow_node *cut)
{
    if (b->n > 2 && slow_next(f) >> 48 < f->guided && slow_guided(f, b, cut))
        return 1;
    return slow_random(f, b, cut);
}

static inline void *slow_take(size_t count, size_t size)
{
    void *memory = calloc(count + 1, size);
    if (memory == NULL)
        abort();
    return memory;
}

static inline slow_branch slow_child(slow_node **child, uint32_t room, uint32_t level)
{
    *child = slow_take(1, sizeof **child);
    return (slow_branch){.node = *child, .rows = slow_take(room, sizeof(uint32_t)), .level = level};
}

/* All events alike: one random feature is looked at, and only who equals them counts as one of them. */
static inline int slow_gate(slow_forest *f, const slow_branch *b, slow_branch out[2])
{
    slow_node *node = b->node;
    uint32_t random, present, feature = slow_below(f, f->features, &random);
    if (slow_try(f, b, feature, random, node, &present) || present == 0)
        return 0;
    node->stray_right = 0;
    node->hi = node->cut = node->lo;
    out[0] = slow_child(&node->left, b->n, 0);
    out[1] = slow_child(&node->right, 0, 0);
    memcpy(out[0].rows, b->rows, b->n * sizeof *b->rows);
    out[0].n = b->n;
    out[0].below_gate = out[1].below_gate = 1;
    return 1;
}

static inline void slow_part(const slow_forest *f, const slow_branch *b, slow_branch out[2])
{
    slow_node *node = b->node;
    uint64_t present = 0, right = 0;
    for (uint32_t i = 0; i < b->n; i++) {
        float v = slow_value(f, b->rows[i], node->feature);
        present += isnan(v) ? 0 : 1;
        right += v > node->cut;
    }
    node->stray_right = node->stray_right * present < right * 256;
    out[0] = slow_child(&node->left, b->n, b->level + 1);
    out[1] = slow_child(&node->right, b->n, b->level + 1);
    for (uint32_t i = 0; i < b->n; i++) {
        float v = slow_value(f, b->rows[i], node->feature);
        slow_branch *side = &out[isnan(v) ? node->stray_right != 0 : v > node->cut];
        side->rows[side->n++] = b->rows[i];
    }
}

/* Splits a branch in two, or makes it a leaf and answers 0. */
static inline int slow_split(slow_forest *f, const slow_branch *b, slow_branch out[2])
{
    b->node->count = b->n;
    b->node->value = (float)slow_expected_path(b->n);
    if (b->below_gate) /* who came through takes the gate's own step off again */
        b->node->value = b->n > 0 ? (float)(slow_expected_path(b->n) - 1) : 0;
    if (b->below_gate || b->n < 2 || b->level == f->depth)
        return 0;
    if (!slow_choose(f, b, b->node))
        return slow_gate(f, b, out);
    slow_part(f, b, out);
    return 1;
}

static inline slow_node *slow_grow(slow_forest *f, uint32_t *rows, uint32_t n)
{
    slow_branch *queue = slow_take(2 * (size_t)n + 4, sizeof *queue);
    slow_node *root = slow_take(1, sizeof *root);
    size_t end = 1;
    queue[0] = (slow_branch){.node = root, .rows = rows, .n = n};
    for (size_t i = 0; i < end; i++) {
        end += slow_split(f, &queue[i], queue + end) ? 2 : 0;
        free(queue[i].rows);
    }
    free(queue);
    return root;
}

static inline void slow_fell(slow_node *n)
{
    if (n == NULL)
        return;
    slow_fell(n->left);
    slow_fell(n->right);
    free(n);
}

/* Mean path, from here on, of the events that the tree was grown from. */
static inline float slow_typical(const slow_node *n)
{
    float a, b;
    if (n->left == NULL)
        return n->value;
    a = (float)n->left->count;
    b = (float)n->right->count;
    return 1 + (a * slow_typical(n->left) + b * slow_typical(n->right)) / (a + b);
}

/* Where all of the sample are alike; a missing value is like no other. */
static inline void slow_note_still(const slow_forest *f, slow_tree *t, const uint32_t *rows, uint32_t n)
{
    free(t->still);
    t->still = slow_take(f->features, sizeof *t->still);
    for (uint32_t i = 0; i < f->features; i++) {
        t->still[i] = slow_value(f, rows[0], i);
        for (uint32_t k = 0; k < n; k++)
            if (slow_value(f, rows[k], i) != t->still[i])
                t->still[i] = NAN;
    }
}

/* A sample: one event from each of equal stretches of the window. */
static inline void slow_grow_next(slow_forest *f)
{
    uint32_t n = f->count, m = f->sample < n ? f->sample : n, random;
    uint32_t *rows = slow_take(m, sizeof *rows);
    slow_tree *t = &f->tree[f->next];
    for (uint32_t k = 0; k < m; k++) {
        uint32_t from = (uint32_t)((uint64_t)k * n / m), to = (uint32_t)((uint64_t)(k + 1) * n / m);
        rows[k] = to - from > 1 ? from + slow_below(f, to - from, &random) : from;
    }
    slow_fell(t->root);
    slow_note_still(f, t, rows, m);
    f->effort = 64 * m + 4096;
    t->root = slow_grow(f, rows, m);
    t->typical = (double)slow_typical(t->root);
    t->coding = f->coding;
    f->built += f->next == f->built;
    f->next = (f->next + 1) % f->trees;
}

#endif
