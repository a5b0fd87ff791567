/* SPDX-License-Identifier: MIT */
#ifndef AN_PERCENTILE_WALK_H
#define AN_PERCENTILE_WALK_H

#include "detector/rows.h"
#include "percentile/order.h"

/* Judges x by bounds that are settled: score, bounds, flags of value. */
void an_percentile_judge(const anomaly_config *config, const an_order *order, double x, anomaly_verdict *verdict);

/* Judges a row by bounds that are settled, and writes and counts the verdict: as an_judge() does one finite value in
 * its time. */
static inline void an_percentile_judge_row(anomaly_detector *detector, const an_order *order,
                                           const anomaly_verdicts *verdicts, size_t row, double x)
{
    anomaly_verdict v;
    an_percentile_judge(detector->config, order, x, &v);
    v.feature = 0;
    an_finish_row(detector, verdicts, row, &v);
}

/* Judges and learns at most so many rows by one feature's events in order and finite; returns how many. */
size_t an_percentile_walk(anomaly_detector *detector, const anomaly_rows *rows, const anomaly_verdicts *verdicts,
                          size_t from, size_t most);

#endif
