/* SPDX-License-Identifier: MIT */
#include "percentile/deviations.h"

#include <math.h>

static void add_deviation(an_deviation_sum *sum, double x)
{
    if (isnan(x) || x == sum->centre)
        return;
    sum->others++;
    an_total_add(&sum->total, x > sum->centre ? x : sum->centre);
    an_total_subtract(&sum->total, x > sum->centre ? sum->centre : x);
}

static void remove_deviation(an_deviation_sum *sum, double x)
{
    if (isnan(x) || x == sum->centre)
        return;
    sum->others--;
    an_total_add(&sum->total, x > sum->centre ? sum->centre : x);
    an_total_subtract(&sum->total, x > sum->centre ? x : sum->centre);
}

static void sum_anew(an_deviation_sum *sum, const an_window *window, uint32_t feature, double centre)
{
    const double *ring = an_window_ring(window, feature);
    *sum = (an_deviation_sum){.centre = centre};
    for (uint64_t i = window->tail; i < window->head; i++)
        add_deviation(sum, ring[i & window->mask]);
}

/* Finds the sum about the centre, or makes it in the place of the sum that was asked for longer ago. */
static an_deviation_sum *sum_about(an_deviations *d, const an_window *window, uint32_t feature, double centre)
{
    an_deviation_sum *older = d->sum[0].left < d->sum[1].left ? &d->sum[0] : &d->sum[1];
    for (int i = 0; i < AN_DEVIATION_SUMS; i++)
        if (d->sum[i].left && d->sum[i].centre == centre)
            return &d->sum[i];
    sum_anew(older, window, feature, centre);
    return older;
}

double an_deviations_mean(an_deviations *d, const an_window *window, uint32_t feature, uint32_t values, double centre)
{
    an_deviation_sum *sum = sum_about(d, window, feature, centre);
    sum->left = values;
    if (sum->others == 0)
        return 0;
    double mean = an_total_mean(&sum->total, values);
    return mean > 0 ? mean : 0x1p-1074; /* a spread, however small */
}

void an_deviations_evict(an_deviations *d, const an_window *window, uint32_t feature, uint64_t tail)
{
    const double *ring = an_window_ring(window, feature);
    for (int i = 0; i < AN_DEVIATION_SUMS; i++)
        for (uint64_t k = window->tail; d->sum[i].left && k < tail; k++)
            remove_deviation(&d->sum[i], ring[k & window->mask]);
}

void an_deviations_insert(an_deviations *d, double x)
{
    for (int i = 0; i < AN_DEVIATION_SUMS; i++)
        if (d->sum[i].left)
            add_deviation(&d->sum[i], x);
}

int an_deviations_count_down(an_deviations *d)
{
    for (int i = 0; i < AN_DEVIATION_SUMS; i++)
        d->sum[i].left -= d->sum[i].left > 0;
    return d->sum[0].left || d->sum[1].left;
}

void an_deviations_reset(an_deviations *d)
{
    for (int i = 0; i < AN_DEVIATION_SUMS; i++)
        d->sum[i].left = 0;
}
