/* SPDX-License-Identifier: MIT */
/* Judges by median and MAD, the median absolute deviation (Hampel 1974; Leys et al. 2013, "Detecting outliers: do not
 * use standard deviation around the mean, use absolute deviation around the median"), both exact over the
 * window.
 *
 * Where more than half of the window is one value the MAD is 0 whatever the others are. Then the spread comes from
 * the mean absolute deviation about the median (Iglewicz and Hoaglin 1993, "How to Detect and Handle Outliers": the
 * modified z-score). */
#include "detector/judgement.h"
#include "percentile/order.h"

#define NORMAL_CONSISTENCY 1.4826   /* 1 / the 75 % point of the standard normal: MAD times this estimates its sigma */
#define MEAN_CONSISTENCY   1.253314 /* sqrt(pi / 2): the same for the mean absolute deviation */

static void set_spread(an_order *order, double consistency, double deviation)
{
    order->lower = consistency * deviation;
    order->upper = consistency * 0.25 * deviation;
}

/* Finds the mean absolute deviation about the median, and has its sum kept up from now on. */
static double mean_deviation(const anomaly_detector *detector, uint32_t feature)
{
    an_order *order = an_order_of(detector, feature);
    order->sums = 1;
    return an_deviations_mean(an_order_deviations(detector, feature), &detector->window, feature, order->ranks.size,
                              order->centre);
}

static void settle_spread_of(anomaly_detector *detector, uint32_t feature)
{
    an_order *order = an_order_of(detector, feature);
    an_ranks *ranks = &order->ranks;
    if (ranks->size == 0) {
        order->centre = order->lower = order->upper = (double)NAN;
        return;
    }
    if (order->placed != ranks->size)
        an_order_place(order, 0, 0.5, 1, ANOMALY_LINEAR);
    order->placed = ranks->size;
    order->centre = an_order_value(order, 0);
    double mad = an_ranks_mad(ranks, &ranks->cursor[1], &ranks->cursor[2], order->centre, &order->hint);
    if (order->sums)
        order->sums = (uint32_t)an_deviations_count_down(an_order_deviations(detector, feature));
    if (mad > 0)
        set_spread(order, NORMAL_CONSISTENCY, mad);
    else
        set_spread(order, MEAN_CONSISTENCY, mean_deviation(detector, feature));
}

static void settle_spreads(anomaly_detector *detector)
{
    for (uint32_t f = 0; f < detector->config->features; f++)
        settle_spread_of(detector, f);
}

static void judge_by_median(const anomaly_detector *detector, uint32_t feature, double x, anomaly_verdict *v)
{
    const an_order *order = an_order_of(detector, feature);
    double least = detector->config->min_stddev, spread = order->lower < least ? least : order->lower;
    an_judge_spread(detector->config, x - order->centre, order->centre, spread, v);
    if (an_is_huge(x - order->centre, spread))
        an_judge_huge(detector->config, x, order->centre, order->upper < least * 0.25 ? least * 0.25 : order->upper, v);
    v->events = order->ranks.size;
}

const an_kind an_kind_robust = {
    .beside = sizeof(an_deviations),
    .rules =
        {
            .bounds_at_threshold = 1,
            .values_to_judge = an_one_value,
            .can_flag_with_self = an_can_always_flag,
            .validate = an_no_rule,
        },
    .life =
        {
            .bytes = an_order_bytes,
            .create = an_order_create,
            .destroy = an_order_destroy,
            .reset = an_order_reset,
            .take_early = an_no_early_memory,
            .resize = an_order_resize,
            .prepare = an_order_prepare,
            .evict = an_order_evict,
        },
    .by_feature = {.judge = judge_by_median, .insert = an_order_insert, .settle = settle_spreads},
    .questions =
        {
            .moments = an_count_moments,
            .quantile = an_order_quantile,
            .explain = an_no_explanation,
            .rebuild = an_no_rebuild,
        },
    .saving = {.save = an_no_save, .restore = an_order_restore},
    .equals = an_count_equals,
};
