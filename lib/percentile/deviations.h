/* SPDX-License-Identifier: MIT */
/* Keeps the mean absolute deviation of a window's values of one feature about a centre that more than half of the
 * values equal.
 *
 * The sum of the deviations is exact (base/total.h), so it can be carried along and holds no trace of values that have
 * left. A pass over the window makes the sum when the mean is first asked for; after that each event keeps the sum up,
 * until the mean has not been asked for during as many events as the window held. So where the mean is wanted now and
 * then, passes are at least a window apart. Two values may take turns as the majority (a switch that goes on and off),
 * so there are two sums; a third value cannot become the majority within half a window.
 *
 * The sums lie behind the orders of all features (an_order_deviations() of percentile/order.h). While an order's
 * `sums` is 0 no sum is kept up, and a change of the window costs nothing here. */
#ifndef AN_PERCENTILE_DEVIATIONS_H
#define AN_PERCENTILE_DEVIATIONS_H

#include "base/total.h"
#include "window/window.h"

#define AN_DEVIATION_SUMS 2

/* The sum of |x - centre| over the window. */
typedef struct an_deviation_sum {
    double centre;
    uint64_t left;   /* the sum is kept up for so many events more; 0: it is not kept up */
    uint32_t others; /* values that differ from the centre */
    an_total total;
} an_deviation_sum;

/* The sums of one feature. */
typedef struct an_deviations {
    an_deviation_sum sum[AN_DEVIATION_SUMS];
} an_deviations;

/* Answers the mean over the `values` values that the window holds of the feature, at least one; 0 only if every value
 * equals the centre. */
double an_deviations_mean(an_deviations *deviations, const an_window *window, uint32_t feature, uint32_t values,
                          double centre);

/* Takes the feature's values of events [window.tail, tail), which are about to leave, out of the sums. */
void an_deviations_evict(an_deviations *deviations, const an_window *window, uint32_t feature, uint64_t tail);

/* Adds a value that has come into the window. NaN, a missing value, adds nothing. */
void an_deviations_insert(an_deviations *deviations, double x);

/* Counts one event more; returns whether a sum is still kept up. */
int an_deviations_count_down(an_deviations *deviations);

/* Forgets the sums. */
void an_deviations_reset(an_deviations *deviations);

#endif
