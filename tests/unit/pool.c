/* SPDX-License-Identifier: MIT
 * pool.c - a detector for each key: slots, limits, eviction, questions. What is saved of a pool is in pool_saved.c, threads are
 * in pool_threads.c, the random comparison with single detectors is in tests/model/pool.c. */
#include "../support/snapshots.h"

#include "../support/random.h"
#include "../support/test_memory.h"

/* ---- keys and slots ---- */

static void test_keys(void **state)
{
    anomaly_pool *pool = pool_of(ANOMALY_ZSCORE, "window=10", NULL);
    static char huge[65536];
    uint64_t slot = 5;
    double x = 1;
    (void)state;
    assert_error(anomaly_pool_slot(pool, "", 0, &slot), ANOMALY_E_ARG);
    assert_error(anomaly_pool_slot(pool, NULL, 3, &slot), ANOMALY_E_ARG);
    assert_error(anomaly_pool_slot(pool, huge, 65536, &slot), ANOMALY_E_ARG);
    assert_error(anomaly_pool_slot(pool, "k", 1, NULL), ANOMALY_E_ARG);
    assert_error(anomaly_pool_slot(NULL, "k", 1, &slot), ANOMALY_E_ARG);
    assert_error(anomaly_pool_update(pool, "", 0, &x, 0, NULL), ANOMALY_E_ARG);
    assert_error(anomaly_pool_update(pool, "k", 1, NULL, 0, NULL), ANOMALY_E_ARG);
    assert_error(anomaly_pool_find(pool, "k", 1, &slot), ANOMALY_E_NOTFOUND);
    assert_error(anomaly_pool_remove(pool, "k", 1), ANOMALY_E_NOTFOUND);
    assert_error(anomaly_pool_update_at(pool, 0, &x, 0, NULL), ANOMALY_E_NOTFOUND);
    assert_error(anomaly_pool_update_at(pool, UINT64_MAX, &x, 0, NULL), ANOMALY_E_NOTFOUND);
    assert_true(slot == 5 && anomaly_pool_count(pool) == 0 && anomaly_pool_count(NULL) == 0);
    assert_ok(anomaly_pool_slot(pool, huge, 65535, &slot));
    assert_ok(anomaly_pool_slot(pool, "a\0b", 3, &slot));
    assert_error(anomaly_pool_find(pool, "a", 1, &slot), ANOMALY_E_NOTFOUND);
    assert_true(anomaly_pool_count(pool) == 2);
    anomaly_pool_destroy(pool);
    anomaly_pool_destroy(NULL);
}

static void test_event_without_time_makes_no_key(void **state)
{
    anomaly_pool *pool = pool_of(ANOMALY_ZSCORE, "window=10s", NULL);
    double x = 1;
    (void)state;
    assert_error(anomaly_pool_update(pool, "k", 1, &x, ANOMALY_NO_TIME, NULL), ANOMALY_E_ARG);
    assert_true(anomaly_pool_count(pool) == 0);
    anomaly_pool_destroy(pool);
}

static void test_stale_slot(void **state)
{
    anomaly_pool_options options = pool_options();
    anomaly_pool *pool;
    uint64_t a, b, again;
    double x = 1;
    (void)state;
    options.shards = 1;
    pool = pool_of(ANOMALY_ZSCORE, "window=10", &options);
    assert_ok(anomaly_pool_slot(pool, "a", 1, &a));
    assert_ok(anomaly_pool_slot(pool, "a", 1, &again));
    assert_true(a == again && a != 0);
    assert_ok(anomaly_pool_update_at(pool, a, &x, 0, NULL));
    assert_ok(anomaly_pool_remove(pool, "a", 1));
    assert_error(anomaly_pool_update_at(pool, a, &x, 0, NULL), ANOMALY_E_NOTFOUND);
    assert_ok(anomaly_pool_slot(pool, "b", 1, &b)); /* the same place */
    assert_true((uint32_t)a == (uint32_t)b && a != b);
    assert_error(anomaly_pool_update_at(pool, a, &x, 0, NULL), ANOMALY_E_NOTFOUND);
    anomaly_pool_destroy(pool);
}

