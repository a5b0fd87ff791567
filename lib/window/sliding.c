/* SPDX-License-Identifier: MIT */
#include "window/sliding.h"

#include <string.h>

/* Is a block of that many bits small enough? */
static int is_block(uint32_t bits, uint64_t bound)
{
    uint64_t block = (uint64_t)1 << bits, square = block * block;
    return 4 * block <= bound && (block <= 64 || square <= bound) && (block <= 256 || square <= bound / 256);
}

uint32_t an_sliding_block_bits(uint64_t bound)
{
    uint32_t bits = 0;
    while (is_block(bits + 1, bound))
        bits++;
    return bits;
}

/* ---- borders ---- */

/* The first block that is neither in `inner` nor gone; equal to open_block() when there is no_values. */
static uint64_t first_closed(const an_borders *at)
{
    return at->inner_end >> at->block_bits;
}

static uint64_t open_block(const an_borders *at)
{
    return at->open_start >> at->block_bits;
}

static int fills_block(const an_borders *at, uint64_t index)
{
    return ((index + 1) & (((uint64_t)1 << at->block_bits) - 1)) == 0;
}

static void close_open_block(an_borders *at)
{
    at->open_start = (open_block(at) + 1) << at->block_bits;
}

/* Moves the border of `inner` to the end of a closed block. Answers whether the split moves. */
static int enter_closed_block(an_borders *at, uint64_t block)
{
    int moves = block + 1 >= at->split;
    at->inner_end = (block + 1) << at->block_bits;
    if (moves)
        at->split = open_block(at);
    return moves;
}

static void enter_open_block(an_borders *at, uint64_t head)
{
    at->inner_end = at->open_start = head;
    at->split = head >> at->block_bits;
}

void an_borders_push(an_borders *at, uint64_t index)
{
    if (fills_block(at, index))
        close_open_block(at);
}

void an_borders_evict(an_borders *at, uint64_t tail, uint64_t head)
{
    if (tail >= at->open_start)
        enter_open_block(at, head);
    else if (tail >= at->inner_end)
        enter_closed_block(at, tail >> at->block_bits);
}

/* ---- tables ---- */

static uint64_t inner_count(uint32_t block_bits, uint64_t slots)
{
    uint64_t block = (uint64_t)1 << block_bits;
    return slots < block ? slots : block;
}

/* Counts the closed blocks of a full ring, the one being closed included. */
static uint64_t block_count(uint32_t block_bits, uint64_t slots)
{
    return an_power_of_two((slots >> block_bits) + 2);
}

size_t an_sliding_bytes(uint32_t block_bits, uint64_t slots)
{
    return an_product(inner_count(block_bits, slots) + 2 * block_count(block_bits, slots), sizeof(an_moments));
}

/* All three tables lie in one piece of memory. */
static size_t table_count(const an_sliding *sliding)
{
    return (size_t)(sliding->inner_mask + 1 + 2 * (sliding->block_mask + 1));
}

/* Entries [first, end) from one table to another. */
static void move_entries(const an_moments *from, uint64_t from_mask, an_moments *to, uint64_t to_mask, uint64_t first,
                         uint64_t end)
{
    for (uint64_t i = first; i < end; i++)
        to[i & to_mask] = from[i & from_mask];
}

static void move_tables(const an_sliding *from, an_sliding *to)
{
    uint64_t held = from->inner_mask + 1, end = from->at.inner_end;
    move_entries(from->inner, from->inner_mask, to->inner, to->inner_mask, end > held ? end - held : 0, end);
    move_entries(from->total, from->block_mask, to->total, to->block_mask, first_closed(&from->at), open_block(&from->at));
    move_entries(from->suffix, from->block_mask, to->suffix, to->block_mask, first_closed(&from->at), open_block(&from->at));
}

