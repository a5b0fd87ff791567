/* SPDX-License-Identifier: MIT */
/* The options of a pool: their defaults and their limits. */
#include "detector/status.h"
#include "pool/pool.h"

#include <string.h>

#define DEFAULT_SHARDS 64

#define KNOWN_SINCE_0_1 offsetof(anomaly_pool_options, max_bytes)

int anomaly_pool_options_init(anomaly_pool_options *options, size_t struct_size)
{
    anomaly_pool_options own;
    if (!options || struct_size < KNOWN_SINCE_0_1)
        return ANOMALY_E_ARG;
    if (struct_size > sizeof own)
        return ANOMALY_E_VERSION;
    memset(&own, 0, sizeof own);
    own.struct_size = struct_size;
    own.locks = ANOMALY_THREADS;
    memcpy(options, &own, struct_size);
    return ANOMALY_OK;
}

static int is_power_of_two(uint32_t n)
{
    return n != 0 && (n & (n - 1)) == 0;
}

/* As many as give every shard something to work with. */
static uint32_t default_shards(const anomaly_pool_options *options)
{
    uint32_t shards = options->locks ? DEFAULT_SHARDS : 1;
    while (shards > 1 && options->max_keys && options->max_keys / shards < 64)
        shards /= 2;
    while (shards > 1 && options->max_bytes && options->max_bytes / shards < 16 * AN_MIN_SHARD_BYTES)
        shards /= 2;
    return shards;
}

static int is_switch(int32_t value)
{
    return value == 0 || value == 1;
}

int an_pool_options_check(const anomaly_pool_options *options, anomaly_pool_options *own, anomaly_error *error)
{
    anomaly_pool_options_init(own, sizeof *own);
    if (options && options->struct_size > sizeof *own)
        return an_error(error, ANOMALY_E_VERSION, "struct_size", "the options are of a newer version");
    if (options && options->struct_size < KNOWN_SINCE_0_1)
        return an_error(error, ANOMALY_E_ARG, "struct_size", "the options were not made by anomaly_pool_options_init");
    if (options)
        memcpy(own, options, options->struct_size);
    own->struct_size = sizeof *own;
    if (!is_switch(own->locks) || !is_switch(own->refuse))
        return an_error(error, ANOMALY_E_CONFIG, "locks", "locks and refuse must be 0 or 1");
    if (own->locks && !ANOMALY_THREADS)
        return an_error(error, ANOMALY_E_CONFIG, "locks", "locks must be 0: this library was built without threads");
    if (own->max_idle_ns < 0)
        return an_error(error, ANOMALY_E_CONFIG, "max_idle_ns", "max_idle_ns must not be negative");
    if (own->shards == 0)
        own->shards = default_shards(own);
    if (!is_power_of_two(own->shards) || own->shards > AN_MAX_SHARDS || (own->max_keys && own->max_keys < own->shards))
        return an_error(error, ANOMALY_E_CONFIG, "shards",
                        "shards must be a power of two up to %d, and no more than max_keys", AN_MAX_SHARDS);
    if (own->max_bytes && own->max_bytes / own->shards < AN_MIN_SHARD_BYTES)
        return an_error(error, ANOMALY_E_CONFIG, "max_bytes", "max_bytes must be at least %d for each shard",
                        AN_MIN_SHARD_BYTES);
    return ANOMALY_OK;
}
