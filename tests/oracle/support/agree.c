/* SPDX-License-Identifier: MIT
 * agree.c - see agree.h. */
#include "agree.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 2, 3))) static int disagree(agreement *a, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(a->reason, sizeof a->reason, format, arguments);
    va_end(arguments);
    return 0;
}

int agree_number(double got, real want, real slack)
{
    if (isnan(got) || real_is_nan(want))
        return isnan(got) && real_is_nan(want);
    if (got == 0 && want == 0 && signbit(got))
        return 0;
    if (isinf(got) || real_is_infinite(want))
        return (double)want == got || (isinf(got) && (got > 0) == (want > 0) && real_abs(want) + slack > DBL_MAX);
    return real_abs(got - want) <= slack || got == (double)want;
}

/* ---- verdicts ---- */

static void judge_all(const oracle *o, const double *x, oracle_judgement *judgements)
{
    for (uint32_t f = 0; f < o->config.features; f++)
        oracle_judge(o, f, x[f], &judgements[f]);
}

/* Whether a rounding may put b before a, which is the best. */
static int is_tied(const oracle_judgement *a, const oracle_judgement *b)
{
    real gap = a->score - b->score, slack = a->score_slack + b->score_slack;
    if (a->standing != b->standing)
        return ((a->unsure | b->unsure) & ANOMALY_FLAT) != 0;
    return a->score_slack + b->score_slack > 0 && (gap <= slack || real_is_nan(gap));
}

static int agree_figures(const oracle_judgement *j, const anomaly_verdict *got, agreement *a)
{
    if (!agree_number(got->score, j->score, j->score_slack) && !real_is_infinite(j->score_slack))
        return disagree(a, "score %.17g, want %.17g (+- %.3g)", got->score, (double)j->score, (double)j->score_slack);
    if (!agree_number(got->expected, j->expected, j->expected_slack))
        return disagree(a, "expected %.17g, want %.17g", got->expected, (double)j->expected);
    if (!agree_number(got->lower, j->lower, j->lower_slack))
        return disagree(a, "lower %.17g, want %.17g (+- %.3g)", got->lower, (double)j->lower, (double)j->lower_slack);
    if (!agree_number(got->upper, j->upper, j->upper_slack))
        return disagree(a, "upper %.17g, want %.17g (+- %.3g)", got->upper, (double)j->upper, (double)j->upper_slack);
    if (got->events != j->events)
        return disagree(a, "events %" PRIu64 ", want %" PRIu64, got->events, j->events);
    return 1;
}

static void note_error(const oracle_judgement *j, const anomaly_verdict *got, agreement *a)
{
    real error = real_abs(got->score - j->score);
    if (j->score_slack > 0 && !real_is_infinite(j->score_slack) && error <= j->score_slack &&
        (double)(error / j->score_slack) > a->worst_score)
        a->worst_score = (double)(error / j->score_slack);
}

/* Whatever was rounded before: with what the verdict itself shows, score against threshold is the whole rule. */
static int agree_with_itself(const oracle *o, const oracle_judgement *j, const anomaly_verdict *got, agreement *a)
{
    int over = o->config.compare == ANOMALY_GT ? got->score > got->threshold : got->score >= got->threshold;
    int ignored = (got->flags & ANOMALY_FLAT) != 0 && o->config.flat == ANOMALY_FLAT_IGNORE;
    int judged = (got->flags & ANOMALY_WARMING_UP) == 0 && j->standing != ORACLE_MISSING && !ignored;
    if (((got->flags & ANOMALY_IS_ANOMALY) != 0) != (judged && over))
        return disagree(a, "flags %#x with score %.17g, threshold %.17g", got->flags, got->score, got->threshold);
    return 1;
}

/* A percentile's score is the way outside the bounds that are shown, over their distance. */
static int agree_with_bounds(const oracle *o, double x, const anomaly_verdict *got, agreement *a)
{
    real distance = (real)got->upper - got->lower, way = real_max((real)x - got->upper, (real)got->lower - x);
    if (o->config.kind != ANOMALY_PERCENTILE || o->config.side != ANOMALY_BOTH || !isfinite(got->score) || distance == 0)
        return 1;
    if (!agree_number(got->score, way / distance, real_abs(way / distance) * (real)0x1p-51 + DBL_TRUE_MIN))
        return disagree(a, "score %.17g of %.17g beside %.17g to %.17g", got->score, x, got->lower, got->upper);
    return 1;
}

static int agree_flags(const oracle_judgement *j, uint32_t event_flags, uint32_t got, agreement *a)
{
    uint32_t want = j->flags | event_flags, apart = (got ^ want) & ~(uint32_t)ANOMALY_NOT_LEARNED;
    if ((apart & ~j->unsure) != 0)
        return disagree(a, "flags %#x, want %#x (unsure %#x)", got, want, j->unsure);
    a->tied_anomalies += (apart & ANOMALY_IS_ANOMALY) != 0;
    a->tied_directions += (apart & (ANOMALY_ABOVE | ANOMALY_BELOW)) != 0;
    return 1;
}

