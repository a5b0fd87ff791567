/* SPDX-License-Identifier: MIT */
/* The calls on a pool: which shard, its lock, the entry. */
#include "pool/pool.h"

#include "base/hash.h"

#include <string.h>

#define DEFAULT_SHARDS     64
#define MIN_SHARD_BYTES    65536
#define MOST_RESTS_AT_ONCE 1024

/* ---- options ---- */

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
    own.locks = 1;
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
    while (shards > 1 && options->max_bytes && options->max_bytes / shards < 16 * MIN_SHARD_BYTES)
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
    if (own->max_idle_ns < 0)
        return an_error(error, ANOMALY_E_CONFIG, "max_idle_ns", "max_idle_ns must not be negative");
    if (own->shards == 0)
        own->shards = default_shards(own);
    if (!is_power_of_two(own->shards) || own->shards > AN_MAX_SHARDS || (own->max_keys && own->max_keys < own->shards))
        return an_error(error, ANOMALY_E_CONFIG, "shards",
                        "shards must be a power of two up to %d, and no more than max_keys", AN_MAX_SHARDS);
    if (own->max_bytes && own->max_bytes / own->shards < MIN_SHARD_BYTES)
        return an_error(error, ANOMALY_E_CONFIG, "max_bytes", "max_bytes must be at least %d for each shard",
                        MIN_SHARD_BYTES);
    return ANOMALY_OK;
}

/* ---- life ---- */

/* Of all shards, and what it takes for the first to begin with a line. */
static size_t shard_bytes(const anomaly_pool *pool)
{
    return pool->options.shards * sizeof *pool->shards + AN_LINE - 1;
}

size_t an_pool_fixed_bytes(const anomaly_pool *pool)
{
    return sizeof *pool + shard_bytes(pool);
}

static void free_shards(anomaly_pool *pool, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (pool->options.locks)
            pthread_mutex_destroy(&pool->shards[i].lock);
        an_shard_free(&pool->shards[i]);
    }
    an_free(&pool->allocator, pool->shard_memory, shard_bytes(pool), 1);
}

