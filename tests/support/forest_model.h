/* SPDX-License-Identifier: MIT
 * forest_model.h - the streaming isolation forest written the slow, obvious way: trees of allocated nodes, every value coded
 * when it is looked at, one loop a thing. It draws the random numbers of the library in the same order and rounds where the
 * library says that it rounds, so the scores must be the same, bit for bit; it shares no code with it. How a tree grows is in
 * forest_model_tree.h, explanations are in forest_model_explain.h. */
#ifndef FOREST_MODEL_H
#define FOREST_MODEL_H

#include "forest_model_tree.h"

/* ---- coding ---- */

static inline slow_coding *slow_coding_of(slow_coding *older, uint32_t values)
{
    slow_coding *g = slow_take(1, sizeof *g);
    *g = (slow_coding){older, values, slow_take(values, sizeof(double)), slow_take(values, sizeof(double))};
    return g;
}

static inline int slow_by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static inline double slow_median(double *v, size_t n)
{
    qsort(v, n, sizeof *v, slow_by_size);
    return v[n / 2];
}

static inline double slow_inverse(double spread)
{
    return spread > 0x1p1000 ? 0x1p-1000 : spread < 0x1p-1000 ? 0x1p1000 : 1 / spread;
}

/* Median of nine events and median distance from it; for want of one the last step, the size, or 1. */
static inline void slow_look(const slow_forest *f, uint32_t feature, double *origin, double *inverse)
{
    double v[SLOW_PROBES], spread;
    size_t n = 0;
    for (uint64_t k = 0; k < SLOW_PROBES; k++) {
        double x = slow_held(f, (k * f->held + f->held / 2) / SLOW_PROBES, feature);
        if (!isnan(x))
            v[n++] = x;
    }
    *origin = f->coding != NULL ? f->coding->origin[feature] : 0;
    *inverse = f->coding != NULL ? f->coding->inverse[feature] : 1;
    if (n == 0)
        return;
    *origin = slow_median(v, n);
    for (size_t k = 0; k < n; k++)
        v[k] = fabs(v[k] - *origin);
    spread = slow_median(v, n);
    if (spread == 0)
        spread = f->step[feature];
    if (spread == 0)
        spread = fabs(*origin);
    *inverse = slow_inverse(spread == 0 ? 1 : spread);
}

/* The part-th of so many looks: at its share of the groups of eight values. */
static inline void slow_look_at(slow_forest *f, uint64_t part, uint64_t parts)
{
    uint64_t groups = (f->values + 7) / 8;
    for (uint64_t i = part * groups / parts * 8; i < (part + 1) * groups / parts * 8 && i < f->values; i++) {
        double *origin = &f->pending->origin[i], *inverse = &f->pending->inverse[i], away, scale;
        slow_look(f, (uint32_t)i, origin, inverse);
        if (f->coding == NULL)
            continue;
        away = fabs((*origin - f->coding->origin[i]) * *inverse);
        scale = *inverse / f->coding->inverse[i];
        f->wanted |= !(away <= 256) || !(scale > 0x1p-20) || !(scale < 0x1p40);
    }
}

static inline void slow_adopt(slow_forest *f)
{
    f->pending->older = f->coding;
    f->coding = f->pending;
    f->pending = slow_coding_of(NULL, f->values);
    f->wanted = 0;
}

/* Trees of two codings at most: a change waits until the last change has reached every tree. */
static inline int slow_all_coded(const slow_forest *f)
{
    for (uint32_t t = 0; t < f->built; t++)
        if (f->tree[t].coding != f->coding)
            return 0;
    return 1;
}

static inline void slow_tend_coding(slow_forest *f)
{
    if (f->coding != NULL) {
        slow_look_at(f, f->check, SLOW_CHECK);
        f->check = (f->check + 1) % SLOW_CHECK;
        if (f->check == 0 && f->wanted && slow_all_coded(f))
            slow_adopt(f);
        return;
    }
    if (f->count < SLOW_FIRST)
        slow_look_at(f, f->count - SLOW_FIRST / 2, SLOW_FIRST / 2);
    else
        slow_adopt(f);
}

/* ---- the forest ---- */

static inline void slow_begin(slow_forest *f, const anomaly_config *c)
{
    uint32_t lags = c->lags > 1 ? (uint32_t)c->lags : 1;
    *f = (slow_forest){.values = c->features,
                       .lags = lags,
                       .features = c->features * lags,
                       .window = (uint32_t)c->window_events,
                       .trees = c->trees,
                       .sample = c->sample,
                       .depth = c->depth,
                       .candidates = c->candidates,
                       .guided = (uint32_t)(c->guided * 65536 + 0.5)};
    f->ring = slow_take((size_t)f->window * f->values, sizeof *f->ring);
    f->last = slow_take(f->values, sizeof *f->last);
    f->step = slow_take(f->values, sizeof *f->step);
    f->tree = slow_take(f->trees, sizeof *f->tree);
    f->pending = slow_coding_of(NULL, f->values);
    slow_seed(f, c->seed);
}

