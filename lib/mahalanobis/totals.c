/* SPDX-License-Identifier: MIT */
#include "mahalanobis/totals.h"

#include "base/memory.h"

#include <math.h>
#include <string.h>

size_t an_totals_bytes(uint32_t m)
{
    size_t numbers = 2 * (size_t)m + an_triangle_length(m);
    return sizeof(an_totals) + numbers * sizeof(double) + m * (sizeof(uint32_t) + sizeof(int8_t));
}

void an_totals_clear(an_totals *t, uint32_t m)
{
    t->events = 0;
    t->m = m;
    memset(t->number, 0, an_totals_bytes(m) - sizeof *t);
    memset(an_totals_scale(t), -1, m);
}

/* ---- a batch ---- */

/* Answers the scale for a deviation, -1 for none. */
static int scale_for(double a, double b)
{
    double size = fabs(a - b);
    return size >= AN_DEVIATION_MAX ? 1 : size < AN_DEVIATION_MIN ? -1 : 0;
}

static int larger_scale(int a, int b)
{
    return a > b ? a : b;
}

/* Answers the scale that the deviations of coordinate i, whose values are `x`, need from the first of them. */
static int find_base(an_totals *t, uint32_t i, const double *x)
{
    uint32_t n = 0;
    int scale = -1;
    double base = 0;
    for (uint32_t e = 0; e < AN_BATCH_VECTORS; e++) {
        if (isnan(x[e]))
            continue;
        base = n++ == 0 ? x[e] : base;
        scale = larger_scale(scale, scale_for(x[e], base));
    }
    an_totals_base(t)[i] = base;
    an_totals_values(t)[i] = n;
    an_totals_scale(t)[i] = (int8_t)scale;
    return scale;
}

