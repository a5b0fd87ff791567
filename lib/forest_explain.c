/* SPDX-License-Identifier: MIT */
/* Which features made an event odd.
 *
 * Along a walk the expected path, (path so far) + weight * (typical path from here), begins at the tree's typical path and ends
 * at the event's; each step's change is due to the feature it looked at. Summed over the trees these changes are the whole
 * difference between the event's path and the typical one, so one factor turns them into shares of score - 0.5. What steps at
 * missing features changed, a matter of chance, is shared by the present ones. */
#include "forest.h"

#define HALF_LN_2 0.34657359027997264 /* the slope of 2^-x at 1 */

#define LANES AN_FOREST_LANES

/* Walks down 16 trees side by side, in loops without a branch that the compiler makes vectors of. */
typedef struct walkers {
    uint32_t at[LANES]; /* node, of all trees' */
    float weight[LANES], path[LANES], expected[LANES];
    /* the node it stands at */
    float cut[LANES], lo[LANES], hi[LANES], v[LANES];
    uint32_t link[LANES];
    float change[LANES];
} walkers;

static void start(walkers *w, const an_forest *f, uint32_t group)
{
    for (uint32_t k = 0; k < LANES; k++) {
        w->at[k] = (group * LANES + k) * f->stride + 1;
        w->weight[k] = 1.0f;
        w->path[k] = 0.0f;
        w->expected[k] = f->typical[w->at[k]];
    }
}

static void look(walkers *w, const an_forest *f, const float *code)
{
    for (uint32_t k = 0; k < LANES; k++) {
        const an_node *node = &f->nodes[w->at[k]];
        w->cut[k] = node->cut;
        w->link[k] = node->link;
        w->lo[k] = node->lo;
        w->hi[k] = node->hi;
        w->v[k] = code[node->link >> AN_LINK_FEATURE];
    }
}

/* a where `which` is all ones, b where it is 0. */
AN_INLINE float choose(uint32_t which, float a, float b)
{
    uint32_t x, y;
    memcpy(&x, &a, sizeof x);
    memcpy(&y, &b, sizeof y);
    x = (x & which) | (y & ~which);
    memcpy(&a, &x, sizeof a);
    return a;
}

/* A leaf walks to itself and adds nothing. */
static void step(walkers *w, const an_forest *f, uint32_t group)
{
    for (uint32_t k = 0; k < LANES; k++) {
        float v = w->v[k], below = w->lo[k] - v, above = v - w->hi[k], range = w->hi[k] - w->lo[k];
        float excess = below > above ? below : above, less = w->weight[k] * (range * an_reciprocal(range + excess));
        uint32_t inner = 0u - (uint32_t)((w->link[k] >> AN_LINK_FEATURE) != f->features);
        uint32_t right = (uint32_t)(v > w->cut[k]) | ((uint32_t)(v != v) & (w->link[k] >> 18 & 1u));
        w->weight[k] = choose(0u - (uint32_t)(excess > 0.0f), less, w->weight[k]);
        w->path[k] += choose(inner, w->weight[k], 0.0f);
        w->at[k] = (group * LANES + k) * f->stride + (w->link[k] & AN_LINK_CHILD) + right;
    }
    for (uint32_t k = 0; k < LANES; k++) {
        float after = w->path[k] + w->weight[k] * f->typical[w->at[k]];
        w->change[k] = w->expected[k] - after;
        w->expected[k] = after;
    }
}

/* Adds the changes of the trees in that coding per feature to share; returns how many trees were not at a leaf. */
static uint32_t add_changes(const walkers *w, const an_forest *f, uint32_t group, uint32_t side, float *share)
{
    uint32_t inner = 0;
    for (uint32_t k = 0; k < LANES; k++) {
        uint32_t feature = w->link[k] >> AN_LINK_FEATURE, leaf = feature == f->features;
        share[feature + (k & (0u - leaf))] += f->older && f->tree_coding[group * LANES + k] != side ? 0.0f : w->change[k];
        inner += !leaf;
    }
    return inner;
}

/* Adds (typical - path) per feature to share. Behind the features there is a place for a leaf of each lane, for additions to
 * the same place wait for each other. */
static void explain_group(const an_forest *f, uint32_t group, uint32_t side, const float *code, float *share)
{
    walkers w;
    start(&w, f, group);
    for (uint32_t level = 0, inner = 1; level <= f->depth && inner; level++) {
        look(&w, f, code);
        step(&w, f, group);
        inner = add_changes(&w, f, group, side, share);
    }
}

static void explain_paths(const an_forest *f, const double *x, float *share)
{
    float code[AN_CODE_ROOM(AN_FOREST_MAX_FEATURES)];
    for (uint32_t i = 0; i < f->features + LANES; i++)
        share[i] = 0.0f;
    for (uint32_t side = 0; side < 2; side++) {
        if (side != f->now && f->older == 0)
            continue;
        an_forest_encode(f, &f->coding[side], x, code);
        for (uint32_t g = 0; g < f->trees_padded / LANES; g++)
            explain_group(f, g, side, code, share);
    }
}

/* Takes the shares of missing features away and gives them to the others. Returns the sum of all. */
static double share_out(const double *x, uint32_t features, const float *part, double *share)
{
    double sum = 0.0, strays = 0.0;
    uint32_t present = 0;
    for (uint32_t i = 0; i < features; i++) {
        sum += (double)part[i];
        strays += isnan(x[i]) ? (double)part[i] : 0.0;
        present += isnan(x[i]) ? 0u : 1u;
    }
    for (uint32_t i = 0; i < features; i++)
        share[i] = isnan(x[i]) ? 0.0 : (double)part[i] + strays / present;
    return sum;
}

/* Near the typical path the sum is mostly rounding, and the slope is as good. */
void an_forest_explain(const an_forest *f, const double *x, double score, double *share)
{
    float part[AN_FOREST_MAX_FEATURES + LANES];
    double slope = HALF_LN_2 / f->forest_typical, near = 1e-4 * f->forest_typical;
    explain_paths(f, x, part);
    double sum = share_out(x, f->features, part, share);
    if (sum > near || sum < -near)
        slope = (score - 0.5) / sum;
    for (uint32_t i = 0; i < f->features; i++)
        share[i] *= slope;
}

uint32_t an_forest_main_cause(const an_forest *f, const double *x)
{
    float part[AN_FOREST_MAX_FEATURES + LANES];
    uint32_t most = f->features;
    explain_paths(f, x, part);
    for (uint32_t i = 0; i < f->features; i++)
        if (!isnan(x[i]) && (most == f->features || part[i] > part[most]))
            most = i;
    return most;
}
