/* SPDX-License-Identifier: MIT */
/* Keeps the last scores, and finds the threshold that follows them:
 *   - with a share: the exact quantile of the scores that at most this share of them reaches, once there are enough
 *     scores for the share (a share of 1 in 100 needs 100);
 *   - without a share, and before that: a number well apart from the scores. The typical score is 0.5 whatever the
 *     data. Let c be what one score in 100 reaches (of fewer than 100 scores: one in 10); the threshold is
 *
 *         0.5 + 1.45 * (c - 0.5)       (of fewer than 100 scores: 3 times in place of 1.45; near 1 less)
 *
 *     Of ten distributions of 1 to 100 features, at most one score in 500 reaches it, mostly one in 5000
 *     (docs/forest.md).
 *
 * An order of all scores would give the quantile, but cost most for the many low scores, where the quantile never
 * lies. So only the scores from `floor` on are kept in order, in `ranks`; all scores lie in the ring, and `tally`
 * counts how many lie in each 512th of the way from 0 to 1. A floor is always the edge between two of those bins, so
 * the tally tells where a new floor must lie to leave a wanted number of scores above it:
 *
 *     0        lower     floor        cut          1
 *     |----------|---------|-----------|-----------|
 *      ring and  | being   | in ranks, | at most the share
 *      tally only| added   | in order  | of all scores
 *
 * - An event whose score lies below the floor, as most do, costs a place in the ring and one count.
 * - The floor is lowered when too few scores are left above it. `lower` is where it will lie: with each event 128
 *   scores of the ring are looked at, and those between `lower` and `floor` are put into the ranks. Until `scanned`
 *   has come to the end of the ring the old floor holds; the margin above it is wide enough not to be used up
 *   meanwhile.
 * - The floor is raised when too many scores have come above it. Then ranks still hold scores below the new floor, and
 *   two of them are dropped with each event.
 *
 * For example with 10,000 scores and a share of 1 in 100: 101 scores are needed, between 273 (101 and a margin of 172)
 * and 789 (four margins) are kept above the floor, and a new floor leaves at least 445 (two margins). */
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
    uint32_t above;                /* scores from the floor on */
    double floor;                  /* all scores from here on are in the ranks */
    double lower;                  /* the floor that is to be, while the floor is being lowered; else the same as `floor` */
    uint64_t scanned;              /* scores before this index and from `lower` on are in the ranks */
    uint32_t tally[AN_SCORE_BINS]; /* in bin k: how many scores lie from k / AN_SCORE_BINS to the next bin */
    double share;    /* of the scores, which may reach the threshold; 0: the threshold lies apart from the scores */
    double most;     /* equal events are not anomalous where they are more than this share: `share`, or 1 in 100 without */
    double quantile; /* of the scores held; NaN without any */
    double cut;      /* the quantile, or the next number above it, so that at most the share of the scores reach the cut */
} an_scores;

/* Returns the next double above a number that is not negative. */
static inline double an_next_above(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    bits++;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* Counts the bytes for that many scores. */
size_t an_scores_bytes(uint64_t bound);
void an_scores_free(an_scores *scores, const anomaly_allocator *allocator);
void an_scores_reset(an_scores *scores);

/* Makes room for as many scores in all as a ring of `slots` holds, never less than there is. ANOMALY_E_NOMEM changes
 * nothing that can be seen. */
int an_scores_resize(an_scores *scores, uint64_t slots, const anomaly_allocator *allocator);

/* Does a part of what an_scores_resize() does, the ranks or the ring: two calls do all, each for half the cost. */
int an_scores_grow(an_scores *scores, uint64_t slots, const anomaly_allocator *allocator);

/* Makes room for one score more. */
int an_scores_prepare(an_scores *scores, const anomaly_allocator *allocator);

/* Sets the share of scores that may reach the threshold and the most scores held. Called before anything else. */
void an_scores_set_share(an_scores *scores, double share, uint64_t bound);

/* Takes in a score between 0 and 1, drops the oldest when there are `bound` scores, and finds the quantile. */
void an_scores_add(an_scores *scores, double score);

/* Tells whether there are enough scores to take the share of. */
static inline int an_scores_are_enough(const an_scores *scores)
{
    return scores->count * scores->share >= 1.0;
}

/* Returns the threshold that follows the scores: 1 while there are fewer than 16 scores. */
double an_scores_threshold(const an_scores *scores);

/* Writes the scores held, oldest first, and reads them back into empty ones. ANOMALY_E_CORRUPT, E_NOMEM. */
void an_scores_save(const an_scores *scores, an_writer *writer);
int an_scores_restore(an_scores *scores, an_reader *reader, const anomaly_allocator *allocator);

#endif
