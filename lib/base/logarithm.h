/* SPDX-License-Identifier: MIT */
/* Logarithms and exponentials with the same bits on every machine: only + - * / of doubles in one order, since a C
 * library's log and exp differ from those of the next in the last bit. Each is within 1 unit in the last place of
 * the real function (tests/unit/logarithm.c).
 *
 * Method: a table of the logarithms of 128 numbers c from 0.6875 to 1.375, and of 2^(i / 128), so that the series
 * that remain are short (Tang, "Table-driven implementation of the logarithm function in IEEE floating-point
 * arithmetic", 1990; "... of the exponential function", 1989):
 *     log(2^k z) = k log 2 + log(c) + log(1 + r)      with r = (z - c) / c, |r| < 1/128;
 *     e^x        = 2^(n / 128) (1 + (e^r - 1))        with x = n log(2) / 128 + r, |r| < 1/368. */
#ifndef AN_BASE_LOGARITHM_H
#define AN_BASE_LOGARITHM_H

/* log(0) is -infinity, of a negative number NaN; NaN and infinity stay. */
double an_log(double x);
double an_log1p(double x); /* log(1 + x), also where x is tiny */
double an_log10(double x); /* within 2 */

/* Beyond the doubles infinity or 0 (an_expm1: -1). */
double an_exp(double x);
double an_expm1(double x); /* e^x - 1, also where x is tiny; within 2 */

/* Put the same of three in their places, sooner than three calls; but infinities stay, and a negative zero is 0. */
void an_exp_three(double *a, double *b, double *c);
void an_expm1_three(double *a, double *b, double *c);

#endif
