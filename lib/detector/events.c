/* SPDX-License-Identifier: MIT */
/* The verbs on one event: what moves the clock, what is judged, what is learned. Judging and learning share a file so
 * that the compiler can join them: each event takes this way. */
#include "detector/crowd.h"
#include "detector/judgement.h"
#include "detector/staged.h"

/* ---- judging ---- */

int an_check_event(const anomaly_detector *detector, const double *x, int64_t t_ns)
{
    return !detector || !x || (detector->needs_times && t_ns == ANOMALY_NO_TIME) ? ANOMALY_E_ARG : ANOMALY_OK;
}

/* Further behind the newest event than it may be. Nothing can take a place outside the window. */
static int is_late(const anomaly_detector *detector, int64_t t_ns)
{
    const an_window *window = &detector->window;
    int64_t allowed = detector->config->max_late_ns;
    if (!window->span_ns || t_ns >= window->clock_ns)
        return 0;
    if (allowed < 0 || allowed > window->span_ns)
        allowed = window->span_ns;
    return an_elapsed_ns(window->clock_ns, t_ns) > (uint64_t)allowed;
}

static int is_truncated(const an_window *window)
{
    return window->cut_ns != ANOMALY_NO_TIME && an_elapsed_ns(window->clock_ns, window->cut_ns) <= (uint64_t)window->span_ns;
}

static uint32_t flags_of_time(const anomaly_detector *detector, int64_t t_ns)
{
    if (!detector->window.span_ns)
        return 0;
    return (is_late(detector, t_ns) ? ANOMALY_LATE : 0u) | (an_is_jump(detector, t_ns) ? ANOMALY_JUMPED : 0u) |
           (is_truncated(&detector->window) ? ANOMALY_TRUNCATED : 0u);
}

/* One present feature, an infinite value always being infinitely strange. */
static void judge_feature(const anomaly_detector *detector, uint32_t feature, double x, anomaly_verdict *v)
{
    detector->kind->by_feature.judge(detector, feature, x + 0.0, v); /* no negative zero, as in the window */
    v->feature = feature;
    if (isinf(x)) {
        v->score = an_infinite_score(detector->config, x > 0);
        v->flags = ANOMALY_NONFINITE | (x > 0 ? ANOMALY_ABOVE : ANOMALY_BELOW);
    }
}

/* How much a feature's verdict counts: those that can flag before those that are only shown before those warming
 * up. */
enum standing { MISSING = 0, WARMING_UP = 1, SHOWN = 2, JUDGED = 3 };

static enum standing standing_of(const anomaly_detector *detector, const anomaly_verdict *v)
{
    if (v->events < detector->warmup)
        return WARMING_UP;
    return (v->flags & ANOMALY_FLAT) && detector->config->flat == ANOMALY_FLAT_IGNORE ? SHOWN : JUDGED;
}

static int is_stranger(const anomaly_verdict *v, const anomaly_verdict *than)
{
    return v->score > than->score || (isnan(than->score) && !isnan(v->score));
}

/* The present feature of the highest standing, then the largest score. Of the others only that they are missing or
 * infinite is kept. */
static enum standing judge_features(const anomaly_detector *detector, const double *x, anomaly_verdict *worst)
{
    enum standing best = MISSING;
    anomaly_verdict v;
    uint32_t flags = 0;
    for (uint32_t f = 0; f < detector->config->features; f++) {
        if (isnan(x[f])) {
            flags |= ANOMALY_MISSING;
            continue;
        }
        judge_feature(detector, f, x[f], &v);
        enum standing standing = standing_of(detector, &v);
        flags |= v.flags & ANOMALY_NONFINITE;
        if (standing > best || (standing == best && is_stranger(&v, worst))) {
            best = standing;
            *worst = v;
        }
    }
    if (best == MISSING)
        judge_feature(detector, 0, (double)NAN, worst);
    worst->flags |= flags;
    return best;
}

static void conclude_standing(const anomaly_detector *detector, enum standing standing, anomaly_verdict *v)
{
    v->threshold = detector->config->threshold;
    if (standing == WARMING_UP)
        v->flags |= ANOMALY_WARMING_UP;
    if (standing == JUDGED && an_exceeds(detector->config, v->score))
        v->flags |= ANOMALY_IS_ANOMALY;
}

