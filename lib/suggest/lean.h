/* SPDX-License-Identifier: MIT */
/* How far the values of a feature lean to one side, as they are and as logarithms, what is usual at the time taken
 * away: the skewness of Bowley and Kelley,
 *
 *     ((q95 - q50) - (q50 - q05)) / (q95 - q05)          from -1 to 1, 0 where both sides are alike
 *
 * which no far value moves. A rhythm that could not be taken away, as without times, makes the whole lean, and the
 * logarithm would be the worse for it; so values beside each other must lean too. The program's default
 * (examples/cli/read/look.c) asks this of neighbours alone: of 1000 rows, which mostly show no rhythm, before it knows
 * which column is the time. */
#ifndef AN_SUGGEST_LEAN_H
#define AN_SUGGEST_LEAN_H

#include "suggest/series.h"

typedef struct an_lean {
    int possible;            /* enum anomaly_transform: the logarithm that all values have; RAW: none */
    int beside;              /* values beside each other lean as well */
    int helps;               /* ... and the logarithm takes half of a skewness that is worth it */
    double raw, logarithmic; /* skewness; NaN: there is none */
} an_lean;

/* Looks at the picks of a feature. period_ns 0: no season. */
an_lean an_lean_of(an_desk *desk, int64_t period_ns);

#endif
