/* SPDX-License-Identifier: MIT */
/* One event of a detector that has stages round its kind: x is what the caller gave, y what the kind sees. A key of a
 * pool may share a record of scores with the others, and be judged by the population of all keys while it warms up
 * itself (detector/crowd.h). */
#include "detector/staged.h"

#include "base/stack.h"
#include "detector/crowd.h"

/* Flags that say what an event is to the key, whoever judges it. */
#define OF_THE_KEY ((uint32_t)(ANOMALY_MISSING | ANOMALY_NONFINITE | ANOMALY_LATE | ANOMALY_JUMPED | ANOMALY_UNTRANSFORMED))

/* ---- judging ---- */

/* Moves the bounds, which the kind has put where its own threshold lies, to the threshold in force. */
static void follow_threshold(const anomaly_detector *detector, anomaly_verdict *v)
{
    double share = v->threshold / detector->config->threshold;
    if (share == 1 || !detector->kind->rules.bounds_at_threshold || !(share > 0) || v->lower == v->upper)
        return;
    v->lower = v->expected + (v->lower - v->expected) * share;
    v->upper = v->expected + (v->upper - v->expected) * share;
}

/* An event may be within the budget by its score, and yet be one of many that are equal. */
static void spare_equals(const anomaly_detector *detector, const double *y, anomaly_verdict *v)
{
    uint64_t of, equal = detector->kind->equals(detector, y, v->feature, &of);
    an_stages_spare(detector->stages, equal, of, v);
}

void an_staged_rate(const anomaly_detector *detector, const double *y, int judged, anomaly_verdict *v)
{
    an_crowd *crowd = an_crowd_of(detector);
    an_crowd_lock(crowd);
    an_stages_rate(detector->stages, judged, v);
    if (y && (v->flags & (ANOMALY_IS_ANOMALY | ANOMALY_NONFINITE)) == ANOMALY_IS_ANOMALY &&
        !an_tail_is_young(detector->stages->record))
        spare_equals(detector, y, v);
    an_crowd_unlock(crowd);
    follow_threshold(detector, v);
}

void an_staged_flag(const anomaly_detector *detector, const an_staged_event *e, anomaly_verdict *v)
{
    uint32_t missing = an_value_flags(detector, e->x) & ANOMALY_MISSING;
    v->flags = (v->flags & ~(uint32_t)ANOMALY_MISSING) | missing | (e->seen & ANOMALY_UNTRANSFORMED);
    if (isnan(v->score))
        v->flags |= e->seen;
}

static int shares_record(const anomaly_detector *detector)
{
    return detector->stages->record != &detector->stages->tail;
}

/* Puts what the population has said in the place of the verdict of a key that warms up; `judged`: it is a score of its
 * own that lacks others to be rated by, which is no better where all keys have one record. Returns whether it does. */
static int heed_population(const anomaly_detector *detector, const double *x, int judged, const anomaly_verdict *said,
                           int64_t t_ns, anomaly_verdict *v)
{
    int shared = shares_record(detector);
    if (!(v->flags & ANOMALY_WARMING_UP) || (said->flags & ANOMALY_WARMING_UP) || isnan(said->score) || (shared && judged))
        return 0;
    uint32_t own = v->flags & OF_THE_KEY;
    *v = *said;
    v->flags = own | (v->flags & ~OF_THE_KEY) | ANOMALY_BY_POPULATION;
    if (shared)
        v->tail = (double)NAN;
    if (shared && detector->stages->budgets)
        an_staged_rate(detector, NULL, an_staged_is_judged(detector, v), v);
    an_stages_transform_back(detector->stages, x, t_ns, v);
    return 1;
}

/* The same for an event of which the population has not been told. */
static void ask_population(const anomaly_detector *detector, const double *x, int judged, int64_t t_ns, anomaly_verdict *v)
{
    an_crowd *crowd = an_crowd_of(detector);
    anomaly_verdict said;
    if (!crowd || !(v->flags & ANOMALY_WARMING_UP))
        return;
    an_crowd_ask(crowd, detector->stages, x, t_ns, &said);
    heed_population(detector, x, judged, &said, t_ns, v);
}

