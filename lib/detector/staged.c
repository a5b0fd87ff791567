/* SPDX-License-Identifier: MIT */
/* One event of a detector that has stages round its kind: x is what the caller gave, y what the kind sees. A key of a
 * pool may share a record of scores with the others, and be judged by the population of all keys while it warms up
 * itself (detector/crowd.h). */
#include "base/stack.h"
#include "detector/crowd.h"

#include <math.h>

/* Flags that say what an event is to the key, whoever judges it. */
#define OF_THE_KEY ((uint32_t)(ANOMALY_MISSING | ANOMALY_NONFINITE | ANOMALY_LATE | ANOMALY_JUMPED | ANOMALY_UNTRANSFORMED))

/* An event as the caller gave it and as the kind sees it, which is the same where no stage changes values. */
typedef struct event {
    const double *x, *y;
    uint32_t seen; /* flags of what y was made by: WARMING_UP counts where nothing was left to judge */
    int64_t t_ns;
} event;

/* ---- judging ---- */

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

/* y: what the kind has seen, where the score is its own. */
static void rate_by_record(const anomaly_detector *detector, const double *y, int judged, anomaly_verdict *v)
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

/* Goes from the score to tail, threshold and IS_ANOMALY by the record of scores. */
static inline void rate_score(const anomaly_detector *detector, const double *y, int judged, anomaly_verdict *v)
{
    v->tail = (double)NAN;
    if (detector->stages->budgets)
        rate_by_record(detector, y, judged, v);
}

static void flag_change(const anomaly_detector *detector, const event *e, anomaly_verdict *v)
{
    uint32_t missing = an_value_flags(detector, e->x) & ANOMALY_MISSING;
    v->flags = (v->flags & ~(uint32_t)ANOMALY_MISSING) | missing | (e->seen & ANOMALY_UNTRANSFORMED);
    if (isnan(v->score))
        v->flags |= e->seen;
}

/* Goes from what the kind says of y to the verdict on x. Returns whether there was a score. */
static inline int complete(const anomaly_detector *detector, const event *e, anomaly_verdict *v)
{
    int changes = detector->stages->changes;
    if (changes)
        flag_change(detector, e, v);
    int judged = is_judged(detector, v);
    rate_score(detector, e->y, judged, v);
    if (changes)
        an_stages_bring_back(detector->stages, e->t_ns, v);
    return judged;
}

static int shares_record(const anomaly_detector *detector)
{
    return detector->stages->record != &detector->stages->tail;
}

/* Puts what the population has said in the place of the verdict of a key that warms up; `judged`: it is a score of its
 * own that lacks others to be rated by, which is no better where all keys have one record. Returns whether it does. */
static int heed_population(const anomaly_detector *detector, int judged, const anomaly_verdict *said, int64_t t_ns,
                           anomaly_verdict *v)
{
    int shared = shares_record(detector);
    if (!(v->flags & ANOMALY_WARMING_UP) || (said->flags & ANOMALY_WARMING_UP) || isnan(said->score) || (shared && judged))
        return 0;
    uint32_t own = v->flags & OF_THE_KEY;
    *v = *said;
    v->flags = own | (v->flags & ~OF_THE_KEY) | ANOMALY_BY_POPULATION;
    if (shared)
        rate_score(detector, NULL, is_judged(detector, v), v);
    an_stages_transform_back(detector->stages, t_ns, v);
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
    heed_population(detector, judged, &said, t_ns, v);
}

