/* SPDX-License-Identifier: MIT
 * snapshots.c - each allocation of a restore and of a pool's calls fails in turn: a clean error, nothing leaked, and what was
 * there is as it was. */
#include "../support/snapshots.h"

#include "../support/test_memory.h"

typedef struct sample {
    int kind;
    const char *settings;
} sample;

static const sample SAMPLES[] = {
    {ANOMALY_ZSCORE, "window=40 features=3"},
    {ANOMALY_ZSCORE, "window=40s,90"},
    {ANOMALY_ZSCORE, "window=200 robust=1"},
    {ANOMALY_IFOREST, "window=40 features=3 trees=10 sample=30 contamination=0.05"},
};

static double value_of(int i)
{
    return (i * 37) % 11 + (i % 17 == 0 ? 30 : 0);
}

static anomaly_detector *fed(const sample *of)
{
    anomaly_detector *d = detector_of(of->kind, of->settings);
    for (int i = 0; i < 150; i++) {
        double x[3] = {value_of(i), value_of(i + 1), value_of(i + 2)};
        assert_ok(anomaly_update(d, x, i * SECOND, NULL));
    }
    return d;
}

static void test_restore(void **state)
{
    (void)state;
    for (size_t k = 0; k < ARRAY_COUNT(SAMPLES); k++) {
        anomaly_detector *d = fed(&SAMPLES[k]), *copy = NULL;
        saved s = save_detector(d);
        int status = ANOMALY_E_NOMEM;
        for (uint64_t fail_at = 1; status; fail_at++) {
            test_memory m = {.fail_at = fail_at};
            anomaly_allocator memory = {memory_take, memory_give, &m};
            anomaly_error error;
            status = anomaly_restore(s.bytes, s.size, &memory, &copy, &error);
            if (status) {
                assert_int_equal(status, ANOMALY_E_NOMEM);
                assert_string_equal(error.message, "out of memory");
                assert_null(copy);
            } else {
                assert_same_bytes(d, copy);
                anomaly_destroy(copy);
                copy = NULL;
            }
            assert_true(m.live == 0 && m.bad_frees == 0 && fail_at < 100);
        }
        free(s.bytes);
        anomaly_destroy(d);
    }
}

/* ---- pools ---- */

static int push_all(anomaly_pool *pool, int from, int to)
{
    int status = ANOMALY_OK;
    for (int i = from; !status && i < to; i++) {
        char key[64];
        double x[3] = {value_of(i), 1, 2};
        size_t size = (size_t)snprintf(key, sizeof key, "%s%d", i % 2 ? "" : "a key that is stored apart ", i % 7);
        status = anomaly_pool_update(pool, key, size, x, i * SECOND, NULL);
    }
    return status;
}

static anomaly_pool *pool_on(const sample *of, test_memory *m, int *status)
{
    anomaly_allocator memory = {memory_take, memory_give, m};
    anomaly_pool_options options = pool_options();
    anomaly_config config;
    anomaly_pool *pool = NULL;
    options.shards = 2;
    config_of(&config, of->kind, of->settings);
    *status = anomaly_pool_create(&config, &options, &memory, &pool, NULL);
    return pool;
}

/* The failed call changes nothing that a snapshot would show, and the call after it goes on. */
static void test_updates(void **state)
{
    (void)state;
    for (size_t k = 0; k < ARRAY_COUNT(SAMPLES); k++)
        for (uint64_t fail_at = 1, failed = 1; failed; fail_at++) {
            test_memory m = {0};
            int status;
            anomaly_pool *pool = pool_on(&SAMPLES[k], &m, &status);
            saved whole, part;
            assert_ok(status);
            memory_arm(&m, fail_at, 0);
            failed = 0;
            for (int i = 0; i < 200; i++) {
                status = push_all(pool, i, i + 1);
                if (status) {
                    assert_int_equal(status, ANOMALY_E_NOMEM);
                    failed = 1;
                    assert_ok(push_all(pool, i, i + 1));
                }
            }
            memory_arm(&m, 0, 0);
            part = save_pool(pool);
            anomaly_pool_destroy(pool);
            assert_true(m.live == 0 && m.bad_frees == 0);
            m = (test_memory){0};
            pool = pool_on(&SAMPLES[k], &m, &status);
            assert_ok(push_all(pool, 0, 200));
            whole = save_pool(pool);
            assert_true(whole.size == part.size);
            free(whole.bytes);
            free(part.bytes);
            anomaly_pool_destroy(pool);
        }
}

