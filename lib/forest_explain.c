/* SPDX-License-Identifier: MIT */
/* Which features made an event odd.
 *
 * Along a walk the expected path, (path so far) + weight * (typical path from here), begins at the tree's typical path and ends
 * at the event's; each step's change is due to the feature it looked at. Summed over the trees these changes are the whole
 * difference between the event's path and the typical one, so one factor turns them into shares of score - 0.5. What steps at
 * missing features changed, a matter of chance, is shared by the present ones. */
#include "forest.h"

#define HALF_LN_2 0.34657359027997264 /* the slope of 2^-x at 1 */

#define LEAVES 16u
#define CODED \
    1024u /* features of an event that is coded as a whole; of wider ones only what is looked at is, for the stack */
#define WALKERS 64u /* so many that what look() stores has arrived when step() loads it */

/* Walks down trees side by side, in loops without a branch that the compiler makes vectors of. */
typedef struct walkers {
    uint32_t first, count; /* of the trees */
    uint32_t at[WALKERS];  /* node, of all trees' */
    float weight[WALKERS], path[WALKERS], expected[WALKERS];
    /* the node it stands at */
    float cut[WALKERS], lo[WALKERS], hi[WALKERS], v[WALKERS];
    uint32_t link[WALKERS];
    float change[WALKERS];
} walkers;

static void start(walkers *w, const an_forest *f, uint32_t first)
{
    w->first = first;
    w->count = f->trees - first < WALKERS ? f->trees - first : WALKERS;
    for (uint32_t k = 0; k < w->count; k++) {
        w->at[k] = (first + k) * f->stride + 1;
        w->weight[k] = 1.0f;
        w->path[k] = 0.0f;
        w->expected[k] = f->typical[w->at[k]];
    }
}

typedef struct event {
    const double *x;
    const an_coding *coding;
    const float *code; /* NULL: too wide */
} event;

static float code_of(const event *e, uint32_t feature, uint32_t features)
{
    float code = AN_CODE_PAD;
    if (feature < features)
        an_encode_inline(e->x + feature, e->coding->origin + feature, e->coding->inverse + feature, 1, &code);
    return code;
}

static void look(walkers *w, const an_forest *f, const event *e)
{
    for (uint32_t k = 0; k < w->count; k++) {
        const an_node *node = &f->nodes[w->at[k]];
        w->cut[k] = node->cut;
        w->link[k] = node->link;
        w->lo[k] = node->lo;
        w->hi[k] = node->hi;
    }
    for (uint32_t k = 0; e->code && k < w->count; k++)
        w->v[k] = e->code[w->link[k] >> AN_LINK_FEATURE];
    for (uint32_t k = 0; !e->code && k < w->count; k++)
        w->v[k] = code_of(e, w->link[k] >> AN_LINK_FEATURE, f->features);
}

/* A leaf walks to itself and adds nothing. Comparisons are stored as masks: the compiler would branch on them, and be wrong
 * half of the time. */
static void step(walkers *w, const an_forest *f)
{
    const uint32_t features = f->features, stride = f->stride, first = w->first * stride;
    float factor[WALKERS], excess[WALKERS];
    uint32_t out[WALKERS], right[WALKERS], missing[WALKERS], inner[WALKERS];
    for (uint32_t k = 0; k < WALKERS; k++) {
        float v = w->v[k], below = w->lo[k] - v, above = v - w->hi[k], range = w->hi[k] - w->lo[k];
        excess[k] = below > above ? below : above;
        factor[k] = range * an_reciprocal(range + excess[k]);
    }
    for (uint32_t k = 0; k < WALKERS; k++) {
        out[k] = excess[k] > 0.0f ? UINT32_MAX : 0u;
        right[k] = w->v[k] > w->cut[k] ? 1u : 0u;
        missing[k] = w->v[k] != w->v[k] ? 1u : 0u;
        inner[k] = w->link[k] >> AN_LINK_FEATURE != features ? UINT32_MAX : 0u;
    }
    for (uint32_t k = 0; k < WALKERS; k++) {
        w->weight[k] *= an_choose(out[k], factor[k], 1.0f);
        w->path[k] += an_choose(inner[k], w->weight[k], 0.0f);
        w->at[k] = first + k * stride + (w->link[k] & AN_LINK_CHILD) + (right[k] | (missing[k] & w->link[k] >> 18));
    }
    for (uint32_t k = 0; k < w->count; k++) {
        float after = w->path[k] + w->weight[k] * f->typical[w->at[k]];
        w->change[k] = w->expected[k] - after;
        w->expected[k] = after;
    }
}

