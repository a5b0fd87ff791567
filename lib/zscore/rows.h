/* SPDX-License-Identifier: MIT */
#ifndef AN_ZSCORE_ROWS_H
#define AN_ZSCORE_ROWS_H

#include "detector/detector.h"

/* Judges x by the moments of its window: score, bounds, flags of value. */
void an_zscore_judge(const anomaly_config *config, const an_moments *moments, double x, anomaly_verdict *verdict);

/* Judges and learns many rows in several blocks side by side, with the bits of the loop (zscore/lanes.h). Part of
 * an_kind. */
size_t an_zscore_update_rows(anomaly_detector *detector, const anomaly_rows *rows, const anomaly_verdicts *verdicts,
                             size_t from);

#endif