static int judge_in(const anomaly_detector *detector, const double *x, int64_t t_ns, int wanted, anomaly_verdict *v,
                    double *y)
{
    event e = {x, y, an_stages_see(detector->stages, x, t_ns, y), t_ns};
    an_judge(detector, y, t_ns, v);
    int judged = complete(detector, &e, v);
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

/* What came too late or too early in time is learned nowhere. */
static int is_in_time(uint32_t flags)
{
    return !(flags & (ANOMALY_LATE | ANOMALY_JUMPED));
}

static uint32_t learn(anomaly_detector *detector, const double *x, const double *y, int64_t t_ns, uint32_t flags)
{
    uint32_t kept_out = an_learn_event(detector, y, t_ns, flags);
    if (detector->stages->learns && is_in_time(flags))
        an_stages_learn(detector->stages, x, t_ns, (flags & ANOMALY_IS_ANOMALY) != 0);
    return kept_out;
}

static void advance(anomaly_detector *detector, int64_t t_ns)
{
    if (detector->stages->seasons && !an_is_jump(detector, t_ns))
        an_stages_advance(detector->stages, t_ns);
}

int an_staged_begin(anomaly_detector *detector, const double *x, int64_t t_ns, anomaly_verdict *said)
{
    an_crowd *crowd = an_crowd_of(detector);
    int status = an_stages_prepare(detector->stages, detector->allocator);
    return status || !crowd || !said ? status : an_crowd_take(crowd, detector->stages, x, t_ns, said);
}

/* Records the score by which an event has been judged, once it is decided. */
static void record_score(anomaly_detector *detector, const anomaly_verdict *rated, int judged, int64_t t_ns,
                         const anomaly_verdict *decided)
{
    an_crowd *crowd = an_crowd_of(detector);
    if (!detector->stages->budgets || !judged)
        return;
    an_crowd_lock(crowd);
    an_stages_record(detector->stages, rated->score, decided, t_ns);
    an_crowd_unlock(crowd);
}

/* The kind is told of its own score, whoever judges the event. */
static void tell_kind(anomaly_detector *detector, const anomaly_verdict *own)
{
    if (detector->kind->whole)
        detector->kind->by_event.scored(detector, own);
}

/* Judges the event that comes next. Returns whether there was a score. */
static inline int judge_next(anomaly_detector *detector, const event *e, anomaly_verdict *v, int wanted)
{
    if (detector->kind->whole)
        detector->kind->by_event.judge_next(detector, e->y, e->t_ns, v);
    else
        an_judge(detector, e->y, e->t_ns, v);
    int judged = complete(detector, e, v);
    if (wanted)
        an_name_cause(detector, e->y, e->t_ns, v);
    return judged;
}

/* The decision moves on before the event is learned, which it knows nothing of. */
static inline void decide_and_learn(anomaly_detector *detector, const event *e, uint32_t warming, anomaly_verdict *v)
{
    v->flags |= an_stages_move(detector->stages, v, e->x, e->t_ns);
    v->flags |= learn(detector, e->x, e->y, e->t_ns, v->flags | warming);
}

static void update_alone(anomaly_detector *detector, const event *e, anomaly_verdict *v, int wanted)
{
    int judged = judge_next(detector, e, v, wanted);
    decide_and_learn(detector, e, 0, v);
    tell_kind(detector, v);
    record_score(detector, v, judged, e->t_ns, v);
    an_count_verdict(&detector->counts, v->flags);
}

/* The same of a key, in whose place the population may speak. */
static void update_in_crowd(anomaly_detector *detector, const event *e, const anomaly_verdict *said, anomaly_verdict *v,
                            int wanted)
{
    int judged = judge_next(detector, e, v, wanted);
    anomaly_verdict own = *v;
    int by_crowd = heed_population(detector, judged, said, e->t_ns, v) && shares_record(detector);
    decide_and_learn(detector, e, own.flags & ANOMALY_WARMING_UP, v);
    tell_kind(detector, &own);
    record_score(detector, by_crowd ? v : &own, by_crowd ? is_judged(detector, said) : judged, e->t_ns, v);
    an_count_verdict(&detector->counts, v->flags);
}

/* The event as the kind sees it. */
static event changed_event(anomaly_detector *detector, const double *x, int64_t t_ns)
{
    an_stages *stages = detector->stages;
    if (!stages->changes)
        return (event){x, x, 0, t_ns};
    return (event){x, stages->seen, an_stages_see(stages, x, t_ns, stages->seen), t_ns};
}

void an_staged_update(anomaly_detector *detector, const double *x, int64_t t_ns, const anomaly_verdict *said,
                      anomaly_verdict *v, int wanted)
{
    advance(detector, t_ns);
    event e = changed_event(detector, x, t_ns);
    if (an_crowd_of(detector))
        update_in_crowd(detector, &e, said, v, wanted);
    else
        update_alone(detector, &e, v, wanted);
}

void an_staged_learn(anomaly_detector *detector, const double *x, int64_t t_ns)
{
    anomaly_verdict v;
    advance(detector, t_ns);
    int judged = judge(detector, x, t_ns, 0, &v);
    uint32_t own = v.flags;
    ask_population(detector, x, judged, t_ns, &v);
    event e = changed_event(detector, x, t_ns);
    if (detector->kind->whole)
        detector->kind->by_event.unscored(detector, e.y);
    learn(detector, x, e.y, t_ns, v.flags | (own & ANOMALY_WARMING_UP));
}
