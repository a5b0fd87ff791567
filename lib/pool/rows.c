/* SPDX-License-Identifier: MIT */
/* Updates rows of many keys. Rows of one key that follow one another go to its detector under one lock.
 *
 * Keys lie anywhere in memory, so an update would mostly wait for it. The rows are therefore taken in batches of
 * eight, and five batches are under way at once, each one stage ahead of the batch behind it. A stage asks for the
 * memory that the next stage reads, and by the time the next stage comes the memory has arrived:
 *
 *     step | hash the keys,  | look the keys up, | fetch the | fetch the | update
 *          | fetch buckets   | fetch detectors   | windows   | tables    |
 *     -----+-----------------+-------------------+-----------+-----------+--------
 *       0  | batch 0         |                   |           |           |
 *       1  | batch 1         | batch 0           |           |           |
 *       2  | batch 2         | batch 1           | batch 0   |           |
 *       3  | batch 3         | batch 2           | batch 1   | batch 0   |
 *       4  | batch 4         | batch 3           | batch 2   | batch 1   | batch 0
 *
 * With locks only the first and the last stage do anything: other threads may change a shard whose lock is not
 * held. */
#include "detector/rows.h"
#include "base/stack.h"
#include "detector/options.h"
#include "pool/pool.h"

#define BATCH_ROWS   8
#define BATCH_STAGES 5

/* One call of anomaly_pool_update_rows(). */
typedef struct pool_call {
    const anomaly_pool *pool;
    const anomaly_keys *keys;
    const anomaly_rows *rows;
    const anomaly_verdicts *verdicts;
    double *room; /* for the features of a row */
} pool_call;

typedef struct key_batch {
    const pool_call *call;
    size_t first, count;       /* rows */
    int is_last;               /* no row follows, or the next row has no key */
    uint64_t hash[BATCH_ROWS]; /* or slot */
    size_t size[BATCH_ROWS];
    const an_entry *entry[BATCH_ROWS]; /* where the key was when it was looked up; NULL: a new key */
} key_batch;

static const char *key_at(const key_batch *b, size_t i)
{
    return b->call->keys->keys[b->first + i];
}

/* Tells whether the caller names keys by their slots. */
static int has_slots(const key_batch *b)
{
    return b->call->keys->slots != NULL;
}

/* Hashes the key of row i of the batch; 0 when the row has no key. */
static int load_key(key_batch *b, size_t i)
{
    const anomaly_keys *keys = b->call->keys;
    const char *key = key_at(b, i);
    b->size[i] = !key ? 0 : keys->sizes ? keys->sizes[b->first + i] : strlen(key);
    if (!an_pool_is_key(key, b->size[i]))
        return 0;
    b->hash[i] = an_pool_hash(b->call->pool, key, b->size[i]);
    return 1;
}

/* Begins a batch at row `first`: it ends with the rows, or before a row that has no key. */
static void load_batch(key_batch *b, const pool_call *call, size_t first)
{
    size_t left = call->rows->count - first, count = left < BATCH_ROWS ? left : BATCH_ROWS;
    b->call = call;
    b->first = first;
    b->is_last = left <= BATCH_ROWS;
    for (b->count = 0; b->count < count; b->count++) {
        if (has_slots(b)) {
            b->hash[b->count] = call->keys->slots[first + b->count];
        } else if (!load_key(b, b->count)) {
            b->is_last = 1;
            return;
        }
    }
}

