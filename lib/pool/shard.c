/* SPDX-License-Identifier: MIT */
/* What a shard does: its memory with its limits, the hash table, the entries, their order of use, keys that come and
 * go, their events. */
#include "pool/shard.h"

#include "detector/crowd.h"

#include <string.h>

#define FIRST_BUCKETS 8
#define MOST_ENTRIES  ((uint32_t)1 << 30)

/* ---- memory ---- */

/* Returns the entry used longest ago that may be evicted. */
static uint32_t victim_of(const an_shard *shard)
{
    uint32_t entry = shard->oldest;
    if (entry != AN_NO_ENTRY && entry == shard->busy)
        entry = an_shard_entry(shard, entry)->newer;
    return entry;
}

static int fits_limit(const an_shard *shard, size_t bytes)
{
    return !shard->max_bytes || (bytes <= shard->max_bytes && shard->bytes <= shard->max_bytes - bytes);
}

static int evict_to_fit(an_shard *shard, size_t bytes)
{
    while (!fits_limit(shard, bytes)) {
        uint32_t victim = shard->common->options.refuse || bytes > shard->max_bytes ? AN_NO_ENTRY : victim_of(shard);
        if (victim == AN_NO_ENTRY) {
            shard->refused = 1;
            return 0;
        }
        an_shard_evict(shard, victim);
    }
    return 1;
}

static void *counted_alloc(void *ctx, size_t bytes)
{
    an_shard *shard = ctx;
    const anomaly_allocator *allocator = &shard->common->allocator;
    void *memory = evict_to_fit(shard, bytes) ? allocator->alloc(allocator->ctx, bytes) : NULL;
    if (memory)
        shard->bytes += bytes;
    return memory;
}

static void counted_free(void *ctx, void *memory, size_t bytes)
{
    an_shard *shard = ctx;
    const anomaly_allocator *allocator = &shard->common->allocator;
    shard->bytes -= bytes;
    allocator->free(allocator->ctx, memory, bytes);
}

int an_shard_status(const an_shard *shard, int status)
{
    return status == ANOMALY_E_NOMEM && shard->refused ? ANOMALY_E_FULL : status;
}

/* ---- table ---- */

uint32_t an_shard_find(const an_shard *shard, uint32_t hash, const void *key, size_t size)
{
    if (!shard->table)
        return AN_NO_ENTRY;
    for (uint32_t i = hash & shard->mask;; i = (i + 1) & shard->mask) {
        const an_bucket *bucket = &shard->table[i];
        if (bucket->entry == AN_NO_ENTRY)
            return AN_NO_ENTRY;
        if (bucket->hash != hash)
            continue;
        an_fetch(bucket->detector, AN_BLOCK_FETCHED_BYTES);
        const an_entry *entry = an_shard_entry(shard, bucket->entry);
        if (entry->key_size == size && memcmp(an_entry_key(entry), key, size) == 0)
            return bucket->entry;
    }
}

static void put_bucket(an_bucket *table, uint32_t mask, an_bucket bucket)
{
    uint32_t i = bucket.hash & mask;
    while (table[i].entry != AN_NO_ENTRY)
        i = (i + 1) & mask;
    table[i] = bucket;
}

static int grow_table(an_shard *shard)
{
    uint64_t buckets = shard->table ? 2 * ((uint64_t)shard->mask + 1) : FIRST_BUCKETS;
    uint32_t mask = (uint32_t)(buckets - 1);
    an_bucket *grown = an_alloc(&shard->shared.allocator, buckets, sizeof *grown);
    if (!grown)
        return ANOMALY_E_NOMEM;
    memset(grown, 0xff, (size_t)buckets * sizeof *grown); /* every entry AN_NO_ENTRY */
    for (uint64_t i = 0; shard->table && i <= shard->mask; i++)
        if (shard->table[i].entry != AN_NO_ENTRY)
            put_bucket(grown, mask, shard->table[i]);
    an_free(&shard->shared.allocator, shard->table, (uint64_t)shard->mask + 1, sizeof *grown);
    shard->table = grown;
    shard->mask = mask;
    return ANOMALY_OK;
}

static uint32_t bucket_of(const an_shard *shard, uint32_t entry)
{
    uint32_t i = an_shard_entry(shard, entry)->hash & shard->mask;
    while (shard->table[i].entry != entry)
        i = (i + 1) & shard->mask;
    return i;
}

void an_shard_replace(an_shard *shard, uint32_t entry, anomaly_detector *detector)
{
    an_entry *e = an_shard_entry(shard, entry);
    anomaly_destroy(e->detector);
    e->detector = shard->table[bucket_of(shard, entry)].detector = detector;
    e->newest_ns = detector->window.clock_ns;
}

