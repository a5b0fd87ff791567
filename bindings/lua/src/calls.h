/* SPDX-License-Identifier: MIT
 * calls.h - the library's calls, on a detector of its own, on a key's, or on a pool. */
#ifndef ANOMALY_LUA_CALLS_H
#define ANOMALY_LUA_CALLS_H

#include "object.h"
#include "pipe.h"

enum use {
    SCORE,
    LEARN,
    ADVANCE,
    REBUILD,
    RESERVE,
    RESET,
    SET_THRESHOLD,
    STATS,
    QUANTILE,
    EXPLAIN,
    COUNTERS,
    OVERDUE,
    CONFIG,
    SNAPSHOT, /* with `bytes` NULL: how many there will be */
    SNAPSHOT_WRITE,
    EXPORT,
    UPDATE_ROWS,
    SCORE_ROWS,
    LEARN_ROWS
};

typedef struct request {
    int what;
    const char *key;
    size_t key_size;
    const double *x;
    int64_t t;
    uint32_t feature;
    double number;
    double *shares;
    pipe *pipe;
    void *bytes;
    size_t size;
    const anomaly_keys *keys;
    const anomaly_rows *rows;
    const anomaly_verdicts *verdicts;
    size_t done;
    union {
        anomaly_verdict verdict;
        anomaly_stats stats;
        anomaly_counts counts;
        anomaly_silence silence;
        anomaly_config config;
    };
} request;

static int use_detector(void *ctx, anomaly_detector *d)
{
    request *r = ctx;
    switch (r->what) {
    case SCORE: return anomaly_score(d, r->x, r->t, &r->verdict);
    case LEARN: return anomaly_learn(d, r->x, r->t);
    case ADVANCE: return anomaly_advance(d, r->t);
    case REBUILD: return anomaly_rebuild(d);
    case RESERVE: return anomaly_reserve(d);
    case RESET: anomaly_reset(d); return ANOMALY_OK;
    case SET_THRESHOLD: return anomaly_set_threshold(d, r->number);
    case STATS: return anomaly_window_stats(d, r->feature, &r->stats);
    case QUANTILE: return anomaly_quantile(d, r->feature, r->number, &r->number);
    case EXPLAIN: return anomaly_explain(d, r->x, r->shares);
    case COUNTERS: return anomaly_counters(d, &r->counts);
    case OVERDUE: return anomaly_overdue(d, r->t, &r->silence);
    case CONFIG: return anomaly_get_config(d, &r->config, sizeof r->config);
    case SNAPSHOT: return r->bytes ? anomaly_snapshot(d, r->bytes, r->size, &r->size) : anomaly_snapshot_size(d, &r->size);
    case SNAPSHOT_WRITE: return anomaly_snapshot_write(d, sink, r->pipe);
    case UPDATE_ROWS: return anomaly_update_rows(d, r->rows, r->verdicts, &r->done);
    case SCORE_ROWS: return anomaly_score_rows(d, r->rows, r->verdicts, &r->done);
    case LEARN_ROWS: return anomaly_learn_rows(d, r->rows, &r->done);
    default: return ANOMALY_E_KIND;
    }
}

static int use_pool(request *r, anomaly_pool *p)
{
    switch (r->what) {
    case ADVANCE: return anomaly_pool_advance(p, r->t);
    case SET_THRESHOLD: return anomaly_pool_set_threshold(p, r->number);
    case COUNTERS: return anomaly_pool_counters(p, &r->counts);
    case CONFIG: return anomaly_pool_get_config(p, &r->config, sizeof r->config);
    case SNAPSHOT:
        return r->bytes ? anomaly_pool_snapshot(p, r->bytes, r->size, &r->size) : anomaly_pool_snapshot_size(p, &r->size);
    case SNAPSHOT_WRITE: return anomaly_pool_snapshot_write(p, sink, r->pipe);
    case EXPORT: return anomaly_pool_export(p, r->key, r->key_size, r->bytes, r->size, &r->size);
    case UPDATE_ROWS: return anomaly_pool_update_rows(p, r->keys, r->rows, r->verdicts, &r->done);
    default: return ANOMALY_E_KIND;
    }
}

static int call(const object *o, int what, request *r)
{
    holder *h = o->holder;
    r->what = what;
    if (o->is == KEY)
        return anomaly_pool_with(h->pool, o->slot, use_detector, r);
    return o->is == POOL ? use_pool(r, h->pool) : use_detector(r, h->detector);
}

#endif
