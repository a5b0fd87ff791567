/* SPDX-License-Identifier: MIT */
/* Grows a tree: takes a sample of the window, cuts each branch of the sample level by level, and finds the typical
 * path below each node. */
#include "forest/forest.h"

#define CODES_FETCHED         256u /* codes of an event */
#define RANDOM_FEATURES_TRIED 8u   /* random features tried for a cut before they are gone through one by one */

typedef struct an_cut {
    uint32_t feature, low; /* low: the random bits that place the cut and the stray events */
    float cut, lo, hi;
    uint32_t present;
    const float *value; /* the feature's codes over the branch, `step` apart */
    uint32_t step;
    const an_row *row; /* the branch's events */
} an_cut;

/* Returns the events of the branch, or with `next` 1 where the next level's are to lie: the levels use the two arrays
 * in turn. */
static an_row *rows_of(const an_forest *f, const an_branch *b, uint32_t next)
{
    return ((b->level + next) & 1u ? f->rows2 : f->rows) + b->begin;
}

/* ---- choosing a cut ---- */

/* Loads the feature's codes over the branch; returns 0 if they do not differ, so that no cut is possible. */
static int try_feature(an_forest *f, const an_branch *b, uint32_t feature, uint32_t low, an_cut *c)
{
    c->feature = feature;
    c->low = low;
    if (b->count == 2) /* a quarter of the branches: without a loop whose end the processor may predict wrongly */
        c->present = an_load_column_inline(feature, c->row, 2, f->column, &c->lo, &c->hi);
    else
        c->present = f->k.load_column(feature, c->row, b->count, f->column, &c->lo, &c->hi);
    c->value = f->column;
    c->step = 1;
    if (!(c->hi > c->lo))
        return 0;
    c->cut = an_cut_at(c->lo, c->hi, low);
    return 1;
}

/* Chooses the first of the best candidates by the gain of forest/kernels/kernels.h; returns 0 if no cut has a gain. */
static int guided_cut(an_forest *f, const an_sample *s, const an_branch *b, an_cut *c)
{
    an_cuts *k = f->cuts;
    an_rng rng = f->rng; /* a copy that can stay in registers */
    for (uint32_t j = 0; j < k->count; j++)
        k->feature[j] = an_rng_below(&rng, f->features, &k->low[j]);
    f->rng = rng;
    uint32_t best = f->k.judge(s, c->row, b->count, k, f->block);
    if (!(k->gain[best] > 0.0f))
        return 0;
    c->feature = k->feature[best];
    c->low = k->low[best];
    c->cut = k->cut[best];
    c->lo = k->lo[best];
    c->hi = k->hi[best];
    c->present = (uint32_t)k->present[best];
    c->value = f->block + best;
    c->step = AN_FOREST_LANES;
    return 1;
}

/* Tries a few random features, then all in turn from a random one. *effort bounds how many codes of features that
 * cannot be cut are looked at in the whole tree. */
static int random_cut(an_forest *f, const an_branch *b, an_cut *c, uint32_t *effort)
{
    uint32_t low = 0, feature = 0;
    for (uint32_t k = 0; k < RANDOM_FEATURES_TRIED; k++) {
        feature = an_rng_below(&f->rng, f->features, &low);
        if (try_feature(f, b, feature, low, c))
            return 1;
    }
    for (uint32_t k = 0; k < f->features && *effort >= b->count; k++) {
        *effort -= b->count;
        feature = feature + 1 == f->features ? 0 : feature + 1;
        if (try_feature(f, b, feature, low, c))
            return 1;
    }
    return 0;
}

/* Chooses a guided or a random cut; of two events every cut makes the same branches. */
static int choose_cut(an_forest *f, const an_sample *s, const an_branch *b, an_cut *c, uint32_t *effort)
{
    if (b->count > 2 && (an_rng_next(&f->rng) >> 48) < f->guided && guided_cut(f, s, b, c))
        return 1;
    return random_cut(f, b, c, effort);
}

/* ---- cutting ---- */

/* Decides whether missing values go right: at random, in proportion to the present values that do. */
static uint32_t goes_astray(const an_cut *c, uint32_t right)
{
    return (uint64_t)(c->low >> 24) * c->present < (uint64_t)right * 256u;
}

static uint32_t count_right(const an_branch *b, const an_cut *c)
{
    uint32_t right = 0;
    for (uint32_t i = 0; i < b->count; i++)
        right += c->value[i * c->step] > c->cut;
    return right;
}

