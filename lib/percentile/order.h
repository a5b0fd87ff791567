/* SPDX-License-Identifier: MIT */
/* What the two kinds that need order share: the window's values of each feature in ranks, and three numbers made from them
 * each time the window has changed, so that judging only reads. */
#ifndef AN_PERCENTILE_ORDER_H
#define AN_PERCENTILE_ORDER_H

#include "detector/detector.h"
#include "window/ranks.h"

typedef struct an_order {
    an_ranks ranks;
    uint32_t placed; /* the size for which `place` is worked out: it seldom changes once the window is full */
    uint32_t hint;   /* an_ranks_mad() */
    uint32_t sums;   /* percentile/deviations.h: is one of them kept up? */
    an_place place[AN_CURSORS];
    double centre; /* median */
    double lower;  /* percentile: bounds; robust: the spread, and a quarter of it, which is never infinite */
    double upper;
    uint64_t runs_from; /* percentile/rows.c: not worth trying before this index */
} an_order;

/* The i-th quantile wanted, worked out for the present size by an_order_place(). */
static inline double an_order_value(an_order *order, int i)
{
    return an_ranks_value(&order->ranks, &order->ranks.cursor[i], order->place[i]);
}

static inline an_order *an_order_of(const anomaly_detector *detector, uint32_t feature)
{
    return (an_order *)detector->state + feature;
}

/* Works the i-th place out, as an_place_of() does. */
void an_order_place(an_order *order, int i, double share, double of, int rule);

/* Parts of an an_kind. */
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
