/* SPDX-License-Identifier: MIT */
/* The calls on a pool that are for one key: which shard, its lock, the entry. And the life of a pool. */
#include "pool/pool.h"

#include "base/hash.h"
#include "detector/status.h"
#include "pool/population.h"

#include <inttypes.h>

#include <string.h>

/* ---- life ---- */

/* Counts the bytes of all shards, with what it takes for the first to begin at a cache line. */
static size_t shard_bytes(const anomaly_pool *pool)
{
    return pool->common.options.shards * sizeof *pool->shards + AN_CACHE_LINE_BYTES - 1;
}

size_t an_pool_fixed_bytes(const anomaly_pool *pool)
{
    return sizeof *pool + shard_bytes(pool) + an_crowd_bytes(pool->common.crowd);
}

/* The most that there will be. */
static size_t most_fixed_bytes(const anomaly_pool *pool)
{
    return an_sum(sizeof *pool + shard_bytes(pool), an_crowd_most_bytes(pool->common.crowd, &pool->common.config));
}

static void free_shards(anomaly_pool *pool, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        an_shard_lock_destroy(&pool->shards[i]);
        an_shard_free(&pool->shards[i]);
    }
    an_free(&pool->common.allocator, pool->shard_memory, shard_bytes(pool), 1);
}

static int make_shards(anomaly_pool *pool)
{
    pool->shard_memory = an_alloc(&pool->common.allocator, shard_bytes(pool), 1);
    if (!pool->shard_memory)
        return ANOMALY_E_NOMEM;
    uintptr_t line = ((uintptr_t)pool->shard_memory + AN_CACHE_LINE_BYTES - 1) / AN_CACHE_LINE_BYTES;
    pool->shards = (an_shard *)(line * AN_CACHE_LINE_BYTES);
    for (uint32_t i = 0; i < pool->common.options.shards; i++) {
        an_shard_init(&pool->shards[i], &pool->common);
        int status = an_shard_lock_init(&pool->shards[i]);
        if (status) {
            free_shards(pool, i);
            return status;
        }
    }
    return ANOMALY_OK;
}

int an_pool_new(const anomaly_config *own, const anomaly_pool_options *options, const anomaly_allocator *allocator,
                anomaly_pool **pool)
{
    anomaly_pool *created = an_alloc(allocator, 1, sizeof *created);
    if (!created)
        return ANOMALY_E_NOMEM;
    memset(created, 0, sizeof *created);
    created->common.config = *own;
    created->common.needs_times = anomaly_needs_times(own);
    created->common.options = *options;
    created->common.allocator = *allocator;
    while (1u << created->common.shard_bits < options->shards)
        created->common.shard_bits++;
    int status = an_crowd_create(&created->common, &created->common.crowd);
    if (!status)
        status = make_shards(created);
    if (status) {
        an_crowd_destroy(created->common.crowd);
        an_free(allocator, created, 1, sizeof *created);
        return status;
    }
    *pool = created;
    return ANOMALY_OK;
}

/* The least max_bytes with what all keys have together; 0: any. */
static uint64_t least_bytes(const anomaly_pool *pool)
{
    const anomaly_pool_options *options = &pool->common.options;
    return pool->common.crowd && options->max_bytes
               ? an_sum(most_fixed_bytes(pool), (size_t)options->shards * AN_MIN_SHARD_BYTES)
               : 0;
}

static void set_limits(anomaly_pool *pool)
{
    const anomaly_pool_options *options = &pool->common.options;
    pool->common.in_order = options->max_keys || options->max_bytes || options->max_idle_ns;
    for (uint32_t i = 0; i < options->shards; i++)
        an_shard_limit(&pool->shards[i], most_fixed_bytes(pool));
}

