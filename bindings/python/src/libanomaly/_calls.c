/* SPDX-License-Identifier: MIT
 * _calls.c - see _calls.h. */
#include "_calls.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* ---- keys ---- */

static int append(libanomaly_bytes *to, const void *bytes, size_t size)
{
    if (size > to->room - to->used) {
        size_t room = 2 * (to->used + size);
        char *grown = realloc(to->bytes, room);
        if (!grown)
            return ANOMALY_E_NOMEM;
        to->bytes = grown;
        to->room = room;
    }
    memcpy(to->bytes + to->used, bytes, size);
    to->used += size;
    return 0;
}

static int note_key(void *ctx, uint64_t slot, const void *key, size_t key_size, const anomaly_detector *detector)
{
    libanomaly_bytes *to = ctx;
    uint64_t size = key_size;
    (void)detector;
    return append(to, &slot, sizeof slot) || append(to, &size, sizeof size) || append(to, key, key_size);
}

int libanomaly_keys(const anomaly_pool *pool, libanomaly_bytes *to)
{
    int status = anomaly_pool_each(pool, note_key, to);
    return status == ANOMALY_E_STOPPED ? ANOMALY_E_NOMEM : status;
}

typedef struct overdue_keys {
    int64_t now_ns;
    libanomaly_bytes *to;
} overdue_keys;

static int note_overdue(void *ctx, uint64_t slot, const void *key, size_t key_size, const anomaly_detector *detector)
{
    overdue_keys *found = ctx;
    anomaly_silence silence;
    uint64_t size = key_size;
    (void)slot;
    if (anomaly_overdue(detector, found->now_ns, &silence) != ANOMALY_OK)
        return 0;
    return append(found->to, &silence, sizeof silence) || append(found->to, &size, sizeof size) ||
           append(found->to, key, key_size);
}

int libanomaly_overdue_keys(const anomaly_pool *pool, int64_t now_ns, libanomaly_bytes *to)
{
    overdue_keys found = {now_ns, to};
    int status = anomaly_pool_overdue(pool, now_ns, note_overdue, &found);
    return status == ANOMALY_E_STOPPED ? ANOMALY_E_NOMEM : status;
}

void libanomaly_drop(libanomaly_bytes *bytes)
{
    free(bytes->bytes);
    memset(bytes, 0, sizeof *bytes);
}

/* ---- evictions: a stack that threads push to without a lock ---- */

struct libanomaly_evictions {
    _Atomic(libanomaly_evicted *) newest;
};

libanomaly_evictions *libanomaly_evictions_new(void)
{
    return calloc(1, sizeof(libanomaly_evictions));
}

void libanomaly_evicted_free(libanomaly_evicted *evicted)
{
    free(evicted);
}

void libanomaly_evictions_free(libanomaly_evictions *evictions)
{
    if (!evictions)
        return;
    for (libanomaly_evicted *e = libanomaly_evictions_take(evictions), *next; e; e = next) {
        next = e->next;
        free(e);
    }
    free(evictions);
}

libanomaly_evicted *libanomaly_evictions_take(libanomaly_evictions *evictions)
{
    libanomaly_evicted *from = atomic_exchange(&evictions->newest, NULL), *oldest_first = NULL;
    while (from) {
        libanomaly_evicted *next = from->next;
        from->next = oldest_first;
        oldest_first = from;
        from = next;
    }
    return oldest_first;
}

/* Without memory for the snapshot the key is told without one; without any, not at all. */
static libanomaly_evicted *evicted_of(const void *key, size_t key_size, const anomaly_detector *detector)
{
    size_t size = 0;
    if (anomaly_snapshot_size(detector, &size) != ANOMALY_OK)
        size = 0;
    libanomaly_evicted *e = malloc(sizeof *e + key_size + size);
    if (!e && (e = malloc(sizeof *e + key_size)))
        size = 0;
    if (!e)
        return NULL;
    e->key_size = key_size;
    memcpy(e->bytes, key, key_size);
    if (size == 0 || anomaly_snapshot(detector, e->bytes + key_size, size, &size) != ANOMALY_OK)
        size = 0;
    e->snapshot_size = size;
    return e;
}

static void evicting(void *ctx, const void *key, size_t key_size, const anomaly_detector *detector)
{
    libanomaly_evictions *evictions = ctx;
    libanomaly_evicted *e = evicted_of(key, key_size, detector);
    if (!e)
        return;
    e->next = atomic_load(&evictions->newest);
    while (!atomic_compare_exchange_weak(&evictions->newest, &e->next, e))
        ;
}

void libanomaly_evictions_watch(libanomaly_evictions *evictions, anomaly_pool_options *options)
{
    options->evicting = evicting;
    options->evicting_ctx = evictions;
}

/* ---- one key's detector ---- */

static int ask_detector(void *ctx, anomaly_detector *detector)
{
    libanomaly_ask *a = ctx;
    switch (a->question) {
    case LIBANOMALY_SCORE: return anomaly_score(detector, a->x, a->t_ns, &a->verdict);
    case LIBANOMALY_LEARN: return anomaly_learn(detector, a->x, a->t_ns);
    case LIBANOMALY_STATS: return anomaly_window_stats(detector, a->feature, &a->stats);
    case LIBANOMALY_QUANTILE: return anomaly_quantile(detector, a->feature, a->q, &a->value);
    case LIBANOMALY_EXPLAIN: return anomaly_explain(detector, a->x, a->contribution);
    case LIBANOMALY_COUNTERS: return anomaly_counters(detector, &a->counts);
    case LIBANOMALY_ADVANCE: return anomaly_advance(detector, a->t_ns);
    case LIBANOMALY_REBUILD: return anomaly_rebuild(detector);
    case LIBANOMALY_RESET: anomaly_reset(detector); return ANOMALY_OK;
    default: return ANOMALY_E_ARG;
    }
}

int libanomaly_pool_ask(anomaly_pool *pool, uint64_t slot, libanomaly_ask *ask)
{
    return anomaly_pool_with(pool, slot, ask_detector, ask);
}
