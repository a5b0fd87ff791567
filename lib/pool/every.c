/* SPDX-License-Identifier: MIT */
/* The calls on a pool that go through all its keys, shard after shard: visits, thresholds, counters, eviction. */
#include "pool/pool.h"
#include "pool/population.h"

#include <string.h>

/* ---- visits ---- */

/* Calls `work` for every key; a return other than 0 ends it and is returned. */
static int for_each_key(const anomaly_pool *pool, int (*work)(void *ctx, const an_shard *shard, uint32_t entry), void *ctx)
{
    int status = 0;
    for (uint32_t i = 0; !status && i < pool->common.options.shards; i++) {
        an_shard *shard = &pool->shards[i];
        an_shard_lock(shard);
        for (uint32_t entry = 0; !status && entry < shard->entries; entry++)
            if (an_shard_entry(shard, entry)->detector)
                status = work(ctx, shard, entry);
        an_shard_unlock(shard);
    }
    return status;
}

static int advance_one(void *ctx, const an_shard *shard, uint32_t entry)
{
    return anomaly_advance(an_shard_entry(shard, entry)->detector, *(const int64_t *)ctx);
}

int anomaly_pool_advance(anomaly_pool *pool, int64_t t_ns)
{
    if (!pool || t_ns == ANOMALY_NO_TIME)
        return ANOMALY_E_ARG;
    an_crowd_advance(pool->common.crowd, t_ns);
    return for_each_key(pool, advance_one, &t_ns);
}

static void share_thresholds(an_shard *shard)
{
    for (uint32_t entry = 0; entry < shard->entries; entry++) {
        anomaly_detector *detector = an_shard_entry(shard, entry)->detector;
        if (detector)
            an_detector_share_threshold(detector, &shard->shared);
    }
}

int anomaly_pool_set_threshold(anomaly_pool *pool, double threshold)
{
    if (!pool || !an_is_threshold(&pool->common.config, threshold))
        return ANOMALY_E_ARG;
    an_crowd_set_threshold(pool->common.crowd, threshold); /* before the first shard, whose configuration is saved */
    for (uint32_t i = 0; i < pool->common.options.shards; i++) {
        an_shard *shard = &pool->shards[i];
        an_shard_lock(shard);
        an_config_fix_threshold(&shard->shared.config, threshold);
        share_thresholds(shard);
        an_shard_unlock(shard);
    }
    return ANOMALY_OK;
}

anomaly_config an_pool_config(const anomaly_pool *pool)
{
    an_shard_lock(pool->shards);
    anomaly_config config = pool->shards[0].shared.config;
    an_shard_unlock(pool->shards);
    return config;
}

int anomaly_pool_get_config(const anomaly_pool *pool, anomaly_config *config, size_t struct_size)
{
    if (!pool)
        return ANOMALY_E_ARG;
    int status = anomaly_config_init(config, struct_size, pool->common.config.kind);
    if (status)
        return status;
    anomaly_config own = an_pool_config(pool);
    memcpy(config, &own, struct_size);
    config->struct_size = struct_size;
    return ANOMALY_OK;
}

typedef struct visitor {
    const anomaly_pool *pool;
    anomaly_visit visit;
    void *ctx;
} visitor;

static int visit_one(void *ctx, const an_shard *shard, uint32_t entry)
{
    const visitor *v = ctx;
    const an_entry *e = an_shard_entry(shard, entry);
    return v->visit(v->ctx, an_pool_slot_of(v->pool, shard, entry), an_entry_key(e), e->key_size, e->detector)
               ? ANOMALY_E_STOPPED
               : ANOMALY_OK;
}

int anomaly_pool_each(const anomaly_pool *pool, anomaly_visit visit, void *ctx)
{
    visitor v = {pool, visit, ctx};
    return pool && visit ? for_each_key(pool, visit_one, &v) : ANOMALY_E_ARG;
}

