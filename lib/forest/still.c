/* SPDX-License-Identifier: MIT */
/* Still features: a feature is still in a tree when all events of the tree's sample have the same value of it.
 *
 * The tree cannot cut a still feature, so its walk does not see an event with another value: errors have been 0 for
 * hours, and now there are 5000. So each tree remembers the value of each of its still features. An event with another
 * value is said to leave the feature, which shortens the event's path in the tree, however far the value is away:
 *
 *     path = path * product of (1 - w) over the still features that the event leaves
 *     w    = (share of trees in which the feature is still)^4
 *
 * Where no event of this window and of the window before (from which the oldest trees were grown) had another value,
 * the feature is still in all trees: w is 1, the path 0, the score just below 1. Where one event in 200 has another
 * value, the feature is still in 62 % of the trees by chance (with a sample of 96) and w is 0.15: such a value is
 * rare, not unheard of. The fourth power was chosen on the streams of docs/forest.md: smaller powers find more where
 * rare values are anomalies (mnist, campaign), and flag more where rare values are ordinary (http).
 *
 * Cost: scoring an event compares each feature that is still in some tree once. Growing a tree compares the events of
 * its sample until no feature is still: for continuous features that takes two events. */
#include "forest/forest.h"

#define TREES_TOGETHER 256u /* those that an event leaves are looked at so many at a time: 1 KB of stack */

void an_forest_clear_still(an_forest *f)
{
    for (size_t i = 0; i < (size_t)f->features * f->trees_padded; i++)
        f->still[i] = NAN;
    for (uint32_t i = 0; i < f->features; i++) {
        f->usual[i] = NAN;
        f->still_trees[i] = 0;
    }
    f->still_count = 0;
}

void an_forest_copy_still(an_forest *to, const an_forest *from)
{
    size_t features = to->features;
    memcpy(to->still, from->still, features * to->trees_padded * sizeof *to->still);
    memcpy(to->usual, from->usual, features * sizeof *to->usual);
    memcpy(to->still_trees, from->still_trees, features * sizeof *to->still_trees);
    memcpy(to->still_list, from->still_list, features * sizeof *to->still_list);
}

/* ---- growing ---- */

/* Finds the value that all trees in which the feature is still have for it; NaN if they have several. */
static float usual_of(const an_forest *f, const float *still)
{
    float usual = NAN;
    for (uint32_t t = 0; t < f->trees; t++) {
        if (still[t] == still[t] && usual == usual && still[t] != usual)
            return NAN;
        usual = still[t] == still[t] ? still[t] : usual;
    }
    return usual;
}

static int is_same(float a, float b)
{
    return a == b || (a != a && b != b);
}

void an_forest_put_still(an_forest *f, uint32_t t, uint32_t feature, float value)
{
    float *still = an_forest_still_of(f, feature);
    f->still_trees[feature] += (uint32_t)(value == value) - (uint32_t)(still[t] == still[t]);
    still[t] = value;
}

/* Sets a tree's still value of a feature (NaN: it is not still) and brings the usual value up to date. The other trees
 * are compared only where their values differed before, or where the new value differs from the usual one. */
static void change_still(an_forest *f, uint32_t t, uint32_t feature, float value)
{
    float *usual = &f->usual[feature];
    if (is_same(an_forest_still_of(f, feature)[t], value))
        return;
    an_forest_put_still(f, t, feature, value);
    if (f->still_trees[feature] == 0)
        *usual = NAN;
    else if (*usual != *usual || (value == value && value != *usual))
        *usual = usual_of(f, an_forest_still_of(f, feature));
}

static void list_still(an_forest *f)
{
    f->still_count = 0;
    for (uint32_t i = 0; i < f->features; i++)
        if (f->still_trees[i] > 0)
            f->still_list[f->still_count++] = i;
}

void an_forest_settle_still(an_forest *f)
{
    list_still(f);
    for (uint32_t k = 0; k < f->still_count; k++)
        f->usual[f->still_list[k]] = usual_of(f, an_forest_still_of(f, f->still_list[k]));
}

/* Lists the features that have one value in all rows in f->alike; returns how many there are. */
static uint32_t find_alike(an_forest *f, const an_row *row, uint32_t n)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < f->features; i++) {
        f->alike[count] = i;
        count += row[0][i] == row[n - 1][i];
    }
    for (uint32_t k = 1; k + 1 < n && count > 0; k++) {
        uint32_t left = 0;
        for (uint32_t j = 0; j < count; j++) {
            uint32_t i = f->alike[j];
            f->alike[left] = i;
            left += row[k][i] == row[0][i];
        }
        count = left;
    }
    return count;
}

/* Takes away the still values of the tree for features that are not among the first `alike` of f->alike. */
static void clear_others(an_forest *f, uint32_t t, uint32_t alike)
{
    for (uint32_t k = 0, j = 0; k < f->still_count; k++) {
        uint32_t i = f->still_list[k];
        while (j < alike && f->alike[j] < i)
            j++;
        if (j == alike || f->alike[j] != i)
            change_still(f, t, i, NAN);
    }
}