void an_conclude(const anomaly_detector *detector, anomaly_verdict *verdict)
{
    conclude_standing(detector, standing_of(detector, verdict), verdict);
}

uint32_t an_value_flags(const anomaly_detector *detector, const double *x)
{
    int missing = 0, infinite = 0;
    if (an_all_finite(x, detector->config->features))
        return 0;
    for (uint32_t f = 0; f < detector->config->features; f++) {
        missing |= isnan(x[f]) != 0;
        infinite |= isinf(x[f]) != 0;
    }
    return (missing ? ANOMALY_MISSING : 0u) | (infinite ? ANOMALY_NONFINITE : 0u);
}

uint32_t an_first_infinite(const double *x)
{
    uint32_t feature = 0;
    while (!isinf(x[feature]))
        feature++;
    return feature;
}

void an_judge(const anomaly_detector *detector, const double *x, int64_t t_ns, anomaly_verdict *verdict)
{
    enum standing standing;
    if (detector->kind->whole) {
        detector->kind->by_event.judge(detector, x, t_ns, verdict);
        return;
    }
    if (detector->config->features == 1 && !isnan(x[0])) {
        judge_feature(detector, 0, x[0], verdict);
        standing = standing_of(detector, verdict);
    } else {
        standing = judge_features(detector, x, verdict);
    }
    verdict->flags |= flags_of_time(detector, t_ns);
    conclude_standing(detector, standing, verdict);
}

/* ---- learning ---- */

static void evict_events(anomaly_detector *detector, uint64_t tail)
{
    detector->kind->life.evict(detector, tail);
    detector->window.tail = tail;
}

static void settle_window(anomaly_detector *detector)
{
    if (detector->kind->by_feature.settle)
        detector->kind->by_feature.settle(detector);
}

/* The clock moves on; what is too old (before `tail`) leaves. */
static void move_clock(anomaly_detector *detector, int64_t t_ns, uint64_t tail)
{
    an_window *window = &detector->window;
    if (window->clock_ns == ANOMALY_NO_TIME || t_ns > window->clock_ns)
        window->clock_ns = t_ns;
    if (tail != window->tail) {
        evict_events(detector, tail);
        settle_window(detector);
    }
}

/* A place for the event, the oldest leaving if the window is full. 0: the event is itself the oldest, and leaves. */
static int take_in_event(anomaly_detector *detector, const double *x, int64_t t_ns)
{
    an_window *window = &detector->window;
    uint64_t position = an_window_position(window, t_ns);
    if (an_window_count(window) == window->bound) {
        int64_t oldest = window->times ? window->times[window->tail & window->mask] : 0;
        int itself = position == window->tail && window->times;
        if (window->times)
            window->cut_ns = itself ? (t_ns > window->cut_ns ? t_ns : window->cut_ns)
                                    : (oldest > window->cut_ns ? oldest : window->cut_ns);
        if (itself)
            return 0;
        evict_events(detector, window->tail + 1);
    }
    an_window_insert(window, position, x, t_ns);
    if (detector->kind->whole) {
        detector->kind->by_event.insert(detector, x, t_ns);
    } else {
        detector->kind->by_feature.insert(detector, position);
        settle_window(detector);
    }
    return 1;
}

/* Does the policy keep this judged event out of the window? */
static int is_kept_out(anomaly_detector *detector, uint32_t flags)
{
    if (detector->config->learn == ANOMALY_LEARN_ALWAYS)
        return 0;
    if (flags & ANOMALY_NONFINITE) /* says nothing about the level: neither counts nor ends a row */
        return (flags & ANOMALY_IS_ANOMALY) != 0;
    if (!(flags & ANOMALY_IS_ANOMALY)) {
        detector->flagged_in_row = 0;
        return 0;
    }
    if (detector->flagged_in_row < UINT32_MAX)
        detector->flagged_in_row++;
    return detector->config->learn_after == 0 || detector->flagged_in_row < detector->config->learn_after;
}

static int has_finite(const anomaly_detector *detector, const double *x)
{
    int finite = 0;
    for (uint32_t f = 0; f < detector->config->features && !finite; f++)
        finite = isfinite(x[f]);
    return finite;
}