/* Adds the changes of the trees in that coding per feature to share; returns how many trees were not at a leaf. */
static uint32_t add_changes(const walkers *w, const an_forest *f, uint32_t side, float *share)
{
    uint32_t inner = 0;
    for (uint32_t k = 0; k < w->count; k++) {
        uint32_t feature = w->link[k] >> AN_LINK_FEATURE, leaf = feature == f->features;
        share[feature + (k % LEAVES & (0u - leaf))] +=
            f->older && f->tree_coding[w->first + k] != side ? 0.0f : w->change[k];
        inner += !leaf;
    }
    return inner;
}

/* Adds (typical - path) per feature of some trees in that coding to share. Behind the features there are places for leaves,
 * for additions to the same place wait for each other. Returns how many trees. */
static uint32_t explain_trees(const an_forest *f, uint32_t first, uint32_t side, const event *e, float *share)
{
    walkers w = {0};
    start(&w, f, first);
    for (uint32_t level = 0, inner = 1; level <= f->depth && inner; level++) {
        look(&w, f, e);
        step(&w, f);
        inner = add_changes(&w, f, side, share);
    }
    return w.count;
}

static void explain_paths(const an_forest *f, const double *x, float *share)
{
    float code[AN_CODE_ROOM(CODED)];
    for (uint32_t i = 0; i < f->features + LEAVES; i++)
        share[i] = 0.0f;
    for (uint32_t side = 0; side < 2; side++) {
        if (side != f->now && f->older == 0)
            continue;
        event e = {x, &f->coding[side], f->features <= CODED ? code : NULL};
        if (e.code)
            an_forest_encode(f, e.coding, x, code);
        for (uint32_t t = 0; t < f->trees;)
            t += explain_trees(f, t, side, &e, share);
    }
}

/* Gives what steps at missing features changed to the present ones. Returns the sum of all. */
static double share_strays(const double *x, uint32_t features, float *part)
{
    double sum = 0.0, strays = 0.0;
    uint32_t present = 0;
    for (uint32_t i = 0; i < features; i++) {
        sum += (double)part[i];
        strays += isnan(x[i]) ? (double)part[i] : 0.0;
        present += isnan(x[i]) ? 0u : 1u;
    }
    for (uint32_t i = 0; i < features; i++)
        part[i] = isnan(x[i]) ? 0.0f : (float)((double)part[i] + strays / present);
    return sum;
}

static double positive(double x)
{
    return x > 0.0 ? x : 0.0;
}

/* Near the typical path the sum is mostly rounding, and the slope is as good. */
static double slope_of(const an_forest *f, double sum, double score)
{
    double near = 1e-4 * f->forest_typical;
    return sum > near || sum < -near ? (score - 0.5) / sum : HALF_LN_2 / f->forest_typical;
}

/* What the features do alone, of the sign of the whole, comes first; if it is more than the whole it is made less. What it
 * leaves, the work of several features together, goes to those that the walks met it at. */
void an_forest_explain(const an_forest *f, const double *x, double score, double *share)
{
    float part[AN_FOREST_MAX_FEATURES + LEAVES];
    explain_paths(f, x, part);
    an_forest_alone(f, x, share);
    double sum = share_strays(x, f->features, part), sign = sum < 0.0 ? -1.0 : 1.0, alone = 0.0, met = 0.0;
    for (uint32_t i = 0; i < f->features; i++) {
        alone += positive(sign * share[i]);
        met += positive(sign * (double)part[i]);
    }
    double left = positive(sign * sum - alone), of_alone = left > 0.0 ? 1.0 : sign * sum / alone;
    double of_met = met > 0.0 ? left / met : 0.0, slope = sign * slope_of(f, sum, score);
    of_alone = alone > 0.0 ? of_alone : 0.0;
    for (uint32_t i = 0; i < f->features; i++)
        share[i] = slope * (of_alone * positive(sign * share[i]) + of_met * positive(sign * (double)part[i]));
}

uint32_t an_forest_main_cause(const an_forest *f, const double *x)
{
    float part[AN_FOREST_MAX_FEATURES + LEAVES];
    uint32_t most = f->features;
    explain_paths(f, x, part);
    for (uint32_t i = 0; i < f->features; i++)
        if (!isnan(x[i]) && (most == f->features || part[i] > part[most]))
            most = i;
    return most;
}
