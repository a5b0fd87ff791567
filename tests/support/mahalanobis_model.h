/* SPDX-License-Identifier: MIT
 * mahalanobis_model.h - the distance written the slow, obvious way: every learned value is kept; whenever the library makes its fit,
 * mean and covariance are computed anew from the vectors of the window, in 113-bit floating point; a distance is the solution of a
 * system of equations over the coordinates that are there. */
#ifndef MAHALANOBIS_MODEL_H
#define MAHALANOBIS_MODEL_H

#include "anomaly.h"
#include "exact.h"

enum { MM_FEATURES = 6, MM_COORDINATES = 48, MM_EVENTS = 4000 };

typedef struct mm {
    anomaly_config config;
    uint32_t features, blocks, m;
    uint32_t values; /* that a vector rests on */
    int pyramid;
    size_t learned;                           /* events */
    double value[MM_EVENTS][MM_FEATURES];     /* missing: the one before; NaN before the first */
    double vector[MM_EVENTS][MM_COORDINATES]; /* NaN: missing */
    size_t vectors;                           /* learned.. */
    size_t from, to;                          /* vectors of the last fit */
    quad mean[MM_COORDINATES], covariance[MM_COORDINATES][MM_COORDINATES];
    int known[MM_COORDINATES], moves[MM_COORDINATES]; /* at the last fit: has values; has more than one */
} mm;

static inline void mm_begin(mm *h, const anomaly_config *config)
{
    memset(h, 0, sizeof *h);
    h->config = *config;
    h->features = config->features;
    h->pyramid = config->lags == ANOMALY_LAGS_PYRAMID || (config->lags == ANOMALY_LAGS_AUTO && config->features == 1);
    h->blocks = h->pyramid ? 7 : config->lags > 1 ? (uint32_t)config->lags : 1;
    h->values = h->pyramid ? 64 : h->blocks;
    h->m = h->blocks * h->features;
}

/* ---- coordinates ---- */

/* The mean of `count` values, a power of two, up to the one `back` before the next event. */
static inline double mm_block(const mm *h, uint32_t f, size_t back, size_t count)
{
    if (back + count - 1 > h->learned)
        return NAN;
    if (count == 1)
        return h->value[h->learned - back][f];
    return 0.5 * mm_block(h, f, back, count / 2) + 0.5 * mm_block(h, f, back + count / 2, count / 2);
}

static inline void mm_coordinates(const mm *h, const double *x, double *y)
{
    for (uint32_t f = 0; f < h->features; f++) {
        for (uint32_t b = 1; b < h->blocks; b++) {
            size_t count = h->pyramid ? (size_t)1 << (b - 1) : 1, back = h->pyramid ? count : b;
            y[(h->blocks - 1 - b) * h->features + f] = mm_block(h, f, back, count);
        }
        y[(h->blocks - 1) * h->features + f] = isfinite(x[f]) ? x[f] : NAN;
    }
}

/* ---- the fit ---- */

static inline quad mm_sum(const mm *h, uint32_t i, size_t *n)
{
    quad sum = 0;
    *n = 0;
    for (size_t v = h->from; v < h->to; v++)
        if (!isnan(h->vector[v][i])) {
            sum += (quad)h->vector[v][i];
            ++*n;
        }
    return sum;
}

static inline int mm_moves(const mm *h, uint32_t i)
{
    double first = NAN;
    for (size_t v = h->from; v < h->to; v++) {
        double x = h->vector[v][i];
        if (isnan(first))
            first = x;
        else if (!isnan(x) && x != first)
            return 1;
    }
    return 0;
}

/* ---- sums of products; with nothing missing those about the means ---- */

static inline int mm_has_gaps(const mm *h)
{
    for (size_t v = h->from; v < h->to; v++)
        for (uint32_t i = 0; i < h->m; i++)
            if (isnan(h->vector[v][i]))
                return 1;
    return 0;
}

static inline quad mm_products(const mm *h, uint32_t i, uint32_t j)
{
    quad sum = 0;
    for (size_t v = h->from; v < h->to; v++)
        sum += ((quad)h->vector[v][i] - h->mean[i]) * ((quad)h->vector[v][j] - h->mean[j]);
    return sum;
}

/* With gaps each coordinate has a count of its own. Within 16 vectors what is missing deviates by 0 from the mean of these; then
 * stretches are joined, each coordinate by its own counts: the 16 to their block, the blocks to the window. */
typedef struct mm_stretch {
    size_t n[MM_COORDINATES];
    quad mean[MM_COORDINATES], product[MM_COORDINATES][MM_COORDINATES];
} mm_stretch;

