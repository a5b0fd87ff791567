/* SPDX-License-Identifier: MIT */
/* Totals of a stretch of vectors: of each coordinate count and mean, of each pair the sum of products of the
 * deviations from the means (divided by the count: the covariance). Totals of two stretches are merged into those of
 * both (Chan, Golub and LeVeque 1983); nothing is ever taken away from them.
 *
 * A missing coordinate (NaN) deviates by 0 and does not count. Deviations of a coordinate are kept times 2^(-540
 * scale), scale -1, 0 or 1, so that their products neither underflow nor overflow; means count from the first value,
 * so that an offset costs no digits. */
#ifndef AN_MAHALANOBIS_TOTALS_H
#define AN_MAHALANOBIS_TOTALS_H

#include "base/bytes.h"
#include "mahalanobis/triangle.h"
#include "window/moments.h"

#define AN_MOST_COORDINATES 128u
#define AN_BATCH_VECTORS    16u

typedef struct an_totals {
    uint64_t events;
    uint32_t m;
    double number[]; /* base[m], mean[m], product[triangle], then as uint32_t values[m], as int8_t scale[m] */
} an_totals;

static inline double *an_totals_base(an_totals *t) /* the first value */
{
    return t->number;
}

static inline double *an_totals_mean(an_totals *t) /* of value - base, scaled */
{
    return t->number + t->m;
}

static inline double *an_totals_product(an_totals *t)
{
    return t->number + 2 * (size_t)t->m;
}

static inline uint32_t *an_totals_values(an_totals *t)
{
    return (uint32_t *)(void *)(an_totals_product(t) + an_triangle_length(t->m));
}

static inline int8_t *an_totals_scale(an_totals *t) /* -1 also where all values are equal */
{
    return (int8_t *)(an_totals_values(t) + t->m);
}

size_t an_totals_bytes(uint32_t m);
void an_totals_clear(an_totals *totals, uint32_t m);

/* Makes the totals of a batch, [m][AN_BATCH_VECTORS], whose values become deviations. */
void an_totals_of_batch(an_totals *totals, double *batch);

/* Joins `more` to the totals. */
void an_totals_merge(an_totals *totals, const an_totals *more);

/* Answers the factor from a scale to the same one or a larger: two steps up nothing is left that weighs. */
static inline double an_totals_factor(int from, int to)
{
    return from == to ? 1.0 : to - from == 1 ? 0x1p-540 : 0.0;
}

/* Answers (a - b) 2^(-540 scale), without an overflow on the way. */
static inline double an_totals_difference(double a, double b, int scale)
{
    return scale > 0 ? a * 0x1p-540 - b * 0x1p-540 : scale < 0 ? (a - b) * 0x1p540 : a - b;
}

/* The moments of coordinate i, and of coordinate i less coordinate j < i. */
an_moments an_totals_moments(const an_totals *totals, uint32_t i);
an_moments an_totals_step(const an_totals *totals, uint32_t i, uint32_t j);

void an_totals_save(const an_totals *totals, an_writer *writer);
size_t an_totals_least_bytes(uint32_t m); /* of what save writes where there are events */
/* Reads totals of at most so many events; NULL: of none. */
void an_totals_load(an_totals *totals, uint64_t most, an_reader *reader);

#endif
