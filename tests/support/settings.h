/* SPDX-License-Identifier: MIT
 * settings.h - detectors of every kind on an allocator that may fail, and the events that each is given. */
#ifndef SETTINGS_H
#define SETTINGS_H

#include "random.h"
#include "test.h"
#include "test_memory.h"

typedef struct setting {
    const char *name;
    int kind;
    const char *options;
    int ordered_times; /* 0: some events come late */
} setting;

static setting SETTINGS[] = {
    {"z-score, 3 events", ANOMALY_ZSCORE, "window=3 warmup=2", 1},
    {"z-score, 100 events", ANOMALY_ZSCORE, "window=100", 1},
    {"z-score, 1000 events", ANOMALY_ZSCORE, "window=1000", 1},
    {"z-score, time", ANOMALY_ZSCORE, "window=200s", 0},
    {"z-score, time and count", ANOMALY_ZSCORE, "window=200s,150 learn=normal:3", 0},
    {"z-score, 3 features", ANOMALY_ZSCORE, "window=120 features=3", 1},
    {"z-score, own window", ANOMALY_ZSCORE, "window=120 include_self=1", 1},
    {"robust", ANOMALY_ZSCORE, "window=300 robust=1", 1},
    {"robust, time, 2 features", ANOMALY_ZSCORE, "window=200s robust=1 features=2", 0},
    {"z-score, stages", ANOMALY_ZSCORE, "window=100 transform=diff alarm_rate=0.05 calibrate=200 rest=10 confirm=2/3", 1},
    {"robust, stages of time, 2 features", ANOMALY_ZSCORE,
     "window=100 robust=1 features=2 season=2m alarms=3/1m calibrate=300 rest=20s margin=1", 1},
    {"z-score, silence", ANOMALY_ZSCORE, "window=100 silence=1/1h", 0},
    {"percentile, 1 event", ANOMALY_PERCENTILE, "window=1 warmup=1", 1},
    {"percentile, 100 events", ANOMALY_PERCENTILE, "window=100", 1},
    {"percentile, 2000 events", ANOMALY_PERCENTILE, "window=2000", 1},
    {"percentile, time", ANOMALY_PERCENTILE, "window=200s", 0},
    {"percentile, 3 features", ANOMALY_PERCENTILE, "window=200s,150 features=3 quantile=nearest", 0},
    {"forest, least", ANOMALY_IFOREST, "window=16 sample=16 trees=3 warmup=4", 1},
    {"forest, small", ANOMALY_IFOREST, "window=200 sample=20 trees=10 features=3 contamination=0", 1},
    {"forest, contamination", ANOMALY_IFOREST, "window=150 sample=30 trees=17 features=3 contamination=0.1", 1},
    {"forest, policy", ANOMALY_IFOREST,
     "window=300 sample=64 trees=48 features=2 learn=normal:3 contamination=0.2 warmup=20", 1},
    {"forest, wide", ANOMALY_IFOREST, "window=100 sample=40 trees=20 features=40", 1},
    {"forest, lags", ANOMALY_IFOREST, "window=150 sample=30 trees=17 features=3 lags=5 contamination=0.1", 1},
    {"forest, 1000 events", ANOMALY_IFOREST, "window=1000 profile=fast trees=20 features=2", 1},
    {"distance, one value", ANOMALY_MAHALANOBIS, "window=128", 1},
    {"distance, 3 features", ANOMALY_MAHALANOBIS, "window=256 features=3 learn=normal:3", 1},
    {"distance, 40 features", ANOMALY_MAHALANOBIS, "window=256 features=40", 1},
    {"distance, lags, 2 features", ANOMALY_MAHALANOBIS, "window=128 features=2 lags=5", 1},
    {"watch, 256 events", ANOMALY_WATCH, "window=256 warmup=20", 1},
    {"watch, policy", ANOMALY_WATCH, "window=300 learn=normal:3 threshold=5", 1},
    {"watch, 1000 events", ANOMALY_WATCH, "window=1000", 1},
};

enum { FEATURES = 40 };

static inline int event_count(const setting *s)
{
    return strstr(s->options, "2000") != NULL ? 5000 : strstr(s->options, "1000") != NULL ? 2500 : 900;
}

/* ---- detectors on a counting allocator ---- */

static inline int create_on(const setting *s, test_memory *memory, int reserve, anomaly_detector **d)
{
    anomaly_config config;
    anomaly_allocator allocator = {memory_take, memory_give, memory};
    config_of(&config, s->kind, s->options);
    config.reserve = reserve;
    return anomaly_create(&config, &allocator, d, NULL);
}

static inline anomaly_detector *must_create_on(const setting *s, test_memory *memory, int reserve)
{
    anomaly_detector *d = NULL;
    assert_ok(create_on(s, memory, reserve, &d));
    assert_non_null(d);
    return d;
}

static inline void destroy_all(anomaly_detector *d, const test_memory *memory)
{
    anomaly_destroy(d);
    assert_true(memory->live == 0 && memory->bytes == 0 && memory->bad_frees == 0);
}

/* Nobody can tell them apart: statistics, counters, and the score of an event. */
static inline void assert_same_detectors(const anomaly_detector *a, const anomaly_detector *b)
{
    double x[FEATURES];
    anomaly_verdict v, w;
    for (int f = 0; f < FEATURES; f++)
        x[f] = 0.1 * f;
    assert_same_state(a, b);
    assert_ok(anomaly_score(a, x, 1000000 * SECOND, &v));
    assert_ok(anomaly_score(b, x, 1000000 * SECOND, &w));
    assert_same_verdict(&v, &w);
}

/* Event i of a setting: mostly ordinary, now and then missing, infinite or late. */
static inline int64_t event_of(const setting *s, int i, double *x)
{
    random_state r = {(uint64_t)i * 977 + 1};
    for (int f = 0; f < FEATURES; f++)
        x[f] = one_in(&r, 40)                  ? (double)NAN
               : one_in(&r, f < 3 ? 60 : 2000) ? (double)INFINITY
                                               : random_normal(&r) + (i % 300 > 250 ? 8 : 0);
    return (i - (!s->ordered_times && i % 5 == 4 ? 60 : 0)) * SECOND / (i > 400 ? 2 : 1);
}

/* ---- an event goes in one way or another ---- */

typedef enum way { UPDATE, LEARN, REBUILD } way;

static inline way way_of(const setting *s, int i)
{
    if (s->kind == ANOMALY_IFOREST && i % 97 == 50)
        return REBUILD;
    return i % 7 == 3 ? LEARN : UPDATE;
}

static inline int call(const setting *s, anomaly_detector *d, int i, anomaly_verdict *v)
{
    double x[FEATURES];
    int64_t t = event_of(s, i, x);
    switch (way_of(s, i)) {
    case REBUILD: return anomaly_rebuild(d);
    case LEARN: return anomaly_learn(d, x, t);
    default: return anomaly_update(d, x, t, v);
    }
}

#endif