static inline void mm_join(uint32_t m, mm_stretch *a, const mm_stretch *b)
{
    quad by[MM_COORDINATES];
    for (uint32_t i = 0; i < m; i++) {
        quad na = (quad)a->n[i], nb = (quad)b->n[i], apart = a->n[i] && b->n[i] ? b->mean[i] - a->mean[i] : 0;
        by[i] = apart * quad_sqrt(na * nb / (na + nb > 0 ? na + nb : 1));
        a->mean[i] = na + nb > 0 ? (na * a->mean[i] + nb * b->mean[i]) / (na + nb) : 0;
        a->n[i] += b->n[i];
    }
    for (uint32_t i = 0; i < m; i++)
        for (uint32_t j = 0; j < m; j++)
            a->product[i][j] += b->product[i][j] + by[i] * by[j];
}

static inline void mm_sixteen(const mm *h, size_t first, mm_stretch *s)
{
    memset(s, 0, sizeof *s);
    for (uint32_t i = 0; i < h->m; i++) {
        for (size_t v = first; v < first + 16; v++)
            if (!isnan(h->vector[v][i])) {
                s->mean[i] += (quad)h->vector[v][i];
                s->n[i]++;
            }
        s->mean[i] = s->n[i] ? s->mean[i] / (quad)s->n[i] : 0;
    }
    for (uint32_t i = 0; i < h->m; i++)
        for (uint32_t j = 0; j < h->m; j++)
            for (size_t v = first; v < first + 16; v++)
                if (!isnan(h->vector[v][i]) && !isnan(h->vector[v][j]))
                    s->product[i][j] += ((quad)h->vector[v][i] - s->mean[i]) * ((quad)h->vector[v][j] - s->mean[j]);
}

static inline const mm_stretch *mm_joined(const mm *h)
{
    static mm_stretch window, block, sixteen;
    size_t length = (size_t)h->config.window_events / 8;
    memset(&window, 0, sizeof window);
    memset(&block, 0, sizeof block);
    for (size_t v = h->from; v < h->to; v += 16) {
        mm_sixteen(h, v, &sixteen);
        mm_join(h->m, &block, &sixteen);
        if ((v + 16) % length == 0 || v + 16 == h->to) {
            mm_join(h->m, &window, &block);
            memset(&block, 0, sizeof block);
        }
    }
    return &window;
}

static inline void mm_covariance(mm *h, const size_t *n)
{
    const mm_stretch *joined = mm_has_gaps(h) ? mm_joined(h) : NULL;
    for (uint32_t i = 0; i < h->m; i++)
        for (uint32_t j = 0; j < h->m; j++) {
            quad products = joined ? joined->product[i][j] : mm_products(h, i, j);
            h->covariance[i][j] = h->moves[i] && h->moves[j] ? products / quad_sqrt((quad)n[i] * (quad)n[j]) : 0;
        }
}

/* Of one value a tenth of the mean variance is added to each; several are correlations first, and get 0.3. */
static inline void mm_shrink(mm *h)
{
    quad unit[MM_COORDINATES], sum = 0;
    uint32_t moving = 0;
    for (uint32_t i = 0; i < h->m; i++) {
        unit[i] = h->features == 1 || !h->moves[i] ? 1 : 1 / quad_sqrt(h->covariance[i][i]);
        moving += (uint32_t)h->moves[i];
        sum += h->covariance[i][i] * unit[i] * unit[i];
    }
    quad ridge = moving ? (h->features == 1 ? (quad)1 / 10 : (quad)3 / 10) * (sum / moving) : 0;
    for (uint32_t i = 0; i < h->m; i++)
        h->covariance[i][i] += ridge / (unit[i] * unit[i]);
}

static inline void mm_fit(mm *h)
{
    size_t n[MM_COORDINATES];
    for (uint32_t i = 0; i < h->m; i++) {
        quad sum = mm_sum(h, i, &n[i]);
        h->known[i] = n[i] > 0;
        h->mean[i] = n[i] ? sum / (quad)n[i] : 0;
        h->moves[i] = mm_moves(h, i);
    }
    mm_covariance(h, n);
    mm_shrink(h);
}

/* Has a coordinate that was constant at the last fit, or missing, another value among the last 16 vectors? */
static inline int mm_is_outdated(const mm *h)
{
    for (uint32_t i = 0; i < h->m; i++)
        for (size_t v = h->vectors - 16; v < h->vectors && !h->moves[i]; v++)
            if (!isnan(h->vector[v][i]) && (!h->known[i] || (quad)h->vector[v][i] != h->mean[i]))
                return 1;
    return 0;
}

