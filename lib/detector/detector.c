/* SPDX-License-Identifier: MIT */
/* A detector's life: created alone or as one of many, given memory, changed, reset, destroyed. */
#include "detector/detector.h"

#include "base/ieee.h"
#include "base/simd.h"
#include "detector/status.h"

#include <inttypes.h>
#include <string.h>

/* ---- memory ---- */

/* Resizes the kind first: it may then hold more than the ring needs, never less. */
int an_detector_resize(anomaly_detector *detector, uint64_t slots)
{
    int status = detector->kind->life.resize(detector, slots);
    return status ? status : an_window_resize(&detector->window, slots, detector->allocator);
}

static uint64_t values_to_judge(const anomaly_config *config)
{
    uint64_t fewest = an_kind_of(config)->rules.values_to_judge(config);
    return config->warmup_events > fewest ? config->warmup_events : fewest;
}

/* A detector that is not one of many: one block with all that others share. */
typedef struct lone_detector {
    anomaly_detector detector;
    an_shared shared;
} lone_detector;

static void set_up_detector(anomaly_detector *detector, const anomaly_config *config, const anomaly_allocator *allocator)
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
    detector->needs_times = config->window_ns || an_stages_need_times(config);
    detector->window.bare = detector->kind->bare;
    an_window_reset(&detector->window);
}

/* Counts the bytes with the full window; SIZE_MAX: more than there are addresses. */
static size_t bytes_in_all(const anomaly_config *own)
{
    anomaly_detector shape;
    set_up_detector(&shape, own, NULL);
    uint64_t slots = an_window_slots(shape.window.bound);
    size_t rings = an_window_bytes(&shape.window, slots);
    size_t kind = shape.kind->life.bytes(own, slots);
    return an_sum(an_sum(an_sum(sizeof(lone_detector), rings), kind), an_stages_bytes(own));
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

static int create_stages(anomaly_detector *created)
{
    const anomaly_config *config = created->config;
    return an_stages_create(&created->stages, config, an_shared_of(created)->record,
                            an_places_for(an_simd_path(config->simd)), created->allocator);
}

static int create_kind(anomaly_detector *created, anomaly_detector **detector)
{
    int status = created->kind->life.create(created);
    if (!status && an_stages_are_wanted(created->config))
        status = create_stages(created);
    if (status)
        anomaly_destroy(created);
    else
        *detector = created;
    return status;
}

int an_detector_alone(const anomaly_config *own, const anomaly_allocator *allocator, anomaly_detector **detector)
{
    lone_detector *created = an_alloc(allocator, 1, sizeof *created);
    if (!created)
        return ANOMALY_E_NOMEM;
    created->shared = (an_shared){*own, *allocator, NULL, NULL};
    set_up_detector(&created->detector, &created->shared.config, &created->shared.allocator);
    created->detector.sharing = AN_ALONE;
    return create_kind(&created->detector, detector);
}

/* Counts the bytes of the first ring that one of many has in its own block, where the kind needs no memory for so few
 * events: a quiet key is then one piece of memory, so an event waits for memory once. */
static size_t lent_bytes(const anomaly_detector *detector)
{
    int fits = !detector->window.whole && detector->kind->life.bytes(detector->config, AN_FIRST_SLOTS) == 0;
    return fits ? an_window_bytes(&detector->window, AN_FIRST_SLOTS) : 0;
}

size_t an_detector_size(const anomaly_detector *detector)
{
    return detector->sharing == AN_ALONE ? sizeof(lone_detector) : sizeof *detector + lent_bytes(detector);
}

int an_detector_shared(const an_shared *shared, anomaly_detector **detector)
{
    anomaly_detector shape;
    set_up_detector(&shape, &shared->config, &shared->allocator);
    size_t lent = lent_bytes(&shape);
    anomaly_detector *created = an_alloc(&shared->allocator, 1, sizeof shape + lent);
    if (!created)
        return ANOMALY_E_NOMEM;
    *created = shape;
    if (lent)
        an_window_lend(&created->window, created + 1);
    return create_kind(created, detector);
}

static int take_early(anomaly_detector *detector)
{
    int status = detector->config->reserve ? anomaly_reserve(detector) : ANOMALY_OK;
    return status ? status : detector->kind->life.take_early(detector);
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
    int status = an_detector_slots(detector) < slots ? an_detector_resize(detector, slots) : ANOMALY_OK;
    if (!status && detector->stages)
        status = an_stages_reserve(detector->stages, detector->allocator);
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
    detector->kind->life.destroy(detector);
    an_window_free(&detector->window, &memory);
    an_stages_destroy(detector->stages, &memory);
    free_copy(detector);
    an_free(&memory, detector, 1, size);
}

void anomaly_reset(anomaly_detector *detector)
{
    if (!detector)
        return;
    detector->kind->life.reset(detector);
    an_window_reset(&detector->window);
    if (detector->stages)
        an_stages_reset(detector->stages);
    detector->flagged_in_row = 0;
    memset(&detector->counts, 0, sizeof detector->counts);
}

/* Gives the configuration that may be changed, a copy if need be; NULL when there is no memory. */
static anomaly_config *own_config(anomaly_detector *detector)
{
    if (detector->sharing == AN_ALONE)
        return &((lone_detector *)detector)->shared.config;
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

/* The budget of alarms holds as long as no threshold is set. */
static void follow_config(anomaly_detector *detector)
{
    if (detector->stages)
        an_stages_follow(detector->stages, detector->config);
}

int an_detector_own_threshold(anomaly_detector *detector, double threshold)
{
    anomaly_config *config = own_config(detector);
    if (!config)
        return ANOMALY_E_NOMEM;
    an_config_fix_threshold(config, threshold);
    follow_config(detector);
    return ANOMALY_OK;
}

void an_detector_share_threshold(anomaly_detector *detector, const an_shared *shared)
{
    free_copy(detector);
    detector->config = &shared->config;
    detector->sharing = AN_SHARES_ALL;
    follow_config(detector);
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
