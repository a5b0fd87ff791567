/* SPDX-License-Identifier: MIT */
#include "detector/crowd.h"

/* What the population sees: keys have values before, and hence transforms, of their own. */
static const double *seen_by_population(an_crowd *crowd, const an_stages *stages, const double *x, int64_t t_ns)
{
    if (!stages->transforms)
        return x;
    an_stages_transform(stages, x, t_ns, crowd->seen);
    return crowd->seen;
}

static int take_locked(an_crowd *crowd, const an_stages *stages, const double *x, int64_t t_ns, anomaly_verdict *said)
{
    int status = ANOMALY_OK;
    said->flags = ANOMALY_WARMING_UP;
    if (crowd->records && stages->budgets)
        status = an_tail_make_room(&crowd->record, crowd->at_once, &crowd->allocator);
    if (!status && crowd->population)
        status = anomaly_update(crowd->population, seen_by_population(crowd, stages, x, t_ns), t_ns, said);
    return status;
}

int an_crowd_take(an_crowd *crowd, const an_stages *stages, const double *x, int64_t t_ns, anomaly_verdict *said)
{
    an_crowd_lock(crowd);
    int status = take_locked(crowd, stages, x, t_ns, said);
    an_crowd_unlock(crowd);
    return status;
}

void an_crowd_ask(an_crowd *crowd, const an_stages *stages, const double *x, int64_t t_ns, anomaly_verdict *said)
{
    said->flags = ANOMALY_WARMING_UP;
    if (!crowd->population)
        return;
    an_crowd_lock(crowd);
    anomaly_score(crowd->population, seen_by_population(crowd, stages, x, t_ns), t_ns, said);
    an_crowd_unlock(crowd);
}
