/* SPDX-License-Identifier: MIT
 * forest_model_explain.h - the model of the forest: what each feature has to do with a score. */
#ifndef FOREST_MODEL_EXPLAIN_H
#define FOREST_MODEL_EXPLAIN_H

#include "forest_model.h"

/* What each step of a walk changed in the path that was to be expected. */
static inline void slow_explain_tree(const slow_tree *t, const double *x, double *met)
{
    const slow_node *n = t->root;
    double expected = (double)slow_typical(n), after;
    float weight = 1, path = 0;
    for (; n->left != NULL; expected = after) {
        uint32_t feature = n->feature;
        float v = slow_code(t->coding, feature, x[feature]);
        weight *= slow_share(n->lo, n->hi, v);
        path += weight;
        n = (isnan(v) ? n->stray_right != 0 : v > n->cut) ? n->right : n->left;
        after = (double)path + (double)weight * (double)slow_typical(n);
        met[feature] += expected - after;
    }
}

/* What leaving still features took off the tree's path, shared by their weights. */
static inline void slow_explain_still(const slow_forest *f, const slow_tree *t, const double *x, double *met)
{
    double off = (double)slow_path(t, x) * (1 - (double)slow_left(f, t, x)), weights = 0;
    for (uint32_t i = 0; i < f->features; i++)
        weights += slow_leaves(t, i, x[i]) ? (double)slow_weight(f, i) : 0;
    for (uint32_t i = 0; i < f->features; i++)
        met[i] += slow_leaves(t, i, x[i]) ? off * (double)slow_weight(f, i) / weights : 0;
}

/* What each feature has taken off the typical path. */
static inline void slow_met_alone(const slow_forest *f, const double *x, double *met)
{
    memset(met, 0, f->features * sizeof *met);
    for (uint32_t t = 0; t < f->built; t++) {
        slow_explain_tree(&f->tree[t], x, met);
        slow_explain_still(f, &f->tree[t], x, met);
    }
}

/* The same; the sum is that of all. What the missing ones did by going astray is shared equally by those that are
 * there. */
static inline double slow_met(const slow_forest *f, const double *x, double *met)
{
    double astray = 0, present = 0, total = 0;
    slow_met_alone(f, x, met);
    for (uint32_t i = 0; i < f->features; i++) {
        total += met[i];
        astray += isnan(x[i]) ? met[i] : 0;
        present += isnan(x[i]) ? 0 : 1;
    }
    for (uint32_t i = 0; i < f->features; i++)
        met[i] = isnan(x[i]) ? 0 : met[i] + astray / present;
    return total;
}

/* The path from here on when only one feature is known. */
static inline double slow_path_knowing(const slow_node *n, uint32_t feature, float v)
{
    if (n->left == NULL)
        return (double)n->value;
    if (n->feature == feature && !isnan(v))
        return (double)slow_share(n->lo, n->hi, v) * (1 + slow_path_knowing(v > n->cut ? n->right : n->left, feature, v));
    return 1 + (n->left->count * slow_path_knowing(n->left, feature, v) +
                n->right->count * slow_path_knowing(n->right, feature, v)) /
                   (n->left->count + (double)n->right->count);
}

/* The paths from the nodes that cut the feature, by the events that come there. */
static inline double slow_looks(const slow_node *n, uint32_t feature)
{
    double events = n->count;
    if (n->left == NULL || n->count == 0)
        return 0;
    return (n->feature == feature ? (double)slow_typical(n) : 0) + n->left->count / events * slow_looks(n->left, feature) +
           n->right->count / events * slow_looks(n->right, feature);
}

/* How much shorter each feature makes the path when it alone is known, had all been looked at as much. */
static inline void slow_alone(const slow_forest *f, const double *x, double *alone)
{
    double *looks = slow_take(f->features, sizeof *looks), mean = 0;
    memset(alone, 0, f->features * sizeof *alone);
    for (uint32_t i = 0; i < f->features; i++) {
        for (uint32_t t = 0; t < f->built; t++) {
            const slow_tree *tree = &f->tree[t];
            float v = slow_code(tree->coding, i, x[i]);
            alone[i] += (double)slow_typical(tree->root) - slow_path_knowing(tree->root, i, v);
            looks[i] += slow_looks(tree->root, i);
        }
        mean += looks[i] / f->features;
    }
    for (uint32_t i = 0; i < f->features; i++)
        alone[i] *= looks[i] > 0 ? fmin(mean / looks[i], 8) : 8; /* and no more than eightfold */
    for (uint32_t i = 0; i < f->features; i++)
        for (uint32_t t = 0; t < f->built; t++)
            alone[i] += slow_leaves(&f->tree[t], i, x[i]) ? (double)slow_weight(f, i) * f->tree[t].typical : 0;
    free(looks);
}

/* What the features do alone, of the sign of the whole and at most the whole; the rest where it was met. */
static inline void slow_explain(const slow_forest *f, const double *x, const double *met, double total, double *share)
{
    double alone = 0, rest = 0, sign = total < 0 ? -1 : 1, whole = fabs(total);
    slow_alone(f, x, share);
    for (uint32_t i = 0; i < f->features; i++) {
        share[i] = fmax(sign * share[i], 0);
        alone += share[i];
        rest += fmax(sign * met[i], 0);
    }
    for (uint32_t i = 0; i < f->features; i++)
        if (alone >= whole)
            share[i] *= sign * whole / alone;
        else
            share[i] = sign * (share[i] + (whole - alone) * fmax(sign * met[i], 0) / rest);
}

#endif
