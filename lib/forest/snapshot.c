/* SPDX-License-Identifier: MIT */
/* Writes a forest as bytes and reads it back: what cannot be made anew from the window (docs/snapshot-format.md). Of a
 * tree the cuts are stored, node after node. Links, values of leaves and typical paths are made as they are for a tree
 * that grows, so no bytes can give a node a child or a feature that does not exist. */
#include "base/bytes.h"
#include "forest/forest.h"

#define MOST_INVERSE 0x1p1000

enum {
    FLAG_CODED = 1,
    FLAG_WANTED = 2,
    FLAG_SECOND_CODING = 4 /* new trees use coding[1]. Explanations add up the trees of coding[0] first: the order counts */
};
enum { NODE_STRAIGHT = 0, NODE_STRAY = 1, NODE_GATE = 2, NODE_KINDS = 3 }; /* of inner nodes */

/* ---- trees ---- */

static int is_leaf(const an_forest *f, const an_node *node)
{
    return node->link >> AN_LINK_FEATURE == f->features;
}

/* Tells a gate from a cut, whose range is not 0. */
static int is_gate(const an_node *node)
{
    return node->lo == node->hi;
}

/* Finds how many events a leaf of that value is for: the n with c(n) = value + step. c(n) grows with n by more than a
 * float's last place, so there is one such n. */
