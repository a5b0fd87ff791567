/* SPDX-License-Identifier: MIT */
/* From the totals of the window to W, the inverse factor of its covariance. */
#include "mahalanobis/mahalanobis.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* Added to every variance, as a share of their mean. */
#define RIDGE_OF_ONE     0.1
#define RIDGE_OF_SEVERAL 0.3

static void merge_blocks(an_mahalanobis *h)
{
    an_totals_clear(h->fit, h->m);
    for (uint32_t i = 0; i < h->used; i++) { /* oldest first */
        const an_totals *block = h->block[(h->next + AN_WINDOW_BLOCKS + 1 - h->used + i) % AN_WINDOW_BLOCKS];
        if (block && block->events)
            an_totals_merge(h->fit, block);
    }
}

/* One value has one unit, the largest scale of its coordinates; of several each is counted in its own standard
 * deviations. */
static void find_units(an_totals *fit, int one_value, double *unit)
{
    const int8_t *scale = an_totals_scale(fit);
    int largest = -1;
    for (uint32_t i = 0; i < fit->m; i++)
        largest = scale[i] > largest ? scale[i] : largest;
    for (uint32_t i = 0; i < fit->m; i++) {
        double product = an_totals_product(fit)[an_triangle_at(fit->m, i, i)];
        double variance = product / (double)(an_totals_values(fit)[i] ? an_totals_values(fit)[i] : 1);
        unit[i] = !(variance > 0) ? 0 : one_value ? an_totals_factor(scale[i], largest) : 1 / sqrt(variance);
    }
}

/* The covariance in these units. Each coordinate has its own count n, a missing one adds nothing to the sum of
 * products: divided by sqrt(n n) the matrix stays positive semidefinite, the variances are right, and correlations
 * shrink by what is missing. */
static void make_covariance(an_totals *fit, const double *unit, double *covariance)
{
    const double *product = an_totals_product(fit);
    const uint32_t *n = an_totals_values(fit);
    for (uint32_t j = 0; j < fit->m; j++)
        for (uint32_t i = j; i < fit->m; i++) {
            double pairs = n[i] == n[j] ? n[i] : sqrt((double)n[i] * (double)n[j]);
            *covariance++ = unit[i] == 0 || unit[j] == 0 ? 0 : *product / pairs * unit[i] * unit[j];
            product++;
        }
}

/* Adds the ridge, and returns it: 0 where no coordinate has a spread. */
static double add_ridge(double *covariance, uint32_t m, const double *unit, double share)
{
    double sum = 0;
    uint32_t spread = 0;
    for (uint32_t i = 0; i < m; i++) {
        sum += covariance[an_triangle_at(m, i, i)];
        spread += unit[i] != 0;
    }
    double ridge = spread ? share * (sum / (double)spread) : 0;
    for (uint32_t i = 0; i < m; i++)
        covariance[an_triangle_at(m, i, i)] += ridge > 0 ? ridge : 1;
    return ridge;
}

/* W in the units of the scaled deviations; 0 for what has no spread. */
static void apply_units(double *w, uint32_t m, const double *unit)
{
    for (uint32_t j = 0; j < m; w += m - j, j++)
        for (uint32_t i = 0; i < m - j; i++)
            w[i] *= unit[j];
}

void an_mahalanobis_fit(an_mahalanobis *h)
{
    double unit[AN_MOST_COORDINATES], *covariance = an_totals_product(h->scratch);
    int one_value = h->lags.features == 1;
    merge_blocks(h);
    find_units(h->fit, one_value, unit);
    make_covariance(h->fit, unit, covariance);
    double ridge = add_ridge(covariance, h->m, unit, one_value ? RIDGE_OF_ONE : RIDGE_OF_SEVERAL);
    an_triangle_factor(covariance, h->m, ridge > 0 ? ridge : 1);
    an_triangle_invert(covariance, an_totals_product(h->fit), h->m);
    apply_units(an_totals_product(h->fit), h->m, unit);
}

static int is_known_to_move(an_totals *fit, uint32_t i)
{
    return an_totals_product(fit)[an_triangle_at(fit->m, i, i)] != 0;
}

static int is_new(an_totals *fit, an_totals *batch, uint32_t i)
{
    if (an_totals_values(batch)[i] == 0)
        return 0;
    return an_totals_values(fit)[i] == 0 || an_totals_product(batch)[an_triangle_at(fit->m, i, i)] != 0 ||
           an_totals_base(batch)[i] != an_totals_base(fit)[i];
}

int an_mahalanobis_is_outdated(const an_mahalanobis *h)
{
    for (uint32_t i = 0; i < h->m; i++)
        if (!is_known_to_move(h->fit, i) && is_new(h->fit, h->scratch, i))
            return 1;
    return 0;
}