static void test_create(void **state)
{
    int status = ANOMALY_E_NOMEM;
    (void)state;
    for (uint64_t fail_at = 1; status; fail_at++) {
        test_memory m = {.fail_at = fail_at};
        anomaly_pool *pool = pool_on(&SAMPLES[0], &m, &status);
        assert_true(status == ANOMALY_OK || (status == ANOMALY_E_NOMEM && !pool));
        anomaly_pool_destroy(pool);
        assert_true(m.live == 0 && m.bad_frees == 0 && fail_at < 10);
    }
}

static void check_pool_snapshot(const sample *of)
{
    test_memory m = {0};
    anomaly_allocator memory = {memory_take, memory_give, &m};
    anomaly_pool *pool, *copy = NULL;
    int status;
    size_t size, used;
    unsigned char *bytes;
    pool = pool_on(of, &m, &status);
    assert_ok(push_all(pool, 0, 300));
    assert_ok(anomaly_pool_snapshot_size(pool, &size));
    bytes = malloc(size);
    assert_non_null(bytes);
    status = ANOMALY_E_NOMEM;
    for (uint64_t fail_at = 1; status; fail_at++) {
        memory_arm(&m, fail_at, 0);
        status = anomaly_pool_snapshot(pool, bytes, size, &used);
        assert_true(status == ANOMALY_OK || status == ANOMALY_E_NOMEM);
    }
    memory_arm(&m, 0, 0);
    anomaly_pool_destroy(pool);
    assert_true(m.live == 0);
    status = ANOMALY_E_NOMEM;
    for (uint64_t fail_at = 1; status; fail_at++) {
        m = (test_memory){.fail_at = fail_at};
        status = anomaly_pool_restore(bytes, size, NULL, NULL, &memory, &copy, NULL);
        assert_true(status == ANOMALY_OK || (status == ANOMALY_E_NOMEM && !copy));
        anomaly_pool_destroy(copy);
        assert_true(m.live == 0 && m.bad_frees == 0 && fail_at < 1000);
    }
    free(bytes);
}

static void test_pool_snapshot(void **state)
{
    (void)state;
    for (size_t k = 0; k < ARRAY_COUNT(SAMPLES); k++)
        check_pool_snapshot(&SAMPLES[k]);
}

static void check_import(const sample *of)
{
    anomaly_detector *d = fed(of);
    saved s = save_detector(d);
    for (int there = 0; there < 2; there++) {
        int status = ANOMALY_E_NOMEM;
        for (uint64_t fail_at = 1; status; fail_at++) {
            test_memory m = {0};
            int created;
            anomaly_pool *pool = pool_on(of, &m, &created);
            const char *key = "a key that is stored apart 0";
            assert_ok(push_all(pool, 0, there ? 1 : 0));
            saved before = save_pool(pool);
            memory_arm(&m, fail_at, 0);
            status = anomaly_pool_import(pool, key, strlen(key), s.bytes, s.size, NULL);
            memory_arm(&m, 0, 0);
            if (status) {
                assert_int_equal(status, ANOMALY_E_NOMEM);
                assert_true(pool_is(pool, &before));
            }
            free(before.bytes);
            anomaly_pool_destroy(pool);
            assert_true(m.live == 0 && m.bad_frees == 0 && fail_at < 100);
        }
    }
    free(s.bytes);
    anomaly_destroy(d);
}

static void test_import(void **state)
{
    (void)state;
    for (size_t k = 0; k < ARRAY_COUNT(SAMPLES); k++)
        check_import(&SAMPLES[k]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_restore),       cmocka_unit_test(test_create), cmocka_unit_test(test_updates),
        cmocka_unit_test(test_pool_snapshot), cmocka_unit_test(test_import),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
