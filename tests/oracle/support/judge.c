/* SPDX-License-Identifier: MIT
 * judge.c - what one feature of an event is worth beside the window's values of that feature. */
#include "oracle.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAD_TO_STDDEV     ((real)14826 / 10000)
#define MEAN_AD_TO_STDDEV ((real)1253314 / 1000000)

/* docs/methods.md: the deviation is within 1e-14 of the exact one, from 1e-290 on. A score adds the roundings of a few steps. */
#define STDDEV_SLACK ((real)1e-14)
#define STDDEV_LEAST ((real)1e-290)
#define STEPS_SLACK  ((real)0x1p-50)
/* A mean is off by some roundings of the largest deviation from it, whatever the offset, and where it is shown by its own. */
#define MEAN_SLACK ((real)0x1p-50)

size_t oracle_values(const oracle *o, uint32_t feature)
{
    size_t count = 0;
    for (size_t i = 0; i < o->count; i++)
        if (isfinite(o->events[i].x[feature]))
            o->values[count++] = o->events[i].x[feature] + 0.0; /* negative zero is zero */
    return count;
}

/* ---- centre and spread ---- */

typedef struct figures {
    size_t count;
    int has_centre;
    int has_spread;
    int is_constant;
    oracle_number centre; /* its slack is how far the exact centre that a score is reckoned from may be missed */
    oracle_number variance;
    oracle_number spread;
} figures;

static int all_equal(const double *values, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (values[i] != values[0])
            return 0;
    return 1;
}

/* The corrected two-pass: the mean, then the squares about it less what the mean itself was rounded by. */
static figures moments_of(const double *values, size_t count, int ddof)
{
    figures m;
    real sum = 0, rest = 0, squares = 0, largest = 0;
    memset(&m, 0, sizeof m);
    m.count = count;
    m.has_centre = count > 0;
    m.has_spread = count > (size_t)ddof;
    if (count == 0)
        return m;
    m.is_constant = all_equal(values, count);
    for (size_t i = 0; i < count; i++)
        sum += values[i];
    m.centre.value = m.is_constant ? (real)values[0] : sum / count;
    for (size_t i = 0; i < count; i++) {
        real d = values[i] - m.centre.value;
        rest += d;
        squares += d * d;
        largest = real_max(largest, real_abs(d));
    }
    m.centre.slack = m.is_constant ? 0 : largest * MEAN_SLACK + 8 * DBL_TRUE_MIN;
    m.variance.value = m.is_constant ? 0 : (squares - rest * rest / count) / (real)((int64_t)count - ddof);
    m.variance.slack = m.variance.value * 2 * STDDEV_SLACK;
    m.spread.value = real_sqrt(m.variance.value);
    m.spread.slack = m.spread.value * STDDEV_SLACK + STDDEV_LEAST * STDDEV_SLACK;
    return m;
}

