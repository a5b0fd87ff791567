/* SPDX-License-Identifier: MIT */
/* z-score by median and MAD (Hampel 1974; Leys et al. 2013, "Detecting outliers: do not use standard deviation around the
 * mean, use absolute deviation around the median"). Both exact over the window.
 *
 * Where more than half of the window is one value the MAD is 0 whatever the others are. Then the spread comes from the mean
 * absolute deviation about the median (Iglewicz and Hoaglin 1993, "How to Detect and Handle Outliers": the modified z-score).
 * Its sum is exact (total.h), so it can be carried along and holds no trace of what has left. It is made anew, one pass over
 * the window, when the MAD becomes 0, and kept up for a window's worth of events after that: where the MAD is 0 now and then
 * there is a pass in so many events only. Two values may take turns at being the majority (a switch), so there are two sums;
 * a third one cannot become it within half a window. */
#include "order.h"
#include "total.h"

#define NORMAL_CONSISTENCY 1.4826   /* 1 / the 75 % point of the standard normal: MAD times this estimates its sigma */
#define MEAN_CONSISTENCY   1.253314 /* sqrt(pi / 2): the same for the mean absolute deviation */
#define SUMS               2

/* The sum of |x - centre| over the window. */
typedef struct deviations {
    double centre;
    uint64_t left;   /* for so many events it is kept up; 0: it is not */
    uint32_t others; /* values that are not the centre */
    an_total sum;
} deviations;

/* Behind the orders of all features. */
static deviations *deviations_of(const anomaly_detector *detector, uint32_t feature)
{
    return (deviations *)(void *)an_order_of(detector, detector->config->features) + (size_t)feature * SUMS;
}

/* ---- sums ---- */

static void put(deviations *d, double x)
{
    if (isnan(x) || x == d->centre)
        return;
    d->others++;
    an_total_add(&d->sum, x > d->centre ? x : d->centre);
    an_total_subtract(&d->sum, x > d->centre ? d->centre : x);
}

static void take(deviations *d, double x)
{
    if (isnan(x) || x == d->centre)
        return;
    d->others--;
    an_total_add(&d->sum, x > d->centre ? d->centre : x);
    an_total_subtract(&d->sum, x > d->centre ? x : d->centre);
}

static void begin(deviations *d, const an_window *window, uint32_t feature, double centre)
{
    const double *ring = an_window_ring(window, feature);
    *d = (deviations){.centre = centre};
    for (uint64_t i = window->tail; i < window->head; i++)
        put(d, ring[i & window->mask]);
}

/* The sum about the centre, made if it is not there. */
static deviations *deviations_about(const anomaly_detector *detector, uint32_t feature, double centre)
{
    deviations *d = deviations_of(detector, feature), *longest = d[0].left < d[1].left ? d : d + 1;
    for (int i = 0; i < SUMS; i++)
        if (d[i].left && d[i].centre == centre)
            return d + i;
    begin(longest, &detector->window, feature, centre);
    return longest;
}

static double mean_deviation(const anomaly_detector *detector, uint32_t feature, double centre)
{
    const an_order *order = an_order_of(detector, feature);
    deviations *d = deviations_about(detector, feature, centre);
    d->left = (uint64_t)order->ranks.size + 2;
    if (d->others == 0)
        return 0;
    double mean = an_total_mean(&d->sum, order->ranks.size);
    return mean > 0 ? mean : 0x1p-1074; /* a spread, however small */
}

/* ---- parts of the kind ---- */

static void reset(anomaly_detector *detector)
{
    an_order_reset(detector);
    for (uint32_t f = 0; f < detector->config->features; f++)
        for (int i = 0; i < SUMS; i++)
            deviations_of(detector, f)[i].left = 0;
}

static void take_range(deviations *d, const an_window *window, uint32_t feature, uint64_t end)
{
    const double *ring = an_window_ring(window, feature);
    for (uint64_t i = window->tail; i < end; i++)
        take(d, ring[i & window->mask]);
}

static void evict(anomaly_detector *detector, uint64_t tail)
{
    const an_window *window = &detector->window;
    for (uint32_t f = 0; f < window->features; f++)
        for (int i = 0; i < SUMS; i++)
            if (deviations_of(detector, f)[i].left)
                take_range(&deviations_of(detector, f)[i], window, f, tail);
    an_order_evict(detector, tail);
}

static void insert(anomaly_detector *detector, uint64_t position)
{
    for (uint32_t f = 0; f < detector->window.features; f++)
        for (int i = 0; i < SUMS; i++)
            if (deviations_of(detector, f)[i].left)
                put(&deviations_of(detector, f)[i], an_window_value(&detector->window, f, position));
    an_order_insert(detector, position);
}

static void settle_feature(anomaly_detector *detector, uint32_t feature)
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
    double consistency = NORMAL_CONSISTENCY;
    double deviation = an_ranks_mad(ranks, &ranks->cursor[1], &ranks->cursor[2], order->centre, &order->hint);
    for (int i = 0; i < SUMS; i++)
        deviations_of(detector, feature)[i].left -= deviations_of(detector, feature)[i].left > 0;
    if (deviation == 0) {
        consistency = MEAN_CONSISTENCY;
        deviation = mean_deviation(detector, feature, order->centre);
    }
    order->lower = consistency * deviation;
    order->upper = consistency * 0.25 * deviation;
}

static void settle(anomaly_detector *detector)
{
    for (uint32_t f = 0; f < detector->config->features; f++)
        settle_feature(detector, f);
}

static void judge(const anomaly_detector *detector, uint32_t feature, double x, anomaly_verdict *v)
{
    const an_order *order = an_order_of(detector, feature);
    double least = detector->config->min_stddev, spread = order->lower < least ? least : order->lower;
    an_judge_spread(detector->config, x - order->centre, order->centre, spread, v);
    if (an_is_huge(x, x - order->centre, spread))
        an_judge_huge(detector->config, x, order->centre, order->upper < least * 0.25 ? least * 0.25 : order->upper, v);
    v->events = order->ranks.size;
}

const an_kind an_kind_robust = {
    .beside = SUMS * sizeof(deviations),
    .bytes = an_order_bytes,
    .create = an_order_create,
    .destroy = an_order_destroy,
    .reset = reset,
    .resize = an_order_resize,
    .prepare = an_order_prepare,
    .evict = evict,
    .insert = insert,
    .settle = settle,
    .judge = judge,
    .quantile = an_order_quantile,
    .restore = an_order_restore,
};
