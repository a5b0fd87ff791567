/* SPDX-License-Identifier: MIT */
#ifndef AN_ZSCORE_ROWS_H
#define AN_ZSCORE_ROWS_H

#include "internal.h"

/* Parts of an_kind: several blocks of rows side by side, with the bits of the loop. See zscore_lanes.h. */
size_t an_zscore_update_rows(anomaly_detector *detector, const anomaly_rows *rows, const anomaly_verdicts *verdicts, size_t from);

#endif
