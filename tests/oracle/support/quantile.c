/* SPDX-License-Identifier: MIT
 * quantile.c - order statistics. The k-th of n values is the one of rank 100 k / n, as a double like the percentage that is
 * asked for: 99.9 percent of a thousand values are 999, though no double is 99.9. */
#include "oracle.h"

#include <stdlib.h>
#include <string.h>

static int compare_doubles(const void *a, const void *b)
{
    double x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

void oracle_sort(double *values, size_t count)
{
    if (count > 1)
        qsort(values, count, sizeof *values, compare_doubles);
}

static oracle_number nearest_rank(const double *sorted, size_t count, double share, unsigned whole)
{
    oracle_number q = {0, 0};
    size_t rank = (size_t)((real)share * count / whole);
    if (rank == 0)
        rank = 1;
    while (rank < count && (double)((real)whole * rank / count) < share)
        rank++;
    q.value = sorted[rank - 1];
    return q;
}

/* A position is a double in the library, and so has its own rounding, which stretches over the gap that it lies in. */
static oracle_number linear(const double *sorted, size_t count, double share, unsigned whole)
{
    real position = (real)share * (count - 1) / whole;
    size_t low = (size_t)position, high = low + 1 < count ? low + 1 : low;
    real a = sorted[low], b = sorted[high], t = position - (real)low;
    size_t before = t < 1e-9 && low > 0 ? low - 1 : low, after = t > 1 - 1e-9 && high + 1 < count ? high + 1 : high;
    oracle_number q;
    q.value = a + (b - a) * t;
    q.slack = ((real)sorted[after] - sorted[before]) * (real)count * 0x1p-52;
    if (a != b)
        q.slack += real_ulp(real_max(real_abs(a), real_abs(b)));
    return q;
}

oracle_number oracle_quantile(const double *sorted, size_t count, double share, unsigned whole, int interpolation)
{
    if (interpolation == ANOMALY_NEAREST)
        return nearest_rank(sorted, count, share, whole);
    return linear(sorted, count, share, whole);
}

oracle_number oracle_median(const double *sorted, size_t count)
{
    real a = sorted[(count - 1) / 2], b = sorted[count / 2];
    oracle_number median;
    median.value = (a + b) / 2;
    median.slack = a == b ? 0 : real_ulp(real_max(real_abs(a), real_abs(b)));
    return median;
}