int agree_verdict(const oracle *o, const double *x, int64_t t, const anomaly_verdict *got, agreement *a)
{
    oracle_judgement judgements[ORACLE_FEATURES] = {{0}};
    uint32_t best, features = o->config.features;
    judge_all(o, x, judgements);
    best = oracle_best(judgements, features);
    a->verdicts++;
    if (got->threshold != o->config.threshold)
        return disagree(a, "threshold %.17g, want %.17g", got->threshold, o->config.threshold);
    if (got->feature >= features)
        return disagree(a, "feature %" PRIu32 " of %" PRIu32, got->feature, features);
    if (got->feature != best) {
        if (!is_tied(&judgements[best], &judgements[got->feature]))
            return disagree(a, "feature %" PRIu32 " (standing %d, score %g), want %" PRIu32 " (%d, %g)", got->feature,
                            judgements[got->feature].standing, (double)judgements[got->feature].score, best,
                            judgements[best].standing, (double)judgements[best].score);
        a->tied_features++;
        best = got->feature;
    }
    note_error(&judgements[best], got, a);
    return agree_with_itself(o, &judgements[best], got, a) && agree_with_bounds(o, x[best], got, a) &&
           agree_figures(&judgements[best], got, a) &&
           agree_flags(&judgements[best], oracle_event_flags(o, x, t), got->flags, a);
}

int agree_update(oracle *o, const double *x, int64_t t, const anomaly_verdict *got, agreement *a)
{
    int flagged = (got->flags & ANOMALY_IS_ANOMALY) != 0, agrees;
    uint32_t kept_out = 0;
    oracle_arrive(o, t);
    if (o->config.include_self)
        kept_out = oracle_take(o, x, t, 0);
    agrees = agree_verdict(o, x, t, got, a);
    if (!o->config.include_self)
        kept_out = oracle_take(o, x, t, flagged);
    oracle_count_update(o, got->flags);
    if (agrees && (got->flags & ANOMALY_NOT_LEARNED) != kept_out)
        return disagree(a, "flags %#x, of which not learned should be %#x", got->flags, kept_out);
    return agrees;
}

int agree_flagged(const oracle *o, const double *x, int *unsure)
{
    oracle_judgement judgements[ORACLE_FEATURES] = {{0}};
    uint32_t best;
    judge_all(o, x, judgements);
    best = oracle_best(judgements, o->config.features);
    *unsure = 0;
    for (uint32_t f = 0; f < o->config.features; f++)
        *unsure |= judgements[f].unsure != 0;
    return (judgements[best].flags & ANOMALY_IS_ANOMALY) != 0;
}

/* ---- questions ---- */

int agree_stats(const oracle *o, uint32_t feature, const anomaly_stats *got, agreement *a)
{
    oracle_stats want;
    oracle_window_stats(o, feature, &want);
    if (got->count != want.count)
        return disagree(a, "count %" PRIu64 ", want %" PRIu64, got->count, want.count);
    if (!agree_number(got->mean, want.mean.value, want.mean.slack))
        return disagree(a, "mean %.17g, want %.17g", got->mean, (double)want.mean.value);
    if (!agree_number(got->variance, want.variance.value, want.variance.slack + DBL_MIN))
        return disagree(a, "variance %.17g, want %.17g", got->variance, (double)want.variance.value);
    if (!agree_number(got->stddev, want.stddev.value, want.stddev.slack))
        return disagree(a, "stddev %.17g, want %.17g", got->stddev, (double)want.stddev.value);
    if (!agree_number(got->min, want.min, 0) || !agree_number(got->max, want.max, 0))
        return disagree(a, "min %g max %g, want %g %g", got->min, got->max, want.min, want.max);
    return 1;
}

int agree_quantile(const oracle *o, uint32_t feature, double q, int status, double got, agreement *a)
{
    size_t count = oracle_values(o, feature);
    oracle_number want;
    int want_status = o->config.kind == ANOMALY_ZSCORE && !o->config.robust ? ANOMALY_E_KIND
                      : count == 0                                          ? ANOMALY_E_EMPTY
                                                                            : ANOMALY_OK;
    if (status != want_status)
        return disagree(a, "quantile(%g): status %d, want %d", q, status, want_status);
    if (status != ANOMALY_OK)
        return 1;
    oracle_sort(o->values, count);
    want = oracle_quantile(o->values, count, q, 1, o->config.quantile);
    if (!agree_number(got, want.value, want.slack))
        return disagree(a, "quantile(%.17g) of %zu: %.17g, want %.17g (+- %.3g)", q, count, got, (double)want.value,
                        (double)want.slack);
    return 1;
}

int agree_counters(const oracle *o, const anomaly_counts *got, agreement *a)
{
    static const char *const names[] = {"events", "anomalies", "learned", "warming_up", "missing",  "nonfinite",
                                        "late",   "jumped",    "flat",    "skipped",    "truncated"};
    uint64_t have[sizeof names / sizeof *names], want[sizeof names / sizeof *names];
    memcpy(have, got, sizeof have);
    memcpy(want, &o->counts, sizeof want);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (have[i] != want[i])
            return disagree(a, "counter %s %" PRIu64 ", want %" PRIu64, names[i], have[i], want[i]);
    return 1;
}
