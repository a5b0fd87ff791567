/* SPDX-License-Identifier: MIT */
/* A shard: a hash table of entries, one entry a key, each with its detector. A shard knows nothing of the pool but
 * what all shards have in common. Nothing here locks: who calls holds the shard's lock (pool/lock.h), or is alone with
 * the shard. */
#ifndef AN_POOL_SHARD_H
#define AN_POOL_SHARD_H

#include "base/threads.h"
#include "detector/detector.h"

#define AN_MAX_KEY_BYTES    65535
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

/* What all shards of a pool have in common; no event changes it. */
typedef struct an_common {
    anomaly_config config;        /* of every key, but for the threshold, which the shards have */
    anomaly_pool_options options; /* complete; shards as in force */
    anomaly_allocator allocator;
    an_crowd *crowd; /* what all keys judge by together; NULL: nothing */
    uint32_t shard_bits;
    int needs_times; /* of events */
    int in_order;    /* is the order of use kept all the time? Where there is no limit it is made when asked for */
} an_common;

/* A shard has cache lines of its own: threads in different shards must not wait for each other's lines. What every
 * event changes lies in one line, with the lock, so that a thread that enters a shard after another one fetches only
 * that line. */
typedef struct an_shard {
    _Alignas(AN_CACHE_LINE_BYTES) an_mutex lock;
    uint32_t busy;                                  /* an entry that must not be evicted now; or AN_NO_ENTRY */
    an_hint taken;                                  /* is the lock taken? A hint for those that wait (pool/lock.c) */
    uint16_t refused;                               /* was memory refused for a limit, and not by the allocator? */
    uint64_t uses;                                  /* so many times an entry was used */
    int64_t newest_ns;                              /* the newest time of any event */
    _Alignas(AN_CACHE_LINE_BYTES) an_bucket *table; /* open addressing, linear probing, at most three quarters full */
    an_entry **blocks;
    const an_common *common;
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

/* What an event touches of the first feature beside that: the kind's state, the oldest event and the place of the
 * next. */
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

/* ---- the life of a shard ---- */

/* Makes an empty shard without limits. */
void an_shard_init(an_shard *shard, const an_common *common);
/* Sets the shard's limits: its part of the pool's. `fixed_bytes` are those of a pool without keys. */
void an_shard_limit(an_shard *shard, size_t fixed_bytes);
/* Frees all that the shard holds. */
void an_shard_free(an_shard *shard);

/* ---- keys ---- */

/* Finds the entry of a key; AN_NO_ENTRY when the key is not there. */
uint32_t an_shard_find(const an_shard *shard, uint32_t hash, const void *key, size_t size);

/* Makes an entry for a key that is not there, with this detector or, for NULL, a new one. On failure the detector is
 * still the caller's. ANOMALY_E_NOMEM, E_FULL. */
int an_shard_add(an_shard *shard, uint32_t hash, const void *key, size_t size, anomaly_detector *detector, uint32_t *entry);

/* Frees an entry and counts the reason: its key was never there, is removed by the caller, is evicted by the pool. */
void an_shard_undo(an_shard *shard, uint32_t entry);
void an_shard_remove(an_shard *shard, uint32_t entry);
void an_shard_evict(an_shard *shard, uint32_t entry);

/* Gives an entry another detector; the one before is destroyed. */
void an_shard_replace(an_shard *shard, uint32_t entry, anomaly_detector *detector);

/* ---- the order of use ---- */

/* Notes that the entry has just been used. */
void an_shard_touch(an_shard *shard, uint32_t entry);

/* Makes the order of use, where it is not kept all the time. */
void an_shard_sort(an_shard *shard);

/* Evicts the entries used longest ago until at most `keep_keys` keys and `keep_bytes` bytes are left. The order of use
 * must be there. */
void an_shard_shrink(an_shard *shard, uint64_t keep_keys, uint64_t keep_bytes);

/* ---- events ---- */

/* Judges and learns an event of an entry. */
int an_shard_update(an_shard *shard, uint32_t entry, const double *x, int64_t t_ns, anomaly_verdict *verdict);

/* Judges and learns an event of a key. A new key is made with its first event, or not at all. */
int an_shard_update_key(an_shard *shard, uint32_t hash, const void *key, size_t size, const double *x, int64_t t_ns,
                        anomaly_verdict *verdict);

/* Notes that the entry has had an event of that time. */
void an_shard_note_time(an_shard *shard, an_entry *e, int64_t t_ns);

/* Turns the status of a failed update into what the caller is told: E_FULL where a limit refused the memory. */
int an_shard_status(const an_shard *shard, int status);

/* ---- counters ---- */

void an_counts_add(anomaly_counts *sum, const anomaly_counts *counts);

/* Adds the counters of all keys that were ever in the shard. */
void an_shard_count(const an_shard *shard, anomaly_counts *sum);

#endif
