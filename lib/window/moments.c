/* SPDX-License-Identifier: MIT */
#include "window/moments.h"

/* One step of scale is a factor of 2^540 on a deviation and its square on M2. */
static const double to_scale[3] = {0x1p540, 1, 0x1p-540}; /* scale -1, 0, 1 */
static const double from_scale[3] = {0x1p-540, 1, 0x1p540};

#define NO_DEMAND (-2)

/* Answers the scale that a deviation needs; a zero needs none. */
static int32_t scale_of(double deviation)
{
    double size = fabs(deviation);
    if (size == 0)
        return NO_DEMAND;
    return size < AN_DEVIATION_MIN ? -1 : size < AN_DEVIATION_MAX ? 0 : 1;
}

/* Answers the scale that an M2 needs: its own, since what underflows beside it weighs nothing. */
static int32_t scale_of_m2(const an_moments *a)
{
    return a->m2 == 0 ? NO_DEMAND : a->scale;
}

static int32_t larger(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

static double m2_at(const an_moments *a, int32_t scale)
{
    double m2 = a->m2;
    for (int32_t s = a->scale; s < scale; s++)
        m2 = m2 * 0x1p-540 * 0x1p-540;
    return m2;
}

/* Answers the difference of two double-doubles in units of the scale, scaled first where it could overflow. */
static double difference_at(double hi, double lo, double from_hi, double from_lo, int32_t scale)
{
    double u = to_scale[scale + 1];
    if (scale <= 0)
        return ((hi - from_hi) + (lo - from_lo)) * u;
    return (hi * u - from_hi * u) + (lo * u - from_lo * u);
}

void an_moments_add_scaled(an_moments *a, double x)
{
    if (a->n == 0) {
        *a = (an_moments){x, 0, 0, 1, 0};
        return;
    }
    int32_t scale = larger(scale_of(an_deviation(a, x)), scale_of_m2(a));
    if (scale == NO_DEMAND)
        scale = 0;
    double d = difference_at(x, 0, a->hi, a->lo, scale);
    double m2 = m2_at(a, scale);
    a->n++;
    double t = d * (1.0 / (double)a->n);
    a->m2 = m2 + d * (d - t);
    a->scale = scale;
    an_mean_add(a, t * from_scale[scale + 1]);
}

an_moments an_moments_merge_scaled(const an_moments *a, const an_moments *b)
{
    if (b->n > a->n) /* onto the larger: the mean then moves by half the distance at most, which is always a double */
        return an_moments_merge_scaled(b, a);
    int32_t scale = larger(scale_of((b->hi - a->hi) + (b->lo - a->lo)), larger(scale_of_m2(a), scale_of_m2(b)));
    if (scale == NO_DEMAND)
        scale = 0;
    double na = (double)a->n, nb = (double)b->n;
    double d = difference_at(b->hi, b->lo, a->hi, a->lo, scale);
    double t = d * (nb / (na + nb));
    an_moments sum = *a;
    sum.n += b->n;
    sum.m2 = m2_at(a, scale) + m2_at(b, scale) + d * t * na;
    sum.scale = scale;
    an_mean_add(&sum, t * from_scale[scale + 1]);
    return sum;
}

an_moments an_moments_join_any(const an_moments *oldest, const an_moments *middle, const an_moments *newest)
{
    int ordinary;
    an_moments joined = {0};
    if (oldest->n + middle->n + newest->n == 0)
        return joined;
    joined = an_moments_join_largest(oldest, middle, newest, &ordinary);
    if (ordinary)
        return joined;
    an_moments older = an_moments_merge(oldest, middle);
    return an_moments_merge(&older, newest);
}

double an_moments_unscale(double root, int32_t scale)
{
    return root * from_scale[scale + 1];
}
