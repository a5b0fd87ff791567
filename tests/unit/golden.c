/* SPDX-License-Identifier: MIT
 * golden.c - the snapshots of every released format, kept in tests/golden/: they are read for ever, on every machine, and what
 * they hold goes on as it did where they were written. The newest format is also written to the same bytes.
 *
 * GOLDEN_WRITE=1 writes the files of the format under way, for a machine and a version that are right; never those of a
 * released one. */
#include "../support/snapshots.h"

#include "../support/random.h"

#define NEWEST "tests/golden/format-1"

typedef struct sample {
    const char *name, *options;
    int kind, events;
} sample;

static const sample SAMPLES[] = {
    {"empty", "window=5m threshold=2.5", ANOMALY_ZSCORE, 0},
    {"zscore-count", "window=100 learn=normal:4", ANOMALY_ZSCORE, 777},
    {"zscore-time", "window=90s,70 max_late=20s max_jump=1h side=upper", ANOMALY_ZSCORE, 400},
    {"robust", "window=40 robust=1 features=3 min_stddev=0.125", ANOMALY_ZSCORE, 130},
    {"percentile", "window=60s lower=2.5 upper=97.5 quantile=nearest", ANOMALY_PERCENTILE, 500},
    {"iforest-young", "window=100 features=3 trees=20 sample=32", ANOMALY_IFOREST, 27},
    {"iforest", "window=90 features=3 trees=20 sample=32 contamination=0.05 learn=normal:4", ANOMALY_IFOREST, 400},
    {"iforest-lags", "window=60 features=2 lags=3 trees=9 sample=20 contamination=0.05", ANOMALY_IFOREST, 200},
    {"mahalanobis", "window=128 learn=normal:4", ANOMALY_MAHALANOBIS, 400},
    {"mahalanobis-young", "window=256 features=3 lags=3", ANOMALY_MAHALANOBIS, 60},
    {"mahalanobis-features", "window=128 features=3", ANOMALY_MAHALANOBIS, 333},
    {"watch-young", "window=256", ANOMALY_WATCH, 75},
    {"watch", "window=256 learn=normal:4 threshold=6", ANOMALY_WATCH, 600},
};

static void values_of_event(double *x, uint64_t i)
{
    random_state r = {i};
    for (int f = 0; f < 3; f++)
        x[f] = one_in(&r, 30) ? NAN : one_in(&r, 40) ? 1e4 : (double)(int64_t)random_below(&r, 4096) / 64 - 20;
}

static int64_t time_of_event(uint64_t i)
{
    random_state r = {~i};
    return (int64_t)(i - (one_in(&r, 7) ? random_below(&r, 40) : 0)) * SECOND + 123456789;
}

static void feed(anomaly_detector *d, uint64_t from, uint64_t to)
{
    double x[3];
    for (uint64_t i = from; i < to; i++) {
        values_of_event(x, i);
        assert_ok(anomaly_update(d, x, time_of_event(i), NULL));
    }
}

static void feed_pool(anomaly_pool *pool, uint64_t from, uint64_t to)
{
    for (uint64_t i = from; i < to; i++) {
        char key[48];
        double x[3];
        random_state r = {i + 7};
        size_t size = (size_t)snprintf(key, sizeof key, "%s/%d", i % 4 ? "host" : "a longer name that is stored apart",
                                       (int)random_below(&r, 12));
        values_of_event(x, i);
        assert_ok(anomaly_pool_update(pool, key, size, x, time_of_event(i), NULL));
    }
}

static void path_of(char *path, size_t room, const char *name)
{
    snprintf(path, room, NEWEST "-%s.bin", name);
}

static saved read_golden(const char *name)
{
    char path[128];
    saved s = {malloc(1 << 20), 0};
    path_of(path, sizeof path, name);
    FILE *file = fopen(path, "rb");
    if (!file || !s.bytes)
        fail_msg("%s cannot be read (tests run from the top of the tree)", path);
    s.size = fread(s.bytes, 1, 1 << 20, file);
    fclose(file);
    return s;
}

static void keep(const char *name, const saved *s)
{
    char path[128];
    const char *wanted = getenv("GOLDEN_WRITE");
    if (!wanted || strcmp(wanted, "1") != 0)
        return;
    path_of(path, sizeof path, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(s->bytes, 1, s->size, file), s->size);
    fclose(file);
}

static void compare(const char *name, const saved *now)
{
    saved golden;
    keep(name, now);
    golden = read_golden(name);
    assert_int_equal(golden.size, now->size);
    assert_memory_equal(golden.bytes, now->bytes, now->size);
    free(golden.bytes);
}

static void test_detector(void **state)
{
    const sample *s = *state;
    anomaly_detector *d = detector_of(s->kind, s->options), *restored;
    saved now, golden;
    feed(d, 0, (uint64_t)s->events);
    now = save_detector(d);
    compare(s->name, &now);
    golden = read_golden(s->name);
    restored = restore_detector(&golden);
    feed(d, (uint64_t)s->events, (uint64_t)s->events + 200);
    feed(restored, (uint64_t)s->events, (uint64_t)s->events + 200);
    check_same_state(d, restored, __FILE__, __LINE__);
    assert_same_bytes(d, restored);
    free(now.bytes);
    free(golden.bytes);
    anomaly_destroy(d);
    anomaly_destroy(restored);
}

static void test_pool(void **state)
{
    anomaly_pool_options options = pool_options();
    anomaly_pool *pool, *restored = NULL;
    saved now, golden, later;
    (void)state;
    options.shards = 4;
    options.max_keys = 64;
    options.max_idle_ns = 3600 * SECOND;
    pool = pool_of(ANOMALY_ZSCORE, "window=20s,30", &options);
    feed_pool(pool, 0, 1000);
    now = save_pool(pool);
    compare("pool", &now);
    golden = read_golden("pool");
    assert_ok(anomaly_pool_restore(golden.bytes, golden.size, NULL, NULL, NULL, &restored, NULL));
    feed_pool(pool, 1000, 2000);
    feed_pool(restored, 1000, 2000);
    later = save_pool(pool);
    assert_true(pool_is(restored, &later));
    free(now.bytes);
    free(golden.bytes);
    free(later.bytes);
    anomaly_pool_destroy(pool);
    anomaly_pool_destroy(restored);
}

int main(void)
{
    static struct CMUnitTest tests[ARRAY_COUNT(SAMPLES) + 1];
    size_t n = 0;
    for (; n < ARRAY_COUNT(SAMPLES); n++)
        tests[n] = (struct CMUnitTest){SAMPLES[n].name, test_detector, NULL, NULL, (void *)(uintptr_t)&SAMPLES[n]};
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_pool);
    return _cmocka_run_group_tests("golden", tests, n, NULL, NULL);
}
