/* SPDX-License-Identifier: MIT */
/* The stages round a kind of detector, those that its configuration asks for:
 *
 *     value -> transform -> season -> | the kind's score | -> tail -> decision
 *              log(x)       minus what |                  |   how     whom to tell
 *                           is usual   |                  |   rare
 *     time  -> interval: when is the next one due?
 *
 * The kind sees what the first two make of a value, and its bounds go the same way back. A detector that asks for no
 * stage has none of this. */
#ifndef AN_STAGE_STAGES_H
#define AN_STAGE_STAGES_H

#include "stage/decision.h"
#include "stage/interval.h"
#include "stage/season.h"
#include "stage/tail.h"
#include "stage/transform.h"

#define AN_STAGED_FEATURES 1024u /* of an event whose values have to be changed, at most */

typedef struct an_stages {
    uint32_t features;
    int transforms, seasons, budgets, decides, awaits; /* which there are */
    int changes;                                       /* are there transforms or seasons? */
    int begins;                                        /* is there something to do before an update changes anything? */
    int learns;                                        /* is there something to learn of each event? */
    int only_decides;                                  /* is there nothing but the decision? */
    int only_season;                                   /* is a season of one value all that learns? */
    double *seen;                                      /* [features] what the kind sees of an update, if `changes` */
    an_transform transform;
    an_season season;
    an_tail tail;
    an_tail *record; /* of scores: tail, or one that others use too */
    an_decision decision;
    an_interval interval;
} an_stages;

/* Does the configuration ask for a stage? For one that cannot do without the times of events? */
int an_stages_are_wanted(const anomaly_config *config);
int an_stages_need_times(const anomaly_config *config);
int an_stages_change_values(const anomaly_config *config);
int an_stages_have_budget(const anomaly_config *config);

/* The empty record of scores that the configuration asks for, and the bytes that it takes once it is full. */
void an_stages_begin_record(an_tail *record, const anomaly_config *config, const an_places *places);
size_t an_stages_record_bytes(const anomaly_config *config);

size_t an_stages_bytes(const anomaly_config *config);         /* once all is full */
uint64_t an_stages_least_saved(const anomaly_config *config); /* bytes of a snapshot */

/* ANOMALY_E_NOMEM changes nothing. `places` serve the processor. `record`: that of others, who see to its room, its
 * lock and its snapshots; NULL: its own. */
int an_stages_create(an_stages **stages, const anomaly_config *config, an_tail *record, const an_places *places,
                     const anomaly_allocator *allocator);
void an_stages_destroy(an_stages *stages, const anomaly_allocator *allocator);
void an_stages_reset(an_stages *stages);

/* Keeps to the budget of alarms, or no more, as that configuration says; the rest is as it was. */
void an_stages_follow(an_stages *stages, const anomaly_config *config);

/* Memory for one more event, or for all there will be. ANOMALY_E_NOMEM changes nothing that can be seen. */
int an_stages_prepare(an_stages *stages, const anomaly_allocator *allocator);
int an_stages_reserve(an_stages *stages, const anomaly_allocator *allocator);

/* Time has come to t_ns. */
void an_stages_advance(an_stages *stages, int64_t t_ns);

/* Writes to y[features] what the kind sees of x: NaN where it sees nothing. UNTRANSFORMED, WARMING_UP (the season or
 * the value before is not known yet). */
uint32_t an_stages_see(const an_stages *stages, const double *x, int64_t t_ns, double *y);

/* The same of an event of which no time is known. Returns 0 where that matters: with a season or rates. */
int an_stages_see_timeless(const an_stages *stages, const double *x, double *y);

/* Writes to y[features] what the transform alone makes of x: NaN where there is no transform. */
void an_stages_transform(const an_stages *stages, const double *x, int64_t t_ns, double *y);

/* Brings expected, lower and upper of the verdict's feature back into the unit of its values, for an event x; or, of
 * what the transform alone has made. */
void an_stages_bring_back(const an_stages *stages, const double *x, int64_t t_ns, anomaly_verdict *verdict);
void an_stages_transform_back(const an_stages *stages, const double *x, int64_t t_ns, anomaly_verdict *verdict);

/* Goes from the score of an event that the kind has judged (is_judged) to tail, threshold and IS_ANOMALY. */
void an_stages_rate(const an_stages *stages, int is_judged, anomaly_verdict *verdict);

/* Takes a rated event that is within the budget out of it again where its very values are more frequent: `equal` of
 * the newest `of` events have them. Their scores move together, with a mean or with a tree, so that each new extreme
 * comes many times. */
void an_stages_spare(const an_stages *stages, uint64_t equal, uint64_t of, anomaly_verdict *verdict);

/* ALARM, EPISODE, EPISODE_END, HELD and its reasons; an update moves the decision on as well. */
uint32_t an_stages_move_on(an_stages *stages, const anomaly_verdict *verdict, const double *x, int64_t t_ns);

static inline uint32_t an_stages_move(an_stages *stages, const anomaly_verdict *verdict, const double *x, int64_t t_ns)
{
    if (!stages->decides)
        return 0;
    if ((verdict->flags & ANOMALY_IS_ANOMALY) || !an_decision_is_idle(&stages->decision))
        return an_stages_move_on(stages, verdict, x, t_ns);
    an_decision_pass(&stages->decision);
    return 0;
}

uint32_t an_stages_decide(const an_stages *stages, const anomaly_verdict *verdict, const double *x, int64_t t_ns);

/* An event has been learned: by the transform whatever its verdict, by the season as one that was flagged or not. */
void an_stages_learn(an_stages *stages, const double *x, int64_t t_ns, int flagged);

/* Records the score that an update was rated by; with a verdict that belongs to an episode not, unless the episode
 * lasts. */
void an_stages_record(an_stages *stages, double score, const anomaly_verdict *verdict, int64_t t_ns);

/* restore reads into stages that were just created. ANOMALY_E_CORRUPT, E_NOMEM. */
void an_stages_save(const an_stages *stages, an_writer *writer);
int an_stages_restore(an_stages *stages, an_reader *reader, const anomaly_allocator *allocator);

#endif
