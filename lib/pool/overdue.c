/* SPDX-License-Identifier: MIT */
/* The keys of a pool of which an event is overdue. */
#include "pool/pool.h"

typedef struct waiting {
    int64_t now_ns;
    anomaly_visit visit;
    void *ctx;
} waiting;

static int visit_overdue(void *ctx, uint64_t slot, const void *key, size_t key_size, const anomaly_detector *detector)
{
    const waiting *w = ctx;
    return an_interval_is_overdue(&detector->stages->interval, w->now_ns) ? w->visit(w->ctx, slot, key, key_size, detector)
                                                                          : 0;
}

int anomaly_pool_overdue(const anomaly_pool *pool, int64_t now_ns, anomaly_visit visit, void *ctx)
{
    waiting w = {now_ns, visit, ctx};
    if (!pool || !visit || now_ns == ANOMALY_NO_TIME)
        return ANOMALY_E_ARG;
    return pool->common.config.silence > 0 ? anomaly_pool_each(pool, visit_overdue, &w) : ANOMALY_E_CONFIG;
}