/* Takes an entry out of the table, and moves back the buckets behind it that would not be found any more. */
static void take_bucket_out(an_shard *shard, uint32_t entry)
{
    an_bucket *table = shard->table;
    uint32_t mask = shard->mask, hole = bucket_of(shard, entry);
    for (uint32_t i = (hole + 1) & mask; table[i].entry != AN_NO_ENTRY; i = (i + 1) & mask)
        if (((i - table[i].hash) & mask) >= ((i - hole) & mask)) {
            table[hole] = table[i];
            hole = i;
        }
    table[hole].entry = AN_NO_ENTRY;
}

/* ---- entries ---- */

static int grow_directory(an_shard *shard)
{
    uint32_t room = shard->block_room ? 2 * shard->block_room : 4;
    an_entry **grown = an_alloc(&shard->shared.allocator, room, sizeof *grown);
    if (!grown)
        return ANOMALY_E_NOMEM;
    if (shard->block_count)
        memcpy(grown, shard->blocks, shard->block_count * sizeof *grown);
    an_free(&shard->shared.allocator, shard->blocks, shard->block_room, sizeof *grown);
    shard->blocks = grown;
    shard->block_room = room;
    return ANOMALY_OK;
}

static int grow_entries(an_shard *shard)
{
    if (shard->entries >= MOST_ENTRIES / (uint32_t)(1u << shard->common->shard_bits)) {
        shard->refused = 1;
        return ANOMALY_E_NOMEM;
    }
    int status = shard->block_count == shard->block_room ? grow_directory(shard) : ANOMALY_OK;
    if (status)
        return status;
    an_entry *block = an_alloc(&shard->shared.allocator, AN_BLOCK_ENTRIES, sizeof *block);
    if (!block)
        return ANOMALY_E_NOMEM;
    memset(block, 0, AN_BLOCK_ENTRIES * sizeof *block);
    shard->blocks[shard->block_count++] = block;
    return ANOMALY_OK;
}

static uint32_t take_entry(an_shard *shard)
{
    uint32_t entry = shard->free;
    if (entry == AN_NO_ENTRY)
        entry = shard->entries++;
    else
        shard->free = an_shard_entry(shard, entry)->newer;
    an_entry *e = an_shard_entry(shard, entry);
    e->generation = e->generation == UINT32_MAX ? 1 : e->generation + 1;
    return entry;
}

static int has_entry(const an_shard *shard)
{
    return shard->free != AN_NO_ENTRY || shard->entries < shard->block_count << AN_BLOCK_BITS;
}

/* ---- order of use ---- */

static void link_newest(an_shard *shard, uint32_t entry)
{
    an_entry *e = an_shard_entry(shard, entry);
    e->older = shard->newest;
    e->newer = AN_NO_ENTRY;
    if (shard->newest == AN_NO_ENTRY)
        shard->oldest = entry;
    else
        an_shard_entry(shard, shard->newest)->newer = entry;
    shard->newest = entry;
}

static void unlink_entry(an_shard *shard, uint32_t entry)
{
    const an_entry *e = an_shard_entry(shard, entry);
    if (e->older == AN_NO_ENTRY)
        shard->oldest = e->newer;
    else
        an_shard_entry(shard, e->older)->newer = e->newer;
    if (e->newer == AN_NO_ENTRY)
        shard->newest = e->older;
    else
        an_shard_entry(shard, e->newer)->older = e->older;
}

void an_shard_touch(an_shard *shard, uint32_t entry)
{
    an_shard_entry(shard, entry)->used = ++shard->uses;
    if (shard->common->in_order && shard->newest != entry) {
        unlink_entry(shard, entry);
        link_newest(shard, entry);
    }
}

/* Merges two runs of entries, each in order and linked by `newer`, into one. */
static uint32_t merge_runs(const an_shard *shard, uint32_t a, uint32_t b)
{
    uint32_t first = AN_NO_ENTRY, *end = &first;
    while (a != AN_NO_ENTRY && b != AN_NO_ENTRY) {
        uint32_t *next = an_shard_entry(shard, a)->used <= an_shard_entry(shard, b)->used ? &a : &b;
        *end = *next;
        end = &an_shard_entry(shard, *next)->newer;
        *next = *end;
    }
    *end = a != AN_NO_ENTRY ? a : b;
    return first;
}

