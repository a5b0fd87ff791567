/* SPDX-License-Identifier: MIT */
#include "stage/transform.h"

#include "base/logarithm.h"

#include <math.h>

#define NS_IN_A_SECOND 1e9

static int looks_back(int32_t how)
{
    return how == ANOMALY_DIFF || how == ANOMALY_RATE;
}

/* ---- memory ---- */

size_t an_transform_bytes(int32_t how, uint32_t features)
{
    return looks_back(how) ? an_product(features, sizeof(an_previous)) : 0;
}

int an_transform_create(an_transform *transform, int32_t how, uint32_t features, const anomaly_allocator *allocator)
{
    an_transform created = {how, features, NULL};
    if (looks_back(how)) {
        created.previous = an_alloc(allocator, features, sizeof *created.previous);
        if (!created.previous)
            return ANOMALY_E_NOMEM;
    }
    *transform = created;
    an_transform_reset(transform);
    return ANOMALY_OK;
}

void an_transform_free(an_transform *transform, const anomaly_allocator *allocator)
{
    an_free(allocator, transform->previous, transform->features, sizeof *transform->previous);
    transform->previous = NULL;
}

void an_transform_reset(an_transform *transform)
{
    for (uint32_t f = 0; transform->previous && f < transform->features; f++)
        transform->previous[f] = (an_previous){(double)NAN, ANOMALY_NO_TIME};
}

/* ---- there and back ---- */

/* Earlier than the value before; a rate needs time to have gone on. Without times (ANOMALY_NO_TIME for all) nothing
 * is early. */
static int is_early(const an_transform *transform, const an_previous *previous, int64_t t_ns)
{
    return transform->how == ANOMALY_RATE ? t_ns <= previous->t_ns : t_ns < previous->t_ns;
}

static double seconds_since(const an_previous *previous, int64_t t_ns)
{
    return (double)((uint64_t)t_ns - (uint64_t)previous->t_ns) / NS_IN_A_SECOND;
}

/* NaN for what has no rate: a negative counter is none. */
static double counter_rate(const an_previous *previous, double x, int64_t t_ns)
{
    double growth = x >= previous->value ? x - previous->value : x;
    return x >= 0 ? growth / seconds_since(previous, t_ns) : (double)NAN;
}

/* What is made of a value by itself. */
static double of_value(int32_t how, double x)
{
    switch (how) {
    case ANOMALY_LOG: return an_log(x);
    case ANOMALY_LOG1P: return an_log1p(x);
    case ANOMALY_SQRT: return sqrt(x);
    default: return x;
    }
}

static double of_change(const an_transform *transform, const an_previous *previous, double x, int64_t t_ns)
{
    return transform->how == ANOMALY_RATE ? counter_rate(previous, x, t_ns) : x - previous->value;
}

static enum an_transformed none_because(enum an_transformed why, double *y)
{
    *y = (double)NAN;
    return why;
}

static enum an_transformed conclude_change(double x, double seen, double *y)
{
    if (!isfinite(seen) && isfinite(x))
        return none_because(AN_IMPOSSIBLE, y);
    *y = isfinite(seen) ? seen : x;
    return AN_TRANSFORMED;
}

static enum an_transformed apply_to_change(const an_transform *transform, const an_previous *previous, double x,
                                           int64_t t_ns, double *y)
{
    if (isfinite(x) && isnan(previous->value))
        return none_because(AN_FIRST, y);
    if (isfinite(x) && is_early(transform, previous, t_ns))
        return none_because(AN_IMPOSSIBLE, y);
    return conclude_change(x, of_change(transform, previous, x, t_ns), y);
}

enum an_transformed an_transform_apply(const an_transform *transform, uint32_t feature, double x, int64_t t_ns, double *y)
{
    if (transform->previous)
        return apply_to_change(transform, &transform->previous[feature], x, t_ns, y);
    return conclude_change(x, of_value(transform->how, x), y);
}

/* A counter that began anew at 0 counts from there. */
static double counted_from(const an_previous *previous, double x)
{
    return x < previous->value ? 0.0 : previous->value;
}

double an_transform_back(const an_transform *transform, uint32_t feature, double x, double y, int64_t t_ns)
{
    const an_previous *previous = transform->previous ? &transform->previous[feature] : NULL;
    if (!isfinite(y))
        return y;
    if (previous && is_early(transform, previous, t_ns))
        return (double)NAN;
    switch (transform->how) {
    case ANOMALY_LOG: return an_exp(y);
    case ANOMALY_LOG1P: return an_expm1(y);
    case ANOMALY_SQRT: return y > 0 ? y * y : 0.0; /* no value lies below */
    case ANOMALY_DIFF: return previous->value + y;
    case ANOMALY_RATE: return counted_from(previous, x) + y * seconds_since(previous, t_ns);
    default: return y;
    }
}

static void bring_back_one_by_one(const an_transform *transform, uint32_t feature, double x, int64_t t_ns, double *a,
                                  double *b, double *c)
{
    *a = an_transform_back(transform, feature, x, *a + 0.0, t_ns);
    *b = an_transform_back(transform, feature, x, *b + 0.0, t_ns);
    *c = an_transform_back(transform, feature, x, *c + 0.0, t_ns);
}

void an_transform_three_back(const an_transform *transform, uint32_t feature, double x, int64_t t_ns, double *a, double *b,
                             double *c)
{
    switch (transform->how) {
    case ANOMALY_LOG: an_exp_three(a, b, c); break;
    case ANOMALY_LOG1P: an_expm1_three(a, b, c); break;
    default: bring_back_one_by_one(transform, feature, x, t_ns, a, b, c); break;
    }
}

void an_transform_learn(an_transform *transform, uint32_t feature, double x, int64_t t_ns)
{
    if (!transform->previous || !isfinite(x) || t_ns < transform->previous[feature].t_ns)
        return;
    transform->previous[feature] = (an_previous){x, t_ns};
}

/* ---- snapshots ---- */

void an_transform_save(const an_transform *transform, an_writer *writer)
{
    for (uint32_t f = 0; transform->previous && f < transform->features; f++) {
        an_write_double(writer, transform->previous[f].value);
        an_write_i64(writer, transform->previous[f].t_ns);
    }
}

/* Without a value there is no time. */
void an_transform_restore(an_transform *transform, an_reader *reader)
{
    for (uint32_t f = 0; transform->previous && f < transform->features; f++) {
        double value = an_read_double(reader);
        int64_t t_ns = an_read_i64(reader);
        reader->bad |= isinf(value) || (isnan(value) && t_ns != ANOMALY_NO_TIME);
        if (!reader->bad)
            transform->previous[f] = (an_previous){isnan(value) ? (double)NAN : value, t_ns};
    }
}
