/* SPDX-License-Identifier: MIT
 * naive.h - the yardstick of the benchmarks: the sliding z-score that everyone writes first. */
#ifndef NAIVE_H
#define NAIVE_H

#include <stddef.h>

typedef struct naive {
    double *ring;
    size_t window, count, next;
    double mean, m2;
} naive;

/* window > 1; ring has `window` places. */
void naive_init(naive *n, double *ring, size_t window);

/* |x - mean| / standard deviation of the window before x, which then comes into it. */
double naive_update(naive *n, double x);

#endif