static void count_unlearned(anomaly_counts *counts, uint32_t flags)
{
    counts->missing += (flags & ANOMALY_MISSING) != 0;
    counts->nonfinite += (flags & ANOMALY_NONFINITE) != 0;
    counts->late += (flags & ANOMALY_LATE) != 0;
    counts->jumped += (flags & ANOMALY_JUMPED) != 0;
    counts->untransformed += (flags & ANOMALY_UNTRANSFORMED) != 0;
}

/* Learns the event unless something keeps it out; `flags` are its verdict's. Returns ANOMALY_NOT_LEARNED when that was
 * the policy. */
static uint32_t learn_event(anomaly_detector *detector, const double *x, int64_t t_ns, uint32_t flags)
{
    if (flags &
        (ANOMALY_MISSING | ANOMALY_NONFINITE | ANOMALY_LATE | ANOMALY_JUMPED | ANOMALY_UNTRANSFORMED | ANOMALY_WARMING_UP)) {
        count_unlearned(&detector->counts, flags);
        if ((flags & (ANOMALY_LATE | ANOMALY_JUMPED)) || !has_finite(detector, x))
            return 0;
    }
    if (is_kept_out(detector, flags)) {
        detector->counts.skipped++;
        return ANOMALY_NOT_LEARNED;
    }
    detector->counts.learned += (uint64_t)take_in_event(detector, x, t_ns);
    return 0;
}

/* Makes room for one more event once the tail has moved to `tail`. On failure nothing that can be seen has changed. */
static int make_room_for_event(anomaly_detector *detector, uint64_t tail)
{
    uint64_t count = detector->window.head - tail, slots = an_detector_slots(detector);
    if (count == slots && count < detector->window.bound) {
        int status = an_detector_resize(detector, an_window_slots(count + 1));
        if (status)
            return status;
    }
    return detector->kind->life.prepare ? detector->kind->life.prepare(detector) : ANOMALY_OK;
}

/* Does everything about an update or (said NULL) learn that can fail, then moves the clock. *said is for stages. */
static inline int begin_event(anomaly_detector *detector, const double *x, int64_t t_ns, anomaly_verdict *said)
{
    int status = an_check_event(detector, x, t_ns);
    if (status)
        return status;
    int64_t clock = detector->window.clock_ns;
    int moves = detector->window.span_ns && (clock == ANOMALY_NO_TIME || t_ns > clock) && !an_is_jump(detector, t_ns);
    uint64_t tail = moves ? an_window_tail_at(&detector->window, t_ns) : detector->window.tail;
    status = make_room_for_event(detector, tail);
    if (!status && detector->stages && detector->stages->begins)
        status = an_staged_begin(detector, x, t_ns, said);
    if (!status && moves)
        move_clock(detector, t_ns, tail);
    return status;
}

void an_count_flags(anomaly_counts *counts, uint32_t flags)
{
    counts->anomalies += (flags & ANOMALY_IS_ANOMALY) != 0;
    counts->warming_up += (flags & ANOMALY_WARMING_UP) != 0;
    counts->flat += (flags & ANOMALY_FLAT) != 0;
    counts->truncated += (flags & ANOMALY_TRUNCATED) != 0;
    counts->alarms += (flags & ANOMALY_ALARM) != 0;
    counts->held += (flags & ANOMALY_HELD) != 0;
    counts->unconfirmed += (flags & ANOMALY_UNCONFIRMED) != 0;
    counts->small_change += (flags & ANOMALY_SMALL_CHANGE) != 0;
}

static inline void finish_update(anomaly_detector *detector, const double *x, int64_t t_ns, anomaly_verdict *v)
{
    uint32_t kept_out = learn_event(detector, x, t_ns, v->flags);
    if (detector->config->include_self)
        an_judge(detector, x, t_ns, v);
    v->tail = (double)NAN;
    v->flags |= kept_out;
    if (detector->kind->whole)
        detector->kind->by_event.scored(detector, v);
    an_count_verdict(&detector->counts, v->flags);
}

/* ---- the same for other files; here they are inlined ---- */

void an_finish_update(anomaly_detector *detector, const double *x, int64_t t_ns, anomaly_verdict *v)
{
    finish_update(detector, x, t_ns, v);
}

uint32_t an_learn_event(anomaly_detector *detector, const double *x, int64_t t_ns, uint32_t flags)
{
    return learn_event(detector, x, t_ns, flags);
}

/* ---- the calls ---- */

