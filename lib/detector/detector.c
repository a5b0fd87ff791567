/* SPDX-License-Identifier: MIT */
/* The verbs on one event: what moves the clock, what is judged, what is learned. */
#include "detector/kind.h"

#include <inttypes.h>
#include <string.h>

const an_kind *an_kind_of(const anomaly_config *config)
{
    if (config->kind == ANOMALY_IFOREST)
        return &an_kind_iforest;
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
int an_detector_resize(anomaly_detector *detector, uint64_t slots)
{
    int status = detector->kind->resize(detector, slots);
    return status ? status : an_window_resize(&detector->window, slots, detector->allocator);
}

/* Room for one more event once the tail has moved to `tail`. On failure nothing that can be seen has changed. */
static int make_room(anomaly_detector *detector, uint64_t tail)
{
    uint64_t count = detector->window.head - tail, slots = slots_of(detector);
    if (count == slots && count < detector->window.bound) {
        int status = an_detector_resize(detector, an_window_slots(count + 1));
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

typedef struct alone {
    anomaly_detector detector;
    an_shared shared;
} alone;

static void set_up(anomaly_detector *detector, const anomaly_config *config, const anomaly_allocator *allocator)
{
    memset(detector, 0, sizeof *detector);
    detector->config = config;
    detector->allocator = allocator;
    detector->kind = an_kind_of(config);
    detector->warmup = values_to_judge(config);
    detector->window.bound = an_config_bound(config);
    detector->window.span_ns = config->window_ns;
    detector->window.features = config->features;
    detector->window.whole = detector->kind->whole;
    an_window_reset(&detector->window);
}

/* With the full window; SIZE_MAX: more than there are addresses. */
static size_t bytes_in_all(const anomaly_config *own)
{
    anomaly_detector shape;
    set_up(&shape, own, NULL);
    uint64_t slots = an_window_slots(shape.window.bound);
    size_t rings = an_window_bytes(&shape.window, slots);
    return an_sum(an_sum(sizeof(alone), rings), shape.kind->bytes(own, slots));
}

int an_detector_check(const anomaly_config *config, anomaly_config *own, anomaly_error *error)
{
    int status = an_config_check(config, own, error);
    if (!status && !an_arithmetic_is_exact())
        status = an_error(error, ANOMALY_E_CONFIG, "",
                          "the library was built with -ffast-math or a part of it, or without -ffp-contract=off");
    if (!status && bytes_in_all(own) == SIZE_MAX)
        status =
            an_error(error, ANOMALY_E_CONFIG, "window",
                     "a window of %" PRIu64 " events (features: %" PRIu32 ") takes more memory than a program can have here",
                     an_config_bound(own), own->features);
    return status;
}

int anomaly_memory_needed(const anomaly_config *config, size_t *bytes)
{
    anomaly_config own;
    int status = bytes ? an_detector_check(config, &own, NULL) : ANOMALY_E_ARG;
    if (!status)
        *bytes = bytes_in_all(&own);
    return status;
}

static int finish(anomaly_detector *created, anomaly_detector **detector)
{
    int status = created->kind->create(created);
    if (status)
        anomaly_destroy(created);
    else
        *detector = created;
    return status;
}

int an_detector_alone(const anomaly_config *own, const anomaly_allocator *allocator, anomaly_detector **detector)
{
    alone *created = an_alloc(allocator, 1, sizeof *created);
    if (!created)
        return ANOMALY_E_NOMEM;
    created->shared = (an_shared){*own, *allocator};
    set_up(&created->detector, &created->shared.config, &created->shared.allocator);
    created->detector.sharing = AN_ALONE;
    return finish(&created->detector, detector);
}

/* One of many has its first ring in its own block, if the kind needs no memory for that: a quiet key is then one piece, and one
 * wait for it. */
static size_t lent_bytes(const anomaly_detector *detector)
{
    int fits = !detector->window.whole && detector->kind->bytes(detector->config, AN_FIRST_SLOTS) == 0;
    return fits ? an_window_bytes(&detector->window, AN_FIRST_SLOTS) : 0;
}

size_t an_detector_size(const anomaly_detector *detector)
{
    return detector->sharing == AN_ALONE ? sizeof(alone) : sizeof *detector + lent_bytes(detector);
}

int an_detector_shared(const an_shared *shared, anomaly_detector **detector)
{
    anomaly_detector shape;
    set_up(&shape, &shared->config, &shared->allocator);
    size_t lent = lent_bytes(&shape);
    anomaly_detector *created = an_alloc(&shared->allocator, 1, sizeof shape + lent);
    if (!created)
        return ANOMALY_E_NOMEM;
    *created = shape;
    if (lent)
        an_window_lend(&created->window, created + 1);
    return finish(created, detector);
}

static int take_early(anomaly_detector *detector)
{
    int status = detector->config->reserve ? anomaly_reserve(detector) : ANOMALY_OK;
    return status || !detector->kind->early ? status : detector->kind->early(detector);
}

int anomaly_create(const anomaly_config *config, const anomaly_allocator *allocator, anomaly_detector **detector,
                   anomaly_error *error)
{
    anomaly_config own;
    anomaly_allocator memory = an_allocator_or_default(allocator);
    if (!detector)
        return an_error(error, ANOMALY_E_ARG, "", "detector must be given");
    int status = an_detector_check(config, &own, error);
    if (status)
        return status;
    anomaly_detector *created = NULL;
    status = an_detector_alone(&own, &memory, &created);
    if (!status)
        status = take_early(created);
    if (status)
        anomaly_destroy(created);
    else
        *detector = created;
    return status ? an_error(error, status, "", "out of memory") : ANOMALY_OK;
}

int anomaly_reserve(anomaly_detector *detector)
{
    if (!detector)
        return ANOMALY_E_ARG;
    uint64_t slots = an_window_slots(detector->window.bound);
    int status = slots_of(detector) < slots ? an_detector_resize(detector, slots) : ANOMALY_OK;
    if (!status && an_window_count(&detector->window) == 0)
        an_window_touch(&detector->window);
    return status;
}

static void free_copy(anomaly_detector *detector)
{
    if (detector->sharing == AN_OWN_THRESHOLD)
        an_free(detector->allocator, (anomaly_config *)detector->config, 1, sizeof *detector->config);
}

void anomaly_destroy(anomaly_detector *detector)
{
    if (!detector)
        return;
    anomaly_allocator memory = *detector->allocator;
    size_t size = an_detector_size(detector);
    detector->kind->destroy(detector);
    an_window_free(&detector->window, &memory);
    free_copy(detector);
    an_free(&memory, detector, 1, size);
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

/* The configuration to be changed: NULL when there is no memory. */
static anomaly_config *own_config(anomaly_detector *detector)
{
    if (detector->sharing == AN_ALONE)
        return &((alone *)detector)->shared.config;
    if (detector->sharing == AN_OWN_THRESHOLD)
        return (anomaly_config *)detector->config;
    anomaly_config *copy = an_alloc(detector->allocator, 1, sizeof *copy);
    if (!copy)
        return NULL;
    *copy = *detector->config;
    detector->config = copy;
    detector->sharing = AN_OWN_THRESHOLD;
    return copy;
}

int an_detector_own_threshold(anomaly_detector *detector, double threshold)
{
    anomaly_config *config = own_config(detector);
    if (!config)
        return ANOMALY_E_NOMEM;
    config->threshold = threshold;
    config->contamination = 0; /* the forest's threshold follows the scores no more */
    return ANOMALY_OK;
}

void an_detector_share_threshold(anomaly_detector *detector, const an_shared *shared)
{
    free_copy(detector);
    detector->config = &shared->config;
    detector->sharing = AN_SHARES_ALL;
}

int anomaly_set_threshold(anomaly_detector *detector, double threshold)
{
    if (!detector || !an_is_threshold(detector->config, threshold))
        return ANOMALY_E_ARG;
    return an_detector_own_threshold(detector, threshold);
}

int anomaly_get_config(const anomaly_detector *detector, anomaly_config *config, size_t struct_size)
{
    if (!detector)
        return ANOMALY_E_ARG;
    int status = anomaly_config_init(config, struct_size, detector->config->kind);
    if (status)
        return status;
    memcpy(config, detector->config, struct_size);
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
    int64_t allowed = detector->config->max_late_ns;
    if (!window->span_ns || t_ns >= window->clock_ns)
        return 0;
    if (allowed < 0 || allowed > window->span_ns)
        allowed = window->span_ns;
    return an_elapsed_ns(window->clock_ns, t_ns) > (uint64_t)allowed;
}

static int is_jump(const anomaly_detector *detector, int64_t t_ns)
{
    int64_t allowed = detector->config->max_jump_ns, clock = detector->window.clock_ns;
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
static void judge_feature(const anomaly_detector *detector, uint32_t feature, double x, anomaly_verdict *v)
{
    detector->kind->judge(detector, feature, x + 0.0, v); /* no negative zero, as in the window */
    v->feature = feature;
    if (isinf(x)) {
        v->score = an_infinite_score(detector->config, x > 0);
        v->flags = ANOMALY_NONFINITE | (x > 0 ? ANOMALY_ABOVE : ANOMALY_BELOW);
    }
}

/* How much a feature's verdict counts: those that can flag before those that are only shown before those warming up. */
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

static void conclude(const anomaly_detector *detector, enum standing standing, anomaly_verdict *v)
{
    v->threshold = detector->config->threshold;
    if (standing == WARMING_UP)
        v->flags |= ANOMALY_WARMING_UP;
    if (standing == JUDGED && an_exceeds(detector->config, v->score))
        v->flags |= ANOMALY_IS_ANOMALY;
}

void an_conclude(const anomaly_detector *detector, anomaly_verdict *verdict)
{
    conclude(detector, standing_of(detector, verdict), verdict);
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

void an_judge(const anomaly_detector *detector, const double *x, int64_t t_ns, anomaly_verdict *verdict)
{
    enum standing standing;
    if (detector->kind->judge_event) {
        detector->kind->judge_event(detector, x, verdict);
        return;
    }
    if (detector->config->features == 1 && !isnan(x[0])) {
        judge_feature(detector, 0, x[0], verdict);
        standing = standing_of(detector, verdict);
    } else {
        standing = judge_features(detector, x, verdict);
    }
    verdict->flags |= flags_of_time(detector, t_ns);
    conclude(detector, standing, verdict);
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
            window->cut_ns = itself ? (t_ns > window->cut_ns ? t_ns : window->cut_ns)
                                    : (oldest > window->cut_ns ? oldest : window->cut_ns);
        if (itself)
            return 0;
        evict(detector, window->tail + 1);
    }
    an_window_insert(window, position, x, t_ns);
    if (detector->kind->insert_event)
        detector->kind->insert_event(detector, x);
    else
        detector->kind->insert(detector, position);
    settle(detector);
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
}

/* Learns the event unless something keeps it out; `flags` are its verdict's. Returns ANOMALY_NOT_LEARNED when that was the
 * policy. */
static uint32_t learn(anomaly_detector *detector, const double *x, int64_t t_ns, uint32_t flags)
{
    if (flags & (ANOMALY_MISSING | ANOMALY_NONFINITE | ANOMALY_LATE | ANOMALY_JUMPED)) {
        count_unlearned(&detector->counts, flags);
        if ((flags & (ANOMALY_LATE | ANOMALY_JUMPED)) || !has_finite(detector, x))
            return 0;
    }
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
    if (!(flags & (ANOMALY_IS_ANOMALY | ANOMALY_WARMING_UP | ANOMALY_FLAT | ANOMALY_TRUNCATED)))
        return;
    counts->anomalies += (flags & ANOMALY_IS_ANOMALY) != 0;
    counts->warming_up += (flags & ANOMALY_WARMING_UP) != 0;
    counts->flat += (flags & ANOMALY_FLAT) != 0;
    counts->truncated += (flags & ANOMALY_TRUNCATED) != 0;
}

static void name_cause(const anomaly_detector *detector, const double *x, anomaly_verdict *wanted)
{
    if (wanted && detector->kind->name_cause)
        detector->kind->name_cause(detector, x, wanted);
}

void an_finish_update(anomaly_detector *detector, const double *x, int64_t t_ns, anomaly_verdict *v)
{
    uint32_t kept_out = learn(detector, x, t_ns, v->flags);
    if (detector->config->include_self)
        an_judge(detector, x, t_ns, v);
    v->flags |= kept_out;
    if (detector->kind->scored)
        detector->kind->scored(detector, v);
    count_verdict(&detector->counts, v->flags);
}

int anomaly_update(anomaly_detector *detector, const double *x, int64_t t_ns, anomaly_verdict *verdict)
{
    anomaly_verdict unwanted, *v = verdict ? verdict : &unwanted;
    int status = begin(detector, x, t_ns);
    if (status)
        return status;
    if (detector->kind->judge_next)
        detector->kind->judge_next(detector, x, v);
    else
        an_judge(detector, x, t_ns, v);
    name_cause(detector, x, verdict);
    an_finish_update(detector, x, t_ns, v);
    return ANOMALY_OK;
}

int anomaly_score(const anomaly_detector *detector, const double *x, int64_t t_ns, anomaly_verdict *verdict)
{
    int status = an_check_event(detector, x, t_ns);
    if (!status && verdict) {
        an_judge(detector, x, t_ns, verdict);
        name_cause(detector, x, verdict);
    }
    return status;
}

int anomaly_learn(anomaly_detector *detector, const double *x, int64_t t_ns)
{
    anomaly_verdict v;
    int status = begin(detector, x, t_ns);
    if (status)
        return status;
    if (detector->kind->judge_event && detector->config->learn == ANOMALY_LEARN_ALWAYS)
        v.flags = an_value_flags(detector, x); /* only these matter */
    else
        an_judge(detector, x, t_ns, &v);
    if (detector->kind->unscored)
        detector->kind->unscored(detector, x);
    learn(detector, x, t_ns, v.flags);
    return ANOMALY_OK;
}

int anomaly_rebuild(anomaly_detector *detector)
{
    if (!detector)
        return ANOMALY_E_ARG;
    return detector->kind->rebuild ? detector->kind->rebuild(detector) : ANOMALY_OK;
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
