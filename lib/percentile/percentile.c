/* SPDX-License-Identifier: MIT */
/* Judges by how far a value lies outside two exact percentiles of the window. */
#include "detector/judgement.h"
#include "detector/status.h"
#include "percentile/order.h"
#include "percentile/rows.h"
#include "percentile/walk.h"

static void place_percentiles(an_order *order, const anomaly_config *config)
{
    an_order_place(order, 0, config->lower_percent, 100, config->quantile);
    an_order_place(order, 1, 0.5, 1, config->quantile);
    an_order_place(order, 2, config->upper_percent, 100, config->quantile);
    order->placed = order->ranks.size;
}

static void settle_percentiles_of(an_order *order, const anomaly_config *config)
{
    if (order->ranks.size == 0) {
        order->centre = order->lower = order->upper = (double)NAN;
        return;
    }
    if (order->placed != order->ranks.size)
        place_percentiles(order, config);
    order->lower = an_order_value(order, 0);
    order->centre = an_order_value(order, 1);
    order->upper = an_order_value(order, 2);
}

static void settle_percentiles(anomaly_detector *detector)
{
    for (uint32_t f = 0; f < detector->config->features; f++)
        settle_percentiles_of(an_order_of(detector, f), detector->config);
}

/* Answers how far x lies outside the watched bounds (negative: inside), in units of the distance between the
 * bounds. */
static double score_by_distance(const anomaly_config *config, double lower, double upper, double x)
{
    double above = x - upper, below = lower - x, distance = upper - lower;
    double outside = config->side == ANOMALY_UPPER   ? above
                     : config->side == ANOMALY_LOWER ? below
                     : above > below                 ? above
                                                     : below;
    if (distance == 0)
        return outside == 0 || x == upper ? 0 : x != x ? (double)NAN : an_infinite_score(config, above > 0);
    return outside / distance;
}

/* Does the same by quarters of all values where a distance may be more than the largest double. */
static double score_outside(const anomaly_config *config, const an_order *order, double x)
{
    double lower = order->lower, upper = order->upper;
    if (fabs(x - upper) + (upper - lower) <= DBL_MAX)
        return score_by_distance(config, lower, upper, x);
    return score_by_distance(config, lower * 0.25, upper * 0.25, x * 0.25);
}

void an_percentile_judge(const anomaly_config *config, const an_order *order, double x, anomaly_verdict *v)
{
    v->score = score_outside(config, order, x);
    v->expected = order->centre;
    v->lower = config->side == ANOMALY_UPPER ? -(double)INFINITY : order->lower;
    v->upper = config->side == ANOMALY_LOWER ? (double)INFINITY : order->upper;
    v->events = order->ranks.size;
    v->flags = x > order->upper ? ANOMALY_ABOVE : x < order->lower ? ANOMALY_BELOW : 0;
    if (order->upper == order->lower && v->flags)
        v->flags |= ANOMALY_FLAT;
}

static void judge_by_percentiles(const anomaly_detector *detector, uint32_t feature, double x, anomaly_verdict *v)
{
    an_percentile_judge(detector->config, an_order_of(detector, feature), x, v);
}

/* With include_self the event is one of the values that the bounds are taken from. */
static int can_percentiles_flag_with_self(const anomaly_config *config, uint64_t samples)
{
    uint32_t count = (uint32_t)samples;
    if (config->quantile == ANOMALY_LINEAR)
        return samples >= 2;
    int above =
        config->side != ANOMALY_LOWER && an_place_of(config->upper_percent, 100, count, ANOMALY_NEAREST).rank + 1 < count;
    int below = config->side != ANOMALY_UPPER && an_place_of(config->lower_percent, 100, count, ANOMALY_NEAREST).rank > 0;
    return above || below;
}

static int validate_percentiles(const anomaly_config *config, anomaly_error *error)
{
    if (config->lower_percent >= config->upper_percent)
        return an_error(error, ANOMALY_E_CONFIG, "lower", "lower must be less than upper");
    return ANOMALY_OK;
}

const an_kind an_kind_percentile = {
    .rules =
        {
            .values_to_judge = an_one_value,
            .can_flag_with_self = can_percentiles_flag_with_self,
            .validate = validate_percentiles,
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
    .by_feature = {.judge = judge_by_percentiles, .insert = an_order_insert, .settle = settle_percentiles},
    .questions =
        {
            .moments = an_count_moments,
            .quantile = an_order_quantile,
            .explain = an_no_explanation,
            .rebuild = an_no_rebuild,
        },
    .rows = {.update = an_percentile_update_rows},
    .saving = {.save = an_no_save, .restore = an_order_restore},
    .equals = an_count_equals,
};
