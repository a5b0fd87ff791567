/* SPDX-License-Identifier: MIT */
#include "pool/population.h"

#include "base/simd.h"
#include "detector/snapshot.h"

#include <string.h>

/* ---- what a configuration asks for ---- */

static int wants_record(const anomaly_config *config)
{
    return config->calibrate_by == ANOMALY_BY_POOL && an_stages_have_budget(config);
}

int an_crowd_is_wanted(const anomaly_config *config)
{
    return wants_record(config) || config->population;
}

/* The configuration of the population: that of the keys, without what belongs to the stream of one key. Where all
 * scores have one record, a key rates what the population says by that. */
static anomaly_config population_config(const anomaly_config *keys)
{
    anomaly_config config = *keys;
    config.population = 0;
    config.transform = ANOMALY_RAW;
    config.lags = 0;
    config.rest_events = 0;
    config.rest_ns = 0;
    config.margin = config.min_change = config.min_percent = 0;
    config.confirm = config.confirm_of = 1;
    if (keys->calibrate_by == ANOMALY_BY_POOL) {
        config.calibrate_by = ANOMALY_BY_KEY;
        config.alarm_rate = config.alarms = 0;
        config.alarms_ns = 0;
    }
    return config;
}

/* ---- memory ---- */

static void *crowd_alloc(void *ctx, size_t bytes)
{
    an_crowd *crowd = ctx;
    void *memory = crowd->outer.alloc(crowd->outer.ctx, bytes);
    if (memory)
        crowd->bytes += bytes;
    return memory;
}

static void crowd_free(void *ctx, void *memory, size_t bytes)
{
    an_crowd *crowd = ctx;
    crowd->bytes -= bytes;
    crowd->outer.free(crowd->outer.ctx, memory, bytes);
}

size_t an_crowd_bytes(an_crowd *crowd)
{
    if (!crowd)
        return 0;
    an_crowd_lock(crowd);
    size_t bytes = crowd->bytes;
    an_crowd_unlock(crowd);
    return bytes;
}

static size_t seen_bytes(const anomaly_config *config)
{
    return config->transform == ANOMALY_RAW ? 0 : config->features * sizeof(double);
}

/* Twice what it takes when it is full: while something grows, its old and its new memory lie side by side. */
size_t an_crowd_most_bytes(const an_crowd *crowd, const anomaly_config *config)
{
    size_t bytes = sizeof *crowd, population = 0;
    if (!crowd)
        return 0;
    if (crowd->records)
        bytes = an_sum(bytes, an_stages_record_bytes(config));
    if (config->population) {
        anomaly_config own = population_config(config);
        anomaly_memory_needed(&own, &population);
        bytes = an_sum(an_sum(bytes, population), seen_bytes(config));
    }
    return an_product(2, bytes);
}

/* ---- life ---- */

int an_crowd_create(const an_common *common, an_crowd **crowd)
{
    *crowd = NULL;
    if (!an_crowd_is_wanted(&common->config))
        return ANOMALY_OK;
    an_crowd *created = an_alloc(&common->allocator, 1, sizeof *created);
    if (!created)
        return ANOMALY_E_NOMEM;
    memset(created, 0, sizeof *created);
    created->locks = common->options.locks;
    created->at_once = common->options.shards;
    created->outer = common->allocator;
    created->allocator = (anomaly_allocator){crowd_alloc, crowd_free, created};
    created->bytes = sizeof *created;
    created->records = wants_record(&common->config);
    an_stages_begin_record(&created->record, &common->config, an_places_for(an_simd_path(common->config.simd)));
    if (created->locks && an_mutex_init(&created->lock) != 0) {
        an_free(&common->allocator, created, 1, sizeof *created);
        return ANOMALY_E_NOMEM;
    }
    *crowd = created;
    return ANOMALY_OK;
}

void an_crowd_destroy(an_crowd *crowd)
{
    if (!crowd)
        return;
    anomaly_allocator outer = crowd->outer;
    an_tail_free(&crowd->record, &crowd->allocator);
    an_free(&crowd->allocator, crowd->seen, crowd->seen_count, sizeof *crowd->seen);
    anomaly_destroy(crowd->population);
    if (crowd->locks)
        an_mutex_destroy(&crowd->lock);
    an_free(&outer, crowd, 1, sizeof *crowd);
}

static int make_population(an_crowd *crowd, const anomaly_config *config)
{
    anomaly_config wanted = population_config(config), own;
    int status = an_detector_check(&wanted, &own, NULL);
    if (status)
        return status;
    if (config->transform != ANOMALY_RAW) {
        crowd->seen = an_alloc(&crowd->allocator, config->features, sizeof *crowd->seen);
        if (!crowd->seen)
            return ANOMALY_E_NOMEM;
        crowd->seen_count = config->features;
    }
    return an_detector_alone(&own, &crowd->allocator, &crowd->population);
}

int an_crowd_populate(an_crowd *crowd, const anomaly_config *config)
{
    int status = crowd && config->population ? make_population(crowd, config) : ANOMALY_OK;
    if (status || !crowd || !config->reserve)
        return status;
    if (crowd->population)
        status = anomaly_reserve(crowd->population);
    return status || !crowd->records ? status : an_tail_reserve(&crowd->record, &crowd->allocator);
}

/* ---- what is done for every key ---- */

void an_crowd_advance(an_crowd *crowd, int64_t t_ns)
{
    if (!crowd || !crowd->population)
        return;
    an_crowd_lock(crowd);
    anomaly_advance(crowd->population, t_ns);
    an_crowd_unlock(crowd);
}

/* A detector alone needs no memory for a threshold of its own. */
void an_crowd_set_threshold(an_crowd *crowd, double threshold)
{
    if (!crowd || !crowd->population)
        return;
    an_crowd_lock(crowd);
    anomaly_set_threshold(crowd->population, threshold);
    an_crowd_unlock(crowd);
}

/* ---- snapshots ---- */

void an_crowd_save(an_crowd *crowd, const anomaly_config *config, an_writer *writer)
{
    anomaly_config own = population_config(config);
    if (wants_record(config))
        an_tail_save(&crowd->record, writer);
    if (crowd->population)
        an_state_save(crowd->population, &own, writer);
}

int an_crowd_restore(an_crowd *crowd, const anomaly_config *config, an_reader *reader)
{
    int status = crowd->records ? an_tail_restore(&crowd->record, reader, &crowd->allocator) : ANOMALY_OK;
    if (!status && config->population)
        status = config->features <= an_reader_left(reader) ? make_population(crowd, config) : ANOMALY_E_CORRUPT;
    if (!status && crowd->population)
        status = an_state_load(crowd->population, reader);
    return status ? status : reader->bad || an_reader_left(reader) ? ANOMALY_E_CORRUPT : ANOMALY_OK;
}
