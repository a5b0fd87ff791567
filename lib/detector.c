/* SPDX-License-Identifier: MIT */
/* The verbs on one event: what moves the clock, what is judged, what is learned. */
#include "internal.h"

#include <string.h>

static const an_kind *kind_for(const anomaly_config *config)
{
    if (config->kind == ANOMALY_PERCENTILE)
        return &an_kind_percentile;
    return config->robust ? &an_kind_robust : &an_kind_zscore;
}

/* ---- memory ---- */

static uint64_t slots_of(const anomaly_detector *detector)
{
    return detector->window.values ? detector->window.mask + 1 : 0;
}

/* The kind first: it may then hold more than the ring needs, never less. */
static int resize(anomaly_detector *detector, uint64_t slots)
{
    int status = detector->kind->resize(detector, slots);
    return status ? status : an_window_resize(&detector->window, slots, &detector->allocator);
}

/* Room for one more event once the tail has moved to `tail`. On failure nothing that can be seen has changed. */
static int make_room(anomaly_detector *detector, uint64_t tail)
{
    uint64_t count = detector->window.head - tail, slots = slots_of(detector);
    if (count == slots && count < detector->window.bound) {
        int status = resize(detector, an_window_slots(count + 1));
        if (status)
            return status;
    }
    return detector->kind->prepare ? detector->kind->prepare(detector) : ANOMALY_OK;
}

static uint64_t values_to_judge(const anomaly_config *config)
{
    uint64_t defined = config->kind == ANOMALY_ZSCORE && !config->robust ? (uint64_t)config->ddof + 1 : 1;
    return config->warmup_events > defined ? config->warmup_events : defined;
}

static void set_up(anomaly_detector *detector, const anomaly_config *config)
{
    memset(detector, 0, sizeof *detector);
    detector->config = *config;
    detector->kind = kind_for(config);
    detector->warmup = values_to_judge(config);
    detector->window.bound = an_config_bound(config);
    detector->window.span_ns = config->window_ns;
    detector->window.features = config->features;
    an_window_reset(&detector->window);
}

int anomaly_memory_needed(const anomaly_config *config, size_t *bytes)
{
    anomaly_config own;
    anomaly_detector shape;
    if (!bytes)
        return ANOMALY_E_ARG;
    int status = an_config_check(config, &own, NULL);
    if (status)
        return status;
    set_up(&shape, &own);
    uint64_t slots = an_window_slots(shape.window.bound);
    *bytes = sizeof shape + an_window_bytes(&shape.window, slots) + own.features * shape.kind->bytes(&own, slots);
    return ANOMALY_OK;
}

int anomaly_create(const anomaly_config *config, const anomaly_allocator *allocator, anomaly_detector **detector, anomaly_error *error)
{
    anomaly_config own;
    anomaly_allocator memory = an_allocator_or_default(allocator);
    int status = detector ? an_config_check(config, &own, error) : ANOMALY_E_ARG;
    if (status)
        return status;
    anomaly_detector *created = an_alloc(&memory, 1, sizeof *created);
    if (!created)
        return an_error(error, ANOMALY_E_NOMEM, "", "out of memory");
    set_up(created, &own);
    created->allocator = memory;
    status = created->kind->create(created);
    if (!status && own.reserve)
        status = resize(created, an_window_slots(created->window.bound));
    if (status) {
        anomaly_destroy(created);
        return an_error(error, status, "", "out of memory");
    }
    *detector = created;
    return ANOMALY_OK;
}

void anomaly_destroy(anomaly_detector *detector)
{
    if (!detector)
        return;
    anomaly_allocator memory = detector->allocator;
    detector->kind->destroy(detector);
    an_window_free(&detector->window, &memory);
    an_free(&memory, detector, 1, sizeof *detector);
}

void anomaly_reset(anomaly_detector *detector)
{
    if (!detector)
        return;
    detector->kind->reset(detector);
    an_window_reset(&detector->window);
    detector->flagged_in_row = 0;
    memset(&detector->counts, 0, sizeof detector->counts);
}

int anomaly_set_threshold(anomaly_detector *detector, double threshold)
{
    if (!detector || !isfinite(threshold))
        return ANOMALY_E_ARG;
    detector->config.threshold = threshold;
    return ANOMALY_OK;
}

int anomaly_get_config(const anomaly_detector *detector, anomaly_config *config, size_t struct_size)
{
    if (!detector)
        return ANOMALY_E_ARG;
    int status = anomaly_config_init(config, struct_size, detector->config.kind);
    if (status)
        return status;
    memcpy(config, &detector->config, struct_size);
    config->struct_size = struct_size;
    return ANOMALY_OK;
}

/* ---- judging ---- */

int an_check_event(const anomaly_detector *detector, const double *x, int64_t t_ns)
{
    return !detector || !x || (detector->window.span_ns && t_ns == ANOMALY_NO_TIME) ? ANOMALY_E_ARG : ANOMALY_OK;
}