static void test_many_keys(void **state)
{
    anomaly_pool *pool = pool_of(ANOMALY_ZSCORE, "window=10", NULL);
    char key[32];
    int most = is_quick() ? 2000 : 50000;
    (void)state;
    for (int i = 0; i < most; i++) {
        snprintf(key, sizeof key, "key-%d", i);
        pool_push(pool, key, i, 0);
    }
    for (int i = 0; i < most; i += 2) {
        snprintf(key, sizeof key, "key-%d", i);
        assert_ok(anomaly_pool_remove(pool, key, strlen(key)));
    }
    for (int i = 0; i < most; i++) {
        snprintf(key, sizeof key, "key-%d", i);
        assert_true(pool_has(pool, key) == (i % 2 == 1));
    }
    assert_true(anomaly_pool_count(pool) == (uint64_t)most / 2);
    anomaly_pool_destroy(pool);
}

/* ---- S15: 20 keys, 40 values each, interleaved, one process or five ---- */

static void test_routed(void **state)
{
    (void)state;
    for (uint64_t processes = 1; processes <= 5; processes += 4) {
        anomaly_pool *pool[5];
        int found = 0;
        for (uint64_t p = 0; p < processes; p++)
            pool[p] = pool_of(ANOMALY_ZSCORE, "window=30", NULL);
        for (int i = 0; i < 40; i++)
            for (int k = 0; k < 20; k++) {
                char key[16];
                snprintf(key, sizeof key, "m%02d", k);
                int odd = i == 30 && (k == 7 || k == 13);
                anomaly_verdict v =
                    pool_push(pool[anomaly_key_hash(key, 3) % processes], key, odd ? 95 : 50 + i % 10, ANOMALY_NO_TIME);
                assert_true(flagged(v) == odd);
                found += flagged(v);
                if (odd)
                    assert_close(v.score, 13.863294, 1e-6);
            }
        assert_int_equal(found, 2);
        for (uint64_t p = 0; p < processes; p++)
            anomaly_pool_destroy(pool[p]);
    }
}

/* ---- limits ---- */

static void count_evicted(void *ctx, const void *key, size_t size, const anomaly_detector *detector)
{
    char *list = ctx;
    assert_non_null(detector);
    strncat(list, key, size);
}

static void test_least_recently_used_goes(void **state)
{
    anomaly_pool_options options = pool_options();
    anomaly_pool *pool;
    anomaly_usage usage;
    anomaly_counts counts;
    char list[64] = "";
    (void)state;
    options.max_keys = 3;
    options.shards = 1;
    options.evicting = count_evicted;
    options.evicting_ctx = list;
    pool = pool_of(ANOMALY_ZSCORE, "window=10", &options);
    pool_push(pool, "a", 1, 0);
    pool_push(pool, "b", 1, 0);
    pool_push(pool, "c", 1, 0);
    pool_push(pool, "a", 1, 0);
    pool_push(pool, "d", 1, 0);
    pool_push(pool, "e", 1, 0);
    assert_string_equal(list, "bc");
    assert_true(pool_has(pool, "a") && !pool_has(pool, "b") && !pool_has(pool, "c"));
    assert_ok(anomaly_pool_usage(pool, &usage));
    assert_true(usage.keys == 3 && usage.created == 5 && usage.evicted == 2 && usage.removed == 0);
    assert_ok(anomaly_pool_counters(pool, &counts));
    assert_true(counts.events == 6 && counts.learned == 6);
    anomaly_pool_destroy(pool);
}