static int make_shards(anomaly_pool *pool)
{
    pool->shard_memory = an_alloc(&pool->allocator, shard_bytes(pool), 1);
    if (!pool->shard_memory)
        return ANOMALY_E_NOMEM;
    pool->shards = (an_shard *)(((uintptr_t)pool->shard_memory + AN_LINE - 1) / AN_LINE * AN_LINE);
    for (uint32_t i = 0; i < pool->options.shards; i++) {
        an_shard_init(&pool->shards[i], pool);
        if (pool->options.locks && pthread_mutex_init(&pool->shards[i].lock, NULL) != 0) {
            free_shards(pool, i);
            return ANOMALY_E_NOMEM;
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
    created->config = *own;
    created->options = *options;
    created->allocator = *allocator;
    while (1u << created->shard_bits < options->shards)
        created->shard_bits++;
    int status = make_shards(created);
    if (status)
        an_free(allocator, created, 1, sizeof *created);
    else
        *pool = created;
    return status;
}

static void set_limits(anomaly_pool *pool)
{
    const anomaly_pool_options *options = &pool->options;
    pool->in_order = options->max_keys || options->max_bytes || options->max_idle_ns;
    for (uint32_t i = 0; i < options->shards; i++)
        an_shard_limit(&pool->shards[i]);
}

int anomaly_pool_create(const anomaly_config *config, const anomaly_pool_options *options,
                        const anomaly_allocator *allocator, anomaly_pool **pool, anomaly_error *error)
{
    anomaly_config own;
    anomaly_pool_options full;
    anomaly_allocator memory = an_allocator_or_default(allocator);
    int status = pool ? an_pool_options_check(options, &full, error) : ANOMALY_E_ARG;
    if (!status)
        status = an_detector_check(config, &own, error);
    if (status)
        return status;
    status = an_pool_new(&own, &full, &memory, pool);
    if (status)
        return an_error(error, status, "", "out of memory");
    set_limits(*pool);
    return ANOMALY_OK;
}

void anomaly_pool_destroy(anomaly_pool *pool)
{
    if (!pool)
        return;
    anomaly_allocator memory = pool->allocator;
    free_shards(pool, pool->options.shards);
    an_free(&memory, pool, 1, sizeof *pool);
}

/* ---- keys and slots ---- */

static void rest_processor(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* An event keeps a shard for less than a microsecond, while to sleep and be woken takes tens: so for about as long a lock that is
 * taken is looked at, at growing distances, before it is slept on. */
static void wait_awake(an_shard *shard)
{
    for (int rests = 1; rests <= MOST_RESTS_AT_ONCE; rests *= 2) {
        if (!atomic_load_explicit(&shard->taken, memory_order_relaxed))
            return;
        for (int i = 0; i < rests; i++)
            rest_processor();
    }
}

/* Locking changes nothing that a const pool's user could see. */
static an_shard *writable(const an_shard *shard)
{
    return &shard->pool->shards[shard - shard->pool->shards];
}

void an_shard_lock(const an_shard *shard)
{
    if (!shard->pool->options.locks)
        return;
    wait_awake(writable(shard));
    pthread_mutex_lock(&writable(shard)->lock);
    atomic_store_explicit(&writable(shard)->taken, 1, memory_order_relaxed);
}

void an_shard_unlock(const an_shard *shard)
{
    if (!shard->pool->options.locks)
        return;
    atomic_store_explicit(&writable(shard)->taken, 0, memory_order_relaxed);
    pthread_mutex_unlock(&writable(shard)->lock);
}

int an_pool_is_key(const void *key, size_t size)
{
    return key && size >= 1 && size <= AN_MAX_KEY_BYTES;
}

uint64_t an_pool_hash(const anomaly_pool *pool, const void *key, size_t size)
{
    return an_hash_of(key, size, pool->options.hash_seed);
}

uint64_t an_pool_slot_of(const an_shard *shard, uint32_t entry)
{
    const anomaly_pool *pool = shard->pool;
    uint64_t low = (uint64_t)entry << pool->shard_bits | (uint64_t)(shard - pool->shards);
    return (uint64_t)an_shard_entry(shard, entry)->generation << 32 | low;
}

an_slot an_pool_slot_parts(const anomaly_pool *pool, uint64_t slot)
{
    uint32_t low = (uint32_t)slot;
    return (an_slot){pool->shards + (low & (pool->options.shards - 1)), low >> pool->shard_bits, (uint32_t)(slot >> 32)};
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
        *slot = an_pool_slot_of(shard, entry);
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
    *slot = an_pool_slot_of(shard, entry);
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

int an_pool_is_time(const anomaly_pool *pool, int64_t t_ns)
{
    return t_ns != ANOMALY_NO_TIME || !pool->config.window_ns;
}

void an_pool_note_time(an_shard *shard, an_entry *e, int64_t t_ns)
{
    int64_t t = e->detector->window.span_ns ? e->detector->window.clock_ns : t_ns;
    if (t > e->newest_ns)
        e->newest_ns = t;
    if (t > shard->newest_ns)
        shard->newest_ns = t;
}

int an_pool_update_entry(an_shard *shard, uint32_t entry, const double *x, int64_t t_ns, anomaly_verdict *verdict)
{
    an_entry *e = an_shard_entry(shard, entry);
    an_fetch(e->detector, AN_BLOCK_FETCHED_BYTES);
    an_fetch_window(e->detector);
    shard->busy = entry;
    shard->refused = 0;
    int status = anomaly_update(e->detector, x, t_ns, verdict);
    shard->busy = AN_NO_ENTRY;
    if (status)
        return an_shard_status(shard, status);
    an_shard_touch(shard, entry);
    an_pool_note_time(shard, e, t_ns);
    return ANOMALY_OK;
}

int an_pool_update_key(an_shard *shard, uint32_t hash, const void *key, size_t size, const double *x, int64_t t_ns,
                       anomaly_verdict *verdict)
{
    uint32_t entry = an_shard_find(shard, hash, key, size);
    if (entry != AN_NO_ENTRY)
        return an_pool_update_entry(shard, entry, x, t_ns, verdict);
    int status = an_shard_add(shard, hash, key, size, NULL, &entry);
    if (status)
        return status;
    status = an_pool_update_entry(shard, entry, x, t_ns, verdict);
    if (status)
        an_shard_undo(shard, entry);
    return status;
}

int anomaly_pool_update(anomaly_pool *pool, const void *key, size_t key_size, const double *x, int64_t t_ns,
                        anomaly_verdict *verdict)
{
    if (!pool || !an_pool_is_key(key, key_size) || !x || !an_pool_is_time(pool, t_ns))
        return ANOMALY_E_ARG;
    uint64_t hash = an_pool_hash(pool, key, key_size);
    an_shard *shard = an_pool_shard(pool, hash);
    an_shard_lock(shard);
    int status = an_pool_update_key(shard, (uint32_t)hash, key, key_size, x, t_ns, verdict);
    an_shard_unlock(shard);
    return status;
}

int anomaly_pool_update_at(anomaly_pool *pool, uint64_t slot, const double *x, int64_t t_ns, anomaly_verdict *verdict)
{
    if (!pool || !x || !an_pool_is_time(pool, t_ns))
        return ANOMALY_E_ARG;
    an_slot at = an_pool_slot_parts(pool, slot);
    an_shard_lock(at.shard);
    int status = an_slot_is_there(&at) ? an_pool_update_entry(at.shard, at.entry, x, t_ns, verdict) : ANOMALY_E_NOTFOUND;
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
        an_pool_note_time(at.shard, an_shard_entry(at.shard, at.entry), ANOMALY_NO_TIME);
    }
    an_shard_unlock(at.shard);
    return status;
}

/* ---- all keys ---- */

/* Calls `work` for every key; a return other than 0 ends it and is returned. */
static int for_each_key(const anomaly_pool *pool, int (*work)(void *ctx, const an_shard *shard, uint32_t entry), void *ctx)
{
    int status = 0;
    for (uint32_t i = 0; !status && i < pool->options.shards; i++) {
        const an_shard *shard = &pool->shards[i];
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
    if (!pool || !an_is_threshold(&pool->config, threshold))
        return ANOMALY_E_ARG;
    for (uint32_t i = 0; i < pool->options.shards; i++) {
        an_shard *shard = &pool->shards[i];
        an_shard_lock(shard);
        shard->shared.config.threshold = threshold;
        shard->shared.config.contamination = 0;
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
    int status = anomaly_config_init(config, struct_size, pool->config.kind);
    if (status)
        return status;
    anomaly_config own = an_pool_config(pool);
    memcpy(config, &own, struct_size);
    config->struct_size = struct_size;
    return ANOMALY_OK;
}

typedef struct visitor {
    anomaly_visit visit;
    void *ctx;
} visitor;

static int visit_one(void *ctx, const an_shard *shard, uint32_t entry)
{
    const visitor *v = ctx;
    const an_entry *e = an_shard_entry(shard, entry);
    return v->visit(v->ctx, an_pool_slot_of(shard, entry), an_entry_key(e), e->key_size, e->detector) ? ANOMALY_E_STOPPED
                                                                                                      : ANOMALY_OK;
}

int anomaly_pool_each(const anomaly_pool *pool, anomaly_visit visit, void *ctx)
{
    visitor v = {visit, ctx};
    return pool && visit ? for_each_key(pool, visit_one, &v) : ANOMALY_E_ARG;
}

int anomaly_pool_usage(const anomaly_pool *pool, anomaly_usage *usage)
{
    if (!pool || !usage)
        return ANOMALY_E_ARG;
    anomaly_usage sum = {.bytes = an_pool_fixed_bytes(pool)};
    for (uint32_t i = 0; i < pool->options.shards; i++) {
        const an_shard *shard = &pool->shards[i];
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
    for (uint32_t i = 0; i < pool->options.shards; i++) {
        const an_shard *shard = &pool->shards[i];
        an_shard_lock(shard);
        an_counts_add(sum, &shard->gone);
        newest = shard->newest_ns > newest ? shard->newest_ns : newest;
        an_shard_unlock(shard);
    }
    return newest;
}

/* Those that are there and those that are gone at one moment, so that none is missed or counted twice. */
static void add_shard_counts(const an_shard *shard, anomaly_counts *sum)
{
    an_shard_lock(shard);
    an_counts_add(sum, &shard->gone);
    for (uint32_t entry = 0; entry < shard->entries; entry++)
        if (an_shard_entry(shard, entry)->detector)
            an_counts_add(sum, &an_shard_entry(shard, entry)->detector->counts);
    an_shard_unlock(shard);
}

int anomaly_pool_counters(const anomaly_pool *pool, anomaly_counts *counts)
{
    anomaly_counts sum = {0};
    if (!pool || !counts)
        return ANOMALY_E_ARG;
    for (uint32_t i = 0; i < pool->options.shards; i++)
        add_shard_counts(&pool->shards[i], &sum);
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
    if (shard->pool->in_order) {
        an_shard_shrink(shard, keep_keys, keep_bytes);
        return;
    }
    an_shard_sort(shard);
    an_shard_shrink(shard, keep_keys, keep_bytes);
    shard->oldest = shard->newest = AN_NO_ENTRY; /* the order is not kept from here on */
}

/* A shard's part of what is to be kept, whole for "any". */
static uint64_t shard_share_of(const anomaly_pool *pool, uint64_t keep, uint64_t fixed)
{
    if (keep == UINT64_MAX)
        return keep;
    return keep < fixed ? 0 : (keep - fixed) >> pool->shard_bits;
}

int anomaly_pool_evict(anomaly_pool *pool, int64_t before_ns, uint64_t keep_keys, uint64_t keep_bytes, uint64_t *evicted)
{
    uint64_t count = 0;
    if (!pool)
        return ANOMALY_E_ARG;
    for (uint32_t i = 0; i < pool->options.shards; i++) {
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

/* ---- after a restore ---- */

int an_pool_settle(anomaly_pool *pool)
{
    set_limits(pool);
    for (uint32_t i = 0; pool->in_order && i < pool->options.shards; i++) {
        an_shard *shard = &pool->shards[i];
        uint64_t keys = shard->max_keys ? shard->max_keys : UINT64_MAX,
                 bytes = shard->max_bytes ? shard->max_bytes : UINT64_MAX;
        if (pool->options.refuse && (shard->keys > keys || shard->bytes > bytes))
            return ANOMALY_E_FULL;
        an_shard_sort(shard);
        an_shard_shrink(shard, keys, bytes);
    }
    return ANOMALY_OK;
}
