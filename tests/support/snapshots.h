/* SPDX-License-Identifier: MIT
 * snapshots.h - snapshots that must succeed. */
#ifndef SNAPSHOTS_H
#define SNAPSHOTS_H

#include "test.h"

typedef struct saved {
    unsigned char *bytes;
    size_t size;
} saved;

static inline saved save_detector(const anomaly_detector *d)
{
    saved s = {NULL, 0};
    size_t used = 0;
    assert_ok(anomaly_snapshot_size(d, &s.size));
    s.bytes = malloc(s.size);
    assert_non_null(s.bytes);
    assert_ok(anomaly_snapshot(d, s.bytes, s.size, &used));
    assert_int_equal(used, s.size);
    return s;
}

static inline int same_saved(const saved *a, const saved *b)
{
    return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

static inline anomaly_detector *restore_detector(const saved *s)
{
    anomaly_detector *d = NULL;
    anomaly_error error = {0};
    int status = anomaly_restore(s->bytes, s->size, NULL, &d, &error);
    if (status != ANOMALY_OK)
        print_error("restore: %d %s\n", status, error.message);
    assert_ok(status);
    return d;
}

static inline anomaly_detector *copy_of(const anomaly_detector *d)
{
    saved s = save_detector(d);
    anomaly_detector *copy = restore_detector(&s);
    free(s.bytes);
    return copy;
}

static inline void check_same_bytes(const anomaly_detector *a, const anomaly_detector *b, const char *file, int line)
{
    saved x = save_detector(a), y = save_detector(b);
    int same = same_saved(&x, &y);
    free(x.bytes);
    free(y.bytes);
    if (!same)
        _fail(file, line);
}

/* ---- pools ---- */

static inline saved save_pool(const anomaly_pool *pool)
{
    saved s = {NULL, 0};
    size_t used = 0;
    assert_ok(anomaly_pool_snapshot_size(pool, &s.size));
    s.bytes = malloc(s.size);
    assert_non_null(s.bytes);
    assert_ok(anomaly_pool_snapshot(pool, s.bytes, s.size, &used));
    assert_int_equal(used, s.size);
    return s;
}

static inline int pool_is(const anomaly_pool *pool, const saved *s)
{
    saved now = save_pool(pool);
    int same = same_saved(&now, s);
    free(now.bytes);
    return same;
}

static inline anomaly_pool *pool_of(int kind, const char *settings, const anomaly_pool_options *options)
{
    anomaly_config config;
    anomaly_error error = {0};
    anomaly_pool *pool = NULL;
    config_of(&config, kind, settings);
    if (anomaly_pool_create(&config, options, NULL, &pool, &error) != ANOMALY_OK)
        print_error("pool '%s': %s: %s\n", settings, error.field, error.message);
    assert_non_null(pool);
    return pool;
}

static inline anomaly_pool_options pool_options(void)
{
    anomaly_pool_options options;
    assert_ok(anomaly_pool_options_init(&options, sizeof options));
    return options;
}

static inline anomaly_verdict pool_push(anomaly_pool *pool, const char *key, double x, int64_t t)
{
    anomaly_verdict v;
    assert_ok(anomaly_pool_update(pool, key, strlen(key), &x, t, &v));
    return v;
}

static inline int pool_has(const anomaly_pool *pool, const char *key)
{
    uint64_t slot;
    return anomaly_pool_find(pool, key, strlen(key), &slot) == ANOMALY_OK;
}

#define assert_same_bytes(a, b) check_same_bytes((a), (b), __FILE__, __LINE__)

#endif
