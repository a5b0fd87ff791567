/* SPDX-License-Identifier: MIT
 * forest_data.h - events of several features for tests of the forest, and how well scores part two groups. */
#ifndef FOREST_DATA_H
#define FOREST_DATA_H

#include "random.h"

#include <stddef.h>

static inline void normal_event(random_state *r, double *x, uint32_t features, double mean, double spread)
{
    for (uint32_t f = 0; f < features; f++)
        x[f] = mean + spread * random_normal(r);
}

/* The chance that an anomaly's score is above another event's; equal ones count half. */
static inline double auc_of(const double *score, const int *anomaly, size_t count)
{
    double pairs = 0, above = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; anomaly[i] && k < count; k++)
            if (!anomaly[k]) {
                pairs++;
                above += score[i] > score[k] ? 1 : score[i] == score[k] ? 0.5 : 0;
            }
    return above / pairs;
}

#endif
