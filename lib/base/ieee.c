/* SPDX-License-Identifier: MIT */
#include "base/ieee.h"

#include <math.h>

/* Each is true of IEEE 754 arithmetic, and not of what an optimiser makes of it that takes it for the reals. The
 * values are volatile, so that they are computed here and not by the compiler, which computes constants right. */

static int keeps_order(volatile double large, volatile double small)
{
    double a = large, b = small;
    return (a + b) - a == 0.0;
}

static int divides(volatile double five)
{
    return five / 3.0 == 0x1.aaaaaaaaaaaabp0; /* five times the rounded third is one bit less */
}

static int rounds_products(volatile double x) /* 1 + 2^-30: the square ends with 2^-60 */
{
    double a = x;
    return a * a - 0x1.00000008p0 == 0.0;
}

static int loses_negative_zero(volatile double negative_zero)
{
    double sum = negative_zero + 0.0;
    return !signbit(sum);
}

static int sees_nan(volatile double zero)
{
    double x = zero, difference = x / x;
    return difference != difference && !(difference >= 0.0) && !isfinite(difference);
}

int an_arithmetic_is_exact(void)
{
    return keeps_order(0x1p60, 1.0) && divides(5.0) && rounds_products(0x1.00000004p0) && loses_negative_zero(-0.0) &&
           sees_nan(0.0);
}