/* Four sums side by side, which compilers do together; the same order everywhere. */
static double sum_of_products(const double *a, const double *b)
{
    double sum[4] = {0, 0, 0, 0};
    for (uint32_t e = 0; e < AN_BATCH_VECTORS; e += 4)
        for (uint32_t k = 0; k < 4; k++)
            sum[k] += a[e + k] * b[e + k];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

/* Makes the deviations from the mean; 0 for what is missing. */
static void subtract_mean(an_totals *t, uint32_t i, double *x)
{
    int scale = find_base(t, i, x);
    uint32_t n = an_totals_values(t)[i];
    double base = an_totals_base(t)[i], sum = 0;
    for (uint32_t e = 0; e < AN_BATCH_VECTORS; e++) {
        x[e] = an_totals_difference(x[e], base, scale);
        sum += isnan(x[e]) ? 0 : x[e];
    }
    double mean = n ? sum / (double)n : 0;
    for (uint32_t e = 0; e < AN_BATCH_VECTORS; e++)
        x[e] = isnan(x[e]) ? 0 : x[e] - mean;
    an_totals_mean(t)[i] = mean;
}

void an_totals_of_batch(an_totals *t, double *batch)
{
    double *product = an_totals_product(t);
    t->events = AN_BATCH_VECTORS;
    for (uint32_t i = 0; i < t->m; i++)
        subtract_mean(t, i, batch + (size_t)i * AN_BATCH_VECTORS);
    for (uint32_t j = 0; j < t->m; j++)
        for (uint32_t i = j; i < t->m; i++)
            *product++ = sum_of_products(batch + (size_t)j * AN_BATCH_VECTORS, batch + (size_t)i * AN_BATCH_VECTORS);
}

/* ---- two stretches ---- */

/* What a merge needs to know of each coordinate. */
typedef struct shift {
    double by[AN_MOST_COORDINATES];                             /* how far the means lie apart, weighted */
    double own[AN_MOST_COORDINATES], more[AN_MOST_COORDINATES]; /* factors to the common scale */
} shift;

/* Joins coordinate i of `more`, whose totals are `b`; 1: both have its scale already. */
static int merge_coordinate(an_totals *a, an_totals *b, uint32_t i, shift *s)
{
    uint32_t *na = &an_totals_values(a)[i], nb = an_totals_values(b)[i];
    int8_t *scale = &an_totals_scale(a)[i], other = an_totals_scale(b)[i];
    double *base = &an_totals_base(a)[i], *mean = &an_totals_mean(a)[i];
    s->by[i] = 0;
    s->own[i] = s->more[i] = 1;
    if (nb == 0)
        return 1;
    if (*na == 0) { /* every product of it is 0 */
        *na = nb, *scale = other, *base = an_totals_base(b)[i], *mean = an_totals_mean(b)[i];
        return 1;
    }
    int common = larger_scale(larger_scale(*scale, other), scale_for(an_totals_base(b)[i], *base));
    s->own[i] = an_totals_factor(*scale, common);
    s->more[i] = an_totals_factor(other, common);
    *mean *= s->own[i];
    double share = (double)nb / ((double)*na + (double)nb);
    double apart = (an_totals_difference(an_totals_base(b)[i], *base, common) + an_totals_mean(b)[i] * s->more[i]) - *mean;
    *mean += apart * share;
    s->by[i] = apart * sqrt((double)*na * share);
    *na += nb;
    *scale = (int8_t)common;
    return s->own[i] == 1 && s->more[i] == 1;
}

static void merge_products(double *a, const double *b, uint32_t m, const double *by)
{
    for (uint32_t j = 0; j < m; a += m - j, b += m - j, j++)
        for (uint32_t i = 0; i < m - j; i++)
            a[i] = (a[i] + b[i]) + by[j] * by[j + i];
}

static void merge_scaled_products(double *a, const double *b, uint32_t m, const shift *s)
{
    for (uint32_t j = 0; j < m; a += m - j, b += m - j, j++)
        for (uint32_t i = 0; i < m - j; i++) {
            double own = a[i] * s->own[j + i] * s->own[j], more = b[i] * s->more[j + i] * s->more[j];
            a[i] = (own + more) + s->by[j] * s->by[j + i];
        }
}

void an_totals_merge(an_totals *a, const an_totals *more)
{
    an_totals *b = (an_totals *)more; /* is only read */
    shift s;
    int plain = 1;
    for (uint32_t i = 0; i < a->m; i++)
        plain &= merge_coordinate(a, b, i, &s);
    a->events += b->events;
    if (plain)
        merge_products(an_totals_product(a), an_totals_product(b), a->m, s.by);
    else
        merge_scaled_products(an_totals_product(a), an_totals_product(b), a->m, &s);
}

/* ---- moments ---- */

static an_moments moments_with(double base, double mean, double product, uint32_t n, int scale)
{
    double size = scale > 0 ? 0x1p540 : scale < 0 ? 0x1p-540 : 1;
    return (an_moments){base, mean * size, product, n, product != 0 ? scale : 0};
}

an_moments an_totals_moments(const an_totals *totals, uint32_t i)
{
    an_totals *t = (an_totals *)totals; /* is only read */
    double product = an_totals_product(t)[an_triangle_at(t->m, i, i)];
    return moments_with(an_totals_base(t)[i], an_totals_mean(t)[i], product, an_totals_values(t)[i], an_totals_scale(t)[i]);
}

an_moments an_totals_step(const an_totals *totals, uint32_t i, uint32_t j)
{
    an_totals *t = (an_totals *)totals; /* is only read */
    const double *product = an_totals_product(t);
    int scale = larger_scale(an_totals_scale(t)[i], an_totals_scale(t)[j]);
    double a = an_totals_factor(an_totals_scale(t)[i], scale), b = an_totals_factor(an_totals_scale(t)[j], scale);
    double squares = a * a * product[an_triangle_at(t->m, i, i)] + b * b * product[an_triangle_at(t->m, j, j)];
    double apart = squares - 2 * (a * b * product[an_triangle_at(t->m, i, j)]);
    return moments_with(an_totals_base(t)[i] - an_totals_base(t)[j], a * an_totals_mean(t)[i] - b * an_totals_mean(t)[j],
                        apart > 0 ? apart : 0, an_totals_values(t)[i], scale);
}

/* ---- snapshots ---- */

void an_totals_save(const an_totals *totals, an_writer *writer)
{
    an_totals *t = (an_totals *)totals; /* is only read */
    size_t numbers = 2 * (size_t)t->m + an_triangle_length(t->m);
    an_write_varint(writer, t->events);
    if (t->events == 0)
        return;
    for (uint32_t i = 0; i < t->m; i++) {
        an_write_varint(writer, an_totals_values(t)[i]);
        an_write_u8(writer, (uint8_t)(an_totals_scale(t)[i] + 1));
    }
    for (size_t i = 0; i < numbers; i++)
        an_write_double(writer, t->number[i]);
}

size_t an_totals_least_bytes(uint32_t m)
{
    return 1 + 2 * (size_t)m + (2 * (size_t)m + an_triangle_length(m)) * sizeof(double);
}

void an_totals_load(an_totals *t, uint64_t most, an_reader *reader)
{
    uint64_t events = an_read_varint_to(reader, t ? most : 0);
    if (reader->bad || events == 0)
        return;
    size_t numbers = 2 * (size_t)t->m + an_triangle_length(t->m);
    t->events = events;
    for (uint32_t i = 0; i < t->m; i++) {
        an_totals_values(t)[i] = (uint32_t)an_read_varint_to(reader, events);
        uint8_t scale = an_read_u8(reader);
        reader->bad |= scale > 2;
        an_totals_scale(t)[i] = reader->bad ? 0 : (int8_t)(scale - 1);
    }
    for (size_t i = 0; i < numbers; i++) /* any: what overflows is forgotten with its block */
        t->number[i] = an_read_double(reader);
}
