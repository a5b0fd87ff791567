/* SPDX-License-Identifier: MIT */
/* The stages round a kind of detector, those that its configuration asks for:
 *
 *     value -> transform -> season -> | the kind's score | -> tail -> decision
 *              log(x)       minus what |                  |   how     whom to tell
 *                           is usual   |                  |   rare
 *
 * The kind sees what the first two make of a value, and its bounds go the same way back. A detector that asks for no
 * stage has none of this. */
#ifndef AN_STAGE_STAGES_H
#define AN_STAGE_STAGES_H

#include "stage/decision.h"
#include "stage/season.h"
#include "stage/tail.h"
#include "stage/transform.h"

#define AN_STAGED_FEATURES 1024u /* of an event whose values have to be changed, at most */

typedef struct an_stages {
    uint32_t features;
    int transforms, seasons, budgets, decides; /* which there are */
    an_transform transform;
    an_season season;
    an_tail tail;
    an_decision decision;
    uint32_t since_odd; /* events since an odd one was recorded, up to a bound */
} an_stages;

/* Does the configuration ask for a stage? For one that cannot do without the times of events? */
int an_stages_are_wanted(const anomaly_config *config);
int an_stages_need_times(const anomaly_config *config);
int an_stages_change_values(const anomaly_config *config);

size_t an_stages_bytes(const anomaly_config *config); /* once all is full */

/* ANOMALY_E_NOMEM changes nothing. `places` serve the processor. */
int an_stages_create(an_stages **stages, const anomaly_config *config, const an_places *places,
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

/* Brings expected, lower and upper of the verdict's feature back into the unit of its values. */
void an_stages_bring_back(const an_stages *stages, int64_t t_ns, anomaly_verdict *verdict);

/* Goes from the score of an event that the kind has judged (is_judged) to tail, threshold and IS_ANOMALY. */
void an_stages_rate(const an_stages *stages, int is_judged, anomaly_verdict *verdict);

/* ALARM, EPISODE, EPISODE_END and HELD. */
uint32_t an_stages_decide(const an_stages *stages, const anomaly_verdict *verdict, const double *x, int64_t t_ns);

/* An event has been learned: by the transform whatever its verdict, by the season as one that was flagged or not. */
void an_stages_learn(an_stages *stages, const double *x, int64_t t_ns, int flagged);

/* An update is over: the score is recorded (is_judged), the decision moves on. */
void an_stages_finish(an_stages *stages, int is_judged, const anomaly_verdict *verdict, const double *x, int64_t t_ns);

/* restore reads into stages that were just created. ANOMALY_E_CORRUPT, E_NOMEM. */
void an_stages_save(const an_stages *stages, an_writer *writer);
int an_stages_restore(an_stages *stages, an_reader *reader, const anomaly_allocator *allocator);

#endif
