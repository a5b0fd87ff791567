/* SPDX-License-Identifier: MIT */
/* Sums count, mean and squared deviations of a stretch of values, with no subtraction anywhere.
 *
 * The mean is a double-double (hi + lo, error about eps * standard deviation, whatever the offset), M2 = sum (x -
 * mean)^2 a double. Values are added by Welford's step and stretches joined by the merge of Chan, Golub and LeVeque
 * ("Updating formulae and a pairwise algorithm for computing sample variances", 1979), so an M2 is only ever a sum of
 * squares.
 *
 * Extreme scales: M2 is kept as m2 * 2^(1080 * scale), scale -1, 0 or 1, so that deviations from 1e-290 to 1e308
 * neither underflow nor overflow. Deviations between 2^-450 and 2^490 (or 0) belong to scale 0 and take the short
 * path; everything else is done by the functions in window/moments.c. The rows kernels (zscore/lanes.h) do the short
 * path only, with the same operations in the same order, and leave a stretch with any other deviation to this code:
 * same bits. */
#ifndef AN_WINDOW_MOMENTS_H
#define AN_WINDOW_MOMENTS_H

#include "anomaly.h"
#include "base/ieee.h"

#include <math.h>

typedef struct an_moments {
    double hi, lo; /* mean, lo at most a few ulp of hi; 0 while n is 0 */
    double m2;
    uint32_t n;
    int32_t scale; /* 0 while n is 0 */
} an_moments;

#define AN_DEVIATION_MIN 0x1p-450
#define AN_DEVIATION_MAX 0x1p490 /* its square times 2^30 values stays finite */

void an_moments_add_scaled(an_moments *a, double x);
an_moments an_moments_merge_scaled(const an_moments *a, const an_moments *b);

/* Does a deviation belong to scale 0? False for NaN and infinity. */
static inline int an_is_ordinary(double d)
{
    double size = fabs(d);
    return (size >= AN_DEVIATION_MIN && size < AN_DEVIATION_MAX) || d == 0;
}

/* Moves the mean by t. The pair is renormalised before, not after: that does not wait for t, so the next deviation is
 * there sooner. Then Knuth's two-sum. */
static inline void an_mean_add(an_moments *a, double t)
{
    double hi = a->hi + a->lo, lo = a->lo - (hi - a->hi);
    double sum = hi + t, rest = sum - hi;
    a->hi = sum;
    a->lo = (hi - (sum - rest)) + ((t - rest) + lo);
}

/* Adds a finite value. 1/n does not wait for the data, so the division is off the critical path. */
static inline void an_moments_add(an_moments *a, double x)
{
    double d = (x - a->hi) - a->lo;
    if (a->n == 0 || a->scale != 0 || !an_is_ordinary(d)) {
        an_moments copy = *a; /* so that *a itself can stay in registers */
        an_moments_add_scaled(&copy, x);
        *a = copy;
        return;
    }
    a->n++;
    double t = d * (1.0 / (double)a->n);
    a->m2 += d * (d - t);
    an_mean_add(a, t);
}

/* Joins a and then b. */
static inline an_moments an_moments_merge(const an_moments *a, const an_moments *b)
{
    if (a->n == 0)
        return *b;
    if (b->n == 0)
        return *a;
    double d = (b->hi - a->hi) + (b->lo - a->lo);
    if ((a->scale | b->scale) != 0 || !an_is_ordinary(d)) {
        an_moments first = *a, second = *b, scaled = an_moments_merge_scaled(&first, &second); /* as above */
        return (an_moments){scaled.hi, scaled.lo, scaled.m2, scaled.n, scaled.scale};
    }
    double na = (double)a->n, nb = (double)b->n;
    double t = d * (nb / (na + nb));
    an_moments sum = *a;
    sum.n += b->n;
    sum.m2 = a->m2 + b->m2 + d * t * na;
    an_mean_add(&sum, t);
    return sum;
}

/* Answers how far the mean of a stretch lies from another's; 0 for an empty one. */
static inline double an_mean_distance(const an_moments *a, const an_moments *from)
{
    return a->n ? (a->hi - from->hi) + (a->lo - from->lo) : 0;
}

/* Joins three stretches: sums of squares about the mean of `about`, then one correction for the shift of the mean.
 * `about` holds at least a third of the values, so the correction takes away at most two thirds: no cancellation
 * worth the name. The mean of the result is hi + lo, not renormalised. *ordinary: was that within the short path? */
static inline an_moments an_moments_join_about(const an_moments *about, const an_moments *a, const an_moments *b,
                                               int *ordinary)
{
    double da = an_mean_distance(a, about), db = an_mean_distance(b, about);
    double sa = da * (double)a->n, sb = db * (double)b->n;
    double sum = sa + sb;
    uint32_t n = a->n + about->n + b->n;
    double shift = sum * (1.0 / (double)n);
    *ordinary = (a->scale | about->scale | b->scale) == 0 && an_is_ordinary(sa) && an_is_ordinary(sb);
    double m2 = (a->m2 + about->m2 + b->m2) + ((da * sa + db * sb) - sum * shift);
    return (an_moments){about->hi, about->lo + shift, m2, n, 0};
}

/* Joins three stretches about the one with the most values; there is a value. */
static inline an_moments an_moments_join_largest(const an_moments *oldest, const an_moments *middle,
                                                 const an_moments *newest, int *ordinary)
{
    if (middle->n >= oldest->n && middle->n >= newest->n)
        return an_moments_join_about(middle, oldest, newest, ordinary);
    if (oldest->n >= newest->n)
        return an_moments_join_about(oldest, middle, newest, ordinary);
    return an_moments_join_about(newest, oldest, middle, ordinary);
}

an_moments an_moments_join_any(const an_moments *oldest, const an_moments *middle, const an_moments *newest);

/* Joins the three stretches of a window. */
static inline an_moments an_moments_join(const an_moments *oldest, const an_moments *middle, const an_moments *newest)
{
    if (middle->n >= oldest->n && middle->n >= newest->n && middle->n > 0) {
        int ordinary;
        an_moments joined = an_moments_join_about(middle, oldest, newest, &ordinary);
        if (ordinary)
            return joined;
    }
    return an_moments_join_any(oldest, middle, newest);
}

/* Answers x - mean, not rounded through the mean. */
static inline double an_deviation(const an_moments *a, double x)
{
    return (x - a->hi) - a->lo;
}

/* Undoes the scale of an M2's square root. */
double an_moments_unscale(double root, int32_t scale);

/* Answers the standard deviation with divisor n - ddof; NaN while that is not positive. */
static inline double an_moments_stddev(const an_moments *a, int ddof)
{
    double divisor = (double)a->n - ddof;
    if (divisor <= 0)
        return (double)NAN;
    double root = sqrt(a->m2 * (1.0 / divisor));
    return a->scale == 0 ? root : an_moments_unscale(root, a->scale);
}

#endif
