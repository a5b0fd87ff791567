/* SPDX-License-Identifier: MIT */
#ifndef AN_PERCENTILE_WALK_H
#define AN_PERCENTILE_WALK_H

#include "order.h"

/* The verdict (score, bounds, flags of value) of x by bounds that are settled. */
void an_percentile_judge(const anomaly_config *config, const an_order *order, double x, anomaly_verdict *verdict);

/* At most so many rows by one feature's events in order and finite; returns how many. */
size_t an_percentile_walk(anomaly_detector *detector, const anomaly_rows *rows, const anomaly_verdicts *verdicts,
                          size_t from, size_t most);

#endif
