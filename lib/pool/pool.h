/* SPDX-License-Identifier: MIT */
/* A pool: shards, and which of them has a key. The calls lock a shard, do what pool/shard.h offers, and unlock it: for
 * one key in pool/pool.c, for all keys in pool/every.c, for rows in pool/rows.c, as bytes in pool/save.c and
 * pool/restore.c. */
#ifndef AN_POOL_H
#define AN_POOL_H

#include "pool/lock.h"
#include "pool/shard.h"

#define AN_MAX_SHARDS      256
#define AN_MIN_SHARD_BYTES 65536

struct anomaly_pool {
    an_common common;
    an_shard *shards;
    void *shard_memory; /* theirs, from before the first line of the cache */
};

/* ---- pool/pool.c ---- */

/* Counts the bytes of a pool without any key. */
size_t an_pool_fixed_bytes(const anomaly_pool *pool);

/* ---- keys and slots ---- */

int an_pool_is_key(const void *key, size_t size);
uint64_t an_pool_hash(const anomaly_pool *pool, const void *key, size_t size);

/* Finds the shard of a key. The upper half of the hash chooses the shard, the lower one the bucket. */
static inline an_shard *an_pool_shard(const anomaly_pool *pool, uint64_t hash)
{
    return pool->shards + (pool->common.shard_bits ? hash >> (64 - pool->common.shard_bits) : 0);
}

/* A slot names the entry of a key and lives as long as the key does:
 *
 *     bits 63..32                    bits 31..shard_bits     the lowest shard_bits
 *     the generation of the entry    the entry               the shard
 */
typedef struct an_slot {
    an_shard *shard;
    uint32_t entry, generation;
} an_slot;
uint64_t an_pool_slot_of(const anomaly_pool *pool, const an_shard *shard, uint32_t entry);

/* Takes a slot apart. The shard always exists; whether the entry does only an_slot_is_there() says, under the lock. */
an_slot an_pool_slot_parts(const anomaly_pool *pool, uint64_t slot);
int an_slot_is_there(const an_slot *slot);

/* ---- events ---- */

/* Asks whether an event of that time may be judged: a window that is bounded by time needs one. */
static inline int an_pool_is_time(const anomaly_pool *pool, int64_t t_ns)
{
    return t_ns != ANOMALY_NO_TIME || !pool->common.needs_times;
}

/* ---- the whole pool: pool/every.c ---- */

/* Copies the configuration, with the threshold in force. */
anomaly_config an_pool_config(const anomaly_pool *pool);

/* Adds the counters of keys that are gone; returns the newest time of any event. */
int64_t an_pool_gone(const anomaly_pool *pool, anomaly_counts *sum);

/* ---- the life of a pool ---- */

/* Validates options and completes them: pool/options.c. */
int an_pool_options_check(const anomaly_pool_options *options, anomaly_pool_options *own, anomaly_error *error);

/* Makes an empty pool, as yet without limits. ANOMALY_E_NOMEM. */
int an_pool_new(const anomaly_config *own, const anomaly_pool_options *options, const anomaly_allocator *allocator,
                anomaly_pool **pool);

/* Sets the limits of a restored pool: orders the keys by use and evicts those that are too many. ANOMALY_E_FULL. */
int an_pool_settle(anomaly_pool *pool);

#endif
