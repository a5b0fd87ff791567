/* SPDX-License-Identifier: MIT */
/* The life of a window of totals, and what it learns. */
#include "mahalanobis/mahalanobis.h"

#include <math.h>
#include <string.h>

static size_t own_bytes(const an_lags *l)
{
    size_t numbers = (size_t)l->features * l->room + (size_t)AN_BATCH_VECTORS * an_lags_coordinates(l);
    return sizeof(an_mahalanobis) + numbers * sizeof(double);
}

/* Counts the blocks that the first so many events need: none before a batch is full. */
static uint32_t blocks_for(uint64_t block_events, uint64_t events)
{
    uint64_t blocks = (events + block_events - 1) / block_events;
    return events < AN_BATCH_VECTORS ? 0 : blocks < AN_WINDOW_BLOCKS ? (uint32_t)blocks : AN_WINDOW_BLOCKS;
}

size_t an_mahalanobis_bytes(const an_lags *l, uint64_t window, uint64_t events)
{
    uint32_t blocks = blocks_for(window / AN_WINDOW_BLOCKS, events);
    return own_bytes(l) + (blocks ? blocks + 2 : 0) * an_totals_bytes(an_lags_coordinates(l));
}

static void forget_values(an_mahalanobis *h)
{
    for (size_t i = 0; i < (size_t)h->lags.features * h->lags.room; i++)
        h->rings[i] = (double)NAN;
    h->learned = 0;
    h->used = 1;
    h->next = h->batched = 0;
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
    h->batch = h->rings + (size_t)lags->features * lags->room;
    forget_values(h);
    return h;
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

int an_mahalanobis_make_room(an_mahalanobis *h, uint64_t events, const anomaly_allocator *allocator)
{
    uint32_t blocks = blocks_for(h->block_events, events);
    int status = blocks ? make_totals(&h->fit, h->m, allocator) : ANOMALY_OK;
    if (!status && blocks)
        status = make_totals(&h->scratch, h->m, allocator);
    for (uint32_t b = 0; b < blocks && !status; b++)
        status = make_totals(&h->block[b], h->m, allocator);
    return status;
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

void an_mahalanobis_learn(an_mahalanobis *h, const double *x)
{
    if (h->learned >= h->lags.values - 1)
        add_to_batch(h, x);
    an_lags_push(&h->lags, h->rings, h->learned, x);
    h->learned++;
    if (h->batched == AN_BATCH_VECTORS)
        close_batch(h);
}
