/* SPDX-License-Identifier: MIT */
/* Keeps the moments of a window of one feature in constant time an event, without ever subtracting a value that
 * leaves: so nothing stays of a spike of 1e300, and no rounding drifts, whatever the number of events.
 *
 * The method is a "two-stack" queue in two levels (for the family see Tangwongsan, Hirzel, Schneider: "Low-latency
 * sliding-window aggregation in worst-case constant time", 2017). Events are grouped into blocks of B = 2^k at
 * absolute indices:
 *
 *     tail                inner_end        split               open_start     head
 *      |  suffixes, one an  |  blocks, one   |  blocks, totals   |   one        |
 *      |  event: inner[]    |  suffix each   |  joined in back   |   prefix     |
 *      +--------------------+----------------+-------------------+--------------+
 *      oldest block                       middle                   newest block
 *
 * - A new event is added to the prefix `open`. A full block is closed: its total is kept and joined to `back`.
 * - The tail walks through `inner`, the suffixes of the oldest block. When it leaves that block, the suffixes of the
 *   next are made (at most B additions); when there is no block left before `split`, the suffixes over the totals of
 *   all closed blocks are made and `split` moves up (at most w/B merges). B near the square root of the window keeps
 *   both small.
 * - The window is inner[tail], `middle` (which changes only with a block) and `open`: two merges an event.
 *
 * Which roundings happen depends on the stream alone, so rows calls can do several blocks side by side
 * (zscore/lanes.h) and give the same bits. */
#ifndef AN_WINDOW_SLIDING_H
#define AN_WINDOW_SLIDING_H

#include "window/moments.h"
#include "window/window.h"

/* Where the parts meet. Everything else follows from these and the ring. */
typedef struct an_borders {
    uint64_t inner_end;  /* events from here on are not in `inner` */
    uint64_t split;      /* a block */
    uint64_t open_start; /* events from here on are in `open` */
    uint32_t block_bits; /* B = 1 << block_bits */
} an_borders;

typedef struct an_sliding {
    an_borders at;
    uint64_t inner_mask; /* suffixes held - 1: B - 1, or less while the window is smaller */
    uint64_t block_mask; /* blocks held - 1 */
    an_moments *inner;   /* [inner_mask + 1] by index: event i .. inner_end */
    an_moments *total;   /* [block_mask + 1] by block */
    an_moments *suffix;  /* [block_mask + 1] by block: block k .. split, for k < split */
    an_moments back;     /* closed blocks from `split` on */
    an_moments middle;   /* all closed blocks */
    an_moments open;
    uint64_t lanes_from; /* zscore/rows.c: not worth trying before this index */
} an_sliding;

/* Answers the block size for a window bound: about its square root, at most a quarter of it, and 256 for all windows
 * but the largest (zscore/rows.c holds tables of blocks). */
uint32_t an_sliding_block_bits(uint64_t bound);
size_t an_sliding_bytes(uint32_t block_bits, uint64_t slots);

/* Makes tables for a ring of that many slots, and keeps the state. ANOMALY_E_NOMEM changes nothing. */
int an_sliding_resize(an_sliding *sliding, uint64_t slots, const anomaly_allocator *allocator);
void an_sliding_free(an_sliding *sliding, const anomaly_allocator *allocator);
void an_sliding_reset(an_sliding *sliding);

/* The calls below keep an_borders_can_be(). Each wants the state to be that of the window [tail, head) before the
 * change, and leaves it as that of the window after it. `ring` and `mask` are the feature's, which holds NaN where a
 * value is missing.
 *
 *     an event comes            first the ring gets it at index = head; then push(); then head grows
 *     events before T leave     evict(T), with tail <= T <= head; then the tail becomes T. Only then may their slots
 *                               be used again
 *     a late event comes        first the ring moves the later events up; then push() for the last index; then
 *                               refresh()
 *
 * moments() may be asked for at any time between two changes. */

/* Adds the event at `index`, the window's newest, which is in the ring. */
void an_sliding_push(an_sliding *sliding, uint64_t index, double x);

/* Closes the newest block, which is full and has this total; the next block begins empty. For callers that add values
 * to `open` themselves: push() closes a full block by itself. */
void an_sliding_close(an_sliding *sliding, const an_moments *total);

/* Moves the borders to a closed block that the tail comes into, and takes the block out of all suffixes and totals.
 * The caller must then fill `inner` with the block's suffixes from the tail on. */
void an_sliding_enter(an_sliding *sliding, uint64_t block);

/* Moves the borders to the block of `tail`, which is at or behind inner_end, and makes its suffixes in `inner`. */
void an_sliding_leave(an_sliding *sliding, const double *ring, uint64_t mask, uint64_t tail, uint64_t head);

/* Lets the events before `tail` leave; head is the window's. */
static inline void an_sliding_evict(an_sliding *sliding, const double *ring, uint64_t mask, uint64_t tail, uint64_t head)
{
    if (tail >= sliding->at.inner_end)
        an_sliding_leave(sliding, ring, mask, tail, head);
}

/* Makes again what depends on the events from `position` on, which a late event has moved up by one slot: [tail, head)
 * is the window as the ring has it now. */
void an_sliding_refresh(an_sliding *sliding, const double *ring, uint64_t mask, uint64_t tail, uint64_t head,
                        uint64_t position);

/* Makes every table anew from the borders (which can be) and the ring, as the live code would have: the same bits. */
void an_sliding_restore(an_sliding *sliding, const double *ring, uint64_t mask, uint64_t tail, uint64_t head);

/* ---- without tables: for a small ring they are made each time, which is as fast as keeping them ---- */

#define AN_SMALL_SLOTS 8

/* Do what an_sliding_push() and an_sliding_evict() do to the borders. */
void an_borders_push(an_borders *at, uint64_t index);
void an_borders_evict(an_borders *at, uint64_t tail, uint64_t head);

/* Chooses borders for a window whose own are not known, since its snapshot was written with another block size. */
void an_borders_guess(an_borders *at, uint64_t tail, uint64_t head);

/* Tells whether the borders can result from calls for the window [tail, head): every call relies on that. */
int an_borders_can_be(const an_borders *at, uint64_t tail, uint64_t head);

/* Answers the moments of a window of a ring of at most AN_SMALL_SLOTS: the same bits as with tables. */
an_moments an_borders_moments(const an_borders *at, const double *ring, uint64_t mask, uint64_t tail, uint64_t head);

/* Answers the moments of the whole window. */
static inline an_moments an_sliding_moments(const an_sliding *sliding, uint64_t tail)
{
    static const an_moments none = {0, 0, 0, 0, 0};
    const an_moments *oldest = tail < sliding->at.inner_end ? &sliding->inner[tail & sliding->inner_mask] : &none;
    return an_moments_join(oldest, &sliding->middle, &sliding->open);
}

#endif
