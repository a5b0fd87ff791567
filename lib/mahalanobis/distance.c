/* SPDX-License-Identifier: MIT */
/* The distance of an event from the last fit, and what each feature adds to it. Nothing is changed: many may ask at
 * once. */
#include "mahalanobis/mahalanobis.h"

#include "window/window.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define PART_SOLVED 1e-28 /* of the squared gradient at the start: what is left then is rounding */

static int has_spread(const double *w, uint32_t m, uint32_t i)
{
    return w[an_triangle_at(m, i, i)] != 0;
}

/* ---- missing coordinates ---- */

/* What each missing coordinate is counted in: the length of its column of W. 0: it is not to be found. */
static void find_lengths(const double *w, uint32_t m, const double *deviation, double *length)
{
    for (uint32_t j = 0; j < m; w += m - j, j++) {
        double sum = 0;
        for (uint32_t i = 0; isnan(deviation[j]) && i < m - j; i++)
            sum += w[i] * w[i];
        length[j] = sqrt(sum);
    }
}

/* The gradient W' residual, in these units, for the missing coordinates. Returns its square. */
static double find_gradient(const double *w, uint32_t m, const double *residual, const double *length, double *gradient)
{
    double square = 0;
    an_triangle_transposed_times(w, m, residual, gradient);
    for (uint32_t i = 0; i < m; i++) {
        gradient[i] = length[i] > 0 ? gradient[i] / length[i] : 0;
        square += gradient[i] * gradient[i];
    }
    return square;
}

/* residual -= step W (direction / length), the step being the best. 0: there is none. */
static int take_step(const double *w, uint32_t m, const double *direction, const double *length, double square,
                     double *residual)
{
    double moved[AN_MOST_COORDINATES], z[AN_MOST_COORDINATES], sum = 0;
    moved[0] = 0; /* m is never 0, which compilers cannot see in one large file */
    for (uint32_t i = 0; i < m; i++)
        moved[i] = length[i] > 0 ? direction[i] / length[i] : 0;
    an_triangle_times(w, m, moved, z);
    for (uint32_t i = 0; i < m; i++)
        sum += z[i] * z[i];
    if (!(sum > 0 && sum <= DBL_MAX))
        return 0;
    for (uint32_t i = 0; i < m; i++)
        residual[i] -= square / sum * z[i];
    return 1;
}

/* The missing coordinates are such that the distance is least, which is the distance of the others alone. Conjugate
 * gradients on the least squares problem (Hestenes and Stiefel 1952): as many steps as are missing, without memory.
 * z: W (y - mean) with 0 for the missing; becomes that with the best. */
static void settle_missing(const double *w, uint32_t m, const an_distance *distance, double *z)
{
    double length[AN_MOST_COORDINATES], gradient[AN_MOST_COORDINATES], direction[AN_MOST_COORDINATES];
    find_lengths(w, m, distance->deviation, length);
    double square = find_gradient(w, m, z, length, gradient), first = square;
    memcpy(direction, gradient, m * sizeof *direction);
    for (uint32_t step = 0; step < 2 * distance->missing && square > PART_SOLVED * first; step++) {
        if (!take_step(w, m, direction, length, square, z))
            return;
        double before = square;
        square = find_gradient(w, m, z, length, gradient);
        for (uint32_t i = 0; i < m; i++)
            direction[i] = gradient[i] + square / before * direction[i];
    }
}

/* ---- the distance ---- */

/* Fills the deviations from the mean, NaN where there is none. */
static void find_deviations(const an_mahalanobis *h, const double *x, double *deviation)
{
    an_totals *fit = h->fit;
    an_lags_coordinates_of(&h->lags, h->rings, h->learned, x, deviation);
    for (uint32_t i = 0; i < h->m; i++) {
        double d = an_totals_difference(deviation[i], an_totals_base(fit)[i], an_totals_scale(fit)[i]);
        d = an_totals_values(fit)[i] ? d - an_totals_mean(fit)[i] : (double)NAN;
        deviation[i] = isinf(d) ? copysign(DBL_MAX, d) : d;
    }
}

/* Looks for a coordinate without spread that differs. Of one value only the newest counts: its blocks follow it. */
static void look_for_flat(const an_mahalanobis *h, an_distance *distance)
{
    const double *w = an_totals_product(h->fit), *deviation = distance->deviation;
    for (uint32_t i = h->lags.features == 1 ? h->m - 1 : 0; i < h->m && !distance->flat; i++)
        if (!has_spread(w, h->m, i) && !isnan(deviation[i]) && deviation[i] != 0) {
            distance->flat = 1;
            distance->feature = i % h->lags.features;
        }
}

/* Answers sqrt(|z|^2 / n); where the square overflows, with the largest number taken out. */
static double root_mean_square(const double *z, uint32_t m, uint32_t n)
{
    double largest = 0, sum = 0;
    for (uint32_t i = 0; i < m; i++)
        sum += z[i] * z[i];
    if (sum <= DBL_MAX)
        return sqrt(sum / (double)n);
    for (uint32_t i = 0; i < m; i++)
        largest = fabs(z[i]) > largest ? fabs(z[i]) : largest;
    sum = 0;
    for (uint32_t i = 0; i < m; i++)
        sum += z[i] / largest * (z[i] / largest);
    return largest * sqrt(sum / (double)n);
}

