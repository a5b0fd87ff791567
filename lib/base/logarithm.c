/* SPDX-License-Identifier: MIT */
#include "base/logarithm.h"

#include "base/logarithm_tables.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

/* log(2) = HIGH + LOW, and the same of a 128th. HIGH is a multiple of 2^-42, so n * HIGH is exact for every n that
 * comes. */
#define LOG2_HIGH     0x1.62e42fefa3800p-1
#define LOG2_LOW      0x1.ef35793c76730p-45
#define STEP_HIGH     0x1.62e42fefc0000p-8
#define STEP_LOW      -0x1.c610ca86c3899p-44
#define STEPS_IN_ONE  0x1.71547652b82fep+7
#define TO_WHOLE      0x1.8p52 /* added and taken away, it rounds to a whole number */
#define LOG10_E       0x1.bcb7b1526e50ep-2
#define LARGEST_EXP   0x1.62e42fefa39efp+9         /* e^x is a double up to here, */
#define LEAST_EXP     (-745.14)                    /* and not 0 down to here */
#define USUAL_EXP     700.0                        /* the power of 2 in e^x is a normal double below that */
#define USUAL_EXPM1   39.0                         /* 1 still counts in e^x - 1 below that */
#define NEGLIGIBLE    0x1p-54                      /* as a share of 1 */
#define FIRST_STRETCH UINT64_C(0x3fe6000000000000) /* 0.6875 */
#define EXPONENT      (UINT64_C(0xfff) << 52)