int an_sliding_resize(an_sliding *sliding, uint64_t slots, const anomaly_allocator *allocator)
{
    an_sliding grown = *sliding;
    grown.inner_mask = inner_count(sliding->at.block_bits, slots) - 1;
    grown.block_mask = block_count(sliding->at.block_bits, slots) - 1;
    if (sliding->inner && grown.inner_mask == sliding->inner_mask && grown.block_mask == sliding->block_mask)
        return ANOMALY_OK;
    grown.inner = an_alloc(allocator, table_count(&grown), sizeof(an_moments));
    if (!grown.inner)
        return ANOMALY_E_NOMEM;
    memset(grown.inner, 0, table_count(&grown) * sizeof(an_moments));
    grown.total = grown.inner + grown.inner_mask + 1;
    grown.suffix = grown.total + grown.block_mask + 1;
    if (sliding->inner)
        move_tables(sliding, &grown);
    an_sliding_free(sliding, allocator);
    *sliding = grown;
    return ANOMALY_OK;
}

void an_sliding_free(an_sliding *sliding, const anomaly_allocator *allocator)
{
    if (sliding->inner)
        an_free(allocator, sliding->inner, table_count(sliding), sizeof(an_moments));
    sliding->inner = sliding->total = sliding->suffix = NULL;
}

static const an_moments no_values = {0, 0, 0, 0, 0};

void an_sliding_reset(an_sliding *sliding)
{
    sliding->at.inner_end = sliding->at.split = sliding->at.open_start = sliding->lanes_from = 0;
    sliding->back = sliding->middle = sliding->open = no_values;
}

static void add_if_known(an_moments *a, double x)
{
    if (x == x)
        an_moments_add(a, x);
}

/* Makes the suffixes of [first, inner_end), from the end. */
static void make_inner(an_sliding *sliding, const double *ring, uint64_t mask, uint64_t first)
{
    an_moments suffix = no_values;
    for (uint64_t i = sliding->at.inner_end; i-- > first;) {
        add_if_known(&suffix, ring[i & mask]);
        sliding->inner[i & sliding->inner_mask] = suffix;
    }
}

static void make_middle(an_sliding *sliding)
{
    uint64_t first = first_closed(&sliding->at);
    if (first < sliding->at.split)
        sliding->middle = an_moments_merge(&sliding->suffix[first & sliding->block_mask], &sliding->back);
    else
        sliding->middle = sliding->back;
}

/* Makes the suffixes over the totals of blocks [first, split). */
static void make_suffixes(an_sliding *sliding, uint64_t first)
{
    an_moments suffix = no_values;
    for (uint64_t k = sliding->at.split; k-- > first;) {
        suffix = an_moments_merge(&sliding->total[k & sliding->block_mask], &suffix);
        sliding->suffix[k & sliding->block_mask] = suffix;
    }
}

void an_sliding_close(an_sliding *sliding, const an_moments *total)
{
    uint64_t block = open_block(&sliding->at);
    sliding->total[block & sliding->block_mask] = *total;
    sliding->back = an_moments_merge(&sliding->back, total);
    sliding->open = no_values;
    close_open_block(&sliding->at);
    make_middle(sliding);
}

void an_sliding_push(an_sliding *sliding, uint64_t index, double x)
{
    add_if_known(&sliding->open, x);
    if (fills_block(&sliding->at, index)) {
        an_moments total = sliding->open;
        an_sliding_close(sliding, &total);
    }
}

void an_sliding_enter(an_sliding *sliding, uint64_t block)
{
    if (enter_closed_block(&sliding->at, block)) {
        sliding->back = no_values;
        make_suffixes(sliding, block + 1);
    }
    make_middle(sliding);
}

/* Puts all there is into `inner`, since the tail has come into the newest block. */
static void enter_open(an_sliding *sliding, uint64_t head)
{
    enter_open_block(&sliding->at, head);
    sliding->back = sliding->middle = sliding->open = no_values;
}

void an_sliding_leave(an_sliding *sliding, const double *ring, uint64_t mask, uint64_t tail, uint64_t head)
{
    if (tail >= sliding->at.open_start)
        enter_open(sliding, head);
    else
        an_sliding_enter(sliding, tail >> sliding->at.block_bits);
    make_inner(sliding, ring, mask, tail);
}