static int compare_reals(const void *a, const void *b)
{
    real x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

/* |x - median|, in order, in o->deviations. */
static void sort_deviations(const oracle *o, size_t count, real median)
{
    for (size_t i = 0; i < count; i++)
        o->deviations[i] = real_abs(o->values[i] - median);
    qsort(o->deviations, count, sizeof *o->deviations, compare_reals);
}

/* 1.4826 MAD; where more than half of the values are one, 1.253314 times the mean deviation from the median. */
static oracle_number robust_spread(const oracle *o, size_t count, oracle_number median)
{
    oracle_number spread;
    real sum = 0;
    sort_deviations(o, count, median.value);
    spread.value = (o->deviations[(count - 1) / 2] + o->deviations[count / 2]) / 2 * MAD_TO_STDDEV;
    for (size_t i = 0; i < count; i++)
        sum += o->deviations[i];
    if (spread.value == 0)
        spread.value = sum / count * MEAN_AD_TO_STDDEV;
    spread.slack = spread.value * STEPS_SLACK + 2 * median.slack + 2 * DBL_TRUE_MIN; /* the spread is a double as well */
    return spread;
}

/* As moments_of(), but the values get sorted. */
static figures robust_figures(const oracle *o, size_t count)
{
    figures m;
    memset(&m, 0, sizeof m);
    m.count = count;
    m.has_centre = m.has_spread = count > 0;
    if (count == 0)
        return m;
    oracle_sort(o->values, count);
    m.is_constant = all_equal(o->values, count);
    m.centre = oracle_median(o->values, count);
    m.spread = robust_spread(o, count, m.centre);
    return m;
}

static figures figures_of(const oracle *o, uint32_t feature)
{
    size_t count = oracle_values(o, feature);
    figures m = o->config.robust ? robust_figures(o, count) : moments_of(o->values, count, o->config.ddof);
    if (m.has_spread && m.spread.value < o->config.min_stddev) {
        real over = m.spread.value + m.spread.slack - o->config.min_stddev;
        m.spread.value = o->config.min_stddev;
        m.spread.slack = real_max(over, 0);
    }
    return m;
}

/* ---- judgements ---- */

static int watches(const oracle *o, int side)
{
    return o->config.side == ANOMALY_BOTH || o->config.side == side;
}

static void set_bounds(const oracle *o, oracle_judgement *j, oracle_number lower, oracle_number upper)
{
    j->lower = watches(o, ANOMALY_LOWER) ? lower.value : real_infinity(1);
    j->upper = watches(o, ANOMALY_UPPER) ? upper.value : real_infinity(0);
    j->lower_slack = lower.slack;
    j->upper_slack = upper.slack;
}

/* Of how far the value lies above the upper edge and below the lower one, the one that is watched, or the larger. */
static real watched(const oracle *o, real above, real below)
{
    if (o->config.side == ANOMALY_UPPER)
        return above;
    if (o->config.side == ANOMALY_LOWER)
        return below;
    return real_max(above, below);
}

static uint32_t direction(real above, real below)
{
    return above > 0 ? ANOMALY_ABOVE : below > 0 ? ANOMALY_BELOW : 0;
}

/* Score and flags from the way outside the edges, in the unit of the values, and what that is divided by. */
static void set_score(const oracle *o, oracle_judgement *j, real above, real below, oracle_number unit, real slack)
{
    real way = watched(o, above, below);
    j->flags |= direction(above, below);
    if (slack > 0 && (real_abs(above) <= slack || real_abs(below) <= slack))
        j->unsure |= ANOMALY_ABOVE | ANOMALY_BELOW;
    if (real_is_infinite(way)) {
        j->score = way;
        return;
    }
    if (unit.value == 0 && way != 0)
        j->flags |= ANOMALY_FLAT;
    j->score = unit.value > 0 ? way / unit.value : way == 0 ? 0 : real_infinity(way < 0);
    if (unit.value > unit.slack)
        j->score_slack =
            (slack + real_abs(j->score) * unit.slack) / (unit.value - unit.slack) + real_abs(j->score) * STEPS_SLACK;
    else if (unit.slack > 0) { /* whether there is any spread is itself a matter of rounding */
        j->score_slack = real_infinity(0);
        j->unsure |= ANOMALY_FLAT | ANOMALY_IS_ANOMALY;
    }
}

/* Standing, and with it what may be said of an anomaly. */
static void conclude(const oracle *o, oracle_judgement *j, int can_judge)
{
    real over = (real)(double)j->score - o->config.threshold; /* the score as it is shown */
    if (!can_judge || j->events < o->config.warmup_events) {
        j->standing = ORACLE_WARMING;
        j->flags |= ANOMALY_WARMING_UP;
    } else if ((j->flags & ANOMALY_FLAT) != 0 && o->config.flat == ANOMALY_FLAT_IGNORE) {
        j->standing = ORACLE_FLAT_IGNORED;
    } else {
        if (over > 0 || (over == 0 && o->config.compare == ANOMALY_GE))
            j->flags |= ANOMALY_IS_ANOMALY;
        if (real_abs(over) <= j->score_slack)
            j->unsure |= ANOMALY_IS_ANOMALY;
    }
}

static void judge_zscore(const oracle *o, uint32_t feature, double x, oracle_judgement *j)
{
    figures m = figures_of(o, feature);
    real centre = m.has_centre ? m.centre.value : 0, d = x - centre;
    real reach = m.spread.value * o->config.threshold;
    oracle_number lower = {NAN, 0}, upper = {NAN, 0};
    j->events = m.count;
    j->expected = m.has_centre ? centre : (real)NAN;
    j->expected_slack = m.centre.slack + real_ulp(centre);
    if (m.has_spread) {
        lower.value = centre - reach;
        upper.value = centre + reach;
        lower.slack = upper.slack = j->expected_slack + real_abs(o->config.threshold) * m.spread.slack + 2 * real_ulp(reach);
        if (real_abs(reach) > DBL_MAX) /* either it or infinite */
            lower.slack = upper.slack = real_infinity(0);
    }
    set_bounds(o, j, lower, upper);
    j->score = NAN;
    if (isnan(x))
        return;
    if (m.has_spread || isinf(x))
        set_score(o, j, d, -d, m.spread, m.centre.slack);
    else if (m.has_centre)
        j->flags |= direction(d, -d);
    conclude(o, j, m.has_spread);
}

static void judge_percentile(const oracle *o, uint32_t feature, double x, oracle_judgement *j)
{
    size_t count = oracle_values(o, feature);
    oracle_number lower = {NAN, 0}, upper = {NAN, 0}, middle = {NAN, 0}, distance = {0, 0};
    oracle_sort(o->values, count);
    j->events = count;
    if (count > 0) {
        lower = oracle_quantile(o->values, count, o->config.lower_percent, 100, o->config.quantile);
        middle = oracle_quantile(o->values, count, 50, 100, o->config.quantile);
        upper = oracle_quantile(o->values, count, o->config.upper_percent, 100, o->config.quantile);
        distance.value = upper.value - lower.value;
        distance.slack = lower.slack + upper.slack;
    }
    j->expected = middle.value;
    j->expected_slack = middle.slack;
    set_bounds(o, j, lower, upper);
    j->score = NAN;
    if (isnan(x))
        return;
    if (isinf(x))
        set_score(o, j, x, -x, distance, 0);
    else if (count > 0)
        set_score(o, j, x - upper.value, lower.value - x, distance, real_max(lower.slack, upper.slack));
    conclude(o, j, count > 0);
}

void oracle_judge(const oracle *o, uint32_t feature, double x, oracle_judgement *judgement)
{
    memset(judgement, 0, sizeof *judgement);
    judgement->standing = ORACLE_MISSING;
    if (!isnan(x))
        judgement->standing = ORACLE_JUDGED;
    if (o->config.kind == ANOMALY_ZSCORE)
        judge_zscore(o, feature, x, judgement);
    else
        judge_percentile(o, feature, x, judgement);
}

/* Scores are doubles: two that are beyond them are both infinite. */
static int goes_before(const oracle_judgement *a, const oracle_judgement *b)
{
    if (a->standing != b->standing)
        return a->standing < b->standing;
    return (double)a->score > (double)b->score || (real_is_nan(b->score) && !real_is_nan(a->score));
}

uint32_t oracle_best(const oracle_judgement *judgements, uint32_t features)
{
    uint32_t best = 0;
    for (uint32_t f = 1; f < features; f++)
        if (goes_before(&judgements[f], &judgements[best]))
            best = f;
    return best;
}

/* ---- statistics ---- */

void oracle_window_stats(const oracle *o, uint32_t feature, oracle_stats *stats)
{
    size_t count = oracle_values(o, feature);
    figures m = moments_of(o->values, count, o->config.ddof);
    oracle_number nothing = {NAN, 0};
    stats->count = count;
    stats->mean = count > 0 ? m.centre : nothing;
    stats->mean.slack += count > 0 ? real_ulp(m.centre.value) : 0;
    stats->variance = m.has_spread ? m.variance : nothing;
    stats->stddev = m.has_spread ? m.spread : nothing;
    stats->min = stats->max = count > 0 ? o->values[0] : NAN;
    for (size_t i = 1; i < count; i++) {
        stats->min = o->values[i] < stats->min ? o->values[i] : stats->min;
        stats->max = o->values[i] > stats->max ? o->values[i] : stats->max;
    }
}