static inline void mm_learn(mm *h, const double *x)
{
    size_t block = (size_t)h->config.window_events / 8, blocks;
    if (h->learned + 1 >= h->values)
        mm_coordinates(h, x, h->vector[h->vectors++]);
    for (uint32_t f = 0; f < h->features; f++)
        h->value[h->learned][f] = isfinite(x[f]) ? x[f] : h->learned ? h->value[h->learned - 1][f] : NAN;
    h->learned++;
    if (h->learned < h->values || h->vectors % 16 != 0)
        return;
    blocks = (h->vectors + block - 1) / block;
    if (h->vectors % block != 0 && blocks > 1 && !mm_is_outdated(h))
        return;
    h->from = blocks > 8 ? (blocks - 8) * block : 0;
    h->to = h->vectors;
    mm_fit(h);
}

/* ---- the distance ---- */

typedef struct mm_answer {
    double score; /* NaN: none */
    int flat;
    double share[MM_FEATURES]; /* of the score, where it is finite */
} mm_answer;

/* Solves a x = b by Gaussian elimination; a is symmetric and positive definite. */
static inline void mm_solve(uint32_t n, quad a[MM_COORDINATES][MM_COORDINATES + 1], quad *x)
{
    for (uint32_t k = 0; k < n; k++)
        for (uint32_t i = k + 1; i < n; i++) {
            quad factor = a[i][k] / a[k][k];
            for (uint32_t j = k; j <= n; j++)
                a[i][j] -= factor * a[k][j];
        }
    for (uint32_t i = n; i-- > 0;) {
        x[i] = a[i][n];
        for (uint32_t j = i + 1; j < n; j++)
            x[i] -= a[i][j] * x[j];
        x[i] /= a[i][i];
    }
}

/* Column k (n: the deviations) of what has to be solved, over the coordinates in `at`. */
static inline void mm_column(const mm *h, uint32_t n, const uint32_t *at, const quad *right, quad *x)
{
    static quad a[MM_COORDINATES][MM_COORDINATES + 1];
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t j = 0; j < n; j++)
            a[i][j] = h->covariance[at[i]][at[j]];
        a[i][n] = right[i];
    }
    mm_solve(n, a, x);
}

/* u = P d; coordinate i takes u_i^2 / P_ii. */
static inline void mm_shares(const mm *h, uint32_t n, const uint32_t *at, const quad *u, mm_answer *answer)
{
    quad sum = 0, part[MM_FEATURES] = {0}, right[MM_COORDINATES], column[MM_COORDINATES];
    for (uint32_t k = 0; k < n; k++) {
        for (uint32_t i = 0; i < n; i++)
            right[i] = i == k;
        mm_column(h, n, at, right, column);
        part[at[k] % h->features] += u[k] * u[k] / column[k];
        sum += u[k] * u[k] / column[k];
    }
    for (uint32_t f = 0; f < h->features; f++)
        answer->share[f] = sum > 0 ? (double)((quad)answer->score * part[f] / sum) : 0;
}

static inline int mm_is_flat(const mm *h, const double *y)
{
    for (uint32_t i = h->features == 1 ? h->m - 1 : 0; i < h->m; i++)
        if (h->known[i] && !h->moves[i] && !isnan(y[i]) && (quad)y[i] != h->mean[i])
            return 1;
    return 0;
}

static inline mm_answer mm_score(const mm *h, const double *x, int with_shares)
{
    mm_answer answer = {.score = NAN};
    double y[MM_COORDINATES];
    quad d[MM_COORDINATES], u[MM_COORDINATES], square = 0;
    uint32_t at[MM_COORDINATES], n = 0, values = 0;
    for (uint32_t f = 0; f < h->features; f++)
        values += isfinite(x[f]) != 0;
    if (h->to == 0 || values == 0)
        return answer;
    mm_coordinates(h, x, y);
    answer.flat = mm_is_flat(h, y);
    for (uint32_t i = 0; i < h->m; i++)
        if (h->moves[i] && !isnan(y[i])) {
            d[n] = (quad)y[i] - h->mean[i];
            at[n++] = i;
        }
    mm_column(h, n, at, d, u);
    for (uint32_t i = 0; i < n; i++)
        square += d[i] * u[i];
    answer.score = answer.flat ? INFINITY : n > 0 ? (double)quad_sqrt(square / n) : isnan(y[h->m - 1]) ? (double)NAN : 0;
    if (with_shares && n > 0 && !answer.flat)
        mm_shares(h, n, at, u, &answer);
    return answer;
}

#endif
