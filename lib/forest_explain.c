/* SPDX-License-Identifier: MIT */
/* Which features made an event odd.
 *
 * Along a walk the expected path, (path so far) + weight * (typical path from here), begins at the tree's typical path and ends
 * at the event's; each step's change is due to the feature it looked at. Summed over the trees these changes are the whole
 * difference between the event's path and the typical one, so one factor turns them into shares of score - 0.5. What steps at
 * missing features changed, a matter of chance, is shared by the present ones. */
#include "forest.h"

#define HALF_LN_2 0.34657359027997264 /* the slope of 2^-x at 1 */

/* Adds (typical - path) per feature to share. */
static void explain_tree(const an_forest *f, uint32_t t, const float *code, double *share)
{
    const an_node *tree = f->nodes + (size_t)t * f->stride;
    const float *typical = f->typical + (size_t)t * f->stride;
    float weight = 1.0f, path = 0.0f;
    double expected = (double)typical[1];
    for (uint32_t at = 1; tree[at].link >> AN_LINK_FEATURE != f->features;) {
        const an_node *node = &tree[at];
        uint32_t feature = node->link >> AN_LINK_FEATURE;
        float v = code[feature];
        uint32_t right = v == v ? v > node->cut : (node->link & AN_LINK_STRAY) != 0;
        weight = weight * an_range_share(node->lo, node->hi, v);
        path = path + weight;
        at = (node->link & AN_LINK_CHILD) + right;
        double after = (double)path + (double)weight * (double)typical[at];
        share[feature] += expected - after;
        expected = after;
    }
}

static void explain_paths(const an_forest *f, const double *x, double *share)
{
    float code[AN_CODE_ROOM(AN_FOREST_MAX_FEATURES)];
    for (uint32_t i = 0; i < f->features; i++)
        share[i] = 0.0;
    for (uint32_t side = 0; side < 2; side++) {
        if (side != f->now && f->older == 0)
            continue;
        an_forest_encode(f, &f->coding[side], x, code);
        for (uint32_t t = 0; t < f->built; t++)
            if (f->tree_coding[t] == side)
                explain_tree(f, t, code, share);
    }
}

/* Takes the shares of missing features away and gives them to the others. Returns the sum of all. */
static double share_out(const double *x, uint32_t features, double *share)
{
    double sum = 0.0, strays = 0.0;
    uint32_t present = 0;
    for (uint32_t i = 0; i < features; i++) {
        sum += share[i];
        strays += isnan(x[i]) ? share[i] : 0.0;
        present += !isnan(x[i]);
    }
    for (uint32_t i = 0; i < features; i++)
        share[i] = isnan(x[i]) ? 0.0 : share[i] + strays / present;
    return sum;
}

/* Near the typical path the sum is mostly rounding, and the slope is as good. */
void an_forest_explain(const an_forest *f, const double *x, double score, double *share)
{
    double slope = HALF_LN_2 / f->forest_typical, near = 1e-4 * f->forest_typical;
    explain_paths(f, x, share);
    double sum = share_out(x, f->features, share);
    if (sum > near || sum < -near)
        slope = (score - 0.5) / sum;
    for (uint32_t i = 0; i < f->features; i++)
        share[i] *= slope;
}

uint32_t an_forest_main_cause(const an_forest *f, const double *x, double score)
{
    double share[AN_FOREST_MAX_FEATURES];
    uint32_t most = 0;
    an_forest_explain(f, x, score, share);
    for (uint32_t i = 1; i < f->features; i++)
        most = share[i] > share[most] ? i : most;
    return most;
}
