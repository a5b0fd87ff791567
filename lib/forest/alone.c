/* SPDX-License-Identifier: MIT */
/* Finds what each feature of an event does to the path by itself: how the expected path changes when only that feature
 * is known. At a cut of the known feature the event goes to its side; at a cut of another feature it goes to both
 * sides, in proportion to the sample's events there.
 *
 * Such a path differs from the typical one only at nodes that cut the known feature. There the change is
 *
 *     chance * (typical path of the node - factor * (1 + typical path of the child on the event's side))
 *
 *     factor   of the node's range, as on a walk (kernels/kernels.h)
 *     chance   of coming to the node: the product over the nodes above it. A node that cuts another feature gives the
 *              share of the sample on the way's side; a node that cuts the known feature gives its factor on the
 *              event's side and 0 on the other
 *
 * One pass over a tree finds the changes of all features.
 *
 * The steps of a walk miss a feature that the tree cuts only in another branch, or below a cut that has already
 * isolated the event: of a hundred features, few walks meet the single odd one. This method misses none. How often and
 * how near the root a feature is cut is a matter of chance, so each feature's change is scaled as if all features had
 * been looked at equally much. */
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

/* What the pass adds up for each feature. */
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

/* Adds what an inner node changes for the feature that it cuts; *left and *right get the ways that lead on. */
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

/* Adds what a tree changes, depth first: ways[0..level) lead to the present node; `waiting` is the stack of ways not
 * taken yet, at most one for each level. */
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

/* Scales each feature's change as if all features had been looked at equally much, but a feature that was hardly
 * looked at, because it hardly varies, at most MOST_TIMES_LEVELLED times. */
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
        an_forest_encode(f, side, f->window->head, x, code);
        for (uint32_t t = 0; t < f->built; t++)
            if (f->tree_coding[t] == side)
                add_tree(f, t, &e);
    }
    level_looks(&e, f->features);
}