static inline void slow_free_coding(slow_coding *g)
{
    while (g != NULL) {
        slow_coding *older = g->older;
        free(g->origin);
        free(g->inverse);
        free(g);
        g = older;
    }
}

static inline void slow_end(slow_forest *f)
{
    for (uint32_t t = 0; t < f->trees; t++) {
        slow_fell(f->tree[t].root);
        free(f->tree[t].still);
    }
    slow_free_coding(f->coding);
    slow_free_coding(f->pending);
    free(f->ring);
    free(f->last);
    free(f->step);
    free(f->tree);
}

/* How many trees an event has coming, as a fraction of the events held. */
static inline uint64_t slow_rate(const slow_forest *f)
{
    if (f->count < 2 * SLOW_FIRST)
        return (uint64_t)f->trees * f->count / (2 * SLOW_FIRST);
    return f->trees < f->count ? f->trees : f->count;
}

static inline void slow_push(slow_forest *f, const double *x)
{
    double *slot = f->ring + (size_t)(f->seen % f->window) * f->values;
    for (uint32_t i = 0; i < f->values; i++) {
        double d = f->seen > 0 ? fabs(x[i] - f->last[i]) : 0;
        if (d > 0)
            f->step[i] = d;
        slot[i] = f->last[i] = x[i];
    }
    f->seen++;
    f->held += f->held < f->window;
    f->count = f->held < f->lags ? 0 : f->held - f->lags + 1;
}

static inline void slow_learn(slow_forest *f, const double *x)
{
    slow_push(f, x);
    if (f->count < SLOW_FIRST / 2)
        return;
    slow_tend_coding(f);
    if (f->count < SLOW_FIRST)
        return;
    for (f->credit += slow_rate(f); f->credit >= f->count; f->credit -= f->count)
        slow_grow_next(f);
}

static inline void slow_rebuild(slow_forest *f)
{
    if (f->count < 2)
        return;
    f->built = f->next = f->check = 0;
    f->credit = 0;
    for (uint32_t i = 0; i < f->values; i++)
        slow_look(f, i, &f->pending->origin[i], &f->pending->inverse[i]);
    slow_adopt(f);
    for (uint32_t t = 0; t < f->trees; t++)
        slow_grow_next(f);
}

static inline float slow_path(const slow_tree *t, const double *x)
{
    const slow_node *n = t->root;
    float weight = 1, path = 0;
    while (n->left != NULL) {
        float v = slow_code(t->coding, n->feature, x[n->feature]);
        weight *= slow_share(n->lo, n->hi, v);
        path += weight;
        n = (isnan(v) ? n->stray_right != 0 : v > n->cut) ? n->right : n->left;
    }
    return path + weight * n->value;
}

/* The fourth power of the share of trees where the feature is still. */
static inline float slow_weight(const slow_forest *f, uint32_t feature)
{
    float trees = 0, share;
    for (uint32_t t = 0; t < f->built; t++)
        trees += isnan(f->tree[t].still[feature]) ? 0 : 1;
    share = trees / (float)f->built;
    return share * share * (share * share);
}

static inline int slow_leaves(const slow_tree *t, uint32_t feature, double x)
{
    float v = slow_code(t->coding, feature, x);
    return !isnan(v) && !isnan(t->still[feature]) && v != t->still[feature];
}

/* What is left of the path for an event that leaves still features. */
static inline float slow_left(const slow_forest *f, const slow_tree *t, const double *x)
{
    float left = 1;
    for (uint32_t i = 0; i < f->features; i++)
        if (slow_leaves(t, i, x[i]))
            left *= 1 - slow_weight(f, i);
    return left;
}

/* Order of summation: tree t goes to lane t % 16, a float; the lanes are added in halves, as doubles. */
static inline double slow_score(const slow_forest *f, const double *x)
{
    float lane[SLOW_LANES] = {0};
    double sum[SLOW_LANES], typical = 0, relative;
    if (f->built == 0 || 3 * f->built < f->trees)
        return 0.5;
    for (uint32_t t = 0; t < f->built; t++) {
        lane[t % SLOW_LANES] += slow_path(&f->tree[t], x) * slow_left(f, &f->tree[t], x);
        typical += f->tree[t].typical;
    }
    for (int j = 0; j < SLOW_LANES; j++)
        sum[j] = (double)lane[j];
    for (int half = SLOW_LANES / 2; half > 0; half /= 2)
        for (int j = 0; j < half; j++)
            sum[j] += sum[j + half];
    relative = sum[0] / (typical > 0 ? typical : 1);
    return slow_power(relative > 0x1p-50 ? relative : 0x1p-50);
}

#endif