int anomaly_pool_create(const anomaly_config *config, const anomaly_pool_options *options,
                        const anomaly_allocator *allocator, anomaly_pool **pool, anomaly_error *error)
{
    anomaly_config own;
    anomaly_pool_options full;
    anomaly_allocator memory = an_allocator_or_default(allocator);
    if (!pool)
        return an_error(error, ANOMALY_E_ARG, "", "pool must be given");
    int status = an_pool_options_check(options, &full, error);
    if (!status)
        status = an_detector_check(config, &own, error);
    if (status)
        return status;
    anomaly_pool *created = NULL;
    status = an_pool_new(&own, &full, &memory, &created);
    if (!status && created->common.options.max_bytes < least_bytes(created))
        status = an_error(error, ANOMALY_E_CONFIG, "max_bytes",
                          "max_bytes must be at least %" PRIu64 " with population or calibrate=pool", least_bytes(created));
    else if (!status)
        status = an_crowd_populate(created->common.crowd, &own);
    if (status) {
        anomaly_pool_destroy(created);
        return status == ANOMALY_E_CONFIG ? status : an_error(error, status, "", "out of memory");
    }
    set_limits(created);
    *pool = created;
    return ANOMALY_OK;
}

void anomaly_pool_destroy(anomaly_pool *pool)
{
    if (!pool)
        return;
    anomaly_allocator memory = pool->common.allocator;
    free_shards(pool, pool->common.options.shards);
    an_crowd_destroy(pool->common.crowd);
    an_free(&memory, pool, 1, sizeof *pool);
}

int an_pool_settle(anomaly_pool *pool)
{
    if (pool->common.options.max_bytes < least_bytes(pool))
        return ANOMALY_E_FULL;
    set_limits(pool);
    for (uint32_t i = 0; pool->common.in_order && i < pool->common.options.shards; i++) {
        an_shard *shard = &pool->shards[i];
        uint64_t keys = shard->max_keys ? shard->max_keys : UINT64_MAX,
                 bytes = shard->max_bytes ? shard->max_bytes : UINT64_MAX;
        if (pool->common.options.refuse && (shard->keys > keys || shard->bytes > bytes))
            return ANOMALY_E_FULL;
        an_shard_sort(shard);
        an_shard_shrink(shard, keys, bytes);
    }
    return ANOMALY_OK;
}

/* ---- keys and slots ---- */

int an_pool_is_key(const void *key, size_t size)
{
    return key && size >= 1 && size <= AN_MAX_KEY_BYTES;
}

uint64_t an_pool_hash(const anomaly_pool *pool, const void *key, size_t size)
{
    return an_hash_of(key, size, pool->common.options.hash_seed);
}

uint64_t an_pool_slot_of(const anomaly_pool *pool, const an_shard *shard, uint32_t entry)
{
    uint64_t low = (uint64_t)entry << pool->common.shard_bits | (uint64_t)(shard - pool->shards);
    return (uint64_t)an_shard_entry(shard, entry)->generation << 32 | low;
}

an_slot an_pool_slot_parts(const anomaly_pool *pool, uint64_t slot)
{
    uint32_t low = (uint32_t)slot;
    return (an_slot){pool->shards + (low & (pool->common.options.shards - 1)), low >> pool->common.shard_bits,
                     (uint32_t)(slot >> 32)};
}

int an_slot_is_there(const an_slot *slot)
{
    if (slot->entry >= slot->shard->entries)
        return 0;
    const an_entry *e = an_shard_entry(slot->shard, slot->entry);
    return e->detector && e->generation == slot->generation;
}

int anomaly_pool_slot(anomaly_pool *pool, const void *key, size_t key_size, uint64_t *slot)
{
    if (!pool || !slot || !an_pool_is_key(key, key_size))
        return ANOMALY_E_ARG;
    uint64_t hash = an_pool_hash(pool, key, key_size);
    an_shard *shard = an_pool_shard(pool, hash);
    int status = ANOMALY_OK;
    an_shard_lock(shard);
    uint32_t entry = an_shard_find(shard, (uint32_t)hash, key, key_size);
    if (entry == AN_NO_ENTRY)
        status = an_shard_add(shard, (uint32_t)hash, key, key_size, NULL, &entry);
    if (!status)
        *slot = an_pool_slot_of(pool, shard, entry);
    an_shard_unlock(shard);
    return status;
}