/* Sorts the entries by use: a merge sort of the linked entries, in which run i holds 2^i of them. */
void an_shard_sort(an_shard *shard)
{
    uint32_t runs[32], sorted = AN_NO_ENTRY;
    for (int i = 0; i < 32; i++)
        runs[i] = AN_NO_ENTRY;
    for (uint32_t entry = 0; entry < shard->entries; entry++) {
        uint32_t run = entry;
        int i = 0;
        if (!an_shard_entry(shard, entry)->detector)
            continue;
        an_shard_entry(shard, entry)->newer = AN_NO_ENTRY;
        for (; i < 31 && runs[i] != AN_NO_ENTRY; i++) {
            run = merge_runs(shard, runs[i], run);
            runs[i] = AN_NO_ENTRY;
        }
        runs[i] = run;
    }
    for (int i = 0; i < 32; i++)
        sorted = merge_runs(shard, runs[i], sorted);
    shard->oldest = shard->newest = AN_NO_ENTRY;
    while (sorted != AN_NO_ENTRY) {
        uint32_t next = an_shard_entry(shard, sorted)->newer;
        link_newest(shard, sorted);
        sorted = next;
    }
}

/* ---- coming and going ---- */

static void free_key(an_shard *shard, an_entry *e)
{
    if (e->key_size > AN_INLINE_KEY_BYTES)
        an_free(&shard->shared.allocator, e->key.memory, e->key_size, 1);
    e->key_size = 0;
}

static void drop_entry(an_shard *shard, uint32_t entry)
{
    an_entry *e = an_shard_entry(shard, entry);
    take_bucket_out(shard, entry);
    if (shard->oldest != AN_NO_ENTRY)
        unlink_entry(shard, entry);
    an_counts_add(&shard->gone, &e->detector->counts);
    anomaly_destroy(e->detector);
    e->detector = NULL;
    free_key(shard, e);
    e->newer = shard->free;
    shard->free = entry;
    shard->keys--;
}

void an_shard_undo(an_shard *shard, uint32_t entry)
{
    shard->created--;
    drop_entry(shard, entry);
}

void an_shard_remove(an_shard *shard, uint32_t entry)
{
    shard->removed++;
    drop_entry(shard, entry);
}

void an_shard_evict(an_shard *shard, uint32_t entry)
{
    const an_entry *e = an_shard_entry(shard, entry);
    const anomaly_pool_options *options = &shard->common->options;
    if (options->evicting)
        options->evicting(options->evicting_ctx, an_entry_key(e), e->key_size, e->detector);
    shard->evicted++;
    drop_entry(shard, entry);
}

void an_shard_shrink(an_shard *shard, uint64_t keep_keys, uint64_t keep_bytes)
{
    while (shard->oldest != AN_NO_ENTRY && (shard->keys > keep_keys || shard->bytes > keep_bytes))
        an_shard_evict(shard, shard->oldest);
}

/* Tells whether the last event of an entry was too long ago. */
static int is_idle(const an_shard *shard, uint32_t entry)
{
    int64_t newest = an_shard_entry(shard, entry)->newest_ns, limit = shard->common->options.max_idle_ns;
    return limit && newest != ANOMALY_NO_TIME && newest < shard->newest_ns &&
           an_elapsed_ns(shard->newest_ns, newest) > (uint64_t)limit;
}

/* Evicts up to two idle entries for each new key: more than come, so that idle ones do not gather, and few enough for
 * one call. */
static void evict_idle(an_shard *shard)
{
    for (int i = 0; i < 2 && shard->oldest != AN_NO_ENTRY && is_idle(shard, shard->oldest); i++)
        an_shard_evict(shard, shard->oldest);
}

static int make_room_for_key(an_shard *shard)
{
    if (shard->common->in_order)
        evict_idle(shard);
    if (shard->max_keys && shard->keys >= shard->max_keys) {
        if (shard->common->options.refuse)
            return ANOMALY_E_FULL;
        an_shard_shrink(shard, shard->max_keys - 1, UINT64_MAX);
    }
    int status = ANOMALY_OK;
    while (!status && (!shard->table || (uint64_t)shard->keys * 4 >= ((uint64_t)shard->mask + 1) * 3))
        status = grow_table(shard);
    while (!status && !has_entry(shard)) /* evictions for the block's sake make room too */
        status = grow_entries(shard);
    return status;
}

static int copy_key(an_shard *shard, an_entry *to, const void *key, size_t size)
{
    to->key_size = (uint32_t)size;
    if (size > AN_INLINE_KEY_BYTES) {
        to->key.memory = an_alloc(&shard->shared.allocator, size, 1);
        if (!to->key.memory)
            return ANOMALY_E_NOMEM;
    }
    memcpy(size > AN_INLINE_KEY_BYTES ? to->key.memory : to->key.bytes, key, size);
    return ANOMALY_OK;
}

static void enter_key(an_shard *shard, uint32_t hash, const an_entry *made, uint32_t entry)
{
    an_entry *e = an_shard_entry(shard, entry);
    e->detector = made->detector;
    e->key = made->key;
    e->key_size = made->key_size;
    e->newest_ns = made->detector->window.clock_ns;
    e->hash = hash;
    e->used = ++shard->uses;
    put_bucket(shard->table, shard->mask, (an_bucket){hash, entry, made->detector});
    if (shard->common->in_order)
        link_newest(shard, entry);
    shard->keys++;
    shard->created++;
}

