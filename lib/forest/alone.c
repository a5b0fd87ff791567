/* SPDX-License-Identifier: MIT */
/* What each feature of an event does to the path by itself: the path to be expected when that feature is known and the
 * others are averaged, a cut of theirs sending the event to both sides in proportion to the sample's events there.
 *
 * That path differs from the typical one only at nodes that cut the feature: there it is (factor of the range) * (1 +
 * the typical path from the child), in place of the node's own typical path, and counts by the chance of coming there:
 * for each node above the sample's share of the side, or at one that cuts the same feature the factor or 0. One pass
 * over the tree in depth finds it for all features.
 *
 * Unlike the steps of one walk this does not miss a feature that the tree looks at below another branch, or once the
 * event has been cut off by something else: of a hundred features one that is odd is met by few walks. And how often a
 * feature is cut, and how near the roots, is chance: each one's change is taken as if all had been looked at as much
 * as their mean. */
#include "forest/forest.h"

#define LEVELS_OF_TREE      34u /* the depth, and a gate */
#define MOST_TIMES_LEVELLED 8.0 /* times that a feature's change is taken, at most */

/* The way from a node to a child. */
typedef struct way {
    uint32_t child, level, feature;
    float share; /* of the sample's events that went there */
    float known; /* what is left of an event whose feature is known */
    float reach; /* of the sample's events that came there from the root */
} way;

/* Of each feature. */
typedef struct effect {
    const float *code;
    double *change; /* of the path */
    float *looks;   /* the paths from the nodes that cut it, by the sample's events that come there */
} effect;

static float chance_of(const way *ways, uint32_t level, uint32_t feature)
{
    float mass = 1.0f;
    for (uint32_t k = 0; k < level; k++)
        mass *= ways[k].feature == feature ? ways[k].known : ways[k].share;
    return mass;
}

/* Looks at an inner node; adds to its feature's change and says which ways lead on. */
static void weigh_node(const an_forest *f, size_t tree, const way *at, const way *ways, const effect *e, way *left,
                       way *right)
{
    const an_node *node = &f->nodes[tree + at->child];
    const float *typical = f->typical + tree;
    const uint16_t *count = f->count + tree;
    uint32_t feature = node->link >> AN_LINK_FEATURE, child = node->link & AN_LINK_CHILD, level = at->level + 1;
    float v = e->code[feature], part = (float)count[child] / (float)count[at->child], rest = 1.0f - part;
    *left = (way){child, level, feature, part, part, at->reach * part};
    *right = (way){child + 1, level, feature, rest, rest, at->reach * rest};
    e->looks[feature] += at->reach * typical[at->child];
    if (v != v)
        return;
    int over = v > node->cut;
    float factor = an_range_share(node->lo, node->hi, v);
    left->known = over ? 0.0f : factor;
    right->known = over ? factor : 0.0f;
    e->change[feature] += (double)(chance_of(ways, at->level, feature) *
                                   (typical[at->child] - factor * (1.0f + typical[child + (uint32_t)over])));
}

/* The ways that lead to the node looked at lie in ways[0..level); those that wait, at most one a level, on a stack. */
static void add_tree(const an_forest *f, uint32_t t, const effect *e)
{
    size_t tree = (size_t)t * f->stride;
    way ways[LEVELS_OF_TREE], waiting[LEVELS_OF_TREE + 1];
    uint32_t n = 0;
    waiting[n++] = (way){.child = 1, .reach = 1.0f};
    while (n > 0) {
        way at = waiting[--n];
        if (at.level > 0)
            ways[at.level - 1] = at;
        if (f->nodes[tree + at.child].link >> AN_LINK_FEATURE == f->features)
            continue;
        weigh_node(f, tree, &at, ways, e, &waiting[n + 1], &waiting[n]);
        n += 2;
    }
}

/* As if all had been looked at as much; but what was hardly looked at, because it hardly varies, says little. */
static void level_looks(const effect *e, uint32_t features)
{
    double mean = 0.0;
    for (uint32_t i = 0; i < features; i++)
        mean += (double)e->looks[i] / (double)features;
    for (uint32_t i = 0; i < features; i++) {
        double looks = (double)e->looks[i];
        e->change[i] *= looks * MOST_TIMES_LEVELLED > mean ? mean / looks : MOST_TIMES_LEVELLED;
    }
}

void an_forest_alone(const an_forest *f, const double *x, float *code, float *looks, double *change)
{
    effect e = {code, change, looks};
    memset(change, 0, f->features * sizeof *change);
    memset(looks, 0, f->features * sizeof *looks);
    for (uint32_t side = 0; side < 2; side++) {
        if (side != f->now && f->older == 0)
            continue;
        an_forest_encode(f, &f->coding[side], x, code);
        for (uint32_t t = 0; t < f->built; t++)
            if (f->tree_coding[t] == side)
                add_tree(f, t, &e);
    }
    level_looks(&e, f->features);
}
