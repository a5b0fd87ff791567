/* SPDX-License-Identifier: MIT */
/* Questions about the window, and about when events come; none of them is on a hot path. */
#include "base/stack.h"
#include "detector/detector.h"

static void find_extremes(const an_window *window, uint32_t feature, anomaly_stats *stats)
{
    stats->min = stats->max = (double)NAN;
    for (uint64_t i = window->tail; i < window->head && !window->bare; i++) {
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
    an_moments m = detector->kind->questions.moments(detector, feature);
    double stddev = an_moments_stddev(&m, detector->config->ddof);
    stats->count = m.n;
    stats->mean = m.n ? m.hi + m.lo : (double)NAN;
    stats->stddev = stddev;
    stats->variance = m.scale == 0 && (int64_t)m.n > detector->config->ddof ? m.m2 / ((double)m.n - detector->config->ddof)
                                                                            : stddev * stddev;
    find_extremes(&detector->window, feature, stats);
    return ANOMALY_OK;
}

static int explain_in(const anomaly_detector *detector, const double *x, double *contribution, double *y)
{
    if (!an_stages_see_timeless(detector->stages, x, y))
        return ANOMALY_E_KIND;
    return detector->kind->questions.explain(detector, y, contribution);
}

static AN_OWN_STACK int explain_changed_narrow(const anomaly_detector *detector, const double *x, double *contribution)
{
    double y[AN_NARROW_FEATURES];
    return explain_in(detector, x, contribution, y);
}

static AN_OWN_STACK int explain_changed_wide(const anomaly_detector *detector, const double *x, double *contribution)
{
    double y[AN_STAGED_FEATURES];
    return explain_in(detector, x, contribution, y);
}

static int explain_changed(const anomaly_detector *detector, const double *x, double *contribution)
{
    return detector->config->features <= AN_NARROW_FEATURES ? explain_changed_narrow(detector, x, contribution)
                                                            : explain_changed_wide(detector, x, contribution);
}

int anomaly_explain(const anomaly_detector *detector, const double *x, double *contribution)
{
    if (!detector || !x || !contribution)
        return ANOMALY_E_ARG;
    if (detector->stages && an_stages_change_values(detector->config))
        return explain_changed(detector, x, contribution);
    return detector->kind->questions.explain(detector, x, contribution);
}

int anomaly_quantile(const anomaly_detector *detector, uint32_t feature, double q, double *value)
{
    if (!detector || !value || feature >= detector->config->features || !(q >= 0 && q <= 1))
        return ANOMALY_E_ARG;
    return detector->kind->questions.quantile(detector, feature, q, value);
}

int anomaly_overdue(const anomaly_detector *detector, int64_t now_ns, anomaly_silence *silence)
{
    if (!detector || !silence || now_ns == ANOMALY_NO_TIME)
        return ANOMALY_E_ARG;
    if (!detector->stages || !detector->stages->awaits)
        return ANOMALY_E_CONFIG;
    return an_interval_at(&detector->stages->interval, now_ns, silence);
}
