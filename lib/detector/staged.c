/* SPDX-License-Identifier: MIT */
/* One event of a detector that has stages round its kind: x is what the caller gave, y what the kind sees. */
#include "detector/detector.h"

#include <math.h>

/* Was there a score that may be flagged? Of an infinite value there is, whatever stands still beside it. */
static int is_judged(const anomaly_detector *detector, const anomaly_verdict *v)
{
    int is_flat = (v->flags & (ANOMALY_FLAT | ANOMALY_NONFINITE)) == ANOMALY_FLAT;
    int only_shown = is_flat && detector->config->flat == ANOMALY_FLAT_IGNORE;
    return !(v->flags & ANOMALY_WARMING_UP) && !isnan(v->score) && !only_shown;
}

/* Moves the bounds, which the kind has put where its own threshold lies, to the threshold in force. */
static void follow_threshold(const anomaly_detector *detector, anomaly_verdict *v)
{
    double share = v->threshold / detector->config->threshold;
    if (share == 1 || !detector->stages->budgets || !detector->kind->rules.bounds_at_threshold || !(share > 0) ||
        v->lower == v->upper)
        return;
    v->lower = v->expected + (v->lower - v->expected) * share;
    v->upper = v->expected + (v->upper - v->expected) * share;
}

/* Goes from what the kind says of y to the verdict on x. `seen` are the flags of what y was made by: WARMING_UP
 * counts where nothing was left to judge. Returns whether there was a score. */
static int complete(const anomaly_detector *detector, const double *x, int64_t t_ns, uint32_t seen, anomaly_verdict *v)
{
    uint32_t missing = an_value_flags(detector, x) & ANOMALY_MISSING;
    v->flags = (v->flags & ~(uint32_t)ANOMALY_MISSING) | missing | (seen & ANOMALY_UNTRANSFORMED);
    if (isnan(v->score))
        v->flags |= seen;
    int judged = is_judged(detector, v);
    v->tail = (double)NAN;
    an_stages_rate(detector->stages, judged, v);
    follow_threshold(detector, v);
    an_stages_bring_back(detector->stages, t_ns, v);
    return judged;
}

void an_staged_score(const anomaly_detector *detector, const double *x, int64_t t_ns, anomaly_verdict *v)
{
    double y[AN_STAGED_FEATURES];
    uint32_t seen = an_stages_see(detector->stages, x, t_ns, y);
    an_judge(detector, y, t_ns, v);
    complete(detector, x, t_ns, seen, v);
    if (detector->kind->whole)
        detector->kind->by_event.name_cause(detector, y, v);
    v->flags |= an_stages_decide(detector->stages, v, x, t_ns);
}

/* What came too late or too early in time is learned nowhere. */
static int is_in_time(uint32_t flags)
{
    return !(flags & (ANOMALY_LATE | ANOMALY_JUMPED));
}

static uint32_t learn(anomaly_detector *detector, const double *x, const double *y, int64_t t_ns, uint32_t flags)
{
    uint32_t kept_out = an_learn_event(detector, y, t_ns, flags);
    if (is_in_time(flags))
        an_stages_learn(detector->stages, x, t_ns, (flags & ANOMALY_IS_ANOMALY) != 0);
    return kept_out;
}

static void advance(anomaly_detector *detector, int64_t t_ns)
{
    if (!an_is_jump(detector, t_ns))
        an_stages_advance(detector->stages, t_ns);
}

static void count(anomaly_detector *detector, uint32_t flags)
{
    an_count_verdict(&detector->counts, flags);
    detector->counts.alarms += (flags & ANOMALY_ALARM) != 0;
    detector->counts.held += (flags & ANOMALY_HELD) != 0;
}

void an_staged_update(anomaly_detector *detector, const double *x, int64_t t_ns, anomaly_verdict *v, int wanted)
{
    double y[AN_STAGED_FEATURES];
    advance(detector, t_ns);
    uint32_t seen = an_stages_see(detector->stages, x, t_ns, y);
    if (detector->kind->whole)
        detector->kind->by_event.judge_next(detector, y, t_ns, v);
    else
        an_judge(detector, y, t_ns, v);
    int judged = complete(detector, x, t_ns, seen, v);
    if (detector->kind->whole && wanted)
        detector->kind->by_event.name_cause(detector, y, v);
    v->flags |= an_stages_decide(detector->stages, v, x, t_ns);
    v->flags |= learn(detector, x, y, t_ns, v->flags);
    if (detector->kind->whole)
        detector->kind->by_event.scored(detector, v);
    an_stages_finish(detector->stages, judged, v, x, t_ns);
    count(detector, v->flags);
}

void an_staged_learn(anomaly_detector *detector, const double *x, int64_t t_ns)
{
    double y[AN_STAGED_FEATURES];
    anomaly_verdict v;
    advance(detector, t_ns);
    uint32_t seen = an_stages_see(detector->stages, x, t_ns, y);
    an_judge(detector, y, t_ns, &v);
    complete(detector, x, t_ns, seen, &v);
    if (detector->kind->whole)
        detector->kind->by_event.unscored(detector, y);
    learn(detector, x, y, t_ns, v.flags);
}
