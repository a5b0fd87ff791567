/* SPDX-License-Identifier: MIT */
#ifndef AN_ZSCORE_BATCH_H
#define AN_ZSCORE_BATCH_H

#include "detector/detector.h"

#define AN_BATCH_EVENTS 64 /* events whose scores are made together */

/* In: what each event is judged by. Out: its spread, and its score towards the watched side, NaN where the spread is
 * 0. */
typedef struct an_batch {
    double deviation[AN_BATCH_EVENTS], m2[AN_BATCH_EVENTS], divisor[AN_BATCH_EVENTS], mean[AN_BATCH_EVENTS];
    double spread[AN_BATCH_EVENTS], score[AN_BATCH_EVENTS];
    double least_spread;
    int64_t keep, negate; /* zscore/verdicts.h */
    size_t count;
} an_batch;

/* Scores all of a batch, whatever its count, with the instructions of one path. Returns whether there is a spread of
 * 0. */
typedef int (*an_batch_scores)(an_batch *batch);

/* Judges and learns at most so many rows by one feature's events in order, finite and of the usual scale; returns how
 * many. */
size_t an_zscore_update_batches(anomaly_detector *detector, const anomaly_rows *rows, const anomaly_verdicts *verdicts,
                                size_t from, size_t most, an_batch_scores scores);

#endif
