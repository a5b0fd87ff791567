/* SPDX-License-Identifier: MIT */
#include "watch/views.h"

#include "base/logarithm.h"
#include "watch/sum.h"

#include <float.h>
#include <math.h>

#define MOST_BEYOND   1000.0
#define MOST_QUIETER  100.0
#define MOST_DISTANCE 1e100
#define ROUNDING      1e-14 /* of the mean: so much the values of a stretch of equal ones may seem to be spread */

static const uint32_t spans[AN_WATCH_SPANS] = {10, 40, AN_WATCH_LONGEST};

/* ---- the views ---- */

static double squares_of(const double *x, uint32_t n, double mean, double unit)
{
    double sum[4] = {0, 0, 0, 0};
    uint32_t i = 0;
    for (; i + 4 <= n; i += 4)
        for (uint32_t k = 0; k < 4; k++)
            sum[k] += (x[i + k] - mean) * unit * ((x[i + k] - mean) * unit);
    for (; i < n; i++)
        sum[i % 4] += (x[i] - mean) * unit * ((x[i] - mean) * unit);
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

/* In a smaller or larger unit where the squares leave the doubles. */
static double root_of_squares(const double *x, uint32_t n, double mean)
{
    double squares = squares_of(x, n, mean, 1);
    if (squares >= 0x1p-900 && squares <= DBL_MAX)
        return sqrt(squares / n);
    double unit = squares < 1 ? 0x1p500 : 0x1p-600;
    return sqrt(squares_of(x, n, mean, unit) / n) / unit;
}

static double spread_of_stretch(const double *x, uint32_t n)
{
    double mean = an_stretch_sum(x, n) / n, spread = root_of_squares(x, n, mean);
    return spread > ROUNDING * fabs(mean) ? spread : 0;
}

an_views an_views_of(const double *value, const double *residual, uint32_t n)
{
    an_views views = {.residual = residual[n - 1]};
    for (uint32_t i = 0; i < AN_WATCH_SPANS; i++) {
        uint32_t m = spans[i] < n ? spans[i] : n;
        views.level[i] = an_stretch_sum(residual + n - m, m) / m;
        views.spread[i] = spread_of_stretch(value + n - m, m);
    }
    return views;
}

/* ---- their ranks ---- */

void an_view_ranks_insert(an_view_ranks *ranks, const an_views *views)
{
    an_ranks_insert(&ranks->residual, fabs(views->residual));
    for (uint32_t i = 0; i < AN_WATCH_SPANS; i++) {
        an_ranks_insert(&ranks->level[i], views->level[i]);
        an_ranks_insert(&ranks->spread[i], views->spread[i]);
    }
}

void an_view_ranks_remove(an_view_ranks *ranks, const an_views *views)
{
    an_ranks_remove(&ranks->residual, fabs(views->residual));
    for (uint32_t i = 0; i < AN_WATCH_SPANS; i++) {
        an_ranks_remove(&ranks->level[i], views->level[i]);
        an_ranks_remove(&ranks->spread[i], views->spread[i]);
    }
}

/* What the share of a value beyond the record is divided by; both of one sign, the value larger in size. */
static double beyond(double x, double record)
{
    double ratio = x / record;
    return ratio < MOST_BEYOND ? ratio * ratio : MOST_BEYOND * MOST_BEYOND;
}

typedef struct shares {
    double high, low;
} shares;

static shares shares_of(const an_ranks *ranks, double x)
{
    uint32_t below, up_to;
    an_ranks_count(ranks, x, &below, &up_to);
    double n = (double)ranks->size + 1;
    shares s = {((double)(ranks->size - below) + 1) / n, ((double)up_to + 1) / n};
    if (ranks->size && up_to == ranks->size && below == ranks->size && an_ranks_most(ranks) > 0)
        s.high /= beyond(x, an_ranks_most(ranks));
    if (ranks->size && up_to == 0 && an_ranks_least(ranks) < 0)
        s.low /= beyond(x, an_ranks_least(ranks));
    return s;
}

static double smaller(double a, double b)
{
    return a < b ? a : b;
}

/* What is stuck is quieter than all that was, not only as quiet as the quietest. */
static shares shares_of_spread(const an_ranks *ranks, double x)
{
    shares s = shares_of(ranks, x);
    double least = ranks->size ? an_ranks_least(ranks) : 0;
    if (x < least) {
        double ratio = least < MOST_QUIETER * x ? least / x : MOST_QUIETER;
        s.low /= ratio * ratio;
    }
    return s;
}

typedef shares rated(const an_ranks *ranks, double x);

/* To both sides; over the spans: the least of 10 and 40 times the least of 10 and 60. */
static double share_of_family(const an_ranks *ranks, const double *x, rated *rate)
{
    double share[AN_WATCH_SPANS];
    for (uint32_t i = 0; i < AN_WATCH_SPANS; i++) {
        shares s = rate(&ranks[i], x[i]);
        share[i] = smaller(s.high, s.low);
    }
    return smaller(share[0], share[1]) * smaller(share[0], share[2]);
}

/* One logarithm for all: 1e-200 is the least that the product of the shares can be, with a window of 2^30. */
double an_views_score(const an_view_ranks *ranks, const an_views *views, double distance)
{
    double point = shares_of(&ranks->residual, fabs(views->residual)).high;
    double level = share_of_family(ranks->level, views->level, shares_of);
    double spread = share_of_family(ranks->spread, views->spread, shares_of_spread);
    double product = point * point * level * spread;
    double shape = isnan(distance) ? 1 : 1 + smaller(distance, MOST_DISTANCE);
    return 0.5 * an_log10(shape * shape / product);
}
