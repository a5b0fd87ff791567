/* SPDX-License-Identifier: MIT */
/* Still features: those that all events of a tree's sample have alike.
 *
 * No cut of the tree looks at such a feature, so its walk cannot see that an event leaves it: errors have been 0 for
 * hours, and now there are 5000. Each tree remembers what its still features were. An event that leaves one is cut off
 * at the tree's root, how far it leaves makes no difference:
 *
 *     path = path * product over the still features it leaves of (1 - w)
 *     w    = (share of trees where the feature is still)^4
 *
 * Where neither the window nor the one before (of which the oldest trees are) had another value all trees are still, w
 * is 1, and nothing is stranger. Where one event in 200 has another value 62 % of the trees are still by chance (a
 * sample of 96) and w is .15: such a value is rare, not unheard of. The fourth power was chosen over the streams of
 * docs/forest.md: smaller ones find more where rare means odd (mnist, campaign), and flag more of what is rare and
 * usual (http).
 *
 * Cost: an event looks at each feature that is still in some tree, once; a tree is looked through until its sample has
 * differed everywhere, for continuous features after two events. */
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

/* The value of all trees that are still in the feature, NaN if there are several. */
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

/* Where features are often still the usual value is found without a look at the other trees, unless there were
 * several, or the tree has another one. */
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

/* The features that all rows have alike, into the scratch; returns how many. */
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

/* The list of the tree's still features lies in the scratch; what it had before and has no more is taken off. */
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

/* What is left of the path in each of `trees` from `first` on; returns 0, and does nothing, when that is all. */
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

/* Of the trees in one coding. */
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

/* A tree's path is shared out by the weights. Alone, a feature takes its weight off the typical path. */
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
        an_walk w = an_forest_walk(f, an_forest_encode(f, &f->coding[d.side], x, d.code));
        if (!find_rest(f, d.code, 0, f->trees, d.left))
            continue;
        f->k.walk(&w, d.code, 1, d.path);
        sum_weights(f, &d);
        for (uint32_t k = 0; k < f->still_count; k++)
            if (leaves_usual(f, f->still_list[k], d.code[f->still_list[k]]))
                add_feature(f, &d, f->still_list[k], met, alone);
    }
}
