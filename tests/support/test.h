/* SPDX-License-Identifier: MIT
 * test.h - what the cmocka programs share: detectors from one line of options, calls that must
 * succeed, comparisons of doubles by bits or within a tolerance. */
#ifndef TEST_H
#define TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "anomaly.h"

#define SECOND         INT64_C(1000000000)
#define ARRAY_COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* TEST_QUICK=1 asks for a short run: under valgrind, say. */
static inline int is_quick(void)
{
    const char *text = getenv("TEST_QUICK");
    return text != NULL && *text != '\0' && strcmp(text, "0") != 0;
}

/* ---- doubles ---- */

static inline uint64_t bits_of(double x)
{
    uint64_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

/* The same bits, or both NaN: a NaN's payload says nothing. */
static inline int same_double(double a, double b)
{
    return (isnan(a) && isnan(b)) || bits_of(a) == bits_of(b);
}

static inline void check_same(double got, double want, const char *file, int line)
{
    if (same_double(got, want))
        return;
    print_error("%s:%d: got %.17g (%a), want %.17g (%a)\n", file, line, got, got, want, want);
    _fail(file, line);
}

/* |got - want| <= tolerance * |want|; infinities and NaN must be the same. */
static inline void check_close(double got, double want, double tolerance, const char *file, int line)
{
    if (same_double(got, want) || fabs(got - want) <= tolerance * fabs(want))
        return;
    print_error("%s:%d: got %.17g, want %.17g, relative error %.3g\n", file, line, got, want, fabs(got - want) / fabs(want));
    _fail(file, line);
}

#define assert_same(got, want)             check_same((got), (want), __FILE__, __LINE__)
#define assert_close(got, want, tolerance) check_close((got), (want), (tolerance), __FILE__, __LINE__)
#define assert_nan(x)                      assert_true(isnan(x))
#define assert_ok(call)                    assert_int_equal((call), ANOMALY_OK)
#define assert_error(call, status)         assert_int_equal((call), (status))

/* ---- configurations and detectors from "name=value name=value" ---- */

static inline int config_try(anomaly_config *config, int kind, const char *options, anomaly_error *error)
{
    char name[64], value[128];
    int used = 0;
    int status = anomaly_config_init(config, sizeof *config, kind);
    while (status == ANOMALY_OK && sscanf(options, " %63[^= ]=%127[^ ]%n", name, value, &used) == 2) {
        status = anomaly_config_set(config, name, value, error);
        options += used;
    }
    return status;
}

static inline void config_of(anomaly_config *config, int kind, const char *options)
{
    anomaly_error error = {0};
    if (config_try(config, kind, options, &error) == ANOMALY_OK)
        return;
    print_error("options '%s': %s: %s\n", options, error.field, error.message);
    fail();
}

static inline anomaly_detector *detector_of(int kind, const char *options)
{
    anomaly_config config;
    anomaly_detector *detector = NULL;
    anomaly_error error = {0};
    config_of(&config, kind, options);
    if (anomaly_create(&config, NULL, &detector, &error) != ANOMALY_OK) {
        print_error("create '%s': %s: %s\n", options, error.field, error.message);
        fail();
    }
    assert_non_null(detector);
    return detector;
}

static inline anomaly_detector *zscore_of(const char *options)
{
    return detector_of(ANOMALY_ZSCORE, options);
}

static inline anomaly_detector *percentile_of(const char *options)
{
    return detector_of(ANOMALY_PERCENTILE, options);
}

/* ---- calls that must succeed ---- */

static inline anomaly_verdict push_at(anomaly_detector *detector, double x, int64_t t)
{
    anomaly_verdict verdict;
    assert_ok(anomaly_update(detector, &x, t, &verdict));
    return verdict;
}

static inline anomaly_verdict push(anomaly_detector *detector, double x)
{
    return push_at(detector, x, ANOMALY_NO_TIME);
}

static inline anomaly_verdict judge_at(const anomaly_detector *detector, double x, int64_t t)
{
    anomaly_verdict verdict;
    assert_ok(anomaly_score(detector, &x, t, &verdict));
    return verdict;
}

static inline anomaly_verdict judge(const anomaly_detector *detector, double x)
{
    return judge_at(detector, x, ANOMALY_NO_TIME);
}

static inline void teach_at(anomaly_detector *detector, double x, int64_t t)
{
    assert_ok(anomaly_learn(detector, &x, t));
}

static inline void teach(anomaly_detector *detector, double x)
{
    teach_at(detector, x, ANOMALY_NO_TIME);
}

static inline void teach_all(anomaly_detector *detector, const double *x, size_t count)
{
    for (size_t i = 0; i < count; i++)
        teach(detector, x[i]);
}

static inline anomaly_stats stats_of(const anomaly_detector *detector, uint32_t feature)
{
    anomaly_stats stats;
    assert_ok(anomaly_window_stats(detector, feature, &stats));
    return stats;
}

static inline uint64_t count_of(const anomaly_detector *detector)
{
    return stats_of(detector, 0).count;
}

static inline double quantile_of(const anomaly_detector *detector, double q)
{
    double value;
    assert_ok(anomaly_quantile(detector, 0, q, &value));
    return value;
}

static inline anomaly_counts counters_of(const anomaly_detector *detector)
{
    anomaly_counts counts;
    assert_ok(anomaly_counters(detector, &counts));
    return counts;
}

/* The words of which watch, and mahalanobis with one feature, give each anomaly one. */
enum { WORDS = ANOMALY_SPIKE | ANOMALY_SHIFT | ANOMALY_NOISIER | ANOMALY_QUIETER | ANOMALY_STUCK };

static inline int has_one_word(uint32_t flags)
{
    uint32_t words = flags & (uint32_t)WORDS;
    return words != 0 && (words & (words - 1)) == 0;
}

static inline int flagged(anomaly_verdict verdict)
{
    return (verdict.flags & ANOMALY_IS_ANOMALY) != 0;
}

static inline int has_flag(anomaly_verdict verdict, uint32_t flag)
{
    return (verdict.flags & flag) != 0;
}

/* ---- sameness of outputs and of state ---- */

static inline int same_verdict(const anomaly_verdict *a, const anomaly_verdict *b)
{
    return same_double(a->score, b->score) && same_double(a->threshold, b->threshold) &&
           same_double(a->expected, b->expected) && same_double(a->lower, b->lower) && same_double(a->upper, b->upper) &&
           a->flags == b->flags && a->feature == b->feature && a->events == b->events;
}

static inline void print_verdict(const char *who, const anomaly_verdict *v)
{
    print_error("%s: score %.17g threshold %g expected %.17g bounds %.17g %.17g flags %#x feature "
                "%u events %llu\n",
                who, v->score, v->threshold, v->expected, v->lower, v->upper, v->flags, v->feature,
                (unsigned long long)v->events);
}

static inline void check_verdict(const anomaly_verdict *got, const anomaly_verdict *want, const char *file, int line)
{
    if (same_verdict(got, want))
        return;
    print_verdict("got ", got);
    print_verdict("want", want);
    _fail(file, line);
}

#define assert_same_verdict(got, want) check_verdict((got), (want), __FILE__, __LINE__)

static inline int same_stats(const anomaly_stats *a, const anomaly_stats *b)
{
    return a->count == b->count && same_double(a->mean, b->mean) && same_double(a->variance, b->variance) &&
           same_double(a->stddev, b->stddev) && same_double(a->min, b->min) && same_double(a->max, b->max);
}

/* Two detectors that nobody can tell apart by asking: counters, statistics, quantiles. */
static inline void check_same_state(const anomaly_detector *a, const anomaly_detector *b, const char *file, int line)
{
    anomaly_counts ca = counters_of(a), cb = counters_of(b);
    anomaly_config config;
    assert_ok(anomaly_get_config(a, &config, sizeof config));
    if (memcmp(&ca, &cb, sizeof ca) != 0)
        _fail(file, line);
    for (uint32_t f = 0; f < config.features; f++) {
        anomaly_stats sa = stats_of(a, f), sb = stats_of(b, f);
        double qa = 0, qb = 0;
        if (!same_stats(&sa, &sb))
            _fail(file, line);
        if (anomaly_quantile(a, f, 0.37, &qa) != anomaly_quantile(b, f, 0.37, &qb) || !same_double(qa, qb))
            _fail(file, line);
    }
}

#define assert_same_state(a, b) check_same_state((a), (b), __FILE__, __LINE__)

#endif
