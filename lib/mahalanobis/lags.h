/* SPDX-License-Identifier: MIT */
/* The coordinates of an event: the newest value of each feature, and what came before it. Blocks of values stand
 * oldest first; of each block the features in their order:
 *
 *     pyramid     means of 32 16 8 4 2 1 values, and the newest value: 64 values in 7 blocks
 *     a number k  the k newest values
 *
 * The mean of 2k values is half the mean of the k newest and half that of the k before, which a ring holds: one step
 * a level, nothing is subtracted, and nothing overflows. */
#ifndef AN_MAHALANOBIS_LAGS_H
#define AN_MAHALANOBIS_LAGS_H

#include <stddef.h>
#include <stdint.h>

enum { AN_PYRAMID_BLOCKS = 7, AN_PYRAMID_LEVELS = 6, AN_PYRAMID_VALUES = 64 };

typedef struct an_lags {
    uint32_t features;
    int pyramid;
    uint32_t blocks; /* coordinates of a feature */
    uint32_t values; /* values that they rest on */
    uint32_t room;   /* doubles that a feature needs */
} an_lags;

/* `lags`: a number of values from 0, or enum anomaly_lags. */
an_lags an_lags_of(int32_t lags, uint32_t features);

static inline uint32_t an_lags_coordinates(const an_lags *lags)
{
    return lags->blocks * lags->features;
}

/* Fills y with the coordinates of event number n, whose values are x, NaN where missing. rings: [features][room], of
 * the n events before. */
void an_lags_coordinates_of(const an_lags *lags, const double *rings, uint64_t n, const double *x, double *y);

/* Finds the values of a feature before event number n, newest first, as far as they are known, at most `most`. Of a
 * pyramid's older values rounding takes some digits. Returns their number. */
uint32_t an_lags_values_of(const an_lags *lags, const double *ring, uint64_t n, double *value, uint32_t most);

/* Takes event number n in. A missing value counts as the one before. */
void an_lags_push(const an_lags *lags, double *rings, uint64_t n, const double *x);

#endif
