/* SPDX-License-Identifier: MIT */
/* Writes what the rows calls of the z-score have worked out into the columns of the verdicts: the parts that a batch
 * and blocks side by side share. */
#ifndef AN_ZSCORE_VERDICTS_H
#define AN_ZSCORE_VERDICTS_H

#include "detector/detector.h"
#include "detector/rows.h"

static inline uint32_t an_zscore_flags(const anomaly_config *config, double deviation, double score)
{
    return (deviation > 0 ? ANOMALY_ABOVE : 0u) | (deviation < 0 ? ANOMALY_BELOW : 0u) |
           (an_exceeds(config, score) ? ANOMALY_IS_ANOMALY : 0u);
}

static inline double an_zscore_lower(const anomaly_config *config, double mean, double spread)
{
    return config->side == ANOMALY_UPPER ? -(double)INFINITY : mean - config->threshold * spread;
}

static inline double an_zscore_upper(const anomaly_config *config, double mean, double spread)
{
    return config->side == ANOMALY_LOWER ? (double)INFINITY : mean + config->threshold * spread;
}

/* Makes the sign of a score that of the watched side: bits to keep of the quotient, and -1 for the opposite sign. */
static inline int64_t an_zscore_kept_bits(const anomaly_config *config)
{
    return config->side == ANOMALY_BOTH ? INT64_MAX : -1;
}

static inline int64_t an_zscore_negates(const anomaly_config *config)
{
    return config->side == ANOMALY_LOWER ? -1 : 0;
}

/* Judges and writes an event whose spread is 0, as the loop does. */
static inline void an_zscore_put_flat(anomaly_detector *detector, const anomaly_verdicts *verdicts, size_t row,
                                      double deviation, double mean, uint64_t events)
{
    anomaly_verdict v = {0};
    an_judge_spread(detector->config, deviation, mean, 0, &v);
    v.events = events;
    an_finish_row(detector, verdicts, row, &v);
}

#endif