static void test_refusing(void **state)
{
    anomaly_pool_options options = pool_options();
    anomaly_pool *pool;
    uint64_t slot = 3;
    double x = 1;
    (void)state;
    options.max_keys = 1;
    options.refuse = 1;
    pool = pool_of(ANOMALY_ZSCORE, "window=10", &options);
    pool_push(pool, "a", 1, 0);
    assert_error(anomaly_pool_update(pool, "b", 1, &x, 0, NULL), ANOMALY_E_FULL);
    assert_error(anomaly_pool_slot(pool, "b", 1, &slot), ANOMALY_E_FULL);
    assert_true(slot == 3 && pool_has(pool, "a") && !pool_has(pool, "b"));
    anomaly_pool_destroy(pool);
}

/* More keys than fit, windows that grow: never a byte more than allowed. */
static void test_memory_bound(void **state)
{
    static const char *const SETTINGS[] = {"window=1000", "window=300s robust=1", "window=64 features=5"};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(SETTINGS); i++) {
        test_memory m = {0};
        anomaly_allocator memory = {memory_take, memory_give, &m};
        anomaly_pool_options options = pool_options();
        anomaly_config config;
        anomaly_pool *pool;
        anomaly_usage usage;
        random_state r = {i};
        options.max_bytes = 1 << 20;
        options.locks = 0;
        config_of(&config, ANOMALY_ZSCORE, SETTINGS[i]);
        assert_ok(anomaly_pool_create(&config, &options, &memory, &pool, NULL));
        for (int e = 0; e < (is_quick() ? 10000 : 60000); e++) {
            char key[40];
            double x[5] = {random_normal(&r)};
            uint64_t k = random_below(&r, one_in(&r, 2) ? 10 : 100000);
            snprintf(key, sizeof key, "%s%llu", k % 2 ? "a long name for a key: " : "", (unsigned long long)k);
            assert_ok(anomaly_pool_update(pool, key, strlen(key), x, e * SECOND / 100, NULL));
            assert_true(m.bytes <= options.max_bytes);
        }
        assert_ok(anomaly_pool_usage(pool, &usage));
        assert_true(usage.bytes == m.bytes && m.peak <= options.max_bytes && usage.evicted > 100 && usage.keys > 3);
        anomaly_pool_destroy(pool);
        assert_true(m.live == 0 && m.bad_frees == 0);
    }
}

/* A window that alone is too large: E_FULL, and the key is as it was. */
static void test_key_too_large_for_the_bound(void **state)
{
    anomaly_pool_options options = pool_options();
    anomaly_pool *pool;
    saved before;
    double x = 1;
    int status = ANOMALY_OK;
    (void)state;
    options.max_bytes = 70000;
    options.shards = 1;
    pool = pool_of(ANOMALY_ZSCORE, "window=100000", &options);
    for (int i = 0; i < 100000 && !status; i++) {
        before = save_pool(pool);
        status = anomaly_pool_update(pool, "k", 1, &x, 0, NULL);
        if (!status)
            free(before.bytes);
    }
    assert_int_equal(status, ANOMALY_E_FULL);
    assert_true(pool_is(pool, &before));
    free(before.bytes);
    anomaly_pool_destroy(pool);
}

static void test_idle_keys_go(void **state)
{
    anomaly_pool_options options = pool_options();
    anomaly_pool *pool;
    uint64_t evicted;
    (void)state;
    options.max_idle_ns = 60 * SECOND;
    options.shards = 1;
    pool = pool_of(ANOMALY_ZSCORE, "window=10", &options);
    pool_push(pool, "a", 1, 0);
    pool_push(pool, "b", 1, 50 * SECOND);
    pool_push(pool, "b", 1, 61 * SECOND);
    assert_true(pool_has(pool, "a")); /* no new key, nothing goes */
    pool_push(pool, "c", 1, 62 * SECOND);
    assert_true(!pool_has(pool, "a") && pool_has(pool, "b"));
    assert_ok(anomaly_pool_evict(pool, 61 * SECOND, UINT64_MAX, UINT64_MAX, &evicted));
    assert_true(evicted == 0);
    assert_ok(anomaly_pool_evict(pool, 62 * SECOND, UINT64_MAX, UINT64_MAX, &evicted));
    assert_true(evicted == 1 && !pool_has(pool, "b") && pool_has(pool, "c"));
    anomaly_pool_destroy(pool);
}