/* Makes the total of a closed block; the first may have lost its beginning to `inner`. */
static void make_total(an_sliding *sliding, const double *ring, uint64_t mask, uint64_t block)
{
    uint64_t start = block << sliding->at.block_bits, end = (block + 1) << sliding->at.block_bits;
    an_moments total = no_values;
    for (uint64_t i = start > sliding->at.inner_end ? start : sliding->at.inner_end; i < end; i++)
        add_if_known(&total, ring[i & mask]);
    sliding->total[block & sliding->block_mask] = total;
}

static void make_back(an_sliding *sliding)
{
    sliding->back = no_values;
    for (uint64_t k = sliding->at.split; k < open_block(&sliding->at); k++)
        sliding->back = an_moments_merge(&sliding->back, &sliding->total[k & sliding->block_mask]);
}

void an_sliding_refresh(an_sliding *sliding, const double *ring, uint64_t mask, uint64_t tail, uint64_t head,
                        uint64_t position)
{
    uint64_t from = position > sliding->at.inner_end ? position : sliding->at.inner_end;
    if (position < sliding->at.inner_end)
        make_inner(sliding, ring, mask, tail);
    uint64_t first = from >> sliding->at.block_bits;
    for (uint64_t k = first; k < open_block(&sliding->at); k++)
        make_total(sliding, ring, mask, k);
    if (first < sliding->at.split)
        make_suffixes(sliding, first_closed(&sliding->at));
    if (first < open_block(&sliding->at))
        make_back(sliding);
    make_middle(sliding);
    sliding->open = no_values;
    for (uint64_t i = sliding->at.open_start; i < head; i++)
        add_if_known(&sliding->open, ring[i & mask]);
}

int an_borders_can_be(const an_borders *at, uint64_t tail, uint64_t head)
{
    uint64_t inner_end = at->inner_end, open_start = at->open_start, block = (uint64_t)1 << at->block_bits;
    if (tail > inner_end || inner_end > open_start || open_start > head)
        return 0;
    if (inner_end > tail && (inner_end - 1) >> at->block_bits != tail >> at->block_bits)
        return 0;
    if (head >> at->block_bits != open_block(at) || ((open_start & (block - 1)) != 0 && open_start != inner_end))
        return 0;
    return first_closed(at) <= at->split && at->split <= open_block(at);
}

void an_sliding_restore(an_sliding *sliding, const double *ring, uint64_t mask, uint64_t tail, uint64_t head)
{
    if (tail < head)
        an_sliding_refresh(sliding, ring, mask, tail, head, tail);
}

void an_borders_guess(an_borders *at, uint64_t tail, uint64_t head)
{
    uint64_t open = head >> at->block_bits, oldest = tail >> at->block_bits;
    at->open_start = oldest < open ? open << at->block_bits : head;
    at->inner_end = oldest < open ? (oldest + 1) << at->block_bits : head;
    at->split = open;
}

/* ---- without tables ---- */

#define MOST_SMALL_BLOCKS (2 * AN_SMALL_SLOTS) /* a power of two, no less than AN_SMALL_SLOTS + 2 */

an_moments an_borders_moments(const an_borders *at, const double *ring, uint64_t mask, uint64_t tail, uint64_t head)
{
    an_moments inner[AN_SMALL_SLOTS], total[MOST_SMALL_BLOCKS], suffix[MOST_SMALL_BLOCKS];
    an_sliding sliding;
    sliding.at = *at;
    sliding.inner_mask = AN_SMALL_SLOTS - 1;
    sliding.block_mask = MOST_SMALL_BLOCKS - 1;
    sliding.inner = inner;
    sliding.total = total;
    sliding.suffix = suffix;
    sliding.back = sliding.middle = sliding.open = no_values;
    an_sliding_restore(&sliding, ring, mask, tail, head);
    return an_sliding_moments(&sliding, tail);
}