static int judge_in(const anomaly_detector *detector, const double *x, int64_t t_ns, int wanted, anomaly_verdict *v,
                    double *y)
{
    an_staged_event e = {x, y, an_stages_see(detector->stages, x, t_ns, y), t_ns};
    an_judge(detector, y, t_ns, v);
    int judged = an_staged_is_judged(detector, v);
    an_staged_complete(detector, &e, judged, v);
    if (wanted)
        an_name_cause(detector, y, t_ns, v);
    return judged;
}

static AN_OWN_STACK int judge_narrow(const anomaly_detector *detector, const double *x, int64_t t_ns, int wanted,
                                     anomaly_verdict *v)
{
    double y[AN_NARROW_FEATURES];
    return judge_in(detector, x, t_ns, wanted, v, y);
}

static AN_OWN_STACK int judge_wide(const anomaly_detector *detector, const double *x, int64_t t_ns, int wanted,
                                   anomaly_verdict *v)
{
    double y[AN_STAGED_FEATURES];
    return judge_in(detector, x, t_ns, wanted, v, y);
}

/* What the detector itself says. y is gone when the population is asked, which has one of its own. */
static int judge(const anomaly_detector *detector, const double *x, int64_t t_ns, int wanted, anomaly_verdict *v)
{
    return detector->config->features <= AN_NARROW_FEATURES ? judge_narrow(detector, x, t_ns, wanted, v)
                                                            : judge_wide(detector, x, t_ns, wanted, v);
}

void an_staged_score(const anomaly_detector *detector, const double *x, int64_t t_ns, anomaly_verdict *v)
{
    int judged = judge(detector, x, t_ns, 1, v);
    ask_population(detector, x, judged, t_ns, v);
    v->flags |= an_stages_decide(detector->stages, v, x, t_ns);
}

/* ---- learning ---- */

static uint32_t learn(anomaly_detector *detector, const an_staged_event *e, uint32_t flags)
{
    uint32_t kept_out = an_learn_event(detector, e->y, e->t_ns, flags);
    an_staged_teach(detector, e, flags);
    return kept_out;
}

int an_staged_begin(anomaly_detector *detector, const double *x, int64_t t_ns, anomaly_verdict *said)
{
    an_crowd *crowd = an_crowd_of(detector);
    int status = an_stages_prepare(detector->stages, detector->allocator);
    return status || !crowd || !said ? status : an_crowd_take(crowd, detector->stages, x, t_ns, said);
}

void an_staged_record(anomaly_detector *detector, const anomaly_verdict *rated, int64_t t_ns, const anomaly_verdict *decided)
{
    an_crowd *crowd = an_crowd_of(detector);
    an_crowd_lock(crowd);
    an_stages_record(detector->stages, rated->score, decided, t_ns);
    an_crowd_unlock(crowd);
}

/* The kind is told of its own score, though the population may speak in its place. */
void an_staged_update_in_crowd(anomaly_detector *detector, const double *x, int64_t t_ns, const anomaly_verdict *said,
                               anomaly_verdict *v, int wanted)
{
    an_staged_advance(detector, t_ns);
    an_staged_event e = an_staged_change(detector, x, t_ns);
    an_judge_next(detector, e.y, t_ns, v);
    int judged = an_staged_is_judged(detector, v);
    an_staged_complete(detector, &e, judged, v);
    if (wanted)
        an_name_cause(detector, e.y, t_ns, v);
    anomaly_verdict own = *v;
    int by_crowd = heed_population(detector, x, judged, said, t_ns, v) && shares_record(detector);
    v->flags |= an_stages_move(detector->stages, v, x, t_ns);
    v->flags |= learn(detector, &e, v->flags | (own.flags & ANOMALY_WARMING_UP));
    if (detector->kind->whole)
        detector->kind->by_event.scored(detector, &own);
    if (detector->stages->budgets && (by_crowd ? an_staged_is_judged(detector, said) : judged))
        an_staged_record(detector, by_crowd ? v : &own, t_ns, v);
    an_count_verdict(&detector->counts, v->flags);
}

void an_staged_learn(anomaly_detector *detector, const double *x, int64_t t_ns)
{
    anomaly_verdict v;
    an_staged_advance(detector, t_ns);
    int judged = judge(detector, x, t_ns, 0, &v);
    uint32_t own = v.flags;
    ask_population(detector, x, judged, t_ns, &v);
    an_staged_event e = an_staged_change(detector, x, t_ns);
    if (detector->kind->whole)
        detector->kind->by_event.unscored(detector, e.y);
    learn(detector, &e, v.flags | (own & ANOMALY_WARMING_UP));
}
