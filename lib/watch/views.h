/* SPDX-License-Identifier: MIT */
/* The views of the kind `watch` on the newest values of a metric: numbers, each of which can be unusual in its own
 * way.
 *
 *     residual     how far the value lies from what is expected
 *     level[m]     the mean of the newest 10, 40 and 60 residuals
 *     spread[m]    the standard deviation of the newest 10, 40 and 60 values
 *
 * Each is ranked among the same view of the window's events:
 *
 *     high(x) = (how many are >= x, plus one) / (n + 1),  low(x) the same with <=
 *
 * Beyond the largest of them (below the least) the share is divided by the square of x / largest, at most 1000: so
 * that the score goes on where the ranks end. Below the least spread it is divided by the square of least / x, at most
 * 100: what is stuck is quieter than all that was. */
#ifndef AN_WATCH_VIEWS_H
#define AN_WATCH_VIEWS_H

#include "window/ranks.h"

#define AN_WATCH_LONGEST 60u
#define AN_WATCH_SPANS   3u
#define AN_WATCH_VIEWS   (1 + 2 * AN_WATCH_SPANS)
#define AN_WATCH_MOST    0x1p1000 /* larger values count as this one, so that no sum of them overflows */

typedef struct an_views {
    double residual;
    double level[AN_WATCH_SPANS], spread[AN_WATCH_SPANS];
} an_views;

/* Of the newest n values and residuals, oldest first; only the last AN_WATCH_LONGEST of them count. n > 0. */
an_views an_views_of(const double *value, const double *residual, uint32_t n);

/* The views of the window's events, in order. */
typedef struct an_view_ranks {
    an_ranks residual; /* their sizes */
    an_ranks level[AN_WATCH_SPANS], spread[AN_WATCH_SPANS];
} an_view_ranks;

void an_view_ranks_insert(an_view_ranks *ranks, const an_views *views);
void an_view_ranks_remove(an_view_ranks *ranks, const an_views *views);

/* The sum of the logarithms of all shares and of 1 + distance (NaN: there is none), with a minus: from 0 on. */
double an_views_score(const an_view_ranks *ranks, const an_views *views, double distance);

/* Every member of one, as an array. */
static inline an_ranks *an_view_ranks_all(an_view_ranks *ranks)
{
    return &ranks->residual;
}

#endif
