/* SPDX-License-Identifier: MIT */
/* A pool as the library sees it: shards, each a hash table of entries, one entry a key. What a shard does to itself is in
 * pool/shard.c; the calls with their locks are in pool/pool.c, pool/rows.c and pool/snapshot.c. */
#ifndef AN_POOL_H
#define AN_POOL_H

#include "detector/kind.h"

#include <pthread.h>
#include <stdatomic.h>

#define AN_MAX_KEY_BYTES    65535
#define AN_MAX_SHARDS       256
#define AN_INLINE_KEY_BYTES 16
#define AN_NO_ENTRY         UINT32_MAX /* no entry */

/* One key: a line of the cache. */
typedef struct an_entry {
    anomaly_detector *detector; /* NULL: free */
    uint64_t used;              /* the shard's count of uses when this one was last used */
    int64_t newest_ns;          /* newest event that was not late; ANOMALY_NO_TIME: none had a time */
    union {
        unsigned char bytes[AN_INLINE_KEY_BYTES];
        unsigned char *memory; /* longer ones */
    } key;
    uint32_t key_size;
    uint32_t generation;   /* how many keys have had this entry; never 0 */
    uint32_t hash;         /* of the shard's table */
    uint32_t older, newer; /* neighbours in order of use; `newer` also links the free ones */
} an_entry;

/* Entries come in blocks, so that they never move. */
#define AN_BLOCK_BITS    6
#define AN_BLOCK_ENTRIES ((uint32_t)1 << AN_BLOCK_BITS)

typedef struct an_bucket {
    uint32_t hash;
    uint32_t entry;             /* AN_NO_ENTRY: empty */
    anomaly_detector *detector; /* the entry's, so that both are on their way at once */
} an_bucket;

/* Lines of the cache of their own: threads that are in different shards must not wait for each other's lines, and one that
 * comes to a shard where another has just been waits for as few as can be. */
#define AN_LINE 64

typedef struct an_shard {
    _Alignas(AN_LINE) pthread_mutex_t lock; /* with what every event changes */
    uint32_t busy;                          /* not to be evicted */
    _Atomic uint16_t taken;                 /* the lock is: a hint, so that nobody sleeps on it at once */
    uint16_t refused;                       /* memory was refused for a limit, not by the allocator */
    uint64_t uses;
    int64_t newest_ns;
    _Alignas(AN_LINE) an_bucket *table; /* open addressing, linear probing, at most three quarters full */
    an_entry **blocks;
    anomaly_pool *pool;
    uint32_t mask; /* buckets - 1 */
    uint32_t block_count, block_room;
    uint32_t keys;
    uint32_t entries;             /* ever in use */
    uint32_t free;                /* first of the free ones */
    uint32_t oldest, newest;      /* ends of the order of use, where it is kept */
    uint64_t max_keys, max_bytes; /* 0: any */
    uint64_t bytes;
    uint64_t created, removed, evicted;
    anomaly_counts gone; /* counters of keys that are no more */
    an_shared shared;    /* by its detectors: the threshold in force, memory that is counted and kept within the bound */
} an_shard;

struct anomaly_pool {
    anomaly_config config;        /* of every key, but for the threshold, which the shards have */
    anomaly_pool_options options; /* complete; shards as in force */
    anomaly_allocator allocator;
    uint32_t shard_bits;
    int in_order; /* is the order of use kept all the time? Where there is no limit it is made when asked for */
    an_shard *shards;
    void *shard_memory; /* theirs, from before the first line of the cache */
};

static inline an_entry *an_shard_entry(const an_shard *shard, uint32_t entry)
{
    return shard->blocks[entry >> AN_BLOCK_BITS] + (entry & (AN_BLOCK_ENTRIES - 1));
}

static inline const unsigned char *an_entry_key(const an_entry *entry)
{
    return entry->key_size <= AN_INLINE_KEY_BYTES ? entry->key.bytes : entry->key.memory;
}

/* ---- memory that will be needed: asked for together, so that the waits for it lie side by side ---- */

/* Addresses, not pointers: the bytes may be more than there are. */
static inline void an_fetch(const void *memory, size_t bytes)
{
#if defined(__GNUC__)
    for (size_t at = 0; at < bytes; at += 64)
        __builtin_prefetch((const void *)((uintptr_t)memory + at));
#else
    (void)memory, (void)bytes;
#endif
}

/* The detector, with its first ring if it is short. */
#define AN_BLOCK_FETCHED_BYTES (sizeof(anomaly_detector) + 2 * AN_FIRST_SLOTS * sizeof(double))