/* Finds a key and leaves its shard locked; NULL (and nothing locked) when it is not there. */
static an_shard *lock_key(const anomaly_pool *pool, const void *key, size_t size, uint32_t *entry)
{
    uint64_t hash = an_pool_hash(pool, key, size);
    an_shard *shard = an_pool_shard(pool, hash);
    an_shard_lock(shard);
    *entry = an_shard_find(shard, (uint32_t)hash, key, size);
    if (*entry != AN_NO_ENTRY)
        return shard;
    an_shard_unlock(shard);
    return NULL;
}

int anomaly_pool_find(const anomaly_pool *pool, const void *key, size_t key_size, uint64_t *slot)
{
    uint32_t entry;
    if (!pool || !slot || !an_pool_is_key(key, key_size))
        return ANOMALY_E_ARG;
    an_shard *shard = lock_key(pool, key, key_size, &entry);
    if (!shard)
        return ANOMALY_E_NOTFOUND;
    *slot = an_pool_slot_of(pool, shard, entry);
    an_shard_unlock(shard);
    return ANOMALY_OK;
}

int anomaly_pool_remove(anomaly_pool *pool, const void *key, size_t key_size)
{
    uint32_t entry;
    if (!pool || !an_pool_is_key(key, key_size))
        return ANOMALY_E_ARG;
    an_shard *shard = lock_key(pool, key, key_size, &entry);
    if (!shard)
        return ANOMALY_E_NOTFOUND;
    an_shard_remove(shard, entry);
    an_shard_unlock(shard);
    return ANOMALY_OK;
}

/* ---- one event ---- */

int anomaly_pool_update(anomaly_pool *pool, const void *key, size_t key_size, const double *x, int64_t t_ns,
                        anomaly_verdict *verdict)
{
    if (!pool || !an_pool_is_key(key, key_size) || !x || !an_pool_is_time(pool, t_ns))
        return ANOMALY_E_ARG;
    uint64_t hash = an_pool_hash(pool, key, key_size);
    an_shard *shard = an_pool_shard(pool, hash);
    an_shard_lock(shard);
    int status = an_shard_update_key(shard, (uint32_t)hash, key, key_size, x, t_ns, verdict);
    an_shard_unlock(shard);
    return status;
}

int anomaly_pool_update_at(anomaly_pool *pool, uint64_t slot, const double *x, int64_t t_ns, anomaly_verdict *verdict)
{
    if (!pool || !x || !an_pool_is_time(pool, t_ns))
        return ANOMALY_E_ARG;
    an_slot at = an_pool_slot_parts(pool, slot);
    an_shard_lock(at.shard);
    int status = an_slot_is_there(&at) ? an_shard_update(at.shard, at.entry, x, t_ns, verdict) : ANOMALY_E_NOTFOUND;
    an_shard_unlock(at.shard);
    return status;
}

int anomaly_pool_with(anomaly_pool *pool, uint64_t slot, anomaly_use use, void *ctx)
{
    if (!pool || !use)
        return ANOMALY_E_ARG;
    an_slot at = an_pool_slot_parts(pool, slot);
    int status = ANOMALY_E_NOTFOUND;
    an_shard_lock(at.shard);
    if (an_slot_is_there(&at)) {
        at.shard->busy = at.entry;
        status = use(ctx, an_shard_entry(at.shard, at.entry)->detector);
        at.shard->busy = AN_NO_ENTRY;
        an_shard_touch(at.shard, at.entry);
        an_shard_note_time(at.shard, an_shard_entry(at.shard, at.entry), ANOMALY_NO_TIME);
    }
    an_shard_unlock(at.shard);
    return status;
}
