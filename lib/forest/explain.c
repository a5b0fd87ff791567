/* SPDX-License-Identifier: MIT */
/* Which features made an event odd.
 *
 * On its walk down a tree an event has at every node an expected path:
 *
 *     expected = (path so far) + weight * (typical path from this node on)
 *
 * At the root this is the tree's typical path, at the leaf the event's own path, and each step changes it. The change
 * is put down to the feature that the step looked at. Summed over the trees, the changes are the whole difference
 * between the event's path and the typical one. For example, in a tree with a typical path of 6:
 *
 *     at         looks at   path so far   weight   typical from here   expected   shorter by
 *     root       cpu             0          1             6               6
 *     node 2     memory          1          1             4               5        1 (cpu)
 *     node 5     cpu             1.25       0.25          3               2        3 (memory: out of range)
 *     a leaf                     1.5        0.25          2               2        0 (cpu)
 *
 * The walks met 1 for cpu and 3 for memory: 4 together, 6 - 2. Walks alone tell too little of many features, so
 * an_forest_explain() gives each feature f its part in three steps, where s is the sign of the whole change:
 *
 *     whole    = sum of met[f]                                     the change of the walks, 4 above
 *     alone[f] = what f does by itself (forest/alone.c)            where that has the sign s; 0 elsewhere; scaled
 *                                                                  down to |whole| in sum, if it is more
 *     share[f] = slope * (alone[f] + left * met[f] / sum of met)   left = |whole| - sum of alone: done together
 *
 * with slope = |score - 0.5| / |whole| and the sign s, so that the shares sum to score - 0.5. With alone = (0.5, 2.5),
 * 1 is left, of which cpu gets 1 * 1/4 and memory 1 * 3/4: 0.75 and 3.25 of 4. For a score of 0.75 the shares are
 * 0.047 and 0.203.
 *
 * What steps at missing features changed is a matter of chance: the present features share it in equal parts. With
 * lags the features are all that trees see, and the parts of a value and of those before it are added. */
#include "base/stack.h"
#include "forest/forest.h"

#define HALF_LN_2 0.34657359027997264 /* the slope of 2^-x at 1 */

/* What an explanation is found in: codes; a part of each feature, and of each lane (an_forest_kernels.explain); a
 * number of each feature, and when these are used no more three of each tree. */
#define LARGER(a, b) ((a) > (b) ? (a) : (b))
#define EXPLAIN_FLOATS(features, trees) \
    (AN_CODE_ROOM(features) + AN_CODE_SLACK + (features) + AN_FOREST_LANES + LARGER(features, 3 * (trees)))

#define GROUPS_OF_FOREST (AN_FOREST_MAX_TREES / AN_FOREST_LANES)

/* Sets a bit for each tree that is in the coding of that side. */
static void lanes_of(const an_forest *f, uint32_t side, uint16_t *lanes)
{
    for (uint32_t g = 0; g < f->trees_padded / AN_FOREST_LANES; g++) {
        uint32_t set = 0;
        for (uint32_t k = 0; k < AN_FOREST_LANES; k++)
            set |= (uint32_t)(f->tree_coding[g * AN_FOREST_LANES + k] == side) << k;
        lanes[g] = (uint16_t)(f->older ? set : 0xffffu);
    }
}

/* Adds up by how much each feature made the path shorter; behind the features the kernel needs a place for each
 * lane. */
static void explain_paths(const an_forest *f, const double *x, float *code, float *share)
{
    uint16_t lanes[GROUPS_OF_FOREST];
    for (uint32_t i = 0; i < f->features + AN_FOREST_LANES; i++)
        share[i] = 0.0f;
    for (uint32_t side = 0; side < 2; side++) {
        if (side != f->now && f->older == 0)
            continue;
        an_walk w = an_forest_walk(f, an_forest_encode(f, side, f->window->head, x, code));
        lanes_of(f, side, lanes);
        f->k.explain(&w, code, f->typical, lanes, share);
    }
}

/* Shares what steps at missing features changed among the present features. Returns the sum of all changes. */
static double share_strays(const float *code, uint32_t features, float *part)
{
    double sum = 0.0, strays = 0.0;
    uint32_t present = 0;
    for (uint32_t i = 0; i < features; i++) {
        sum += (double)part[i];
        strays += isnan(code[i]) ? (double)part[i] : 0.0;
        present += isnan(code[i]) ? 0u : 1u;
    }
    for (uint32_t i = 0; i < features; i++)
        part[i] = isnan(code[i]) ? 0.0f : (float)((double)part[i] + strays / present);
    return sum;
}