/* What an event touches of the first feature beside that: the kind's state, the oldest event and the place of the next. */
static inline void an_fetch_window(const anomaly_detector *detector)
{
    const an_window *window = &detector->window;
    if (detector->state)
        an_fetch(detector->state, 192);
    if (!window->values || window->whole || window->lent)
        return;
    an_fetch(window->values + (window->tail & window->mask), 8);
    an_fetch(window->values + (window->head & window->mask), 8);
    if (!window->times)
        return;
    an_fetch(window->times + (window->tail & window->mask), 8);
    an_fetch(window->times + ((window->head - 1) & window->mask), 8);
}

/* ---- pool/shard.c: nothing here locks ---- */

void an_shard_init(an_shard *shard, anomaly_pool *pool);
void an_shard_limit(an_shard *shard); /* its share of the limits holds from now on */
void an_shard_free(an_shard *shard);

/* AN_NO_ENTRY: not there. */
uint32_t an_shard_find(const an_shard *shard, uint32_t hash, const void *key, size_t size);

/* An entry for a key that is not there, with this detector, or (NULL) a new one. On failure the detector is still the caller's.
 * ANOMALY_E_NOMEM, E_FULL. */
int an_shard_add(an_shard *shard, uint32_t hash, const void *key, size_t size, anomaly_detector *detector, uint32_t *entry);

/* A key leaves: it was never there, is removed, is evicted. */
void an_shard_undo(an_shard *shard, uint32_t entry);
void an_shard_remove(an_shard *shard, uint32_t entry);
void an_shard_evict(an_shard *shard, uint32_t entry);

/* Another detector for a key that is there; the one before is destroyed. */
void an_shard_replace(an_shard *shard, uint32_t entry, anomaly_detector *detector);

/* It has just been used. */
void an_shard_touch(an_shard *shard, uint32_t entry);

/* Where the order of use is not kept: makes it now. */
void an_shard_sort(an_shard *shard);

/* Evicts the oldest until at most so many are left and so many bytes taken. The order of use must be there. */
void an_shard_shrink(an_shard *shard, uint64_t keep_keys, uint64_t keep_bytes);

/* What an update that failed is to answer. */
int an_shard_status(an_shard *shard, int status);

void an_counts_add(anomaly_counts *sum, const anomaly_counts *counts);

/* ---- pool/pool.c ---- */

size_t an_pool_fixed_bytes(const anomaly_pool *pool); /* without any key */

/* The upper half of the hash chooses the shard, the lower one the bucket. */
static inline an_shard *an_pool_shard(const anomaly_pool *pool, uint64_t hash)
{
    return pool->shards + (pool->shard_bits ? hash >> (64 - pool->shard_bits) : 0);
}

void an_shard_lock(const an_shard *shard);
void an_shard_unlock(const an_shard *shard);

int an_pool_is_key(const void *key, size_t size);
int an_pool_is_time(const anomaly_pool *pool, int64_t t_ns); /* does an event have one, or need none? */
uint64_t an_pool_hash(const anomaly_pool *pool, const void *key, size_t size);
uint64_t an_pool_slot_of(const an_shard *shard, uint32_t entry);

/* The shard and entry of a slot: those it would be in; whether it is there is seen under the lock. */
typedef struct an_slot {
    an_shard *shard;
    uint32_t entry, generation;
} an_slot;
an_slot an_pool_slot_parts(const anomaly_pool *pool, uint64_t slot);
int an_slot_is_there(const an_slot *slot); /* under the lock */

/* An event for an entry, under the lock. */
int an_pool_update_entry(an_shard *shard, uint32_t entry, const double *x, int64_t t_ns, anomaly_verdict *verdict);

/* The same for a key, which is made if it is new. */
int an_pool_update_key(an_shard *shard, uint32_t hash, const void *key, size_t size, const double *x, int64_t t_ns,
                       anomaly_verdict *verdict);

/* The entry has had an event of that time. */
void an_pool_note_time(an_shard *shard, an_entry *e, int64_t t_ns);

/* Configuration with the threshold in force. */
anomaly_config an_pool_config(const anomaly_pool *pool);

/* Adds the counters of keys that are gone; returns the newest time of any event. */
int64_t an_pool_gone(const anomaly_pool *pool, anomaly_counts *sum);

/* Validated options in full. */
int an_pool_options_check(const anomaly_pool_options *options, anomaly_pool_options *own, anomaly_error *error);

/* An empty pool without limits yet, and the limits: orders the keys, evicts what is too much. ANOMALY_E_NOMEM; E_FULL. */
int an_pool_new(const anomaly_config *own, const anomaly_pool_options *options, const anomaly_allocator *allocator,
                anomaly_pool **pool);
int an_pool_settle(anomaly_pool *pool);

#endif
