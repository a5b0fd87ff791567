/* SPDX-License-Identifier: MIT */
/* Keeps the mean absolute deviation of a window about a value that more than half of it has.
 *
 * Its sum is exact (base/total.h), so it can be carried along and holds no trace of what has left. It is made anew,
 * one pass over the window, when it is first asked for, and kept up for a window's worth of events after it was last
 * asked for: where it is wanted now and then there is a pass in so many events only. Two values may take turns at
 * being the majority (a switch), so there are two sums; a third one cannot become it within half a window.
 *
 * The sums lie behind the orders of all features (an_kind.beside). While an order's `sums` is 0 none is kept up, and
 * the window changes at no cost. */
#ifndef AN_PERCENTILE_DEVIATIONS_H
#define AN_PERCENTILE_DEVIATIONS_H

#include "base/total.h"
#include "detector/detector.h"

/* The sum of |x - centre| over the window. */
typedef struct an_deviations {
    double centre;
    uint64_t left;   /* for so many events it is kept up; 0: it is not */
    uint32_t others; /* values that are not the centre */
    an_total sum;
} an_deviations;

#define AN_DEVIATIONS 2 /* of a feature */

/* Answers the mean, 0 only if all values are the centre. The window holds a value. */
double an_deviations_mean(anomaly_detector *detector, uint32_t feature, double centre);

/* Keep the sums up, while there are any: take events [window.tail, tail) out, which are about to leave; add the event
 * at `position`, which has come; note that one more event is over; forget the sums. */
void an_deviations_evict(anomaly_detector *detector, uint32_t feature, uint64_t tail);
void an_deviations_insert(anomaly_detector *detector, uint32_t feature, uint64_t position);
void an_deviations_count_down(anomaly_detector *detector, uint32_t feature);
void an_deviations_reset(anomaly_detector *detector, uint32_t feature);

#endif