/* Puts the branch's events left of the cut before the others, each side in its order. Returns how many are left of it;
 * *stray says where missing values go. */
static uint32_t part_branch(an_forest *f, const an_branch *b, const an_cut *c, uint32_t *stray)
{
    if (b->count == 2 && c->present == 2) { /* one goes to each side and becomes a leaf: their order is not used again */
        *stray = goes_astray(c, 1);
        return 1;
    }
    if (c->present < b->count)
        *stray = goes_astray(c, count_right(b, c));
    uint32_t left = f->k.part(c->value, c->step, c->cut, *stray != 0, c->row, b->count, rows_of(f, b, 1));
    if (c->present == b->count)
        *stray = goes_astray(c, b->count - left);
    return left;
}

static void set_leaf_value(const an_forest *f, an_node *tree, uint32_t at, float value)
{
    tree[at] = (an_node){value, f->features << AN_LINK_FEATURE | at, AN_CODE_PAD, 0.0f};
}

/* Puts a leaf for `count` events of the sample. The leaf below a gate takes off the step that led to it; the other
 * child of a gate has no events. */
void an_forest_set_leaf(const an_forest *f, an_node *tree, uint32_t at, uint32_t count)
{
    double path = f->harmonic[count];
    if (f->branch[at].level == AN_GATED && count)
        path -= 1.0;
    set_leaf_value(f, tree, at, (float)path);
}

void an_forest_set_inner(an_forest *f, an_node *tree, const an_branch *b, an_node node, uint32_t left, uint32_t level,
                         uint32_t used)
{
    node.link |= used;
    tree[b->node] = node;
    f->branch[used] = (an_branch){used, b->begin, left, level};
    f->branch[used + 1] = (an_branch){used + 1, b->begin + left, b->count - left, level};
}

/* Puts a gate for a branch of equal events, which cannot be cut: a node on a random feature whose range is 0, so that
 * an event that differs from the branch's events does not pass for one of them. An event with the same value goes
 * left, to a leaf that takes the step off again. Returns the nodes used for children. */
static uint32_t put_gate(an_forest *f, const an_branch *b, an_cut *c, an_node *tree, uint32_t used)
{
    uint32_t low, feature = an_rng_below(&f->rng, f->features, &low);
    try_feature(f, b, feature, low, c);
    if (c->present == 0 || c->hi > c->lo)
        return 0;
    an_forest_set_inner(f, tree, b, (an_node){c->lo, feature << AN_LINK_FEATURE, c->lo, c->lo}, b->count, AN_GATED, used);
    return 2;
}

static uint32_t cut_branch(an_forest *f, const an_branch *b, const an_cut *c, an_node *tree, uint32_t used)
{
    uint32_t stray = 0, left = part_branch(f, b, c, &stray);
    an_node node = {c->cut, c->feature << AN_LINK_FEATURE | (stray ? AN_LINK_STRAY : 0u), c->lo, c->hi};
    an_forest_set_inner(f, tree, b, node, left, b->level + 1, used);
    return 2;
}

/* Puts a new node as a leaf, and at the end of f->inner if it can be cut. About half of the nodes can, so there is no
 * branch, which the processor would often predict wrongly. Returns how many nodes wait to be cut. */
static uint32_t add_node(an_forest *f, an_node *tree, uint32_t at, uint32_t waiting)
{
    const an_branch *b = &f->branch[at];
    f->size[at] = b->count;
    an_forest_set_leaf(f, tree, at, b->count);
    f->inner[waiting] = at;
    return waiting + ((b->count >= 2) & (b->level < f->depth));
}

/* Cuts a branch if it can be cut; returns the nodes used for children. */
static uint32_t grow_node(an_forest *f, const an_sample *s, an_node *tree, uint32_t at, uint32_t used, uint32_t *effort)
{
    an_branch b = f->branch[at];
    an_cut c;
    c.row = rows_of(f, &b, 0);
    return choose_cut(f, s, &b, &c, effort) ? cut_branch(f, &b, &c, tree, used) : put_gate(f, &b, &c, tree, used);
}

/* ---- a whole tree ---- */

/* Has memory bring the codes of an event, which are needed soon. */
static void fetch_early(const float *code, uint32_t n)
{
#if defined(__GNUC__)
    for (uint32_t i = 0; i < n && i < CODES_FETCHED; i += 16)
        __builtin_prefetch(code + i);
#else
    (void)code;
    (void)n;
#endif
}

