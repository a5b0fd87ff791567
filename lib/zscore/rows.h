/* SPDX-License-Identifier: MIT */
#ifndef AN_ZSCORE_ROWS_H
#define AN_ZSCORE_ROWS_H

#include "detector/detector.h"

/* The verdict (score, bounds, flags of value) of x by the moments of its window. */
void an_zscore_judge(const anomaly_config *config, const an_moments *moments, double x, anomaly_verdict *verdict);

/* Part of an_kind: several blocks of rows side by side, with the bits of the loop. See zscore/lanes.h. */
size_t an_zscore_update_rows(anomaly_detector *detector, const anomaly_rows *rows, const anomaly_verdicts *verdicts,
                             size_t from);

#endif
