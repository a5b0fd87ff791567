/* SPDX-License-Identifier: MIT */
#ifndef AN_PERCENTILE_WALK_H
#define AN_PERCENTILE_WALK_H

#include "detector/rows.h"
#include "percentile/order.h"

/* The verdict (score, bounds, flags of value) of x by bounds that are settled. */
void an_percentile_judge(const anomaly_config *config, const an_order *order, double x, anomaly_verdict *verdict);

/* A row's verdict by bounds that are settled, its flags counted: what an_judge() does for one finite value in its time. */
static inline void an_percentile_tell(anomaly_detector *detector, const an_order *order, const anomaly_verdicts *verdicts,
                                      size_t row, double x)
{
    anomaly_verdict v;
    an_percentile_judge(detector->config, order, x, &v);
    v.feature = 0;
    an_conclude(detector, &v);
    an_put_verdict(verdicts, row, &v);
    detector->counts.anomalies += (v.flags & ANOMALY_IS_ANOMALY) != 0;
    detector->counts.flat += (v.flags & ANOMALY_FLAT) != 0;
}

/* At most so many rows by one feature's events in order and finite; returns how many. */
size_t an_percentile_walk(anomaly_detector *detector, const anomaly_rows *rows, const anomaly_verdicts *verdicts,
                          size_t from, size_t most);

#endif
