/* SPDX-License-Identifier: MIT */
/* Which features made an event odd.
 *
 * Along a walk the expected path, (path so far) + weight * (typical path from here), begins at the tree's typical path and ends
 * at the event's; each step's change is due to the feature it looked at. Summed over the trees these changes are the whole
 * difference between the event's path and the typical one, so one factor turns them into shares of score - 0.5. What steps at
 * missing features changed, a matter of chance, is shared by the present ones. */
#include "forest/forest.h"

#define HALF_LN_2 0.34657359027997264 /* the slope of 2^-x at 1 */

#define GROUPS_OF_FOREST (AN_FOREST_MAX_TREES / AN_FOREST_LANES)

/* The trees in that coding, a bit each. */
static void lanes_of(const an_forest *f, uint32_t side, uint16_t *lanes)
{
    for (uint32_t g = 0; g < f->trees_padded / AN_FOREST_LANES; g++) {
        uint32_t set = 0;
        for (uint32_t k = 0; k < AN_FOREST_LANES; k++)
            set |= (uint32_t)(f->tree_coding[g * AN_FOREST_LANES + k] == side) << k;
        lanes[g] = (uint16_t)(f->older ? set : 0xffffu);
    }
}

/* By how much each feature made the path shorter, and as many places more as the kernel wants. */
static void explain_paths(const an_forest *f, const double *x, float *share)
{
    float code[AN_CODE_ROOM(AN_FOREST_MAX_FEATURES)];
    uint16_t lanes[GROUPS_OF_FOREST];
    for (uint32_t i = 0; i < f->features + AN_FOREST_LANES; i++)
        share[i] = 0.0f;
    for (uint32_t side = 0; side < 2; side++) {
        if (side != f->now && f->older == 0)
            continue;
        an_walk w = an_forest_walk(f, an_forest_encode(f, &f->coding[side], x, code));
        lanes_of(f, side, lanes);
        f->k.explain(&w, code, f->typical, lanes, share);
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
    float part[AN_FOREST_MAX_FEATURES + AN_FOREST_LANES];
    explain_paths(f, x, part);
    an_forest_alone(f, x, share);
    an_forest_explain_still(f, x, part, share);
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
    float part[AN_FOREST_MAX_FEATURES + AN_FOREST_LANES];
    uint32_t most = f->features;
    explain_paths(f, x, part);
    an_forest_explain_still(f, x, part, NULL);
    for (uint32_t i = 0; i < f->features; i++)
        if (!isnan(x[i]) && (most == f->features || part[i] > part[most]))
            most = i;
    return most;
}
