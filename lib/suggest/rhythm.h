/* SPDX-License-Identifier: MIT */
/* Does a series repeat by the day or by the week?
 *
 * The medians of its hours stand for the series, and the ranks of these medians for the medians: so neither a value
 * nor an hour that is far off counts for more than one. What moves more slowly than the period is taken away, as the
 * mean of the period round each hour, and for the week what is usual at the hour of the day. What is left, x, repeats
 *
 *     r(lag) = mean of x[i] x[i + lag] / mean of x[i]^2         the autocorrelation, over the hours that are there
 *
 * Of noise, r over n pairs of hours is about 1 / sqrt(n) wide. So there is a rhythm where r(period) is at least
 * 5 / sqrt(n) and a quarter, and larger than half of a period and three quarters of one away. */
#ifndef AN_SUGGEST_RHYTHM_H
#define AN_SUGGEST_RHYTHM_H

#include "suggest/series.h"

typedef struct an_rhythm {
    int64_t period_ns;         /* 0: there is none */
    double repeats, by_chance; /* r of the period, and what it had to reach; NaN: not asked */
} an_rhythm;

/* Looks at the picks of a feature whose events come so far apart. */
an_rhythm an_rhythm_of(an_desk *desk, int64_t interval_ns);

#endif