/* Takes one random event from each of `sample` equal stretches of the window; returns how many. */
static uint32_t take_sample(an_forest *f, an_sample *s)
{
    uint32_t n = an_forest_count(f), m = f->sample < n ? f->sample : n, low;
    *s = (an_sample){f->row_pitch, 0};
    for (uint32_t k = 0, from = 0; k < m; k++) {
        uint32_t to = (uint32_t)((uint64_t)(k + 1) * n / m);
        uint32_t age = to - from > 1 ? from + an_rng_below(&f->rng, to - from, &low) : from;
        from = to;
        f->rows[k] = an_forest_code_event(f, age, k, &s->missing);
        if (f->lags == 1)
            fetch_early(f->rows[k], f->pitch);
    }
    return m;
}

/* Finds the sample's mean remaining path from each node on, children before parents. */
static void set_typical(const an_forest *f, const an_node *tree, float *typical, uint32_t used, uint32_t inner)
{
    for (uint32_t at = 1; at < used; at++)
        typical[at] = tree[at].cut; /* right for a leaf */
    while (inner-- > 0) {
        uint32_t at = f->inner[inner], child = tree[at].link & AN_LINK_CHILD;
        float a = (float)(int32_t)f->size[child], b = (float)(int32_t)f->size[child + 1];
        typical[at] = 1.0f + (a * typical[child] + b * typical[child + 1]) / (a + b);
    }
}

/* Copies the first three levels of a tree to where the walk looks for them. */
static void copy_top(an_forest *f, uint32_t t)
{
    const an_node *tree = f->nodes + (size_t)t * f->stride;
    an_top *top = &f->top[t / AN_FOREST_LANES];
    uint32_t lane = t % AN_FOREST_LANES, at[AN_TOP_SLOTS] = {1};
    for (uint32_t k = 0; k < AN_TOP_SLOTS; k++) {
        const an_node *node = &tree[at[k]];
        uint32_t leaf = node->link >> AN_LINK_FEATURE == f->features, child = node->link & AN_LINK_CHILD;
        top->cut[k][lane] = node->cut;
        top->link[k][lane] = node->link;
        top->lo[k][lane] = node->lo;
        top->hi[k][lane] = node->hi;
        if (2 * k + 2 < AN_TOP_SLOTS) {
            at[2 * k + 1] = child;
            at[2 * k + 2] = child + !leaf;
        }
    }
}

void an_forest_clear_tree(an_forest *f, uint32_t t)
{
    set_leaf_value(f, f->nodes + (size_t)t * f->stride, 1, 0.0f);
    copy_top(f, t);
}

void an_forest_finish(an_forest *f, uint32_t t, uint32_t used, uint32_t inner)
{
    float *typical = f->typical + (size_t)t * f->stride;
    set_typical(f, f->nodes + (size_t)t * f->stride, typical, used, inner);
    for (uint32_t at = 1; at < used; at++)
        f->count[(size_t)t * f->stride + at] = (uint16_t)f->size[at];
    f->tree_typical[t] = (double)typical[1];
    copy_top(f, t);
}

/* Grows a tree level by level, so that the nodes that a walk meets first lie together. */
static void grow_tree(an_forest *f, uint32_t t)
{
    an_node *tree = f->nodes + (size_t)t * f->stride;
    an_sample s;
    uint32_t used = 2, inner = 0, m = take_sample(f, &s), effort = 64 * m + 4096;
    an_forest_find_still(f, t, f->rows, m);
    f->branch[1] = (an_branch){1, 0, m, 0};
    for (uint32_t k = 0, waiting = add_node(f, tree, 1, 0); k < waiting; k++) {
        uint32_t at = f->inner[k];
        if (grow_node(f, &s, tree, at, used, &effort)) {
            waiting = add_node(f, tree, used, waiting);
            waiting = add_node(f, tree, used + 1, waiting);
            f->inner[inner++] = at;
            used += 2;
        }
    }
    an_forest_finish(f, t, used, inner);
}

void an_forest_grow_next(an_forest *f)
{
    uint32_t t = f->next;
    grow_tree(f, t);
    if (t < f->built && f->tree_coding[t] != f->now)
        f->older--;
    f->tree_coding[t] = (uint8_t)f->now;
    if (t == f->built)
        f->built++;
    f->next = t + 1 == f->trees ? 0 : t + 1;
}