int anomaly_pool_usage(const anomaly_pool *pool, anomaly_usage *usage)
{
    if (!pool || !usage)
        return ANOMALY_E_ARG;
    anomaly_usage sum = {.bytes = an_pool_fixed_bytes(pool)};
    for (uint32_t i = 0; i < pool->common.options.shards; i++) {
        an_shard *shard = &pool->shards[i];
        an_shard_lock(shard);
        sum.keys += shard->keys;
        sum.bytes += shard->bytes;
        sum.created += shard->created;
        sum.removed += shard->removed;
        sum.evicted += shard->evicted;
        an_shard_unlock(shard);
    }
    *usage = sum;
    return ANOMALY_OK;
}

uint64_t anomaly_pool_count(const anomaly_pool *pool)
{
    anomaly_usage usage = {0};
    anomaly_pool_usage(pool, &usage);
    return usage.keys;
}

int64_t an_pool_gone(const anomaly_pool *pool, anomaly_counts *sum)
{
    int64_t newest = ANOMALY_NO_TIME;
    for (uint32_t i = 0; i < pool->common.options.shards; i++) {
        an_shard *shard = &pool->shards[i];
        an_shard_lock(shard);
        an_counts_add(sum, &shard->gone);
        newest = shard->newest_ns > newest ? shard->newest_ns : newest;
        an_shard_unlock(shard);
    }
    return newest;
}

int anomaly_pool_counters(const anomaly_pool *pool, anomaly_counts *counts)
{
    anomaly_counts sum = {0};
    if (!pool || !counts)
        return ANOMALY_E_ARG;
    for (uint32_t i = 0; i < pool->common.options.shards; i++) {
        an_shard_lock(&pool->shards[i]);
        an_shard_count(&pool->shards[i], &sum);
        an_shard_unlock(&pool->shards[i]);
    }
    *counts = sum;
    return ANOMALY_OK;
}

/* ---- eviction ---- */

static void evict_older(an_shard *shard, int64_t before_ns)
{
    for (uint32_t entry = 0; before_ns != ANOMALY_NO_TIME && entry < shard->entries; entry++) {
        const an_entry *e = an_shard_entry(shard, entry);
        if (e->detector && e->newest_ns != ANOMALY_NO_TIME && e->newest_ns < before_ns)
            an_shard_evict(shard, entry);
    }
}

static void evict_oldest(an_shard *shard, uint64_t keep_keys, uint64_t keep_bytes)
{
    if (shard->keys <= keep_keys && shard->bytes <= keep_bytes)
        return;
    if (shard->common->in_order) {
        an_shard_shrink(shard, keep_keys, keep_bytes);
        return;
    }
    an_shard_sort(shard);
    an_shard_shrink(shard, keep_keys, keep_bytes);
    shard->oldest = shard->newest = AN_NO_ENTRY; /* the order is not kept from here on */
}

/* Returns a shard's part of what is to be kept; "any" stays "any". */
static uint64_t shard_share_of(const anomaly_pool *pool, uint64_t keep, uint64_t fixed)
{
    if (keep == UINT64_MAX)
        return keep;
    return keep < fixed ? 0 : (keep - fixed) >> pool->common.shard_bits;
}

int anomaly_pool_evict(anomaly_pool *pool, int64_t before_ns, uint64_t keep_keys, uint64_t keep_bytes, uint64_t *evicted)
{
    uint64_t count = 0;
    if (!pool)
        return ANOMALY_E_ARG;
    for (uint32_t i = 0; i < pool->common.options.shards; i++) {
        an_shard *shard = &pool->shards[i];
        an_shard_lock(shard);
        uint64_t before = shard->evicted;
        evict_older(shard, before_ns);
        evict_oldest(shard, shard_share_of(pool, keep_keys, 0), shard_share_of(pool, keep_bytes, an_pool_fixed_bytes(pool)));
        count += shard->evicted - before;
        an_shard_unlock(shard);
    }
    if (evicted)
        *evicted = count;
    return ANOMALY_OK;
}
