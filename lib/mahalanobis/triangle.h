/* SPDX-License-Identifier: MIT */
/* Lower triangles of m rows, column by column: column j is the elements (j, j) to (m - 1, j), side by side. Every
 * loop over a column adds to different numbers, so compilers may do several at a time and the bits stay. */
#ifndef AN_MAHALANOBIS_TRIANGLE_H
#define AN_MAHALANOBIS_TRIANGLE_H

#include <stddef.h>
#include <stdint.h>

static inline size_t an_triangle_length(uint32_t m)
{
    return (size_t)m * (m + 1u) / 2;
}

/* Finds where element (j, j) lies. */
static inline size_t an_triangle_column(uint32_t m, uint32_t j)
{
    return (size_t)j * m - (size_t)j * (j - 1u) / 2 * (j > 0);
}

/* Finds element (i, j), j <= i. */
static inline size_t an_triangle_at(uint32_t m, uint32_t i, uint32_t j)
{
    return an_triangle_column(m, j) + (i - j);
}

/* Makes L of the symmetric matrix in `a`, a = L L'. Pivots are at least `least`: rounding makes none of them 0. */
void an_triangle_factor(double *a, uint32_t m, double least);

/* Makes the inverse of L. */
void an_triangle_invert(const double *l, double *inverse, uint32_t m);

/* Computes z = W x, and u = W' z. */
void an_triangle_times(const double *w, uint32_t m, const double *x, double *z);
void an_triangle_transposed_times(const double *w, uint32_t m, const double *z, double *u);

#endif
