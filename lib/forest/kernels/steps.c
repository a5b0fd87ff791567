/* SPDX-License-Identifier: MIT */
/* The steps of an event's walks, for explanations: without vectors of its own, in loops without a branch that the
 * compiler makes vectors of. */
#include "forest/kernels/kernels.h"

#define WALKERS          \
    (AN_EXPLAIN_GROUPS * \
     AN_FOREST_LANES) /* so many that what load_nodes() stores has arrived when step_walkers() loads it */

/* Walks down trees side by side. */
typedef struct walkers {
    uint32_t first, count; /* of the trees */
    uint32_t at[WALKERS];  /* node, of all trees' */
    float weight[WALKERS], path[WALKERS], expected[WALKERS];
    /* the node it stands at */
    float cut[WALKERS], lo[WALKERS], hi[WALKERS], v[WALKERS];
    uint32_t link[WALKERS], feature[WALKERS];
    float change[WALKERS];
} walkers;

static void start_walkers(walkers *s, const an_walk *w, const float *typical, uint32_t group)
{
    uint32_t groups = w->groups - group < AN_EXPLAIN_GROUPS ? w->groups - group : AN_EXPLAIN_GROUPS;
    s->first = group * AN_FOREST_LANES;
    s->count = groups * AN_FOREST_LANES;
    for (uint32_t k = 0; k < s->count; k++) {
        s->at[k] = (s->first + k) * w->stride + 1;
        s->weight[k] = 1.0f;
        s->path[k] = 0.0f;
        s->expected[k] = typical[s->at[k]];
    }
}

static void load_nodes(walkers *s, const an_walk *w, const float *code)
{
    for (uint32_t k = 0; k < s->count; k++) {
        const an_node *node = &w->nodes[s->at[k]];
        s->cut[k] = node->cut;
        s->link[k] = node->link;
        s->lo[k] = node->lo;
        s->hi[k] = node->hi;
    }
    for (uint32_t k = 0; k < s->count; k++) {
        s->feature[k] = s->link[k] >> AN_LINK_FEATURE;
        s->v[k] = code[s->feature[k]];
    }
}

/* A leaf walks to itself and adds nothing. Comparisons are stored as masks: the compiler would branch on them, and be
 * wrong half of the time. */
static void step_walkers(walkers *s, const an_walk *w, const float *typical)
{
    const uint32_t features = w->features, stride = w->stride, first = s->first * stride;
    float factor[WALKERS], excess[WALKERS];
    uint32_t out[WALKERS], right[WALKERS], missing[WALKERS], inner[WALKERS];
    for (uint32_t k = 0; k < WALKERS; k++) {
        float v = s->v[k], below = s->lo[k] - v, above = v - s->hi[k], range = s->hi[k] - s->lo[k];
        excess[k] = below > above ? below : above;
        factor[k] = range * an_reciprocal(range + excess[k]);
    }
    for (uint32_t k = 0; k < WALKERS; k++) {
        out[k] = excess[k] > 0.0f ? UINT32_MAX : 0u;
        right[k] = s->v[k] > s->cut[k] ? 1u : 0u;
        missing[k] = s->v[k] != s->v[k] ? 1u : 0u;
        inner[k] = s->feature[k] != features ? UINT32_MAX : 0u;
    }
    for (uint32_t k = 0; k < WALKERS; k++) {
        s->weight[k] *= an_choose(out[k], factor[k], 1.0f);
        s->path[k] += an_choose(inner[k], s->weight[k], 0.0f);
        s->at[k] = first + k * stride + (s->link[k] & AN_LINK_CHILD) + (right[k] | (missing[k] & s->link[k] >> 18));
    }
    for (uint32_t k = 0; k < s->count; k++) {
        float after = s->path[k] + s->weight[k] * typical[s->at[k]];
        s->change[k] = s->expected[k] - after;
        s->expected[k] = after;
    }
}

/* Adds the changes of the trees that count; returns how many trees were not at a leaf. */
static uint32_t add_changes(const walkers *s, const an_walk *w, const uint16_t *lanes, float *share)
{
    uint32_t inner = 0;
    for (uint32_t k = 0; k < s->count; k += AN_FOREST_LANES) {
        uint32_t place[AN_FOREST_LANES];
        float change[AN_FOREST_LANES];
        for (uint32_t j = 0; j < AN_FOREST_LANES; j++) {
            uint32_t feature = s->feature[k + j], leaf = feature == w->features;
            change[j] = *lanes >> j & 1 ? s->change[k + j] : 0.0f;
            place[j] = feature + (j & (0u - leaf));
            inner += !leaf;
        }
        an_add_changes(place, change, share);
        lanes++;
    }
    return inner;
}

void an_explain_portable(const an_walk *w, const float *code, const float *typical, const uint16_t *lanes, float *share)
{
    walkers s = {0};
    for (uint32_t g = 0; g < w->groups; g += AN_EXPLAIN_GROUPS) {
        start_walkers(&s, w, typical, g);
        for (uint32_t level = 0, inner = 1; level <= w->depth && inner; level++) {
            load_nodes(&s, w, code);
            step_walkers(&s, w, typical);
            inner = add_changes(&s, w, lanes + g, share);
        }
    }
}
