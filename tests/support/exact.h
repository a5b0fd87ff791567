/* SPDX-License-Identifier: MIT
 * exact.h - what the window's numbers are, computed the slow way: mean and standard deviation by a
 * corrected two-pass in 113-bit floating point, quantiles by sorting. No function of libm or
 * libquadmath is needed. */
#ifndef EXACT_H
#define EXACT_H

#include <float.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SIZEOF_FLOAT128__)
__extension__ typedef __float128 quad;
#elif LDBL_MANT_DIG >= 113
typedef long double quad;
#else
#error "the tests need a 113-bit floating point type"
#endif

/* Newton's iteration from a power of two near the root; the exponent range is quad's own. */
static inline quad quad_sqrt(quad x)
{
    quad scale = 1, root;
    if (!(x > 0))
        return 0;
    while (x > (quad)0x1p200) {
        x *= (quad)0x1p-200;
        scale *= (quad)0x1p100;
    }
    while (x < (quad)0x1p-200) {
        x *= (quad)0x1p200;
        scale *= (quad)0x1p-100;
    }
    root = (quad)sqrt((double)x);
    for (int i = 0; i < 3; i++)
        root = (root + x / root) / 2;
    return root * scale;
}

typedef struct exact_moments {
    size_t n;
    quad mean;
    quad m2; /* sum of squared deviations from the mean */
} exact_moments;

static inline exact_moments exact_of(const double *x, size_t n)
{
    exact_moments e = {n, 0, 0};
    quad sum = 0, rest = 0, square = 0;
    if (n == 0)
        return e;
    for (size_t i = 0; i < n; i++)
        sum += (quad)x[i];
    e.mean = sum / (quad)n;
    for (size_t i = 0; i < n; i++) {
        quad d = (quad)x[i] - e.mean;
        rest += d;
        square += d * d;
    }
    e.mean += rest / (quad)n;
    e.m2 = square - rest * rest / (quad)n;
    return e;
}

/* All values the same: the rounding of the mean must not make a spread of nothing. */
static inline int exact_constant(const double *x, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (x[i] != x[0])
            return 0;
    return 1;
}

static inline quad exact_variance(const exact_moments *e, int ddof)
{
    return e->m2 / (quad)(e->n - (size_t)ddof);
}

static inline quad exact_stddev(const exact_moments *e, int ddof)
{
    return quad_sqrt(exact_variance(e, ddof));
}

/* |got - want| / want in quad: a double's subtraction would hide part of it. */
static inline double exact_error(double got, quad want)
{
    quad d = (quad)got - want;
    if (want == 0)
        return got == 0 ? 0 : INFINITY;
    if (d < 0)
        d = -d;
    return (double)(d / (want < 0 ? -want : want));
}

/* ---- order ---- */

static inline int exact_compare(const void *a, const void *b)
{
    double x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

static inline void exact_sort(double *x, size_t n)
{
    if (n > 1)
        qsort(x, n, sizeof *x, exact_compare);
}

/* NumPy's linear rule on sorted values. */
static inline double exact_linear(const double *sorted, size_t n, double q)
{
    double h = (double)(n - 1) * q;
    size_t i = (size_t)h;
    double a, b, t;
    if (i >= n - 1)
        return sorted[n - 1];
    a = sorted[i];
    b = sorted[i + 1];
    t = h - (double)i;
    return t < 0.5 ? a + (b - a) * t : b - (b - a) * (1 - t);
}

/* The first rank k, from 1, at which the share k/n of the values, rounded to the double that a user can write, reaches
 * share/of: of 1 or of 100. */
static inline size_t exact_nearest_rank(size_t n, double share, double of)
{
    size_t k = (size_t)((quad)share * (quad)n / (quad)of);
    k = k > 2 ? k - 1 : 1;
    while (k < n && (double)((quad)k * (quad)of / (quad)n) < share)
        k++;
    return k;
}

/* The mean of |x - centre|: the sum rounded to a double of any exponent, then divided. */
static inline double exact_mean_deviation(const double *x, size_t n, double centre)
{
    quad sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i] > centre ? (quad)x[i] - (quad)centre : (quad)centre - (quad)x[i];
    if (sum > (quad)0x1p1000)
        return (double)(sum * (quad)0x1p-64) / (double)n * 0x1p64;
    return (double)sum / (double)n;
}

/* Median and spread: MAD by the linear rule times 1.4826, or where that is 0 the mean deviation times 1.253314. x is sorted on
 * return, scratch takes n doubles. */
static inline void exact_robust(double *x, size_t n, double *scratch, double *median, double *spread)
{
    exact_sort(x, n);
    *median = exact_linear(x, n, 0.5);
    for (size_t i = 0; i < n; i++)
        scratch[i] = fabs(x[i] - *median);
    exact_sort(scratch, n);
    *spread = 1.4826 * exact_linear(scratch, n, 0.5);
    if (*spread == 0)
        *spread = 1.253314 * exact_mean_deviation(x, n, *median);
}

#endif