/* z = factor W deviation, without the coordinates that are missing. Returns whether all of z is finite. */
static int whiten(const an_mahalanobis *h, double factor, an_distance *distance)
{
    double known[AN_MOST_COORDINATES];
    const double *w = an_totals_product(h->fit), *diagonal = w, *deviation = distance->deviation;
    distance->judged = distance->missing = 0;
    known[0] = 0; /* as above */
    for (uint32_t i = 0; i < h->m; diagonal += h->m - i, i++) {
        int is_missing = isnan(deviation[i]) != 0, spread = *diagonal != 0;
        known[i] = is_missing ? 0 : factor * deviation[i];
        distance->judged += (uint32_t)(spread && !is_missing);
        distance->missing += (uint32_t)(spread && is_missing);
    }
    an_triangle_times(w, h->m, known, distance->z);
    if (distance->missing && distance->judged)
        settle_missing(w, h->m, distance, distance->z);
    return an_all_finite(distance->z, h->m);
}

/* Is there a coordinate of which the window holds values? */
static int is_known(const an_mahalanobis *h, const an_distance *distance)
{
    for (uint32_t i = 0; i < h->m; i++)
        if (!isnan(distance->deviation[i]))
            return 1;
    return 0;
}

/* Judges by the coordinates that have a spread; if the numbers overflow in units that are so much larger. */
static double judge_spread(const an_mahalanobis *h, an_distance *distance)
{
    double factor = 1;
    if (!whiten(h, factor, distance)) {
        factor = 0x1p-1000;
        (void)whiten(h, factor, distance);
    }
    if (distance->judged)
        return root_mean_square(distance->z, h->m, distance->judged) / factor;
    return is_known(h, distance) ? 0 : (double)NAN; /* 0: nothing that is there has a spread, and nothing differs */
}

/* Is there a value to judge? Lags alone are no event. */
static int has_newest(const double *x, uint32_t features)
{
    for (uint32_t f = 0; f < features; f++)
        if (isfinite(x[f]))
            return 1;
    return 0;
}

void an_mahalanobis_distance(const an_mahalanobis *h, const double *x, an_distance *distance)
{
    distance->score = (double)NAN;
    distance->flat = 0;
    distance->feature = 0;
    if (!h->fit || h->fit->events == 0 || !has_newest(x, h->lags.features))
        return;
    find_deviations(h, x, distance->deviation);
    look_for_flat(h, distance);
    distance->score = judge_spread(h, distance);
    if (distance->flat)
        distance->score = (double)INFINITY;
}

/* ---- what each feature adds ---- */

/* Column j of W, the missing coordinates settled as those of the event. */
static void find_column(const an_mahalanobis *h, const an_distance *distance, uint32_t j, double *column)
{
    const double *w = an_totals_product(h->fit);
    for (uint32_t i = 0; i < h->m; i++)
        column[i] = i < j ? 0 : w[an_triangle_at(h->m, i, j)];
    if (distance->missing)
        settle_missing(w, h->m, distance, column);
}

/* Answers |u_j| / sqrt(P_jj), u = P (y - mean), P = W' W the inverse of the covariance: its square is what the
 * squared distance would lose were coordinate j as the others say. */
static double find_loss(const an_mahalanobis *h, const an_distance *distance, uint32_t j)
{
    double column[AN_MOST_COORDINATES], square = 0, sum = 0;
    if (isnan(distance->deviation[j]) || !has_spread(an_totals_product(h->fit), h->m, j))
        return 0;
    find_column(h, distance, j, column);
    for (uint32_t i = 0; i < h->m; i++)
        square += column[i] * column[i];
    double length = sqrt(square);
    for (uint32_t i = 0; i < h->m && length > 0; i++)
        sum += column[i] / length * distance->z[i];
    return fabs(sum);
}

/* Fills the share of each feature in the sum of the squared losses, and returns the sum. */
static double share_losses(const an_mahalanobis *h, const an_distance *distance, double *share)
{
    double loss[AN_MOST_COORDINATES], largest = 0, sum = 0;
    for (uint32_t f = 0; f < h->lags.features; f++)
        share[f] = 0;
    for (uint32_t i = 0; i < h->m; i++) {
        loss[i] = find_loss(h, distance, i);
        largest = loss[i] > largest ? loss[i] : largest;
    }
    for (uint32_t i = 0; i < h->m && largest > 0 && largest <= DBL_MAX; i++) {
        double part = loss[i] / largest;
        share[i % h->lags.features] += part * part;
        sum += part * part;
    }
    return sum;
}

/* A score beyond the doubles is all of the largest share. */
void an_mahalanobis_shares(const an_mahalanobis *h, const an_distance *distance, double *share)
{
    double sum = share_losses(h, distance, share);
    uint32_t largest = 0;
    for (uint32_t f = 1; f < h->lags.features; f++)
        largest = share[f] > share[largest] ? f : largest;
    for (uint32_t f = 0; f < h->lags.features; f++)
        share[f] = !(sum > 0)                  ? 0
                   : isfinite(distance->score) ? distance->score * (share[f] / sum)
                   : f == largest              ? (double)INFINITY
                                               : 0;
}
