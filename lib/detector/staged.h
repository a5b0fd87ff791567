/* SPDX-License-Identifier: MIT */
/* What one event of a detector with stages takes that both its ways need: that of a detector by itself (events.c,
 * where it is inlined, since calls are a good part of what a stage adds), and that of a key whose crowd has a say, and
 * of what changes nothing (staged.c). */
#ifndef AN_DETECTOR_STAGED_H
#define AN_DETECTOR_STAGED_H

#include "detector/detector.h"

#include <math.h>

/* An event as the caller gave it and as the kind sees it, which is the same where no stage changes values. */
typedef struct an_staged_event {
    const double *x, *y;
    uint32_t seen; /* flags of what y was made by: WARMING_UP counts where nothing was left to judge */
    int64_t t_ns;
} an_staged_event;

static inline void an_staged_advance(anomaly_detector *detector, int64_t t_ns)
{
    if (detector->stages->seasons && !an_is_jump(detector, t_ns))
        an_season_advance(&detector->stages->season, t_ns);
}

static inline an_staged_event an_staged_change(anomaly_detector *detector, const double *x, int64_t t_ns)
{
    an_stages *stages = detector->stages;
    if (!stages->changes)
        return (an_staged_event){x, x, 0, t_ns};
    return (an_staged_event){x, stages->seen, an_stages_see(stages, x, t_ns, stages->seen), t_ns};
}

/* Was there a score that may be flagged? Of an infinite value there is, whatever stands still beside it. */
static inline int an_staged_is_judged(const anomaly_detector *detector, const anomaly_verdict *v)
{
    int is_flat = (v->flags & (ANOMALY_FLAT | ANOMALY_NONFINITE)) == ANOMALY_FLAT;
    int only_shown = is_flat && detector->config->flat == ANOMALY_FLAT_IGNORE;
    return !(v->flags & ANOMALY_WARMING_UP) && !isnan(v->score) && !only_shown;
}

/* Goes from the score, if the event is judged, to tail, threshold and IS_ANOMALY by the record of scores. y: what the
 * kind has seen, where the score is its own. */
void an_staged_rate(const anomaly_detector *detector, const double *y, int judged, anomaly_verdict *v);

/* Gives the verdict on y the flags of x. */
void an_staged_flag(const anomaly_detector *detector, const an_staged_event *e, anomaly_verdict *v);

/* Goes from what the kind says of y to the verdict on x. Where y was made of all of x, and nothing is missing, the
 * kind has set the flags of x. */
static inline void an_staged_complete(const anomaly_detector *detector, const an_staged_event *e, int judged,
                                      anomaly_verdict *v)
{
    const an_stages *stages = detector->stages;
    if (e->seen || (stages->changes && (v->flags & ANOMALY_MISSING)))
        an_staged_flag(detector, e, v);
    v->tail = (double)NAN;
    if (stages->budgets)
        an_staged_rate(detector, e->y, judged, v);
    if (stages->changes)
        an_stages_bring_back(stages, e->x, e->t_ns, v);
}

/* Lets the stages learn what the window has learned, or not; flags are the verdict's. What came too late or too early
 * in time is learned nowhere. */
static inline void an_staged_teach(anomaly_detector *detector, const an_staged_event *e, uint32_t flags)
{
    if (detector->stages->learns && !(flags & (ANOMALY_LATE | ANOMALY_JUMPED)))
        an_stages_learn(detector->stages, e->x, e->t_ns, (flags & ANOMALY_IS_ANOMALY) != 0);
}

/* Records the score by which an event has been rated, once it is decided. */
void an_staged_record(anomaly_detector *detector, const anomaly_verdict *rated, int64_t t_ns,
                      const anomaly_verdict *decided);

#endif
