/* SPDX-License-Identifier: MIT */
/* z-score by median and MAD (Hampel 1974; Leys et al. 2013, "Detecting outliers: do not use standard deviation around the
 * mean, use absolute deviation around the median"). Both exact over the window. */
#include "order.h"

#define NORMAL_CONSISTENCY 1.4826 /* 1 / the 75 % point of the standard normal: MAD times this estimates its sigma */

static void settle_feature(an_order *order)
{
    an_ranks *ranks = &order->ranks;
    if (ranks->size == 0) {
        order->centre = order->lower = (double)NAN;
        return;
    }
    if (order->placed != ranks->size)
        an_order_place(order, 0, 0.5, 1, ANOMALY_LINEAR);
    order->placed = ranks->size;
    order->centre = an_order_value(order, 0);
    order->lower =
        NORMAL_CONSISTENCY * an_ranks_mad(ranks, &ranks->cursor[1], &ranks->cursor[2], order->centre, &order->hint);
}

static void settle(anomaly_detector *detector)
{
    for (uint32_t f = 0; f < detector->config->features; f++)
        settle_feature(an_order_of(detector, f));
}

static void judge(const anomaly_detector *detector, uint32_t feature, double x, anomaly_verdict *v)
{
    const an_order *order = an_order_of(detector, feature);
    double spread = order->lower < detector->config->min_stddev ? detector->config->min_stddev : order->lower;
    an_judge_spread(detector->config, x - order->centre, order->centre, spread, v);
    v->events = order->ranks.size;
}

const an_kind an_kind_robust = {
    .bytes = an_order_bytes,
    .create = an_order_create,
    .destroy = an_order_destroy,
    .reset = an_order_reset,
    .resize = an_order_resize,
    .prepare = an_order_prepare,
    .evict = an_order_evict,
    .insert = an_order_insert,
    .settle = settle,
    .judge = judge,
    .quantile = an_order_quantile,
    .restore = an_order_restore,
};