/* Finds where a key is, as far as its first bucket says, and fetches the entry and its detector. */
static const an_entry *find_entry(const key_batch *b, size_t i)
{
    an_slot at = an_pool_slot_parts(b->call->pool, b->hash[i]);
    if (!has_slots(b)) {
        at.shard = an_pool_shard(b->call->pool, b->hash[i]);
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

/* Fetches the bucket that the search for each key begins at. */
static void fetch_buckets(const key_batch *b)
{
    for (size_t i = 0; i < b->count && !has_slots(b); i++) {
        const an_shard *shard = an_pool_shard(b->call->pool, b->hash[i]);
        if (shard->table)
            an_fetch(&shard->table[(uint32_t)b->hash[i] & shard->mask], 1);
    }
}

/* Looks each key up, and fetches its entry and its detector. */
static void look_up_keys(key_batch *b)
{
    for (size_t i = 0; i < b->count; i++)
        b->entry[i] = find_entry(b, i);
    for (size_t i = 0; i < b->count && has_slots(b); i++)
        if (b->entry[i] && b->entry[i]->detector)
            an_fetch(b->entry[i]->detector, AN_BLOCK_FETCHED_BYTES);
}

/* Fetches what an event touches of each detector's window and state. */
static void fetch_windows(const key_batch *b)
{
    for (size_t i = 0; i < b->count; i++)
        if (b->entry[i] && b->entry[i]->detector)
            an_fetch_window(b->entry[i]->detector);
}

/* Fetches what else the kind of detector says that an event touches. */
static void fetch_tables(const key_batch *b)
{
    for (size_t i = 0; i < b->count; i++) {
        const anomaly_detector *detector = b->entry[i] ? b->entry[i]->detector : NULL;
        if (detector && detector->kind->life.touched)
            an_fetch(detector->kind->life.touched(detector), 1);
    }
}

/* Tells whether rows i and j are of one key. */
static int same_key(const key_batch *b, size_t i, size_t j)
{
    if (b->hash[i] != b->hash[j])
        return 0;
    return has_slots(b) || (b->size[i] == b->size[j] && memcmp(key_at(b, i), key_at(b, j), b->size[i]) == 0);
}

/* Judges and learns row i of the batch, which is of that entry. */
static int update_key_row(const key_batch *b, an_shard *shard, uint32_t entry, size_t i)
{
    anomaly_verdict v;
    const anomaly_rows *rows = b->call->rows;
    size_t row = b->first + i;
    const double *x = an_rows_gather(rows, b->call->pool->common.config.features, row, b->call->room);
    int status = an_shard_update(shard, entry, x, an_rows_time(rows, row), &v);
    if (!status)
        an_put_verdict(b->call->verdicts, row, &v);
    return status;
}

/* Finds the entry of row i; AN_NO_ENTRY for a new key. */
static int find_row(const key_batch *b, const an_shard *shard, size_t i, uint32_t *entry)
{
    if (!has_slots(b)) {
        *entry = an_shard_find(shard, (uint32_t)b->hash[i], key_at(b, i), b->size[i]);
        return ANOMALY_OK;
    }
    an_slot at = an_pool_slot_parts(b->call->pool, b->hash[i]);
    *entry = at.entry;
    return an_slot_is_there(&at) ? ANOMALY_OK : ANOMALY_E_NOTFOUND;
}

/* Makes a new key with its first event, or not at all. */
static int update_new_key(const key_batch *b, an_shard *shard, size_t i, uint32_t *entry)
{
    int status = an_shard_add(shard, (uint32_t)b->hash[i], key_at(b, i), b->size[i], NULL, entry);
    if (status)
        return status;
    status = update_key_row(b, shard, *entry, i);
    if (status)
        an_shard_undo(shard, *entry);
    return status;
}

/* Updates rows [i, end) of the batch, which are of one key, under the lock; *done counts those that were. */
static int update_run(const key_batch *b, an_shard *shard, size_t i, size_t end, size_t *done)
{
    uint32_t entry;
    int status = find_row(b, shard, i, &entry);
    for (; !status && i < end; i++) {
        if (!an_pool_is_time(b->call->pool, an_rows_time(b->call->rows, b->first + i)))
            return ANOMALY_E_ARG;
        status = entry == AN_NO_ENTRY ? update_new_key(b, shard, i, &entry) : update_key_row(b, shard, entry, i);
        *done += !status;
    }
    return status;
}

/* Updates the batch, key after key. */
static int update_batch(const key_batch *b, size_t *done)
{
    const anomaly_pool *pool = b->call->pool;
    int status = ANOMALY_OK;
    for (size_t i = 0; !status && i < b->count;) {
        size_t end = i + 1;
        while (end < b->count && same_key(b, i, end))
            end++;
        an_shard *shard = has_slots(b) ? an_pool_slot_parts(pool, b->hash[i]).shard : an_pool_shard(pool, b->hash[i]);
        an_shard_lock(shard);
        status = update_run(b, shard, i, end, done);
        an_shard_unlock(shard);
        i = end;
    }
    return status;
}

/* Brings the batches that are under way one stage further; batch k, if there are as many, has just been loaded. */
static int advance_batches(const pool_call *call, key_batch *under_way, size_t k, size_t batches, size_t *done)
{
    int fetches = !call->pool->common.options.locks;
    if (fetches && k < batches)
        fetch_buckets(&under_way[k % BATCH_STAGES]);
    if (fetches && k >= 1 && k - 1 < batches)
        look_up_keys(&under_way[(k - 1) % BATCH_STAGES]);
    if (fetches && k >= 2 && k - 2 < batches)
        fetch_windows(&under_way[(k - 2) % BATCH_STAGES]);
    if (fetches && k >= 3 && k - 3 < batches)
        fetch_tables(&under_way[(k - 3) % BATCH_STAGES]);
    return k + 1 >= BATCH_STAGES ? update_batch(&under_way[(k + 1) % BATCH_STAGES], done) : ANOMALY_OK;
}

/* Updates all rows; sets *done to those that were updated. */
static int update_all(const pool_call *call, size_t *done)
{
    key_batch under_way[BATCH_STAGES];
    size_t first = 0, batches = 0;
    int status = ANOMALY_OK, more = call->rows->count > 0;
    for (size_t k = 0; !status && (more || k < batches + BATCH_STAGES - 1); k++) {
        if (more) {
            key_batch *b = &under_way[k % BATCH_STAGES];
            load_batch(b, call, first);
            first += b->count;
            batches++;
            more = !b->is_last;
        }
        status = advance_batches(call, under_way, k, batches, done);
    }
    return !status && *done < call->rows->count ? ANOMALY_E_ARG : status; /* the next one has no key */
}

static AN_OWN_STACK int update_narrow(const pool_call *given, size_t *done)
{
    double room[AN_NARROW_FEATURES];
    pool_call call = *given;
    call.room = room;
    return update_all(&call, done);
}

static AN_OWN_STACK int update_wide(const pool_call *given, size_t *done)
{
    double room[AN_MAX_FEATURES];
    pool_call call = *given;
    call.room = room;
    return update_all(&call, done);
}

int anomaly_pool_update_rows(anomaly_pool *pool, const anomaly_keys *keys, const anomaly_rows *rows,
                             const anomaly_verdicts *verdicts, size_t *done)
{
    pool_call call = {pool, keys, rows, verdicts, NULL};
    size_t count = 0;
    int given = pool && keys && (keys->slots || keys->keys);
    int status = given ? an_check_rows(rows, pool->common.config.features) : ANOMALY_E_ARG;
    if (!status)
        status =
            pool->common.config.features <= AN_NARROW_FEATURES ? update_narrow(&call, &count) : update_wide(&call, &count);
    if (done)
        *done = count;
    return status;
}