static uint32_t count_of(const an_forest *f, float value, double step)
{
    uint32_t low = 1, high = f->room;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if ((float)(f->harmonic[middle] - step) < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void save_inner(const an_forest *f, const an_node *tree, const an_node *node, an_writer *writer)
{
    int kind = is_gate(node) ? NODE_GATE : node->link & AN_LINK_STRAY ? NODE_STRAY : NODE_STRAIGHT;
    an_write_varint(writer, ((uint64_t)(node->link >> AN_LINK_FEATURE) * NODE_KINDS + (uint64_t)kind) << 1 | 1);
    an_write_float(writer, node->lo);
    if (kind == NODE_GATE) {
        an_write_varint(writer, count_of(f, tree[node->link & AN_LINK_CHILD].cut, 1.0));
    } else {
        an_write_float(writer, node->hi);
        an_write_float(writer, node->cut);
    }
}

/* Writes the nodes in their order, in which the pairs of children come in the order of their parents. The leaves below
 * a gate are not written: the gate says all of them. */
static void save_tree(const an_forest *f, uint32_t t, an_writer *writer)
{
    const an_node *tree = f->nodes + (size_t)t * f->stride;
    uint32_t used = 2, parent = 0;
    for (uint32_t at = 1; at < used; at++) {
        if (at % 2 == 0)
            while (is_leaf(f, &tree[++parent]))
                ;
        if (at > 1 && is_gate(&tree[parent]))
            continue;
        if (is_leaf(f, &tree[at])) {
            an_write_varint(writer, (uint64_t)count_of(f, tree[at].cut, 0.0) << 1);
        } else {
            save_inner(f, tree, &tree[at], writer);
            used += 2;
        }
    }
}

/* Writes the tree's still features, each as the distance from the one before, and their values. */
static void save_still(const an_forest *f, uint32_t t, an_writer *writer)
{
    uint32_t before = 0, count = 0;
    for (uint32_t k = 0; k < f->still_count; k++)
        count += isnan(an_forest_still_of(f, f->still_list[k])[t]) ? 0u : 1u;
    an_write_varint(writer, count);
    for (uint32_t k = 0; k < f->still_count; k++) {
        uint32_t feature = f->still_list[k];
        float value = an_forest_still_of(f, feature)[t];
        if (isnan(value))
            continue;
        an_write_varint(writer, feature - before);
        an_write_float(writer, value);
        before = feature + 1;
    }
}

static float load_code(an_reader *reader)
{
    float code = an_read_float(reader);
    int is_code = (fabsf(code) >= AN_CODE_LEAST && fabsf(code) <= AN_CODE_LIMIT) || (code == 0.0f && !signbit(code));
    reader->bad |= !is_code;
    return is_code ? code : 0.0f;
}

/* Reads a cut. How many events go to each side is found later (add_sizes()): only the leaves have their numbers. */
static void load_cut(an_forest *f, an_node *tree, const an_branch *b, uint32_t link, uint32_t used, an_reader *reader)
{
    an_node node = {0, link, load_code(reader), 0};
    node.hi = load_code(reader);
    node.cut = an_read_float(reader); /* between two codes */
    reader->bad |= !(node.lo <= node.cut && node.cut < node.hi);
    an_forest_set_inner(f, tree, b, node, 0, b->level + 1, used);
}

static void load_leaf(an_forest *f, an_node *tree, uint32_t at, uint64_t count, uint32_t most, an_reader *reader)
{
    reader->bad |= count < 1 || count > most;
    f->size[at] = reader->bad ? 1 : (uint32_t)count;
    an_forest_set_leaf(f, tree, at, f->size[at]);
}

static void load_gate(an_forest *f, an_node *tree, const an_branch *b, uint32_t feature, uint32_t used, uint32_t most,
                      an_reader *reader)
{
    an_node node = {0, feature << AN_LINK_FEATURE, load_code(reader), 0};
    node.cut = node.hi = node.lo;
    an_forest_set_inner(f, tree, b, node, 0, AN_GATED, used);
    load_leaf(f, tree, used, an_read_varint(reader), most, reader);
    f->size[used + 1] = 0;
    an_forest_set_leaf(f, tree, used + 1, 0);
}

/* Reads a node; returns the nodes used for children. */
static uint32_t load_node(an_forest *f, an_node *tree, uint32_t at, uint32_t used, uint32_t most, an_reader *reader)
{
    an_branch b = f->branch[at];
    if (b.level == AN_GATED) /* came with its gate */
        return 0;
    uint64_t what = an_read_varint(reader), feature = (what >> 1) / NODE_KINDS, kind = (what >> 1) % NODE_KINDS;
    if (!(what & 1)) {
        load_leaf(f, tree, at, what >> 1, most, reader);
        return 0;
    }
    if (feature >= f->features || b.level >= f->depth || used + 2 > f->stride) {
        reader->bad = 1;
        return 0;
    }
    if (kind == NODE_GATE)
        load_gate(f, tree, &b, (uint32_t)feature, used, most, reader);
    else
        load_cut(f, tree, &b, (uint32_t)feature << AN_LINK_FEATURE | (kind == NODE_STRAY ? AN_LINK_STRAY : 0u), used,
                 reader);
    return 2;
}

/* Reads the tree's still features. A feature that the tree cuts cannot be one of them. */
static void load_still(an_forest *f, uint32_t t, uint32_t inner, an_reader *reader)
{
    const an_node *tree = f->nodes + (size_t)t * f->stride;
    uint64_t count = an_read_varint_to(reader, f->features), next = 0;
    for (; count > 0 && !reader->bad; count--, next++) {
        next += an_read_varint_to(reader, f->features - 1u);
        float value = load_code(reader);
        reader->bad |= next >= f->features;
        if (!reader->bad)
            an_forest_put_still(f, t, (uint32_t)next, value);
    }
    for (uint32_t k = 0; k < inner; k++) {
        const an_node *node = &tree[f->inner[k]];
        reader->bad |= !is_gate(node) && !isnan(an_forest_still_of(f, node->link >> AN_LINK_FEATURE)[t]);
    }
}

/* Adds up how many events of the sample come to each inner node, from the leaves up. */
static void add_sizes(an_forest *f, const an_node *tree, uint32_t inner)
{
    while (inner-- > 0) {
        uint32_t at = f->inner[inner], child = tree[at].link & AN_LINK_CHILD;
        f->size[at] = f->size[child] + f->size[child + 1];
    }
}

static void load_tree(an_forest *f, uint32_t t, an_reader *reader)
{
    an_node *tree = f->nodes + (size_t)t * f->stride;
    uint32_t used = 2, inner = 0, count = an_forest_count(f), most = f->sample < count ? f->sample : count;
    f->branch[1] = (an_branch){.node = 1};
    for (uint32_t at = 1; at < used && !reader->bad; at++) {
        uint32_t more = load_node(f, tree, at, used, most, reader);
        f->inner[inner] = at;
        inner += more > 0;
        used += more;
    }
    if (reader->bad)
        return;
    add_sizes(f, tree, inner);
    reader->bad |= f->size[1] > most;
    load_still(f, t, inner, reader);
    an_forest_finish(f, t, used, inner);
}

/* ---- features ---- */

static void save_coding(const an_coding *g, uint32_t features, an_writer *writer)
{
    for (uint32_t i = 0; i < features; i++) {
        an_write_double(writer, g->origin[i]);
        an_write_double(writer, g->inverse[i]);
    }
}

static void load_coding(const an_coding *g, uint32_t features, an_reader *reader)
{
    for (uint32_t i = 0; i < features; i++) {
        g->origin[i] = an_read_double(reader);
        g->inverse[i] = an_read_double(reader);
        reader->bad |= !isfinite(g->origin[i]) || !(g->inverse[i] >= 1 / MOST_INVERSE && g->inverse[i] <= MOST_INVERSE);
    }
}

static void save_steps(const an_forest *f, an_writer *writer)
{
    for (uint32_t i = 0; i < f->values; i++)
        an_write_double(writer, f->step[i]);
}

static void load_steps(an_forest *f, an_reader *reader)
{
    for (uint32_t i = 0; i < f->values; i++) {
        f->step[i] = an_read_double(reader);
        reader->bad |= !(f->step[i] >= 0) || signbit(f->step[i]);
    }
}

/* ---- the whole ---- */

void an_forest_save(const an_forest *f, an_writer *writer)
{
    an_write_u8(writer,
                (uint8_t)((f->coded ? FLAG_CODED : 0) | (f->wanted ? FLAG_WANTED : 0) | (f->now ? FLAG_SECOND_CODING : 0)));
    for (int i = 0; i < 4; i++)
        an_write_u64(writer, f->rng.s[i]);
    an_write_varint(writer, f->credit);
    an_write_varint(writer, f->check);
    an_write_varint(writer, f->built);
    an_write_varint(writer, f->next);
    an_write_varint(writer, f->older);
    save_steps(f, writer);
    if (f->coded)
        save_coding(&f->coding[f->now], f->values, writer);
    if (f->older)
        save_coding(&f->coding[f->now ^ 1u], f->values, writer);
    save_coding(&f->pending, an_forest_pending(f), writer);
    for (uint32_t t = 0; t < f->built; t++) {
        if (f->older)
            an_write_u8(writer, f->tree_coding[t] != f->now);
        save_tree(f, t, writer);
        save_still(f, t, writer);
    }
}

/* Reads the generator's state, which cannot be all zeros: such a generator gives zeros for ever. */
static void load_rng(an_rng *rng, an_reader *reader)
{
    uint64_t any = 0;
    for (int i = 0; i < 4; i++)
        any |= rng->s[i] = an_read_u64(reader);
    reader->bad |= any == 0;
}

static void load_numbers(an_forest *f, an_reader *reader)
{
    uint64_t count = an_forest_count(f);
    uint8_t flags = an_read_u8(reader);
    f->coded = (flags & FLAG_CODED) != 0;
    f->wanted = (flags & FLAG_WANTED) != 0;
    f->now = (flags & FLAG_SECOND_CODING) != 0;
    f->number = (uint32_t)f->coded;
    load_rng(&f->rng, reader);
    f->credit = an_read_varint_to(reader, count ? count - 1 : 0);
    f->check = (uint32_t)an_read_varint_to(reader, f->coded ? AN_CHECK_EVENTS - 1 : 0);
    f->built = (uint32_t)an_read_varint_to(reader, count < 2 || !f->coded ? 0 : f->trees);
    f->next = (uint32_t)an_read_varint_to(reader, f->trees - 1);
    f->older = (uint32_t)an_read_varint_to(reader, f->built);
    reader->bad |=
        flags > (FLAG_CODED | FLAG_WANTED | FLAG_SECOND_CODING) || (!f->coded && (flags || count >= AN_FIRST_TREE_EVENTS));
    reader->bad |= f->built < f->trees && f->next != f->built;
}

static void load_trees(an_forest *f, an_reader *reader)
{
    uint32_t older = 0;
    for (uint32_t t = 0; t < f->built && !reader->bad; t++) {
        uint8_t is_older = f->older ? an_read_u8(reader) : 0;
        reader->bad |= is_older > 1;
        older += is_older;
        f->tree_coding[t] = (uint8_t)(f->now ^ is_older);
        load_tree(f, t, reader);
    }
    reader->bad |= older != f->older;
}

/* Reads a forest. Trees take at least a byte each in the snapshot, and memory for the window's events at most, which
 * the forest that was saved had too: a short snapshot cannot ask for much memory. */
int an_forest_restore(an_forest *f, an_reader *reader, const anomaly_allocator *allocator)
{
    load_numbers(f, reader);
    load_steps(f, reader);
    if (f->coded)
        load_coding(&f->coding[f->now], f->values, reader);
    if (f->older)
        load_coding(&f->coding[f->now ^ 1u], f->values, reader);
    load_coding(&f->pending, an_forest_pending(f), reader);
    if (reader->bad)
        return ANOMALY_E_CORRUPT;
    int status = f->built ? an_forest_make_room(f, an_forest_count(f), allocator) : ANOMALY_OK;
    if (status)
        return status;
    load_trees(f, reader);
    if (f->built)
        an_forest_settle_still(f);
    for (uint64_t i = f->window->tail; i < f->window->head; i++)
        *an_forest_hash_at(f, i) = an_forest_hash(f, i, an_window_event(f->window, i));
    an_forest_sum_typical(f);
    return reader->bad ? ANOMALY_E_CORRUPT : ANOMALY_OK;
}
