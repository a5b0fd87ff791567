/* SPDX-License-Identifier: MIT */
/* Questions about the window; none of them is on a hot path. */
#include "detector/kind.h"

/* Moments of a feature whose kind keeps none: short stretches merged, which keeps the rounding small. */
static an_moments count_moments(const an_window *window, uint32_t feature)
{
    an_moments sum = {0}, stretch = {0};
    for (uint64_t i = window->tail; i < window->head; i++) {
        double x = an_window_value(window, feature, i);
        if (!isnan(x))
            an_moments_add(&stretch, x);
        if (stretch.n == 256 || i + 1 == window->head) {
            sum = an_moments_merge(&sum, &stretch);
            stretch = (an_moments){0};
        }
    }
    return sum;
}

static void find_extremes(const an_window *window, uint32_t feature, anomaly_stats *stats)
{
    stats->min = stats->max = (double)NAN;
    for (uint64_t i = window->tail; i < window->head; i++) {
        double x = an_window_value(window, feature, i);
        if (!(x >= stats->min)) /* also while min is NaN */
            stats->min = isnan(x) ? stats->min : x;
        if (!(x <= stats->max))
            stats->max = isnan(x) ? stats->max : x;
    }
}

int anomaly_window_stats(const anomaly_detector *detector, uint32_t feature, anomaly_stats *stats)
{
    if (!detector || !stats || feature >= detector->config->features)
        return ANOMALY_E_ARG;
    const an_kind *kind = detector->kind;
    an_moments m = kind->moments ? kind->moments(detector, feature) : count_moments(&detector->window, feature);
    double stddev = an_moments_stddev(&m, detector->config->ddof);
    stats->count = m.n;
    stats->mean = m.n ? m.hi + m.lo : (double)NAN;
    stats->stddev = stddev;
    stats->variance = m.scale == 0 && (int64_t)m.n > detector->config->ddof ? m.m2 / ((double)m.n - detector->config->ddof)
                                                                            : stddev * stddev;
    find_extremes(&detector->window, feature, stats);
    return ANOMALY_OK;
}

int anomaly_explain(const anomaly_detector *detector, const double *x, double *contribution)
{
    if (!detector || !x || !contribution)
        return ANOMALY_E_ARG;
    return detector->kind->explain ? detector->kind->explain(detector, x, contribution) : ANOMALY_E_KIND;
}

int anomaly_quantile(const anomaly_detector *detector, uint32_t feature, double q, double *value)
{
    if (!detector || !value || feature >= detector->config->features || !(q >= 0 && q <= 1))
        return ANOMALY_E_ARG;
    return detector->kind->quantile ? detector->kind->quantile(detector, feature, q, value) : ANOMALY_E_KIND;
}
