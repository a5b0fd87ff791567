/* SPDX-License-Identifier: MIT */
/* The distance as a kind of detector: whole events are judged. The window counts its events and holds none: totals
 * say what the kind needs of them. */
#include "detector/detector.h"
#include "detector/judgement.h"
#include "detector/status.h"
#include "mahalanobis/mahalanobis.h"

#include <string.h>

#define WINDOW_STEP (AN_WINDOW_BLOCKS * AN_BATCH_VECTORS)

static an_mahalanobis *state_of(const anomaly_detector *detector)
{
    return detector->state;
}

static an_lags lags_of(const anomaly_config *config)
{
    return an_lags_of(config->lags, config->features);
}

/* ---- memory ---- */

static size_t bytes_of_mahalanobis(const anomaly_config *config, uint64_t slots)
{
    an_lags lags = lags_of(config);
    return an_mahalanobis_bytes(&lags, config->window_events, slots);
}

static int create_mahalanobis(anomaly_detector *detector)
{
    an_lags lags = lags_of(detector->config);
    detector->state = an_mahalanobis_create(&lags, detector->window.bound, detector->allocator);
    return detector->state ? ANOMALY_OK : ANOMALY_E_NOMEM;
}

static void destroy_mahalanobis(anomaly_detector *detector)
{
    an_mahalanobis_destroy(state_of(detector), detector->allocator);
}

static void reset_mahalanobis(anomaly_detector *detector)
{
    an_mahalanobis_reset(state_of(detector));
}

static int resize_mahalanobis(anomaly_detector *detector, uint64_t slots)
{
    return an_mahalanobis_make_room(state_of(detector), slots, detector->allocator);
}

static void evict_nothing(anomaly_detector *detector, uint64_t tail)
{
    (void)detector;
    (void)tail;
}

/* ---- judging ---- */

static void conclude_distance(const anomaly_detector *detector, anomaly_verdict *v)
{
    int shown =
        (v->flags & ANOMALY_FLAT) && !(v->flags & ANOMALY_NONFINITE) && detector->config->flat == ANOMALY_FLAT_IGNORE;
    int is_judged = (v->flags & ANOMALY_NONFINITE) || !isnan(v->score);
    if (v->events < detector->warmup || (!is_judged && !(v->flags & ANOMALY_MISSING)))
        v->flags |= ANOMALY_WARMING_UP;
    else if (!shown && an_exceeds(detector->config, v->score))
        v->flags |= ANOMALY_IS_ANOMALY;
}

static void judge_by_distance(const anomaly_detector *detector, const double *x, int64_t t_ns, anomaly_verdict *v)
{
    an_distance distance;
    (void)t_ns;
    an_mahalanobis_distance(state_of(detector), x, &distance);
    v->flags = an_value_flags(detector, x);
    v->score = v->flags & ANOMALY_NONFINITE ? (double)INFINITY : distance.score;
    v->threshold = detector->config->threshold;
    v->expected = v->lower = v->upper = (double)NAN;
    v->feature = v->flags & ANOMALY_NONFINITE ? an_first_infinite(x) : distance.feature;
    v->events = an_window_count(&detector->window);
    v->flags |= distance.flat ? ANOMALY_FLAT : 0u;
    conclude_distance(detector, v);
}

static void judge_next_by_distance(anomaly_detector *detector, const double *x, int64_t t_ns, anomaly_verdict *v)
{
    judge_by_distance(detector, x, t_ns, v);
}

static void explain_distance(const anomaly_detector *detector, const double *x, double *share)
{
    an_distance distance;
    an_mahalanobis_distance(state_of(detector), x, &distance);
    an_mahalanobis_shares(state_of(detector), &distance, share);
}

static void name_largest_share(const anomaly_detector *detector, const double *x, anomaly_verdict *v)
{
    double share[AN_MOST_COORDINATES];
    if (v->flags & (ANOMALY_NONFINITE | ANOMALY_FLAT))
        return;
    explain_distance(detector, x, share);
    for (uint32_t f = 1; f < detector->config->features; f++)
        v->feature = share[f] > share[v->feature] ? f : v->feature;
}

/* Of one value its word, of several the feature. */
static void name_cause_of_distance(const anomaly_detector *detector, const double *x, int64_t t_ns, anomaly_verdict *v)
{
    (void)t_ns;
    if (detector->config->features == 1)
        v->flags |= an_mahalanobis_word(state_of(detector), *x);
    else
        name_largest_share(detector, x, v);
}

/* ---- learning ---- */

static void learn_vector(anomaly_detector *detector, const double *x, int64_t t_ns)
{
    (void)t_ns;
    an_mahalanobis_learn(state_of(detector), x);
}

static void note_no_verdict(anomaly_detector *detector, const anomaly_verdict *verdict)
{
    (void)detector;
    (void)verdict;
}

static void note_no_score(anomaly_detector *detector, const double *x)
{
    (void)detector;
    (void)x;
}

/* ---- questions ---- */

