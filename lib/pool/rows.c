/* SPDX-License-Identifier: MIT */
/* Rows of many keys. Rows of one key that follow one another go to its detector together. */
#include "detector/rows.h"
#include "pool/pool.h"

#define BATCH_ROWS   8
#define BATCH_STAGES 5 /* as many batches are under way: hashed, looked up, their windows fetched, their tables, updated */

typedef struct key_batch {
    const anomaly_keys *keys;
    size_t first, count;
    int is_last;               /* the next row is no row, or has no key */
    uint64_t hash[BATCH_ROWS]; /* or slot */
    size_t size[BATCH_ROWS];
    const an_entry *entry[BATCH_ROWS]; /* where it was when it was looked up; NULL: a new key */
} key_batch;

static const char *key_at(const key_batch *b, size_t i)
{
    return b->keys->keys[b->first + i];
}

/* Key sizes and hashes of the next rows, of which there are `left`, up to the first that is no key. */
static void load_batch(const anomaly_pool *pool, key_batch *b, size_t left)
{
    b->count = left < BATCH_ROWS ? left : BATCH_ROWS;
    b->is_last = left <= BATCH_ROWS;
    for (size_t i = 0; i < b->count; i++) {
        if (b->keys->slots) {
            b->hash[i] = b->keys->slots[b->first + i];
            continue;
        }
        const char *key = key_at(b, i);
        b->size[i] = !key ? 0 : b->keys->sizes ? b->keys->sizes[b->first + i] : strlen(key);
        if (!an_pool_is_key(key, b->size[i])) {
            b->count = i;
            b->is_last = 1;
            return;
        }
        b->hash[i] = an_pool_hash(pool, key, b->size[i]);
    }
}

/* Where a key is, as far as its first bucket says. It and its detector are fetched. */
static const an_entry *find_entry(const anomaly_pool *pool, const key_batch *b, size_t i)
{
    an_slot at = an_pool_slot_parts(pool, b->hash[i]);
    if (!b->keys->slots) {
        at.shard = an_pool_shard(pool, b->hash[i]);
        if (!at.shard->table)
            return NULL;
        const an_bucket *bucket = &at.shard->table[(uint32_t)b->hash[i] & at.shard->mask];
        at.entry = bucket->entry;
        if (at.entry != AN_NO_ENTRY)
            an_fetch(bucket->detector, AN_BLOCK_FETCHED_BYTES);
    }
    if (at.entry >= at.shard->entries)
        return NULL;
    const an_entry *entry = an_shard_entry(at.shard, at.entry);
    an_fetch(entry, 1);
    return entry;
}

static void fetch_buckets(const anomaly_pool *pool, const key_batch *b)
{
    for (size_t i = 0; i < b->count && !b->keys->slots; i++) {
        const an_shard *shard = an_pool_shard(pool, b->hash[i]);
        if (shard->table)
            an_fetch(&shard->table[(uint32_t)b->hash[i] & shard->mask], 1);
    }
}

static void look_up(const anomaly_pool *pool, key_batch *b)
{
    for (size_t i = 0; i < b->count; i++)
        b->entry[i] = find_entry(pool, b, i);
    for (size_t i = 0; i < b->count && b->keys->slots; i++)
        if (b->entry[i] && b->entry[i]->detector)
            an_fetch(b->entry[i]->detector, AN_BLOCK_FETCHED_BYTES);
}

static void fetch_windows(const key_batch *b)
{
    for (size_t i = 0; i < b->count; i++)
        if (b->entry[i] && b->entry[i]->detector)
            an_fetch_window(b->entry[i]->detector);
}

static void fetch_tables(const key_batch *b)
{
    for (size_t i = 0; i < b->count; i++) {
        const anomaly_detector *detector = b->entry[i] ? b->entry[i]->detector : NULL;
        if (detector && detector->kind->touched)
            an_fetch(detector->kind->touched(detector), 1);
    }
}

static int same_key(const key_batch *b, size_t i, size_t j)
{
    if (b->hash[i] != b->hash[j])
        return 0;
    return b->keys->slots || (b->size[i] == b->size[j] && memcmp(key_at(b, i), key_at(b, j), b->size[i]) == 0);
}

/* One row, its features side by side. */
static int update_key_row(an_shard *shard, uint32_t entry, const anomaly_rows *rows, const anomaly_verdicts *verdicts,
                          size_t row)
{
    double x[AN_MAX_FEATURES];
    anomaly_verdict v;
    uint32_t features = shard->pool->config.features;
    ptrdiff_t offset = (ptrdiff_t)row * an_rows_stride(rows, features);
    for (uint32_t f = 0; f < features; f++)
        x[f] = an_load_double(an_rows_column(rows, f) + offset);
    int status = an_pool_update_entry(shard, entry, x, an_rows_time(rows, row), &v);
    if (!status)
        an_put_verdict(verdicts, row, &v);
    return status;
}

