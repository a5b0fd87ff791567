/* SPDX-License-Identifier: MIT */
#ifndef AN_PERCENTILE_ROWS_H
#define AN_PERCENTILE_ROWS_H

#include "detector/detector.h"

/* Judges and learns many rows with brackets in place of the ordered list, with the bits of the loop. Part of an_kind.
 */
size_t an_percentile_update_rows(anomaly_detector *detector, const anomaly_rows *rows, const anomaly_verdicts *verdicts,
                                 size_t from);

#endif
