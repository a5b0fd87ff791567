/* SPDX-License-Identifier: MIT */
#include "percentile/deviations.h"

#include "percentile/order.h"

static an_deviations *sums_of(const anomaly_detector *detector, uint32_t feature)
{
    return (an_deviations *)(void *)an_order_of(detector, detector->config->features) + (size_t)feature * AN_DEVIATIONS;
}

static void add_deviation(an_deviations *d, double x)
{
    if (isnan(x) || x == d->centre)
        return;
    d->others++;
    an_total_add(&d->sum, x > d->centre ? x : d->centre);
    an_total_subtract(&d->sum, x > d->centre ? d->centre : x);
}

static void remove_deviation(an_deviations *d, double x)
{
    if (isnan(x) || x == d->centre)
        return;
    d->others--;
    an_total_add(&d->sum, x > d->centre ? d->centre : x);
    an_total_subtract(&d->sum, x > d->centre ? x : d->centre);
}

static void sum_anew(an_deviations *d, const an_window *window, uint32_t feature, double centre)
{
    const double *ring = an_window_ring(window, feature);
    *d = (an_deviations){.centre = centre};
    for (uint64_t i = window->tail; i < window->head; i++)
        add_deviation(d, ring[i & window->mask]);
}

/* Finds the sum about the centre, or makes it in the place of the one that was asked for longer ago. */
static an_deviations *sum_about(const anomaly_detector *detector, uint32_t feature, double centre)
{
    an_deviations *d = sums_of(detector, feature), *other = d[0].left < d[1].left ? d : d + 1;
    for (int i = 0; i < AN_DEVIATIONS; i++)
        if (d[i].left && d[i].centre == centre)
            return d + i;
    sum_anew(other, &detector->window, feature, centre);
    return other;
}

double an_deviations_mean(anomaly_detector *detector, uint32_t feature, double centre)
{
    an_order *order = an_order_of(detector, feature);
    an_deviations *d = sum_about(detector, feature, centre);
    d->left = order->ranks.size;
    order->sums = 1;
    if (d->others == 0)
        return 0;
    double mean = an_total_mean(&d->sum, order->ranks.size);
    return mean > 0 ? mean : 0x1p-1074; /* a spread, however small */
}

void an_deviations_evict(anomaly_detector *detector, uint32_t feature, uint64_t tail)
{
    const an_window *window = &detector->window;
    const double *ring = an_window_ring(window, feature);
    an_deviations *d = sums_of(detector, feature);
    for (int i = 0; i < AN_DEVIATIONS; i++)
        for (uint64_t k = window->tail; d[i].left && k < tail; k++)
            remove_deviation(d + i, ring[k & window->mask]);
}

void an_deviations_insert(anomaly_detector *detector, uint32_t feature, uint64_t position)
{
    an_deviations *d = sums_of(detector, feature);
    for (int i = 0; i < AN_DEVIATIONS; i++)
        if (d[i].left)
            add_deviation(d + i, an_window_value(&detector->window, feature, position));
}

void an_deviations_count_down(anomaly_detector *detector, uint32_t feature)
{
    an_deviations *d = sums_of(detector, feature);
    for (int i = 0; i < AN_DEVIATIONS; i++)
        d[i].left -= d[i].left > 0;
    an_order_of(detector, feature)->sums = d[0].left || d[1].left;
}

void an_deviations_reset(anomaly_detector *detector, uint32_t feature)
{
    for (int i = 0; i < AN_DEVIATIONS; i++)
        sums_of(detector, feature)[i].left = 0;
    an_order_of(detector, feature)->sums = 0;
}
