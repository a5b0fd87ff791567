/* SPDX-License-Identifier: MIT */
/* The sum of a stretch of values, in the order that every machine takes. */
#ifndef AN_WATCH_SUM_H
#define AN_WATCH_SUM_H

#include <stdint.h>

/* Four sums side by side, which the processor adds at the same time. */
static inline double an_stretch_sum(const double *x, uint32_t n)
{
    double sum[4] = {0, 0, 0, 0};
    uint32_t fours = n - n % 4, i = 0;
    for (; i < fours; i += 4)
        for (uint32_t k = 0; k < 4; k++)
            sum[k] += x[i + k];
    for (; i < n; i++)
        sum[i % 4] += x[i];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

#endif