static uint64_t double_bits(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static double from_bits(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* log(1 + r) - r for |r| < 1/128: -r^2/2 + r^3/3 - ... */
static double log_series(double r)
{
    double z = r * r;
    double odd = 1.0 / 3 + z * (1.0 / 5 + z * (1.0 / 7)), even = 1.0 / 4 + z * (1.0 / 6 + z * (1.0 / 8));
    return z * (-0.5 + r * (odd - r * even));
}

/* log(2^k u (1 + share)) for a normal positive u, the share being next to nothing. */
static inline double log_of_normal(double u, int k, double share)
{
    uint64_t from = double_bits(u) - FIRST_STRETCH;
    const an_log_row *row = &an_log_table[from >> 45 & 127];
    double z = from_bits(double_bits(u) - (from & EXPONENT));
    double exponent = (double)(k + (int)((from >> 52) ^ 0x800) - 0x800);
    double r = (z - row->middle) * row->inverse;
    double high = exponent * LOG2_HIGH + row->high, sum = high + r, rest = (high - sum) + r;
    return sum + (rest + (exponent * LOG2_LOW + row->low + share + log_series(r)));
}

double an_log(double x)
{
    if (!(x > 0))
        return x == 0 ? -(double)INFINITY : (double)NAN;
    if (x > DBL_MAX)
        return x;
    return x < DBL_MIN ? log_of_normal(x * 0x1p54, -54, 0.0) : log_of_normal(x, 0, 0.0);
}

/* u = 1 + x is rounded; what the rounding has lost is not. */
double an_log1p(double x)
{
    if (!(x > -1.0))
        return x == -1.0 ? -(double)INFINITY : (double)NAN;
    if (x > DBL_MAX || fabs(x) < NEGLIGIBLE)
        return x;
    if (fabs(x) < 0x1p-8)
        return x + log_series(x);
    double u = 1.0 + x, lost = x < 1.0 ? x - (u - 1.0) : 1.0 - (u - x);
    return log_of_normal(u, 0, lost / u);
}

double an_log10(double x)
{
    return an_log(x) * LOG10_E;
}

/* e^x = 2^power * (row + row * small), small = e^r - 1. */
typedef struct an_exp_parts {
    const an_exp_row *row;
    double small;
    int power;
} an_exp_parts;

static an_exp_parts split_exp(double x)
{
    double n = (x * STEPS_IN_ONE + TO_WHOLE) - TO_WHOLE, r = (x - n * STEP_HIGH) - n * STEP_LOW, z = r * r;
    double series = z * (0.5 + r * (1.0 / 6)) + z * z * (1.0 / 24 + r * (1.0 / 120));
    int steps = (int)n;
    return (an_exp_parts){&an_exp_table[(unsigned)steps & 127u], r + series, (steps - (int)((unsigned)steps & 127u)) / 128};
}

/* y * 2^k, in two steps where 2^k alone is no normal double. */
static double scale_by_power(double y, int k)
{
    if (k > 1023)
        return y * 2.0 * from_bits((uint64_t)(k + 1022) << 52);
    if (k < -1021)
        return y * from_bits((uint64_t)(k + 1223) << 52) * 0x1p-200;
    return y * from_bits((uint64_t)(k + 1023) << 52);
}

double an_exp(double x)
{
    if (!(x <= LARGEST_EXP))
        return x > LARGEST_EXP ? (double)INFINITY : x;
    if (x < LEAST_EXP)
        return 0.0;
    an_exp_parts e = split_exp(x);
    return scale_by_power(e.row->high + (e.row->low + e.row->high * e.small), e.power);
}

/* The same where 2^power is a normal double. */
static inline double usual_exp(double x)
{
    an_exp_parts e = split_exp(x);
    return (e.row->high + (e.row->low + e.row->high * e.small)) * from_bits((uint64_t)(e.power + 1023) << 52);
}

/* Near 0 the series by itself: e^x - 1 = x + x^2/2 + ... + x^9/9! */
static double small_expm1(double x)
{
    double z = x * x, first = 0.5 + x * (1.0 / 6), second = 1.0 / 24 + x * (1.0 / 120);
    double third = 1.0 / 720 + x * (1.0 / 5040), fourth = 1.0 / 40320 + x * (1.0 / 362880);
    return x + z * (first + z * (second + z * (third + z * fourth)));
}

static double joined_expm1(an_exp_parts e)
{
    double power = from_bits((uint64_t)(e.power + 1023) << 52), high = power * e.row->high;
    return (high - 1.0) + power * (e.row->low + e.row->high * e.small);
}

static inline double usual_expm1(double x)
{
    if (fabs(x) >= 0x1p-4)
        return joined_expm1(split_exp(x));
    return fabs(x) < NEGLIGIBLE ? x : small_expm1(x);
}

double an_expm1(double x)
{
    if (!(x <= LARGEST_EXP))
        return x > LARGEST_EXP ? (double)INFINITY : x;
    if (x < USUAL_EXPM1)
        return x < -40.0 ? -1.0 : usual_expm1(x);
    an_exp_parts e = split_exp(x);
    return e.power > 56 ? an_exp(x) - 1.0 : joined_expm1(e);
}

/* ---- three at once ---- */

static inline int are_within(double a, double b, double c, double bound)
{
    return fabs(a) < bound && fabs(b) < bound && fabs(c) < bound;
}

static void exp_one_by_one(double *a, double *b, double *c)
{
    *a = isfinite(*a) ? an_exp(*a) : *a;
    *b = isfinite(*b) ? an_exp(*b) : *b;
    *c = isfinite(*c) ? an_exp(*c) : *c;
}

void an_exp_three(double *a, double *b, double *c)
{
    if (!are_within(*a, *b, *c, USUAL_EXP)) {
        exp_one_by_one(a, b, c);
        return;
    }
    *a = usual_exp(*a);
    *b = usual_exp(*b);
    *c = usual_exp(*c);
}

static void expm1_one_by_one(double *a, double *b, double *c)
{
    *a = isfinite(*a) ? an_expm1(*a + 0.0) : *a;
    *b = isfinite(*b) ? an_expm1(*b + 0.0) : *b;
    *c = isfinite(*c) ? an_expm1(*c + 0.0) : *c;
}

void an_expm1_three(double *a, double *b, double *c)
{
    if (!are_within(*a, *b, *c, USUAL_EXPM1)) {
        expm1_one_by_one(a, b, c);
        return;
    }
    *a = usual_expm1(*a + 0.0);
    *b = usual_expm1(*b + 0.0);
    *c = usual_expm1(*c + 0.0);
}