static int create_detector(an_shard *shard, anomaly_detector **detector)
{
    int status = an_detector_shared(&shard->shared, detector);
    if (status || !shard->shared.config.reserve)
        return status;
    status = anomaly_reserve(*detector);
    if (status)
        anomaly_destroy(*detector);
    return status;
}

/* Takes all memory first, which may evict other keys, and enters the key last. */
int an_shard_add(an_shard *shard, uint32_t hash, const void *key, size_t size, anomaly_detector *detector, uint32_t *entry)
{
    an_entry made = {.detector = detector};
    shard->refused = 0;
    int status = make_room_for_key(shard);
    if (status)
        return an_shard_status(shard, status);
    status = copy_key(shard, &made, key, size);
    if (!status && !detector)
        status = create_detector(shard, &made.detector);
    if (status) {
        free_key(shard, &made);
        return an_shard_status(shard, status);
    }
    *entry = take_entry(shard);
    enter_key(shard, hash, &made, *entry);
    return ANOMALY_OK;
}

/* ---- events ---- */

void an_shard_note_time(an_shard *shard, an_entry *e, int64_t t_ns)
{
    int64_t t = e->detector->window.span_ns ? e->detector->window.clock_ns : t_ns;
    if (t > e->newest_ns)
        e->newest_ns = t;
    if (t > shard->newest_ns)
        shard->newest_ns = t;
}

int an_shard_update(an_shard *shard, uint32_t entry, const double *x, int64_t t_ns, anomaly_verdict *verdict)
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
    an_shard_note_time(shard, e, t_ns);
    return ANOMALY_OK;
}

int an_shard_update_key(an_shard *shard, uint32_t hash, const void *key, size_t size, const double *x, int64_t t_ns,
                        anomaly_verdict *verdict)
{
    uint32_t entry = an_shard_find(shard, hash, key, size);
    if (entry != AN_NO_ENTRY)
        return an_shard_update(shard, entry, x, t_ns, verdict);
    int status = an_shard_add(shard, hash, key, size, NULL, &entry);
    if (status)
        return status;
    status = an_shard_update(shard, entry, x, t_ns, verdict);
    if (status)
        an_shard_undo(shard, entry);
    return status;
}

/* ---- counters ---- */

#define COUNTERS (sizeof(anomaly_counts) / sizeof(uint64_t))

void an_counts_add(anomaly_counts *sum, const anomaly_counts *counts)
{
    uint64_t total[COUNTERS], count[COUNTERS];
    memcpy(total, sum, sizeof total);
    memcpy(count, counts, sizeof count);
    for (size_t i = 0; i < COUNTERS; i++)
        total[i] += count[i];
    memcpy(sum, total, sizeof total);
}

/* Adds up the keys that are there and those that are gone under one lock, so that none is missed or counted twice. */
void an_shard_count(const an_shard *shard, anomaly_counts *sum)
{
    an_counts_add(sum, &shard->gone);
    for (uint32_t entry = 0; entry < shard->entries; entry++)
        if (an_shard_entry(shard, entry)->detector)
            an_counts_add(sum, &an_shard_entry(shard, entry)->detector->counts);
}

/* ---- beginning and end ---- */

void an_shard_init(an_shard *shard, const an_common *common)
{
    memset(shard, 0, sizeof *shard);
    shard->common = common;
    shard->free = shard->oldest = shard->newest = shard->busy = AN_NO_ENTRY;
    shard->newest_ns = ANOMALY_NO_TIME;
    an_crowd *crowd = common->crowd;
    an_tail *record = crowd && crowd->records ? &crowd->record : NULL;
    shard->shared = (an_shared){common->config, {counted_alloc, counted_free, shard}, crowd, record};
}

void an_shard_limit(an_shard *shard, size_t fixed_bytes)
{
    const an_common *common = shard->common;
    shard->max_keys = common->options.max_keys >> common->shard_bits;
    shard->max_bytes = common->options.max_bytes ? (common->options.max_bytes - fixed_bytes) >> common->shard_bits : 0;
}

void an_shard_free(an_shard *shard)
{
    for (uint32_t i = 0; i < shard->entries; i++) {
        an_entry *e = an_shard_entry(shard, i);
        if (!e->detector)
            continue;
        anomaly_destroy(e->detector);
        free_key(shard, e);
    }
    for (uint32_t i = 0; i < shard->block_count; i++)
        an_free(&shard->shared.allocator, shard->blocks[i], AN_BLOCK_ENTRIES, sizeof(an_entry));
    an_free(&shard->shared.allocator, shard->blocks, shard->block_room, sizeof *shard->blocks);
    an_free(&shard->shared.allocator, shard->table, (uint64_t)shard->mask + 1, sizeof *shard->table);
}
