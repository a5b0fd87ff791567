/* SPDX-License-Identifier: MIT */
/* The last scores in order, for a threshold that a given share of them lies above. */
#ifndef AN_SCORES_H
#define AN_SCORES_H

#include "ranks.h"

typedef struct an_scores {
    an_ranks ranks;
    double *ring;    /* score i in slot i & (slots - 1), the last `ranks.size` ones */
    uint64_t slots;  /* a power of two; 0: no memory yet */
    uint64_t bound;  /* most scores */
    uint64_t head;   /* scores ever */
    uint32_t placed; /* the size for which `place` is worked out */
    an_place place;
    double quantile; /* of the scores held; NaN without any */
} an_scores;

size_t an_scores_bytes(uint64_t bound);
void an_scores_free(an_scores *scores, const anomaly_allocator *allocator);
void an_scores_reset(an_scores *scores);

/* Room for as many scores in all as a ring of `slots` holds; with `slots` for the bound, room for ever. Never less than there
 * is. ANOMALY_E_NOMEM changes nothing that can be seen. */
int an_scores_resize(an_scores *scores, uint64_t slots, const anomaly_allocator *allocator);

/* Room for that many in all, whatever they are; no more than the bound. */
int an_scores_reserve(an_scores *scores, uint64_t count, const anomaly_allocator *allocator);

/* Room for one more. */
int an_scores_prepare(an_scores *scores, const anomaly_allocator *allocator);

/* Takes a score in, the oldest leaving at the bound, and finds the q-quantile (linear). */
void an_scores_add(an_scores *scores, double score, double q);

#endif
