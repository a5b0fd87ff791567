/* SPDX-License-Identifier: MIT */
#ifndef AN_ZSCORE_BATCH_H
#define AN_ZSCORE_BATCH_H

#include "detector/detector.h"

#define AN_BATCH 64 /* events whose scores are made together */

/* What an event is judged by: in. Its spread and its score towards the watched side, NaN where the spread is 0: out. */
typedef struct an_batch {
    double deviation[AN_BATCH], m2[AN_BATCH], divisor[AN_BATCH], mean[AN_BATCH];
    double spread[AN_BATCH], score[AN_BATCH];
    double least_spread;
    int64_t keep, negate; /* for scores towards the watched side: bits to keep; -1: the opposite sign */
    size_t count;
} an_batch;

/* All of a batch, whatever its count, with the instructions of one path. Returns whether there is a spread of 0. */
typedef int (*an_batch_scores)(an_batch *batch);

/* At most so many rows by one feature's events in order, finite and of the usual scale; returns how many. */
size_t an_zscore_update_batches(anomaly_detector *detector, const anomaly_rows *rows, const anomaly_verdicts *verdicts,
                                size_t from, size_t most, an_batch_scores scores);

#endif