/* The entry of row i; AN_NO_ENTRY for a new key. */
static int find_row(an_shard *shard, const key_batch *b, size_t i, uint32_t *entry)
{
    an_slot at = an_pool_slot_parts(shard->pool, b->hash[i]);
    *entry = b->keys->slots ? at.entry : an_shard_find(shard, (uint32_t)b->hash[i], key_at(b, i), b->size[i]);
    return b->keys->slots && !an_slot_is_there(&at) ? ANOMALY_E_NOTFOUND : ANOMALY_OK;
}

/* A new key is made with its first event, or not at all. */
static int update_new_key(an_shard *shard, const key_batch *b, size_t i, const anomaly_rows *rows,
                          const anomaly_verdicts *verdicts, uint32_t *entry)
{
    int status = an_shard_add(shard, (uint32_t)b->hash[i], key_at(b, i), b->size[i], NULL, entry);
    if (status)
        return status;
    status = update_key_row(shard, *entry, rows, verdicts, b->first + i);
    if (status)
        an_shard_undo(shard, *entry);
    return status;
}

/* Rows [i, end) of one key, under the lock; *done counts them. */
static int update_run(an_shard *shard, const key_batch *b, size_t i, size_t end, const anomaly_rows *rows,
                      const anomaly_verdicts *verdicts, size_t *done)
{
    uint32_t entry;
    int status = find_row(shard, b, i, &entry);
    for (; !status && i < end; i++) {
        if (!an_pool_is_time(shard->pool, an_rows_time(rows, b->first + i)))
            return ANOMALY_E_ARG;
        if (entry == AN_NO_ENTRY)
            status = update_new_key(shard, b, i, rows, verdicts, &entry);
        else
            status = update_key_row(shard, entry, rows, verdicts, b->first + i);
        *done += !status;
    }
    return status;
}

static int update_batch(const anomaly_pool *pool, const key_batch *b, const anomaly_rows *rows,
                        const anomaly_verdicts *verdicts, size_t *done)
{
    int status = ANOMALY_OK;
    for (size_t i = 0; !status && i < b->count;) {
        size_t end = i + 1;
        while (end < b->count && same_key(b, i, end))
            end++;
        an_shard *shard = b->keys->slots ? an_pool_slot_parts(pool, b->hash[i]).shard : an_pool_shard(pool, b->hash[i]);
        an_shard_lock(shard);
        status = update_run(shard, b, i, end, rows, verdicts, done);
        an_shard_unlock(shard);
        i = end;
    }
    return status;
}

/* Batch k is begun, the ones before it are brought on, the oldest is done. Without locks nobody else is here, so what the rows
 * to come will touch can be looked for already, and the waits for memory lie side by side, behind the work on other rows. */
static int advance_batches(const anomaly_pool *pool, key_batch *under_way, size_t k, size_t batches,
                           const anomaly_rows *rows, const anomaly_verdicts *verdicts, size_t *done)
{
    int fetches = !pool->options.locks;
    if (fetches && k < batches)
        fetch_buckets(pool, &under_way[k % BATCH_STAGES]);
    if (fetches && k >= 1 && k - 1 < batches)
        look_up(pool, &under_way[(k - 1) % BATCH_STAGES]);
    if (fetches && k >= 2 && k - 2 < batches)
        fetch_windows(&under_way[(k - 2) % BATCH_STAGES]);
    if (fetches && k >= 3 && k - 3 < batches)
        fetch_tables(&under_way[(k - 3) % BATCH_STAGES]);
    return k + 1 >= BATCH_STAGES ? update_batch(pool, &under_way[(k + 1) % BATCH_STAGES], rows, verdicts, done) : ANOMALY_OK;
}

int anomaly_pool_update_rows(anomaly_pool *pool, const anomaly_keys *keys, const anomaly_rows *rows,
                             const anomaly_verdicts *verdicts, size_t *done)
{
    key_batch under_way[BATCH_STAGES];
    size_t count = 0, first = 0, batches = 0;
    int more = rows && rows->count;
    if (!pool || !keys || (!keys->slots && !keys->keys))
        return ANOMALY_E_ARG;
    int status = an_check_rows(rows, pool->config.features);
    for (size_t k = 0; !status && (more || k < batches + BATCH_STAGES - 1); k++) {
        if (more) {
            key_batch *b = &under_way[k % BATCH_STAGES];
            b->keys = keys;
            b->first = first;
            load_batch(pool, b, rows->count - first);
            first += b->count;
            batches++;
            more = !b->is_last;
        }
        status = advance_batches(pool, under_way, k, batches, rows, verdicts, &count);
    }
    if (!status && count < rows->count)
        status = ANOMALY_E_ARG; /* the next one has no key */
    if (done)
        *done = count;
    return status;
}