/* Without stages, or with a decision alone. */
static void update_bare(anomaly_detector *detector, const double *x, int64_t t_ns, anomaly_verdict *v, int wanted)
{
    an_judge_next(detector, x, t_ns, v);
    if (wanted)
        an_name_cause(detector, x, t_ns, v);
    if (detector->stages)
        v->flags |= an_stages_move(detector->stages, v, x, t_ns);
    finish_update(detector, x, t_ns, v);
}

/* The decision moves on before the event is learned, which it knows nothing of. */
static void update_staged(anomaly_detector *detector, const double *x, int64_t t_ns, anomaly_verdict *v, int wanted)
{
    an_stages *stages = detector->stages;
    an_staged_advance(detector, t_ns);
    an_staged_event e = an_staged_change(detector, x, t_ns);
    an_judge_next(detector, e.y, t_ns, v);
    int judged = stages->budgets && an_staged_is_judged(detector, v);
    an_staged_complete(detector, &e, judged, v);
    if (wanted)
        an_name_cause(detector, e.y, t_ns, v);
    uint32_t flags = v->flags | an_stages_move(stages, v, x, t_ns);
    v->flags = flags | learn_event(detector, e.y, t_ns, flags);
    an_staged_teach(detector, &e, flags);
    if (detector->kind->whole)
        detector->kind->by_event.scored(detector, v);
    if (judged)
        an_stages_record(stages, v->score, v, t_ns);
    an_count_verdict(&detector->counts, v->flags);
}

int anomaly_update(anomaly_detector *detector, const double *x, int64_t t_ns, anomaly_verdict *verdict)
{
    anomaly_verdict unwanted, said, *v = verdict ? verdict : &unwanted;
    int status = begin_event(detector, x, t_ns, &said);
    if (status)
        return status;
    if (!detector->stages || detector->stages->only_decides)
        update_bare(detector, x, t_ns, v, verdict != NULL);
    else if (detector->stages->begins && an_crowd_of(detector))
        an_staged_update_in_crowd(detector, x, t_ns, &said, v, verdict != NULL);
    else
        update_staged(detector, x, t_ns, v, verdict != NULL);
    return ANOMALY_OK;
}

int anomaly_score(const anomaly_detector *detector, const double *x, int64_t t_ns, anomaly_verdict *verdict)
{
    int status = an_check_event(detector, x, t_ns);
    if (status || !verdict)
        return status;
    if (detector->stages) {
        an_staged_score(detector, x, t_ns, verdict);
        return ANOMALY_OK;
    }
    an_judge(detector, x, t_ns, verdict);
    an_name_cause(detector, x, t_ns, verdict);
    verdict->tail = (double)NAN;
    return ANOMALY_OK;
}

int anomaly_learn(anomaly_detector *detector, const double *x, int64_t t_ns)
{
    anomaly_verdict v;
    int status = begin_event(detector, x, t_ns, NULL);
    if (status)
        return status;
    if (detector->stages) {
        an_staged_learn(detector, x, t_ns);
        return ANOMALY_OK;
    }
    if (!detector->kind->whole || detector->config->learn != ANOMALY_LEARN_ALWAYS)
        an_judge(detector, x, t_ns, &v);
    else
        v.flags = an_value_flags(detector, x); /* no other flag matters: the score is not needed */
    if (detector->kind->whole)
        detector->kind->by_event.unscored(detector, x);
    learn_event(detector, x, t_ns, v.flags);
    return ANOMALY_OK;
}

int anomaly_rebuild(anomaly_detector *detector)
{
    return detector ? detector->kind->questions.rebuild(detector) : ANOMALY_E_ARG;
}

int anomaly_advance(anomaly_detector *detector, int64_t t_ns)
{
    if (!detector || t_ns == ANOMALY_NO_TIME)
        return ANOMALY_E_ARG;
    const an_window *window = &detector->window;
    if (window->span_ns && (window->clock_ns == ANOMALY_NO_TIME || t_ns > window->clock_ns))
        move_clock(detector, t_ns, an_window_tail_at(window, t_ns));
    if (detector->stages)
        an_stages_advance(detector->stages, t_ns);
    return ANOMALY_OK;
}

int anomaly_counters(const anomaly_detector *detector, anomaly_counts *counts)
{
    if (!detector || !counts)
        return ANOMALY_E_ARG;
    *counts = detector->counts;
    return ANOMALY_OK;
}
