/* SPDX-License-Identifier: MIT */
/* The stage between score and decision: how rare is a score as high as this under recent behaviour, and from which
 * score on are events within a budget of alarms?
 *
 * The record holds the last N scores in order. Of n scores recorded, the chance that the next one, if nothing has
 * changed, is at least s is estimated by its rank: (#{recorded >= s} + 1) / (n + 1), which is exact for scores that
 * may come in any order. With a budget of a share a of the events, the threshold is the least score with a rank of a
 * or less; equal scores share a rank, so they are all within the budget or none of them is.
 *
 * A rank is never less than 1 / (n + 1). Beyond that the tail is an estimate: a generalised Pareto distribution
 * fitted to the largest 2 % of the record by probability-weighted moments (Hosking and Wallis, "Parameter and
 * quantile estimation for the generalized Pareto distribution", 1987), never lighter than exponential, so that it
 * errs towards fewer alarms. The fit is made anew once in 64 scores.
 *
 * A budget by time, N alarms a day, is N / (events a day) of the events, as counted over the record itself.
 *
 * The automatic budget is 1 alarm a day where events have times that move on, else a share of 1e-4. It is for those
 * who have asked for nothing, so that it must find what is obvious in a short record, too: it decides nothing before
 * there are 1000 scores (stages.c: unless the record is one of many keys), and then a score need not exceed the three
 * largest of the record, lest one outlier hides the next. */
#ifndef AN_STAGE_TAIL_H
#define AN_STAGE_TAIL_H

#include "base/bytes.h"
#include "window/ranks.h"

#define AN_TAIL_LEAST 50u /* scores before anything can be said */

typedef struct an_budget {
    uint64_t scores;   /* N, 128 .. 2^24 */
    double rate;       /* share of the events, 0 .. 0.5; 0: by time */
    double alarms;     /* so many */
    int64_t period_ns; /* in so much time; 0: by rate; AN_AUTOMATIC */
} an_budget;

#define AN_AUTOMATIC INT64_C(-1)

/* P(score >= s) = share * (1 + shape (s - from) / scale)^(-1 / shape), of scores beyond `from`. */
typedef struct an_pareto {
    double share, from, scale, shape;
} an_pareto;

typedef struct an_tail {
    an_budget budget;
    an_ranks ranks;   /* the scores in order */
    double *ring;     /* score i in slot i % room */
    int64_t *times;   /* of every AN_TAIL_STRIDE-th score, for a budget by time, else NULL */
    uint64_t room;    /* slots of the ring: N at last */
    uint64_t head;    /* scores ever */
    uint64_t count;   /* scores held */
    uint64_t next;    /* the slot that the next score takes */
    an_pareto pareto; /* scale NaN: not fitted yet */
    double asked;     /* a rate, and the score with that chance by the fit; NaN: not asked for since */
    double beyond;
    double threshold; /* +infinity: too few scores */
} an_tail;

/* An empty record. `places` serve the processor. */
void an_tail_init(an_tail *tail, const an_budget *budget, const an_places *places);
void an_tail_free(an_tail *tail, const anomaly_allocator *allocator);
void an_tail_reset(an_tail *tail);
size_t an_tail_bytes(const an_budget *budget); /* of a full record */

/* Room for one more score; for so many; for all there will ever be. ANOMALY_E_NOMEM changes nothing that can be
 * seen. */
int an_tail_prepare(an_tail *tail, const anomaly_allocator *allocator);
int an_tail_make_room(an_tail *tail, uint64_t scores, const anomaly_allocator *allocator);
int an_tail_reserve(an_tail *tail, const anomaly_allocator *allocator);

/* The chance of a score of `score` or more; NaN while there are fewer than AN_TAIL_LEAST. *estimated: it comes from
 * the fit. */
double an_tail_of(const an_tail *tail, double score, int *estimated);

/* The largest chance that is within the budget. */
double an_tail_budget(const an_tail *tail);

/* Is it not for the budget to decide yet, but for the kind's own threshold? */
int an_tail_is_young(const an_tail *tail);

/* Is the score within the budget of alarms? Never while there are fewer than AN_TAIL_LEAST scores. */
int an_tail_exceeds(const an_tail *tail, double score);

/* Records a score, which is no NaN, the oldest leaving at the bound, and finds the threshold. There must be room. */
void an_tail_add(an_tail *tail, double score, int64_t t_ns);

/* The record; and into one that is empty. ANOMALY_E_CORRUPT, E_NOMEM. */
void an_tail_save(const an_tail *tail, an_writer *writer);
int an_tail_restore(an_tail *tail, an_reader *reader, const anomaly_allocator *allocator);

#endif