static void test_evict_without_limits(void **state)
{
    anomaly_pool_options options = pool_options();
    anomaly_pool *pool;
    anomaly_usage usage;
    uint64_t evicted;
    (void)state;
    options.shards = 1;
    pool = pool_of(ANOMALY_ZSCORE, "window=10", &options);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 26; i++)
            pool_push(pool, (char[2]){(char)('a' + i), 0}, 1, 0);
        pool_push(pool, "a", 1, 0);
        assert_ok(anomaly_pool_evict(pool, ANOMALY_NO_TIME, 2, UINT64_MAX, &evicted));
        assert_true(evicted == 24 && pool_has(pool, "a") && pool_has(pool, "z") && !pool_has(pool, "y"));
    }
    assert_ok(anomaly_pool_evict(pool, ANOMALY_NO_TIME, UINT64_MAX, 0, NULL));
    assert_ok(anomaly_pool_usage(pool, &usage));
    assert_true(usage.keys == 0);
    anomaly_pool_destroy(pool);
}

static void test_options(void **state)
{
    anomaly_pool_options options = pool_options();
    anomaly_config config;
    anomaly_pool *pool = NULL;
    anomaly_error error;
    (void)state;
    config_of(&config, ANOMALY_ZSCORE, "");
    assert_error(anomaly_pool_options_init(NULL, sizeof options), ANOMALY_E_ARG);
    assert_error(anomaly_pool_options_init(&options, sizeof options + 8), ANOMALY_E_VERSION);
    options.shards = 3;
    assert_error(anomaly_pool_create(&config, &options, NULL, &pool, &error), ANOMALY_E_CONFIG);
    assert_string_equal(error.field, "shards");
    options.shards = 512;
    assert_error(anomaly_pool_create(&config, &options, NULL, &pool, &error), ANOMALY_E_CONFIG);
    options = pool_options();
    options.shards = 16;
    options.max_bytes = 16 * 65536 - 1;
    assert_error(anomaly_pool_create(&config, &options, NULL, &pool, &error), ANOMALY_E_CONFIG);
    assert_string_equal(error.field, "max_bytes");
    options = pool_options();
    options.max_idle_ns = -1;
    assert_error(anomaly_pool_create(&config, &options, NULL, &pool, NULL), ANOMALY_E_CONFIG);
    options = pool_options();
    options.struct_size = sizeof options + 8;
    assert_error(anomaly_pool_create(&config, &options, NULL, &pool, NULL), ANOMALY_E_VERSION);
    config.ddof = 7;
    assert_error(anomaly_pool_create(&config, NULL, NULL, &pool, &error), ANOMALY_E_CONFIG);
    assert_string_equal(error.field, "ddof");
    assert_error(anomaly_pool_create(&config, NULL, NULL, NULL, NULL), ANOMALY_E_ARG);
    assert_null(pool);
}

/* ---- questions ---- */

static int add_up(void *ctx, uint64_t slot, const void *key, size_t size, const anomaly_detector *detector)
{
    uint64_t *sum = ctx;
    assert_true(slot != 0 && size == 2);
    *sum += (uint64_t)((const char *)key)[1] + counters_of(detector).events * 1000;
    return *sum > 50000;
}

static int reset_it(void *ctx, anomaly_detector *detector)
{
    (void)ctx;
    anomaly_reset(detector);
    return 17;
}

