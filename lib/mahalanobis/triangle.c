/* SPDX-License-Identifier: MIT */
#include "mahalanobis/triangle.h"

#include <math.h>
#include <string.h>

#define SHORT_COLUMN 16u

void an_triangle_factor(double *a, uint32_t m, double least)
{
    for (uint32_t j = 0; j < m; j++) {
        double *column = a + an_triangle_column(m, j);
        double pivot = sqrt(column[0] > least ? column[0] : least);
        column[0] = pivot;
        for (uint32_t i = 1; i < m - j; i++)
            column[i] /= pivot;
        for (uint32_t k = 1; k < m - j; k++) {
            double *later = a + an_triangle_column(m, j + k), factor = column[k];
            for (uint32_t i = 0; i < m - j - k; i++)
                later[i] -= column[k + i] * factor;
        }
    }
}

/* A column of the inverse solves L x = (0 .. 1 .. 0), forwards. */
void an_triangle_invert(const double *l, double *inverse, uint32_t m)
{
    memset(inverse, 0, an_triangle_length(m) * sizeof *inverse);
    for (uint32_t j = 0; j < m; j++) {
        double *x = inverse + an_triangle_column(m, j);
        x[0] = 1;
        for (uint32_t k = 0; k < m - j; k++) {
            const double *column = l + an_triangle_column(m, j + k);
            x[k] /= column[0];
            for (uint32_t i = 1; i < m - j - k; i++)
                x[k + i] -= column[i] * x[k];
        }
    }
}

/* The same sums row by row: a short column is stored and read back before the store is over, a sum stays in its
 * register. */
static void times_by_rows(const double *w, uint32_t m, const double *x, double *z)
{
    for (uint32_t i = 0; i < m; i++) {
        const double *element = w + i;
        double sum = 0;
        for (uint32_t j = 0; j <= i; element += m - 1 - j, j++)
            sum += *element * x[j];
        z[i] = sum;
    }
}

void an_triangle_times(const double *w, uint32_t m, const double *x, double *z)
{
    if (m <= SHORT_COLUMN) {
        times_by_rows(w, m, x, z);
        return;
    }
    for (uint32_t i = 0; i < m; i++)
        z[i] = 0;
    for (uint32_t j = 0; j < m; w += m - j, j++)
        for (uint32_t i = 0; i < m - j; i++)
            z[j + i] += w[i] * x[j];
}

void an_triangle_transposed_times(const double *w, uint32_t m, const double *z, double *u)
{
    for (uint32_t j = 0; j < m; w += m - j, j++) {
        u[j] = 0;
        for (uint32_t i = 0; i < m - j; i++)
            u[j] += w[i] * z[j + i];
    }
}
