/* SPDX-License-Identifier: MIT
 * agree.h - does the library's answer agree with the oracle's? */
#ifndef ORACLE_AGREE_H
#define ORACLE_AGREE_H

#include "oracle.h"

/* How often a rounding, and not the documentation, decided; and how near the nearest disagreement was. */
typedef struct agreement {
    uint64_t verdicts;
    uint64_t tied_anomalies;  /* score and threshold apart by less than a rounding */
    uint64_t tied_directions; /* value and edge */
    uint64_t tied_features;   /* the scores of two features */
    double worst_score;       /* largest error as a share of what is allowed */
    char reason[200];         /* of the last disagreement */
} agreement;

/* Whether `got` is within `slack` of `want`; NaN and infinities must be the same, and zero must not be negative. */
int agree_number(double got, real want, real slack);

/* Judges x as the window stands. Returns whether `got` agrees, but for ANOMALY_NOT_LEARNED, which it does not look at. */
int agree_verdict(const oracle *o, const double *x, int64_t t, const anomaly_verdict *got, agreement *agreement);

/* Takes the oracle through an update whose verdict is `got`; where a rounding decides it follows the library. */
int agree_update(oracle *o, const double *x, int64_t t, const anomaly_verdict *got, agreement *agreement);

/* Whether the oracle would flag it; *unsure: a rounding decides. */
int agree_flagged(const oracle *o, const double *x, int *unsure);

int agree_stats(const oracle *o, uint32_t feature, const anomaly_stats *got, agreement *agreement);
int agree_quantile(const oracle *o, uint32_t feature, double q, int status, double got, agreement *agreement);
int agree_counters(const oracle *o, const anomaly_counts *got, agreement *agreement);

#endif