/* Further behind the newest event than it may be. Nothing can take a place outside the window. */
static int is_late(const anomaly_detector *detector, int64_t t_ns)
{
    const an_window *window = &detector->window;
    int64_t allowed = detector->config.max_late_ns;
    if (!window->span_ns || t_ns >= window->clock_ns)
        return 0;
    if (allowed < 0 || allowed > window->span_ns)
        allowed = window->span_ns;
    return an_elapsed_ns(window->clock_ns, t_ns) > (uint64_t)allowed;
}

static int is_jump(const anomaly_detector *detector, int64_t t_ns)
{
    int64_t allowed = detector->config.max_jump_ns, clock = detector->window.clock_ns;
    if (!allowed || !detector->window.span_ns || clock == ANOMALY_NO_TIME || t_ns <= clock)
        return 0;
    return an_elapsed_ns(t_ns, clock) > (uint64_t)allowed;
}

static int is_truncated(const an_window *window)
{
    return window->cut_ns != ANOMALY_NO_TIME && an_elapsed_ns(window->clock_ns, window->cut_ns) <= (uint64_t)window->span_ns;
}

static uint32_t flags_of_time(const anomaly_detector *detector, int64_t t_ns)
{
    if (!detector->window.span_ns)
        return 0;
    return (is_late(detector, t_ns) ? ANOMALY_LATE : 0u) | (is_jump(detector, t_ns) ? ANOMALY_JUMPED : 0u) |
           (is_truncated(&detector->window) ? ANOMALY_TRUNCATED : 0u);
}

/* One present feature, an infinite value always being infinitely strange. */
static an_judgement judge_feature(const anomaly_detector *detector, uint32_t feature, double x)
{
    an_judgement j = detector->kind->judge(detector, feature, x);
    if (isinf(x)) {
        j.score = an_infinite_score(&detector->config, x > 0);
        j.flags = ANOMALY_NONFINITE | (x > 0 ? ANOMALY_ABOVE : ANOMALY_BELOW);
    }
    return j;
}

/* How much a judgement counts: those that can flag before those that are only shown before those still warming up. */
static int standing(const anomaly_detector *detector, const an_judgement *j)
{
    if (j->events < detector->warmup)
        return 1;
    return (j->flags & ANOMALY_FLAT) && detector->config.flat == ANOMALY_FLAT_IGNORE ? 2 : 3;
}

/* The present feature with the highest standing, then the largest score; returns the standing, 0 when all are missing.
 * Of the others only that they are missing or infinite is kept, in *flags. */
static int judge_worst(const anomaly_detector *detector, const double *x, an_judgement *worst, uint32_t *feature, uint32_t *flags)
{
    int best = 0;
    for (uint32_t f = 0; f < detector->config.features; f++) {
        if (isnan(x[f])) {
            *flags |= ANOMALY_MISSING;
            continue;
        }
        an_judgement j = judge_feature(detector, f, x[f]);
        int stands = standing(detector, &j);
        *flags |= j.flags & ANOMALY_NONFINITE;
        if (stands > best || (stands == best && (j.score > worst->score || isnan(worst->score)) && !isnan(j.score))) {
            best = stands;
            *worst = j;
            *feature = f;
        }
    }
    return best;
}

void an_judge(const anomaly_detector *detector, const double *x, int64_t t_ns, anomaly_verdict *verdict)
{
    uint32_t flags = flags_of_time(detector, t_ns), feature = 0;
    an_judgement j;
    int stands = judge_worst(detector, x, &j, &feature, &flags);
    if (stands == 0)
        j = detector->kind->judge(detector, 0, (double)NAN);
    if (stands == 1)
        flags |= ANOMALY_WARMING_UP;
    if (stands == 3 && an_exceeds(&detector->config, j.score))
        flags |= ANOMALY_IS_ANOMALY;
    *verdict = (anomaly_verdict){j.score, detector->config.threshold, j.expected, j.lower, j.upper, flags | j.flags, feature, j.events};
}

/* ---- learning ---- */

static void evict(anomaly_detector *detector, uint64_t tail)
{
    detector->kind->evict(detector, tail);
    detector->window.tail = tail;
}

static void settle(anomaly_detector *detector)
{
    if (detector->kind->settle)
        detector->kind->settle(detector);
}

/* The clock moves on; what is too old (before `tail`) leaves. */
static void move_clock(anomaly_detector *detector, int64_t t_ns, uint64_t tail)
{
    an_window *window = &detector->window;
    if (window->clock_ns == ANOMALY_NO_TIME || t_ns > window->clock_ns)
        window->clock_ns = t_ns;
    if (tail != window->tail) {
        evict(detector, tail);
        settle(detector);
    }
}

/* A place for the event, the oldest leaving if the window is full. 0: the event is itself the oldest, and leaves. */
static int take_in(anomaly_detector *detector, const double *x, int64_t t_ns)
{
    an_window *window = &detector->window;
    uint64_t position = an_window_position(window, t_ns);
    if (an_window_count(window) == window->bound) {
        int64_t oldest = window->times ? window->times[window->tail & window->mask] : 0;
        int itself = position == window->tail && window->times;
        if (window->times)
            window->cut_ns = itself ? (t_ns > window->cut_ns ? t_ns : window->cut_ns) : (oldest > window->cut_ns ? oldest : window->cut_ns);
        if (itself)
            return 0;
        evict(detector, window->tail + 1);
    }
    an_window_insert(window, position, x, t_ns);
    detector->kind->insert(detector, position);
    settle(detector);
    return 1;
}

