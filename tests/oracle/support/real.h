/* SPDX-License-Identifier: MIT
 * real.h - numbers of 113 bits, in which the oracle reckons: + - * / are the compiler's, the square root is Newton's. */
#ifndef ORACLE_REAL_H
#define ORACLE_REAL_H

#include <float.h>
#include <math.h>

#if LDBL_MANT_DIG == 113
typedef long double real;
#else
__extension__ typedef __float128 real;
#endif

#define REAL_EPSILON ((real)0x1p-112)

static inline real real_abs(real x)
{
    return x < 0 ? -x : x;
}

static inline real real_max(real a, real b)
{
    return a > b ? a : b;
}

static inline real real_infinity(int negative)
{
    return negative ? -(real)INFINITY : (real)INFINITY;
}

static inline int real_is_nan(real x)
{
    return x != x;
}

static inline int real_is_infinite(real x)
{
    return x - x != 0 && !real_is_nan(x);
}

/* Powers of four bring x near 1, where a double's root is a start good to 53 bits: two steps double that twice. */
static inline real real_sqrt(real x)
{
    real scale = 1, root;
    if (!(x > 0) || real_is_infinite(x))
        return x;
    for (; x > 0x1p200; x *= (real)0x1p-400)
        scale *= (real)0x1p200;
    for (; x < 0x1p-200; x *= (real)0x1p400)
        scale *= (real)0x1p-200;
    root = sqrt((double)x);
    root = (root + x / root) / 2;
    root = (root + x / root) / 2;
    return root * scale;
}

/* The distance from |x| to the next double. */
static inline real real_ulp(real x)
{
    double d = (double)real_abs(x);
    if (!(d < DBL_MAX))
        return (real)0x1p971;
    return (real)nextafter(d, INFINITY) - (real)d;
}

#endif