void an_forest_find_still(an_forest *f, uint32_t t, const an_row *row, uint32_t n)
{
    uint32_t alike = find_alike(f, row, n);
    if (alike == 0 && f->still_count == 0)
        return;
    clear_others(f, t, alike);
    for (uint32_t j = 0; j < alike; j++)
        change_still(f, t, f->alike[j], row[0][f->alike[j]]);
    list_still(f);
}

/* ---- scoring ---- */

static int leaves_usual(const an_forest *f, uint32_t feature, float v)
{
    return v == v && v != f->usual[feature];
}

static float weight_of(const an_forest *f, uint32_t feature)
{
    float share = (float)(int32_t)f->still_trees[feature] / (float)(int32_t)f->built;
    return share * share * (share * share);
}

/* Finds the share of its path that is left to each of `trees` trees from `first` on; returns 0, with nothing written,
 * when all paths stay whole. */
static int find_rest(const an_forest *f, const float *code, uint32_t first, uint32_t trees, float *left)
{
    int any = 0;
    for (uint32_t k = 0; k < f->still_count; k++) {
        uint32_t i = f->still_list[k];
        float v = code[i], rest;
        if (!leaves_usual(f, i, v))
            continue;
        for (uint32_t t = 0; !any && t < trees; t++)
            left[t] = 1.0f;
        any = 1;
        rest = 1.0f - weight_of(f, i);
        const float *still = an_forest_still_of(f, i) + first;
        for (uint32_t t = 0; t < trees; t++)
            left[t] = ((still[t] < v) | (still[t] > v)) ? left[t] * rest : left[t];
    }
    return any;
}

void an_forest_shorten_paths(const an_forest *f, const float *code, float *path)
{
    float left[TREES_TOGETHER];
    for (uint32_t first = 0; first < f->trees; first += TREES_TOGETHER) {
        uint32_t trees = f->trees - first < TREES_TOGETHER ? f->trees - first : TREES_TOGETHER;
        if (!find_rest(f, code, first, trees, left))
            return;
        for (uint32_t t = 0; t < trees; t++)
            path[first + t] = path[first + t] * left[t];
    }
}

/* ---- explaining ---- */

/* An event in one of the two codings, and what it leaves in the trees of that coding. */
typedef struct departure {
    uint32_t side;
    float *code, *path, *left;
    float *weights; /* sum over the still features that the event leaves */
} departure;

static int leaves_tree(const an_forest *f, const departure *d, uint32_t t, uint32_t feature)
{
    float v = d->code[feature], still = an_forest_still_of(f, feature)[t];
    return f->tree_coding[t] == d->side && ((still < v) | (still > v));
}

static void sum_weights(const an_forest *f, departure *d)
{
    for (uint32_t t = 0; t < f->trees; t++)
        d->weights[t] = 0.0f;
    for (uint32_t k = 0; k < f->still_count; k++)
        for (uint32_t t = 0; leaves_usual(f, f->still_list[k], d->code[f->still_list[k]]) && t < f->trees; t++)
            d->weights[t] += leaves_tree(f, d, t, f->still_list[k]) ? weight_of(f, f->still_list[k]) : 0.0f;
}

/* Adds what a feature took off the paths: what a tree's path lost is divided among the features that the event leaves,
 * by their weights. By itself, the feature takes its weight off the tree's typical path. */
static void add_feature(const an_forest *f, const departure *d, uint32_t feature, float *met, double *alone)
{
    double sum = 0.0, by_itself = 0.0, weight = (double)weight_of(f, feature);
    for (uint32_t t = 0; t < f->built; t++) {
        if (!leaves_tree(f, d, t, feature))
            continue;
        sum += (double)d->path[t] * (1.0 - (double)d->left[t]) * weight / (double)d->weights[t];
        by_itself += f->tree_typical[t] * weight;
    }
    met[feature] += (float)sum;
    if (alone)
        alone[feature] += by_itself;
}

void an_forest_explain_still(const an_forest *f, const double *x, float *code, float *trees, float *met, double *alone)
{
    departure d = {
        .code = code, .path = trees, .left = trees + f->trees_padded, .weights = trees + 2 * (size_t)f->trees_padded};
    for (d.side = 0; f->still_count > 0 && d.side < 2; d.side++) {
        if (d.side != f->now && f->older == 0)
            continue;
        an_walk w = an_forest_walk(f, an_forest_encode(f, d.side, f->window->head, x, d.code));
        if (!find_rest(f, d.code, 0, f->trees, d.left))
            continue;
        f->k.walk(&w, d.code, 1, d.path);
        sum_weights(f, &d);
        for (uint32_t k = 0; k < f->still_count; k++)
            if (leaves_usual(f, f->still_list[k], d.code[f->still_list[k]]))
                add_feature(f, &d, f->still_list[k], met, alone);
    }
}
