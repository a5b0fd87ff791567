/* SPDX-License-Identifier: MIT */
/* What a kind of detector names where it has nothing of its own: see kind.h. */
#include "detector/detector.h"

uint64_t an_one_value(const anomaly_config *config)
{
    (void)config;
    return 1;
}

int an_can_always_flag(const anomaly_config *config, uint64_t samples)
{
    (void)config;
    (void)samples;
    return 1;
}

int an_no_rule(const anomaly_config *config, anomaly_error *error)
{
    (void)config;
    (void)error;
    return ANOMALY_OK;
}

int an_no_early_memory(anomaly_detector *detector)
{
    (void)detector;
    return ANOMALY_OK;
}

/* Merges short stretches, which keeps the rounding small. */
an_moments an_count_moments(const anomaly_detector *detector, uint32_t feature)
{
    const an_window *window = &detector->window;
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

static uint64_t equals_among(const double *values, uint64_t count, double x)
{
    uint64_t equal = 0;
    for (uint64_t i = 0; i < count; i++)
        equal += values[i] == x;
    return equal;
}

/* The ring's newest values lie in one piece of memory or in two. */
uint64_t an_count_equals(const anomaly_detector *detector, const double *x, uint32_t feature, uint64_t *of)
{
    const an_window *window = &detector->window;
    uint64_t count = an_window_count(window), most = count < AN_EVENTS_COMPARED ? count : AN_EVENTS_COMPARED;
    uint64_t slot = (window->head - most) & window->mask, first = window->mask + 1 - slot;
    const double *ring = an_window_ring(window, feature);
    *of = most;
    if (most <= first)
        return equals_among(ring + slot, most, x[feature]);
    return equals_among(ring + slot, first, x[feature]) + equals_among(ring, most - first, x[feature]);
}

uint64_t an_no_equals(const anomaly_detector *detector, const double *x, uint32_t feature, uint64_t *of)
{
    (void)detector;
    (void)x;
    (void)feature;
    *of = 0;
    return 0;
}

int an_no_quantile(const anomaly_detector *detector, uint32_t feature, double q, double *value)
{
    (void)detector;
    (void)feature;
    (void)q;
    (void)value;
    return ANOMALY_E_KIND;
}

int an_no_explanation(const anomaly_detector *detector, const double *x, double *contribution)
{
    (void)detector;
    (void)x;
    (void)contribution;
    return ANOMALY_E_KIND;
}

int an_no_rebuild(anomaly_detector *detector)
{
    (void)detector;
    return ANOMALY_OK;
}

void an_no_save(const anomaly_detector *detector, an_writer *writer)
{
    (void)detector;
    (void)writer;
}
