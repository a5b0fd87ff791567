/* SPDX-License-Identifier: MIT */
/* Keeps the values of each feature of the window in order (window/ranks.h), and three numbers made from them each
 * time the window has changed, so that judging only reads. The percentile and the robust z-score share this, each
 * with a meaning of its own:
 *
 *              percentile                       robust z-score
 *     centre   the median                       the median
 *     lower    the lower percentile             the spread: the MAD times a constant
 *     upper    the upper percentile             a quarter of the spread, which is never infinite
 *     cursor   0: lower, 1: median, 2: upper    0: median, 1 and 2: the search for the MAD, below and above the median
 *     place    one for each cursor              place[0] only: where the MAD lies follows from the search */
#ifndef AN_PERCENTILE_ORDER_H
#define AN_PERCENTILE_ORDER_H

#include "detector/detector.h"
#include "percentile/deviations.h"
#include "window/ranks.h"

typedef struct an_order {
    an_ranks ranks;
    uint32_t placed; /* the size for which `place` is worked out: it seldom changes once the window is full */
    uint32_t hint;   /* robust: where an_ranks_mad() begins its search */
    uint32_t sums;   /* robust: is a sum of an_order_deviations() kept up? */
    an_place place[AN_CURSORS];
    double centre, lower, upper;
    uint64_t runs_from; /* percentile/rows.c: not worth trying before this index */
} an_order;

/* Answers the value at the i-th place, which an_order_place() has worked out for the present size. */
static inline double an_order_value(an_order *order, int i)
{
    return an_ranks_value(&order->ranks, &order->ranks.cursor[i], order->place[i]);
}

static inline an_order *an_order_of(const anomaly_detector *detector, uint32_t feature)
{
    return (an_order *)detector->state + feature;
}

/* Answers the deviations of a feature, for a kind that has asked for their room (an_kind.beside). */
static inline an_deviations *an_order_deviations(const anomaly_detector *detector, uint32_t feature)
{
    return (an_deviations *)(void *)an_order_of(detector, detector->config->features) + feature;
}

/* Works out the i-th place, as an_place_of() does. */
void an_order_place(an_order *order, int i, double share, double of, int rule);

/* Parts of an_kind. */
size_t an_order_bytes(const anomaly_config *config, uint64_t slots);
int an_order_create(anomaly_detector *detector);
void an_order_destroy(anomaly_detector *detector);
void an_order_reset(anomaly_detector *detector);
int an_order_resize(anomaly_detector *detector, uint64_t slots);
int an_order_prepare(anomaly_detector *detector);
void an_order_evict(anomaly_detector *detector, uint64_t tail);
void an_order_insert(anomaly_detector *detector, uint64_t position);
int an_order_restore(anomaly_detector *detector, an_reader *reader);
int an_order_quantile(const anomaly_detector *detector, uint32_t feature, double q, double *value);

#endif
