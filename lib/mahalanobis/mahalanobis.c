/* SPDX-License-Identifier: MIT */
/* The life of a window of totals, and what it learns. */
#include "mahalanobis/mahalanobis.h"

#include "base/bytes.h"

#include <math.h>
#include <string.h>

static size_t own_bytes(const an_lags *l)
{
    return sizeof(an_mahalanobis) + (size_t)l->features * l->room * sizeof(double);
}

static size_t batch_bytes(const an_lags *l)
{
    return (size_t)AN_BATCH_VECTORS * an_lags_coordinates(l) * sizeof(double);
}

/* The vectors that the first so many events make. */
static uint64_t vectors_of(const an_lags *l, uint64_t events)
{
    return events < l->values ? 0 : events - (l->values - 1);
}

/* Counts the blocks that the first so many events need: none before a batch is full, all once the window is. */
static uint32_t blocks_for(const an_lags *l, uint64_t block_events, uint64_t events)
{
    uint64_t vectors = vectors_of(l, events), blocks = (vectors + block_events - 1) / block_events;
    if (events >= AN_WINDOW_BLOCKS * block_events)
        return AN_WINDOW_BLOCKS;
    return vectors < AN_BATCH_VECTORS ? 0 : blocks < AN_WINDOW_BLOCKS ? (uint32_t)blocks : AN_WINDOW_BLOCKS;
}

size_t an_mahalanobis_bytes(const an_lags *l, uint64_t window, uint64_t events)
{
    uint32_t blocks = blocks_for(l, window / AN_WINDOW_BLOCKS, events);
    return own_bytes(l) + (vectors_of(l, events) ? batch_bytes(l) : 0) +
           (blocks ? blocks + 2 : 0) * an_totals_bytes(an_lags_coordinates(l));
}

static void forget_values(an_mahalanobis *h)
{
    for (size_t i = 0; i < (size_t)h->lags.features * h->lags.room; i++)
        h->rings[i] = (double)NAN;
    h->learned = 0;
    h->used = 1;
    h->next = h->batched = 0;
}

void an_mahalanobis_destroy(an_mahalanobis *h, const anomaly_allocator *allocator)
{
    if (!h)
        return;
    size_t bytes = an_totals_bytes(h->m);
    for (uint32_t b = 0; b < AN_WINDOW_BLOCKS; b++)
        an_free(allocator, h->block[b], 1, bytes);
    an_free(allocator, h->fit, 1, bytes);
    an_free(allocator, h->scratch, 1, bytes);
    an_free(allocator, h->batch, 1, batch_bytes(&h->lags));
    an_free(allocator, h, 1, own_bytes(&h->lags));
}

static void clear_totals(an_totals *totals, uint32_t m)
{
    if (totals)
        an_totals_clear(totals, m);
}

void an_mahalanobis_reset(an_mahalanobis *h)
{
    forget_values(h);
    clear_totals(h->fit, h->m);
    for (uint32_t b = 0; b < AN_WINDOW_BLOCKS; b++)
        clear_totals(h->block[b], h->m);
}

static int make_totals(an_totals **totals, uint32_t m, const anomaly_allocator *allocator)
{
    if (*totals)
        return ANOMALY_OK;
    *totals = an_alloc(allocator, 1, an_totals_bytes(m));
    clear_totals(*totals, m);
    return *totals ? ANOMALY_OK : ANOMALY_E_NOMEM;
}

static int make_batch(an_mahalanobis *h, const anomaly_allocator *allocator)
{
    if (!h->batch)
        h->batch = an_alloc(allocator, 1, batch_bytes(&h->lags));
    return h->batch ? ANOMALY_OK : ANOMALY_E_NOMEM;
}

int an_mahalanobis_make_room(an_mahalanobis *h, uint64_t events, const anomaly_allocator *allocator)
{
    uint32_t blocks = blocks_for(&h->lags, h->block_events, events);
    int status = vectors_of(&h->lags, events) ? make_batch(h, allocator) : ANOMALY_OK;
    if (!status && blocks)
        status = make_totals(&h->fit, h->m, allocator);
    if (!status && blocks)
        status = make_totals(&h->scratch, h->m, allocator);
    for (uint32_t b = 0; b < blocks && !status; b++)
        status = make_totals(&h->block[b], h->m, allocator);
    return status;
}

an_mahalanobis *an_mahalanobis_create(const an_lags *lags, uint64_t window, const anomaly_allocator *allocator)
{
    an_mahalanobis *h = an_alloc(allocator, 1, own_bytes(lags));
    if (!h)
        return NULL;
    memset(h, 0, own_bytes(lags));
    h->lags = *lags;
    h->m = an_lags_coordinates(lags);
    h->block_events = window / AN_WINDOW_BLOCKS;
    h->rings = (double *)(void *)(h + 1);
    forget_values(h);
    if (an_mahalanobis_make_room(h, 1, allocator) == ANOMALY_OK) /* the first event comes without a call for room */
        return h;
    an_mahalanobis_destroy(h, allocator);
    return NULL;
}

/* ---- learning ---- */

/* The block is full: the next one begins, in place of the oldest where there are enough. */
static void begin_block(an_mahalanobis *h)
{
    h->next = (h->next + 1) % AN_WINDOW_BLOCKS;
    if (h->used == AN_WINDOW_BLOCKS)
        an_totals_clear(h->block[h->next], h->m);
    else
        h->used++;
}

static void close_batch(an_mahalanobis *h)
{
    an_totals *block = h->block[h->next];
    an_totals_of_batch(h->scratch, h->batch);
    an_totals_merge(block, h->scratch);
    h->batched = 0;
    int full = block->events >= h->block_events;
    if (full || h->used == 1 || an_mahalanobis_is_outdated(h))
        an_mahalanobis_fit(h);
    if (full)
        begin_block(h);
}

static void add_to_batch(an_mahalanobis *h, const double *x)
{
    double y[AN_MOST_COORDINATES];
    an_lags_coordinates_of(&h->lags, h->rings, h->learned, x, y);
    for (uint32_t i = 0; i < h->m; i++)
        h->batch[(size_t)i * AN_BATCH_VECTORS + h->batched] = y[i];
    h->batched++;
}

/* Events are counted on without end. A snapshot has no room for that: before, the count falls to a window or more,
 * with the same place in the rings. */
static uint64_t counted(const an_mahalanobis *h, uint64_t learned)
{
    uint64_t room = h->lags.room ? h->lags.room : 1, window = (h->block_events * AN_WINDOW_BLOCKS / room + 1) * room;
    return learned < AN_COUNTED ? learned : window + learned % room;
}

void an_mahalanobis_learn(an_mahalanobis *h, const double *x)
{
    if (h->learned >= h->lags.values - 1)
        add_to_batch(h, x);
    an_lags_push(&h->lags, h->rings, h->learned, x);
    h->learned = counted(h, h->learned + 1);
    if (h->batched == AN_BATCH_VECTORS)
        close_batch(h);
}
