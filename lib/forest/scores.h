/* SPDX-License-Identifier: MIT */
/* The last scores, and the threshold that follows them:
 *   - that a given share of them lies above, at most: their exact quantile, as soon as there are scores enough for that share;
 *   - without a share, or before: well apart from the scores. 0.5 is the typical score whatever the data, and what one in a
 *     hundred reaches lies so far above that 1.45 times as far is reached by hardly any: one in 500 at most of ten
 *     distributions of 1 to 100 features, mostly one in 5000 (docs/forest.md). Fewer than a hundred scores are measured by
 *     what one in ten reaches.
 *
 * Only what lies above the quantile is kept in order, and some more: the scores from `floor` on, in ranks. The others lie in
 * the ring and are counted, which is all that most events pay. When scores leave and too few are left above the floor, it is
 * lowered: the ring is gone through, a stretch with each event, and done before they run out. When too many have come, the
 * floor is raised and the lowest are dropped, two with each event. Floors are edges of the tally, so that the next is known
 * without a look at the scores. */
#ifndef AN_FOREST_SCORES_H
#define AN_FOREST_SCORES_H

#include "base/bytes.h"
#include "window/ranks.h"

#include <string.h>

#define AN_SCORE_BINS 512u

typedef struct an_scores {
    an_ranks ranks; /* all scores from `floor` on; below them, either some to be dropped or those of a lowering floor */
    double *ring;   /* score i in slot i & (slots - 1), the last `count` ones */
    uint64_t slots; /* a power of two; 0: no memory yet */
    uint64_t bound; /* most scores */
    uint64_t head;  /* scores ever */
    uint32_t count;
    uint32_t above; /* scores from the floor on */
    double floor;   /* scores from here on are in the ranks, */
    double lower;   /* and from here on, if they come before `scanned`: the floor that is to be; else the same */
    uint64_t scanned;
    uint32_t tally[AN_SCORE_BINS]; /* scores from k / AN_SCORE_BINS on */
    double share;                  /* of scores that may reach the threshold; 0: those that lie apart from the others */
    double most;                   /* the same, or the share of which equal ones do not lie apart */
    double quantile;               /* of the scores held; NaN without any */
    double cut;                    /* the same, or the next number above it where equal scores reach across it: no more than
                                       the share of the scores lie at the cut or above */
} an_scores;

/* Of a number that is not negative. */
static inline double an_next_above(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    bits++;
    memcpy(&x, &bits, sizeof x);
    return x;
}

size_t an_scores_bytes(uint64_t bound);
void an_scores_free(an_scores *scores, const anomaly_allocator *allocator);
void an_scores_reset(an_scores *scores);

/* Room for as many scores in all as a ring of `slots` holds, never less than there is. ANOMALY_E_NOMEM changes nothing that
 * can be seen. */
int an_scores_resize(an_scores *scores, uint64_t slots, const anomaly_allocator *allocator);

/* The same in two calls, each for half of what it costs. */
int an_scores_grow(an_scores *scores, uint64_t slots, const anomaly_allocator *allocator);

/* Room for one more. */
int an_scores_prepare(an_scores *scores, const anomaly_allocator *allocator);

/* Before anything else. */
void an_scores_set_share(an_scores *scores, double share, uint64_t bound);

/* Takes a score of 0 to 1 in, the oldest leaving at the bound, and finds the quantile. */
void an_scores_add(an_scores *scores, double score);

/* Are there scores enough for the share? */
static inline int an_scores_are_enough(const an_scores *scores)
{
    return scores->count * scores->share >= 1.0;
}

/* 1 while there are hardly any scores. */
double an_scores_threshold(const an_scores *scores);

/* The scores held, oldest first; and into empty ones. ANOMALY_E_CORRUPT, E_NOMEM. */
void an_scores_save(const an_scores *scores, an_writer *writer);
int an_scores_restore(an_scores *scores, an_reader *reader, const anomaly_allocator *allocator);

#endif