/* The moments of the newest values, as the totals have them. */
static an_moments moments_of_mahalanobis(const anomaly_detector *detector, uint32_t feature)
{
    const an_mahalanobis *h = state_of(detector);
    uint32_t i = h->m - h->lags.features + feature;
    an_moments sum = {0}, batch = {0};
    for (uint32_t b = 1; b <= AN_WINDOW_BLOCKS; b++) {
        an_totals *block = h->block[(h->next + b) % AN_WINDOW_BLOCKS];
        an_moments m = block && block->events ? an_totals_moments(block, i) : (an_moments){0};
        sum = an_moments_merge(&sum, &m);
    }
    for (uint32_t e = 0; e < h->batched; e++)
        if (!isnan(h->batch[(size_t)i * AN_BATCH_VECTORS + e]))
            an_moments_add(&batch, h->batch[(size_t)i * AN_BATCH_VECTORS + e]);
    return an_moments_merge(&sum, &batch);
}

/* An infinite score comes from the infinite features, or from the flat one. */
static void explain_infinite_distance(const double *x, uint32_t features, uint32_t flat, double *contribution)
{
    int infinite = 0;
    for (uint32_t f = 0; f < features; f++) {
        contribution[f] = isinf(x[f]) ? (double)INFINITY : 0;
        infinite |= isinf(x[f]) != 0;
    }
    if (!infinite)
        contribution[flat] = (double)INFINITY;
}

static int explain_by_distance(const anomaly_detector *detector, const double *x, double *contribution)
{
    anomaly_verdict v;
    judge_by_distance(detector, x, ANOMALY_NO_TIME, &v);
    if (isnan(v.score) && !(v.flags & ANOMALY_MISSING))
        return ANOMALY_E_EMPTY;
    if (isnan(v.score))
        memset(contribution, 0, detector->config->features * sizeof *contribution);
    else if (v.flags & (ANOMALY_NONFINITE | ANOMALY_FLAT))
        explain_infinite_distance(x, detector->config->features, v.feature, contribution);
    else
        explain_distance(detector, x, contribution);
    return ANOMALY_OK;
}

/* ---- snapshots ---- */

static void save_mahalanobis(const anomaly_detector *detector, an_writer *writer)
{
    an_mahalanobis_save(state_of(detector), writer);
}

static int restore_mahalanobis(anomaly_detector *detector, an_reader *reader)
{
    an_window *window = &detector->window;
    uint64_t events = an_window_count(window), slots = events ? an_window_slots(events) : 0;
    int status = an_mahalanobis_restore(state_of(detector), events, slots, reader, detector->allocator);
    if (!status && slots)
        status = an_window_resize(window, slots, detector->allocator);
    return status;
}

/* ---- configuration ---- */

/* Twice as many vectors as coordinates, in full batches, and the values before the first vector. */
static uint64_t events_to_judge(const anomaly_config *config)
{
    an_lags lags = lags_of(config);
    uint64_t batches = (2 * (uint64_t)an_lags_coordinates(&lags) + AN_BATCH_VECTORS - 1) / AN_BATCH_VECTORS;
    return lags.values - 1 + batches * AN_BATCH_VECTORS;
}

static int validate_mahalanobis(const anomaly_config *config, anomaly_error *error)
{
    an_lags lags = lags_of(config);
    uint64_t coordinates = (uint64_t)lags.blocks * config->features;
    if (config->window_ns)
        return an_error(error, ANOMALY_E_CONFIG, "window", "the window of mahalanobis is a number of events");
    if (coordinates > AN_MOST_COORDINATES)
        return an_error(error, ANOMALY_E_CONFIG, lags.blocks > 1 ? "lags" : "features",
                        "features %u times lags %u are %llu coordinates: mahalanobis takes at most %u",
                        (unsigned)config->features, (unsigned)lags.blocks, (unsigned long long)coordinates,
                        AN_MOST_COORDINATES);
    if (config->window_events % WINDOW_STEP)
        return an_error(error, ANOMALY_E_CONFIG, "window",
                        "the window of mahalanobis is a multiple of %u events, such as %llu", WINDOW_STEP,
                        (unsigned long long)((config->window_events / WINDOW_STEP + 1) * WINDOW_STEP));
    if (config->window_events < events_to_judge(config))
        return an_error(error, ANOMALY_E_CONFIG, "window", "%llu coordinates need a window of at least %llu events",
                        (unsigned long long)coordinates, (unsigned long long)events_to_judge(config));
    if (config->include_self)
        return an_error(error, ANOMALY_E_CONFIG, "include_self", "include_self does not apply to this kind of detector");
    return ANOMALY_OK;
}

const an_kind an_kind_mahalanobis = {
    .whole = 1,
    .bare = 1,
    .rules =
        {
            .values_to_judge = events_to_judge,
            .can_flag_with_self = an_can_always_flag,
            .validate = validate_mahalanobis,
        },
    .life =
        {
            .bytes = bytes_of_mahalanobis,
            .create = create_mahalanobis,
            .destroy = destroy_mahalanobis,
            .reset = reset_mahalanobis,
            .take_early = an_no_early_memory,
            .resize = resize_mahalanobis,
            .evict = evict_nothing,
        },
    .by_event =
        {
            .judge = judge_by_distance,
            .judge_next = judge_next_by_distance,
            .name_cause = name_cause_of_distance,
            .insert = learn_vector,
            .scored = note_no_verdict,
            .unscored = note_no_score,
        },
    .questions =
        {
            .moments = moments_of_mahalanobis,
            .quantile = an_no_quantile,
            .explain = explain_by_distance,
            .rebuild = an_no_rebuild,
        },
    .saving = {.save = save_mahalanobis, .restore = restore_mahalanobis},
    .equals = an_no_equals,
};