static double positive(double x)
{
    return x > 0.0 ? x : 0.0;
}

/* Returns the score for a unit of path. Near the typical path the sum is mostly rounding; there the slope of the curve
 * 2^-x is as good. */
static double slope_of(const an_forest *f, double sum, double score)
{
    double near = 1e-4 * f->forest_typical;
    return sum > near || sum < -near ? (score - 0.5) / sum : HALF_LN_2 / f->forest_typical;
}

/* Places the parts behind the codes, and what they are found by behind the parts. */
static float *parts_in(const an_forest *f, float *room)
{
    return room + AN_CODE_ROOM(f->features) + AN_CODE_SLACK;
}

static float *work_in(const an_forest *f, float *room)
{
    return parts_in(f, room) + f->features + AN_FOREST_LANES;
}

/* Finds the shares as the top of this file says: what features do alone first, then what is left by what walks met. */
static void explain_event(const an_forest *f, const double *x, double score, double *share, float *room)
{
    float *code = room, *part = parts_in(f, room), *work = work_in(f, room);
    explain_paths(f, x, code, part);
    an_forest_alone(f, x, code, work, share);
    an_forest_explain_still(f, x, code, work, part, share);
    double sum = share_strays(code, f->features, part), sign = sum < 0.0 ? -1.0 : 1.0, alone = 0.0, met = 0.0;
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

/* Adds up the shares of a value and of those before it. */
static void add_lags(const an_forest *f, const double *seen, double *share)
{
    memcpy(share, seen, f->values * sizeof *share);
    for (uint32_t i = f->values; i < f->features; i++)
        share[i % f->values] += seen[i];
}

static AN_OWN_STACK void explain_narrow(const an_forest *f, const double *x, double score, double *share)
{
    float room[EXPLAIN_FLOATS(AN_NARROW_FEATURES, AN_NARROW_TREES)];
    double seen[AN_NARROW_FEATURES];
    explain_event(f, x, score, seen, room);
    add_lags(f, seen, share);
}

static AN_OWN_STACK void explain_wide(const an_forest *f, const double *x, double score, double *share)
{
    float room[EXPLAIN_FLOATS(AN_FOREST_MAX_FEATURES, AN_FOREST_MAX_TREES)];
    double seen[AN_FOREST_MAX_FEATURES];
    explain_event(f, x, score, seen, room);
    add_lags(f, seen, share);
}

void an_forest_explain(const an_forest *f, const double *x, double score, double *share)
{
    if (an_forest_is_narrow(f))
        explain_narrow(f, x, score, share);
    else
        explain_wide(f, x, score, share);
}

/* Adds up the parts of a value and of those before it that are present; -infinity where none is. */
static float part_of_value(const an_forest *f, const float *code, const float *part, uint32_t value)
{
    float sum = -INFINITY;
    for (uint32_t i = value; i < f->features; i += f->values)
        if (!isnan(code[i]))
            sum = sum == -INFINITY ? part[i] : sum + part[i];
    return sum;
}

static uint32_t find_cause(const an_forest *f, const double *x, float *room)
{
    float *code = room, *part = parts_in(f, room), largest = -INFINITY;
    uint32_t most = 0;
    explain_paths(f, x, code, part);
    an_forest_explain_still(f, x, code, work_in(f, room), part, NULL);
    for (uint32_t i = 0; i < f->values; i++) {
        float whole = part_of_value(f, code, part, i);
        most = whole > largest ? i : most;
        largest = whole > largest ? whole : largest;
    }
    return most;
}

static AN_OWN_STACK uint32_t cause_narrow(const an_forest *f, const double *x)
{
    float room[EXPLAIN_FLOATS(AN_NARROW_FEATURES, AN_NARROW_TREES)];
    return find_cause(f, x, room);
}

static AN_OWN_STACK uint32_t cause_wide(const an_forest *f, const double *x)
{
    float room[EXPLAIN_FLOATS(AN_FOREST_MAX_FEATURES, AN_FOREST_MAX_TREES)];
    return find_cause(f, x, room);
}

uint32_t an_forest_main_cause(const an_forest *f, const double *x)
{
    return an_forest_is_narrow(f) ? cause_narrow(f, x) : cause_wide(f, x);
}