static void test_questions(void **state)
{
    anomaly_pool *pool = pool_of(ANOMALY_ZSCORE, "window=10s", NULL);
    anomaly_config config;
    anomaly_counts counts;
    uint64_t slot, sum = 0;
    (void)state;
    pool_push(pool, "k1", 5, 0);
    pool_push(pool, "k2", 5, 0);
    pool_push(pool, "k2", 5, SECOND);
    assert_ok(anomaly_pool_each(pool, add_up, &sum));
    assert_true(sum == '1' + '2' + 3000);
    sum = 50000;
    assert_error(anomaly_pool_each(pool, add_up, &sum), ANOMALY_E_STOPPED);
    assert_ok(anomaly_pool_counters(pool, &counts));
    assert_true(counts.events == 3);
    assert_ok(anomaly_pool_set_threshold(pool, 9));
    assert_true(pool_push(pool, "k1", 5, 0).threshold == 9 && pool_push(pool, "new", 5, 0).threshold == 9);
    assert_error(anomaly_pool_set_threshold(pool, NAN), ANOMALY_E_ARG);
    assert_ok(anomaly_pool_get_config(pool, &config, sizeof config));
    assert_true(config.threshold == 9 && config.window_ns == 10 * SECOND);
    assert_ok(anomaly_pool_find(pool, "k2", 2, &slot));
    assert_int_equal(anomaly_pool_with(pool, slot, reset_it, NULL), 17);
    assert_int_equal(anomaly_pool_with(pool, ~slot, reset_it, NULL), ANOMALY_E_NOTFOUND);
    assert_true(pool_push(pool, "k2", 5, SECOND).events == 0);
    assert_ok(anomaly_pool_advance(pool, 100 * SECOND));
    assert_true(pool_push(pool, "k1", 5, 100 * SECOND).events == 0);
    assert_error(anomaly_pool_advance(pool, ANOMALY_NO_TIME), ANOMALY_E_ARG);
    anomaly_pool_destroy(pool);
}

static void test_rows(void **state)
{
    static const char *const KEYS[] = {"a", "b", "a", "b", NULL};
    const double x[5] = {1, 2, 3, 4, 5};
    uint64_t events[5] = {9, 9, 9, 9, 9}, slots[5];
    anomaly_pool *pool = pool_of(ANOMALY_ZSCORE, "window=10", NULL);
    anomaly_keys by = {.keys = KEYS};
    anomaly_rows rows = {.count = 5, .values = x};
    anomaly_verdicts out = {.events = events};
    size_t done = 0;
    (void)state;
    assert_error(anomaly_pool_update_rows(pool, &by, &rows, &out, &done), ANOMALY_E_ARG);
    assert_true(done == 4 && events[0] == 0 && events[2] == 1 && events[3] == 1 && events[4] == 9);
    assert_error(anomaly_pool_update_rows(pool, NULL, &rows, &out, &done), ANOMALY_E_ARG);
    for (int i = 0; i < 5; i++)
        assert_ok(anomaly_pool_slot(pool, i % 2 ? "b" : "a", 1, &slots[i]));
    slots[3] = 12345;
    by = (anomaly_keys){.slots = slots};
    assert_error(anomaly_pool_update_rows(pool, &by, &rows, &out, &done), ANOMALY_E_NOTFOUND);
    assert_true(done == 3 && events[0] == 2 && events[1] == 2 && events[2] == 3);
    anomaly_pool_destroy(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_event_without_time_makes_no_key),
        cmocka_unit_test(test_stale_slot),
        cmocka_unit_test(test_many_keys),
        cmocka_unit_test(test_routed),
        cmocka_unit_test(test_least_recently_used_goes),
        cmocka_unit_test(test_refusing),
        cmocka_unit_test(test_memory_bound),
        cmocka_unit_test(test_key_too_large_for_the_bound),
        cmocka_unit_test(test_idle_keys_go),
        cmocka_unit_test(test_evict_without_limits),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_questions),
        cmocka_unit_test(test_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
