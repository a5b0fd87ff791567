/* SPDX-License-Identifier: MIT */
/* A sum of doubles without any rounding: a whole number of 2^-1074, the least double, wide enough for 2^30 of the
 * largest. What has been added can be taken away again and nothing of it stays, in whatever order, since these are
 * integers. (The idea of a long accumulator: Kulisch 1971; Neal 2015, "Fast exact summation using small and large
 * superaccumulators".) */
#ifndef AN_BASE_TOTAL_H
#define AN_BASE_TOTAL_H

#include <stdint.h>

#define AN_TOTAL_WORDS 34

typedef struct an_total {
    uint64_t word[AN_TOTAL_WORDS]; /* the low ones first; modulo 2^2176, so negative numbers may come in between */
} an_total;

/* x is finite. */
void an_total_add(an_total *total, double x);
void an_total_subtract(an_total *total, double x);

/* total / n, for a total that is not negative: rounded to a double (of any size), then divided. */
double an_total_mean(const an_total *total, uint32_t n);

#endif
