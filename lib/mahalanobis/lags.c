/* SPDX-License-Identifier: MIT */
#include "mahalanobis/lags.h"

#include "anomaly.h"
#include "base/memory.h"

#include <math.h>
#include <string.h>

an_lags an_lags_of(int32_t lags, uint32_t features)
{
    int pyramid = lags == ANOMALY_LAGS_PYRAMID || (lags == ANOMALY_LAGS_AUTO && features == 1);
    uint32_t values = lags > 1 ? (uint32_t)lags : 1;
    an_lags l = {.features = features, .pyramid = pyramid};
    l.blocks = pyramid ? AN_PYRAMID_BLOCKS : values;
    l.values = pyramid ? AN_PYRAMID_VALUES : values;
    l.room = pyramid ? AN_PYRAMID_VALUES - 1 : values > 1 ? (uint32_t)an_power_of_two(values - 1) : 0;
    return l;
}

/* ---- the pyramid: level k has a ring of the last 2^k means of 2^k values, the smaller rings before it ---- */

static void pyramid_coordinates(const an_lags *l, const double *ring, uint64_t n, double *y)
{
    for (uint32_t level = AN_PYRAMID_LEVELS; level-- > 0; y += l->features)
        *y = ring[(1u << level) - 1 + (n & ((1u << level) - 1))];
}

static void pyramid_push(double *ring, uint64_t n, double x)
{
    double mean = x;
    for (uint32_t level = 0; level < AN_PYRAMID_LEVELS; level++) {
        double *place = ring + (1u << level) - 1 + (n & ((1u << level) - 1)), before = *place;
        *place = mean;
        mean = 0.5 * mean + 0.5 * before;
    }
}

/* The means of k values that end one value after the other, newest first: the ring has the k newest. Those before
 * follow from the means of 2k values, which are halves of two of them. */
static void finer_means(const double *ring, uint64_t n, uint32_t k, const double *coarse, uint32_t count, double *fine)
{
    for (uint32_t j = 0; j < k; j++)
        fine[j] = ring[k - 1 + ((n - 1 - j) & (k - 1))];
    for (uint32_t j = 0; j < count; j++)
        fine[k + j] = 2 * (coarse[j] - 0.5 * fine[j]);
}

static void pyramid_values(const double *ring, uint64_t n, double *value)
{
    double coarse[AN_PYRAMID_VALUES];
    uint32_t count = 0;
    for (uint32_t level = AN_PYRAMID_LEVELS; level-- > 0;) {
        finer_means(ring, n, 1u << level, coarse, count, value);
        count += 1u << level;
        memcpy(coarse, value, count * sizeof *coarse);
    }
}

/* ---- plain values ---- */

static void plain_coordinates(const an_lags *l, const double *ring, uint64_t n, double *y)
{
    for (uint32_t back = l->values - 1; back > 0; back--, y += l->features)
        *y = ring[(n - back) & (l->room - 1)];
}

/* ---- both ---- */

void an_lags_coordinates_of(const an_lags *l, const double *rings, uint64_t n, const double *x, double *y)
{
    for (uint32_t f = 0; f < l->features; f++, rings += l->room) {
        if (l->pyramid)
            pyramid_coordinates(l, rings, n, y + f);
        else
            plain_coordinates(l, rings, n, y + f);
        y[(size_t)(l->blocks - 1) * l->features + f] = isfinite(x[f]) ? x[f] + 0.0 : (double)NAN;
    }
}

uint32_t an_lags_values_of(const an_lags *l, const double *ring, uint64_t n, double *value, uint32_t most)
{
    double all[AN_PYRAMID_VALUES];
    uint32_t known = 0, there = l->values - 1 < most ? l->values - 1 : most;
    if (l->pyramid)
        pyramid_values(ring, n, all);
    for (; known < there && known < n; known++) {
        value[known] = l->pyramid ? all[known] : ring[(n - 1 - known) & (l->room - 1)];
        if (!isfinite(value[known]))
            break;
    }
    return known;
}

void an_lags_push(const an_lags *l, double *rings, uint64_t n, const double *x)
{
    for (uint32_t f = 0; l->room && f < l->features; f++, rings += l->room) {
        double before = l->pyramid ? rings[0] : rings[(n - 1) & (l->room - 1)];
        double value = isfinite(x[f]) ? x[f] + 0.0 : before;
        if (l->pyramid)
            pyramid_push(rings, n, value);
        else
            rings[n & (l->room - 1)] = value;
    }
}
