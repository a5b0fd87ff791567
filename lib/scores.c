/* SPDX-License-Identifier: MIT */
#include "scores.h"

#include "window.h"

#include <math.h>

static uint64_t last_slots(uint64_t bound)
{
    return an_window_slots(bound);
}

size_t an_scores_bytes(uint64_t bound)
{
    uint64_t slots = last_slots(bound);
    return (size_t)slots * sizeof(double) + an_ranks_bytes(slots, an_ranks_buckets_worst(slots));
}

void an_scores_free(an_scores *scores, const anomaly_allocator *allocator)
{
    an_ranks_free(&scores->ranks, allocator);
    an_free(allocator, scores->ring, (size_t)scores->slots, sizeof *scores->ring);
}

void an_scores_reset(an_scores *scores)
{
    if (scores->slots)
        an_ranks_reset(&scores->ranks);
    scores->head = 0;
    scores->placed = 0;
    scores->quantile = (double)NAN;
}

static int resize_ring(an_scores *scores, uint64_t slots, const anomaly_allocator *allocator)
{
    double *ring = an_alloc(allocator, (size_t)slots, sizeof *ring);
    if (!ring)
        return ANOMALY_E_NOMEM;
    for (uint64_t i = scores->head - scores->ranks.size; i < scores->head; i++)
        ring[i & (slots - 1)] = scores->ring[i & (scores->slots - 1)];
    an_free(allocator, scores->ring, (size_t)scores->slots, sizeof *ring);
    scores->ring = ring;
    scores->slots = slots;
    return ANOMALY_OK;
}

/* The ranks first: they may then hold more than the ring needs. */
int an_scores_resize(an_scores *scores, uint64_t slots, const anomaly_allocator *allocator)
{
    int last = slots >= last_slots(scores->bound), status = ANOMALY_OK;
    uint32_t buckets = last ? an_ranks_buckets_worst(slots) : an_ranks_buckets_usual(slots);
    if (slots < scores->slots)
        return ANOMALY_OK;
    if (!an_ranks_fits(&scores->ranks, slots, buckets))
        status = an_ranks_resize(&scores->ranks, slots, buckets, allocator);
    return status || slots == scores->slots ? status : resize_ring(scores, slots, allocator);
}

int an_scores_reserve(an_scores *scores, uint64_t count, const anomaly_allocator *allocator)
{
    uint64_t slots = an_window_slots(count);
    slots = slots > scores->slots ? slots : scores->slots;
    uint32_t buckets = an_ranks_buckets_worst(slots);
    int status = an_scores_resize(scores, slots, allocator);
    if (status || an_ranks_fits(&scores->ranks, slots, buckets))
        return status;
    return an_ranks_resize(&scores->ranks, slots, buckets, allocator);
}

int an_scores_prepare(an_scores *scores, const anomaly_allocator *allocator)
{
    an_ranks *ranks = &scores->ranks;
    if (ranks->size == scores->slots && ranks->size < scores->bound)
        return an_scores_resize(scores, an_window_slots((uint64_t)ranks->size + 1), allocator);
    if (!an_ranks_has_room(ranks, scores->slots))
        return an_ranks_resize(ranks, scores->slots, ranks->capacity + ranks->capacity / 2 + 1, allocator);
    return ANOMALY_OK;
}

void an_scores_add(an_scores *scores, double score, double q)
{
    an_ranks *ranks = &scores->ranks;
    if (ranks->size == scores->bound)
        an_ranks_remove(ranks, scores->ring[(scores->head - scores->bound) & (scores->slots - 1)]);
    scores->ring[scores->head++ & (scores->slots - 1)] = score;
    an_ranks_insert(ranks, score);
    if (scores->placed != ranks->size)
        scores->place = an_place_of(q, ranks->size, ANOMALY_LINEAR);
    scores->placed = ranks->size;
    scores->quantile = an_ranks_value(ranks, &ranks->cursor[0], scores->place);
}