/* Does the policy keep this judged event out of the window? */
static int is_kept_out(anomaly_detector *detector, uint32_t flags)
{
    if (detector->config.learn == ANOMALY_LEARN_ALWAYS)
        return 0;
    if (!(flags & ANOMALY_IS_ANOMALY)) {
        detector->flagged_in_row = 0;
        return 0;
    }
    if (flags & ANOMALY_NONFINITE)
        return 1;
    if (detector->flagged_in_row < UINT32_MAX)
        detector->flagged_in_row++;
    return detector->config.learn_after == 0 || detector->flagged_in_row < detector->config.learn_after;
}

/* Learns the event unless something keeps it out; `flags` are its verdict's (or at least those of its time and values).
 * Returns ANOMALY_NOT_LEARNED when that was the policy. */
static uint32_t learn(anomaly_detector *detector, const double *x, int64_t t_ns, uint32_t flags)
{
    int finite = 0;
    for (uint32_t f = 0; f < detector->config.features && !finite; f++)
        finite = isfinite(x[f]);
    detector->counts.missing += (flags & ANOMALY_MISSING) != 0;
    detector->counts.nonfinite += (flags & ANOMALY_NONFINITE) != 0;
    detector->counts.late += (flags & ANOMALY_LATE) != 0;
    detector->counts.jumped += (flags & ANOMALY_JUMPED) != 0;
    if (!finite || (flags & (ANOMALY_LATE | ANOMALY_JUMPED)))
        return 0;
    if (is_kept_out(detector, flags)) {
        detector->counts.skipped++;
        return ANOMALY_NOT_LEARNED;
    }
    detector->counts.learned += (uint64_t)take_in(detector, x, t_ns);
    return 0;
}

/* Everything about an update or learn that can fail, then the clock. */
static int begin(anomaly_detector *detector, const double *x, int64_t t_ns)
{
    int status = an_check_event(detector, x, t_ns);
    if (status)
        return status;
    int64_t clock = detector->window.clock_ns;
    int moves = detector->window.span_ns && (clock == ANOMALY_NO_TIME || t_ns > clock) && !is_jump(detector, t_ns);
    uint64_t tail = moves ? an_window_tail_at(&detector->window, t_ns) : detector->window.tail;
    status = make_room(detector, tail);
    if (!status && moves)
        move_clock(detector, t_ns, tail);
    return status;
}

static void count_verdict(anomaly_counts *counts, uint32_t flags)
{
    counts->events++;
    counts->anomalies += (flags & ANOMALY_IS_ANOMALY) != 0;
    counts->warming_up += (flags & ANOMALY_WARMING_UP) != 0;
    counts->flat += (flags & ANOMALY_FLAT) != 0;
    counts->truncated += (flags & ANOMALY_TRUNCATED) != 0;
}

int anomaly_update(anomaly_detector *detector, const double *x, int64_t t_ns, anomaly_verdict *verdict)
{
    anomaly_verdict v;
    int status = begin(detector, x, t_ns);
    if (status)
        return status;
    if (detector->config.include_self) {
        an_judge(detector, x, t_ns, &v); /* for the flags of its time and values: learning does not look at the score */
        learn(detector, x, t_ns, v.flags);
        an_judge(detector, x, t_ns, &v);
    } else {
        an_judge(detector, x, t_ns, &v);
        v.flags |= learn(detector, x, t_ns, v.flags);
    }
    count_verdict(&detector->counts, v.flags);
    if (verdict)
        *verdict = v;
    return ANOMALY_OK;
}

int anomaly_score(const anomaly_detector *detector, const double *x, int64_t t_ns, anomaly_verdict *verdict)
{
    int status = an_check_event(detector, x, t_ns);
    if (!status && verdict)
        an_judge(detector, x, t_ns, verdict);
    return status;
}

int anomaly_learn(anomaly_detector *detector, const double *x, int64_t t_ns)
{
    anomaly_verdict v;
    int status = begin(detector, x, t_ns);
    if (status)
        return status;
    an_judge(detector, x, t_ns, &v);
    learn(detector, x, t_ns, v.flags);
    return ANOMALY_OK;
}

int anomaly_advance(anomaly_detector *detector, int64_t t_ns)
{
    if (!detector || t_ns == ANOMALY_NO_TIME)
        return ANOMALY_E_ARG;
    const an_window *window = &detector->window;
    if (window->span_ns && (window->clock_ns == ANOMALY_NO_TIME || t_ns > window->clock_ns))
        move_clock(detector, t_ns, an_window_tail_at(window, t_ns));
    return ANOMALY_OK;
}

int anomaly_counters(const anomaly_detector *detector, anomaly_counts *counts)
{
    if (!detector || !counts)
        return ANOMALY_E_ARG;
    *counts = detector->counts;
    return ANOMALY_OK;
}
