/* SPDX-License-Identifier: MIT
 * pool.c - a detector for each key: slots, limits, eviction, questions, snapshots in pieces, damage. The random comparison with
 * single detectors is in tests/model/pool.c, threads are in pool_threads.c. */
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

/* ---- snapshots ---- */

static anomaly_pool *filled(const char *settings, int keys)
{
    anomaly_pool *pool = pool_of(ANOMALY_ZSCORE, settings, NULL);
    random_state r = {1};
    for (int i = 0; i < keys * 12; i++) {
        char key[48];
        snprintf(key, sizeof key, "%s%d", i % 3 ? "" : "a longer name, not kept in place ",
                 (int)random_below(&r, (uint64_t)keys));
        pool_push(pool, key, random_normal(&r), i * SECOND);
    }
    return pool;
}

typedef struct stream_bytes {
    saved s;
    size_t at, piece;
} stream_bytes;

static int give(void *ctx, void *bytes, size_t size, size_t *got)
{
    stream_bytes *in = ctx;
    size_t left = in->s.size - in->at;
    *got = size < in->piece ? size : in->piece;
    *got = *got < left ? *got : left;
    memcpy(bytes, in->s.bytes + in->at, *got);
    in->at += *got;
    return in->piece == 0;
}

static void test_in_pieces(void **state)
{
    anomaly_pool *pool = filled("window=64", 3000), *copy = NULL;
    stream_bytes in = {save_pool(pool), 0, 1000};
    (void)state;
    assert_true(in.s.size > 200000); /* several sections */
    assert_ok(anomaly_pool_restore_read(give, &in, NULL, NULL, NULL, &copy, NULL));
    assert_true(in.at == in.s.size);
    assert_true(pool_is(copy, &in.s));
    anomaly_pool_destroy(copy);
    copy = NULL;
    in = (stream_bytes){in.s, 0, 0};
    assert_error(anomaly_pool_restore_read(give, &in, NULL, NULL, NULL, &copy, NULL), ANOMALY_E_STOPPED);
    in = (stream_bytes){{in.s.bytes, in.s.size - 1}, 0, 70000};
    assert_error(anomaly_pool_restore_read(give, &in, NULL, NULL, NULL, &copy, NULL), ANOMALY_E_CORRUPT);
    assert_null(copy);
    free(in.s.bytes);
    anomaly_pool_destroy(pool);
}

typedef struct busy_saving {
    anomaly_pool *pool;
    saved s;
} busy_saving;

/* Takes what is saved; between the first keys and the last, as another thread might: the first key goes, and comes again in the
 * place of the last. */
static int meddle(void *ctx, const void *bytes, size_t size)
{
    busy_saving *b = ctx;
    if (b->s.size < 1000 && b->s.size + size >= 1000) {
        assert_ok(anomaly_pool_remove(b->pool, "first", 5));
        assert_ok(anomaly_pool_remove(b->pool, "last", 4));
        pool_push(b->pool, "first", 5, 0);
    }
    b->s.bytes = realloc(b->s.bytes, b->s.size + size);
    assert_non_null(b->s.bytes);
    memcpy(b->s.bytes + b->s.size, bytes, size);
    b->s.size += size;
    return 0;
}

static void test_a_key_that_comes_again_while_it_is_saved(void **state)
{
    anomaly_pool_options options = pool_options();
    options.shards = 1;
    anomaly_pool *pool = pool_of(ANOMALY_ZSCORE, "window=10", &options), *copy = NULL;
    busy_saving b = {pool, {NULL, 0}};
    (void)state;
    for (int i = 0; i < 2000; i++) { /* several sections */
        char key[16];
        snprintf(key, sizeof key, "%d", i);
        pool_push(pool, i == 0 ? "first" : i == 1999 ? "last" : key, i, 0);
        if (i == 0)
            pool_push(pool, "first", i, 0);
    }
    assert_ok(anomaly_pool_snapshot_write(pool, meddle, &b));
    assert_ok(anomaly_pool_restore(b.s.bytes, b.s.size, NULL, NULL, NULL, &copy, NULL));
    assert_true(anomaly_pool_count(copy) == 1999);
    assert_true(pool_push(copy, "first", 5, 0).events == 1); /* of its second life */
    free(b.s.bytes);
    anomaly_pool_destroy(pool);
    anomaly_pool_destroy(copy);
}

static void refused(const unsigned char *bytes, size_t size)
{
    anomaly_pool *pool = NULL;
    anomaly_error error = {0};
    int status = anomaly_pool_restore(bytes, size, NULL, NULL, NULL, &pool, &error);
    assert_true(status == ANOMALY_E_CORRUPT || status == ANOMALY_E_VERSION);
    assert_true(error.status == status && error.message[0]);
    assert_null(pool);
}

static void test_damage(void **state)
{
    anomaly_pool *pool = filled("window=5s,20", 6);
    saved s = save_pool(pool);
    (void)state;
    for (size_t size = 0; size < s.size; size++)
        refused(s.bytes, size);
    for (size_t i = 0; i < s.size; i++)
        for (int bit = 0; bit < 8; bit++) {
            s.bytes[i] ^= (unsigned char)(1 << bit);
            refused(s.bytes, s.size);
            s.bytes[i] ^= (unsigned char)(1 << bit);
        }
    free(s.bytes);
    anomaly_pool_destroy(pool);
}

/* A stream whose first section claims 2^60 bytes: no memory is taken for them. */
static void test_length_that_lies(void **state)
{
    anomaly_pool *pool = filled("window=10", 3), *copy = NULL;
    stream_bytes in = {save_pool(pool), 0, 4096};
    test_memory m = {0};
    anomaly_allocator memory = {memory_take, memory_give, &m};
    (void)state;
    in.s.bytes[23] = 0x10;
    assert_error(anomaly_pool_restore_read(give, &in, NULL, NULL, &memory, &copy, NULL), ANOMALY_E_CORRUPT);
    assert_true(m.live == 0 && m.peak < 300000);
    free(in.s.bytes);
    anomaly_pool_destroy(pool);
}

/* Sections may not be left out, doubled or swapped. */
static void test_sections_are_chained(void **state)
{
    anomaly_pool *pool = filled("window=64", 2000);
    saved s = save_pool(pool), t;
    size_t at[4] = {0}, n = 0;
    (void)state;
    for (size_t i = 0; i < s.size && n < 4; n++) {
        at[n] = i;
        for (int k = 0; k < 8; k++)
            i += (size_t)s.bytes[at[n] + 16 + (size_t)k] << 8 * k;
    }
    assert_int_equal(n, 4);
    t.bytes = malloc(s.size + at[2] - at[1]);
    assert_non_null(t.bytes);
    memcpy(t.bytes, s.bytes, at[1]); /* without the first section of keys */
    memcpy(t.bytes + at[1], s.bytes + at[2], s.size - at[2]);
    refused(t.bytes, s.size - (at[2] - at[1]));
    memcpy(t.bytes, s.bytes, at[2]); /* twice */
    memcpy(t.bytes + at[2], s.bytes + at[1], s.size - at[1]);
    refused(t.bytes, s.size + at[2] - at[1]);
    memcpy(t.bytes, s.bytes, at[1]); /* swapped */
    memcpy(t.bytes + at[1], s.bytes + at[2], at[3] - at[2]);
    memcpy(t.bytes + at[1] + at[3] - at[2], s.bytes + at[1], at[2] - at[1]);
    memcpy(t.bytes + at[3], s.bytes + at[3], s.size - at[3]);
    refused(t.bytes, s.size);
    free(t.bytes);
    free(s.bytes);
    anomaly_pool_destroy(pool);
}

static void test_other_settings(void **state)
{
    anomaly_pool *pool = filled("window=10", 5), *copy = NULL;
    saved s = save_pool(pool);
    anomaly_config config;
    anomaly_error error;
    anomaly_pool_options options = pool_options();
    (void)state;
    config_of(&config, ANOMALY_ZSCORE, "window=10 threshold=8 side=upper simd=scalar reserve=1");
    assert_ok(anomaly_pool_restore(s.bytes, s.size, &config, NULL, NULL, &copy, NULL));
    assert_true(pool_push(copy, "0", 1, 0).threshold == 8 && anomaly_pool_count(copy) == anomaly_pool_count(pool));
    anomaly_pool_destroy(copy);
    copy = NULL;
    config_of(&config, ANOMALY_ZSCORE, "window=11");
    assert_error(anomaly_pool_restore(s.bytes, s.size, &config, NULL, NULL, &copy, &error), ANOMALY_E_CONFIG);
    assert_string_equal(error.field, "window");
    assert_string_equal(error.message, "saved with window=10, not 11");
    config_of(&config, ANOMALY_PERCENTILE, "window=10");
    assert_error(anomaly_pool_restore(s.bytes, s.size, &config, NULL, NULL, &copy, &error), ANOMALY_E_CONFIG);
    options.max_keys = 4;
    options.shards = 1;
    options.refuse = 1;
    assert_error(anomaly_pool_restore(s.bytes, s.size, NULL, &options, NULL, &copy, NULL), ANOMALY_E_FULL);
    assert_null(copy);
    options.refuse = 0;
    assert_ok(anomaly_pool_restore(s.bytes, s.size, NULL, &options, NULL, &copy, NULL));
    assert_true(anomaly_pool_count(copy) == 4);
    anomaly_pool_destroy(copy);
    free(s.bytes);
    anomaly_pool_destroy(pool);
}

static void test_one_key_elsewhere(void **state)
{
    anomaly_pool *pool = filled("window=10", 5), *other = pool_of(ANOMALY_ZSCORE, "window=10", NULL);
    anomaly_pool *third = pool_of(ANOMALY_ZSCORE, "window=9", NULL);
    anomaly_detector *alone;
    anomaly_error error;
    unsigned char bytes[2048];
    size_t used = 0, size = 0;
    (void)state;
    assert_error(anomaly_pool_export(pool, "nobody", 6, bytes, sizeof bytes, &used), ANOMALY_E_NOTFOUND);
    assert_ok(anomaly_pool_export(pool, "1", 1, NULL, 0, &size));
    assert_error(anomaly_pool_export(pool, "1", 1, bytes, size - 1, &used), ANOMALY_E_SPACE);
    assert_ok(anomaly_pool_export(pool, "1", 1, bytes, sizeof bytes, &used));
    assert_true(used == size);
    assert_ok(anomaly_pool_import(other, "1", 1, bytes, used, NULL));
    assert_ok(anomaly_restore(bytes, used, NULL, &alone, NULL)); /* it is a detector's snapshot */
    for (int i = 0; i < 30; i++) {
        double x = (i * 7) % 5;
        anomaly_verdict a = pool_push(pool, "1", x, 0), b = pool_push(other, "1", x, 0), c = push(alone, x);
        assert_same_verdict(&a, &b);
        assert_same_verdict(&a, &c);
    }
    assert_error(anomaly_pool_import(third, "1", 1, bytes, used, &error), ANOMALY_E_CONFIG);
    assert_string_equal(error.field, "window");
    bytes[used / 2] ^= 1;
    assert_error(anomaly_pool_import(other, "1", 1, bytes, used, &error), ANOMALY_E_CORRUPT);
    anomaly_destroy(alone);
    anomaly_pool_destroy(pool);
    anomaly_pool_destroy(other);
    anomaly_pool_destroy(third);
}

static int threshold_of_its_own(void *ctx, anomaly_detector *detector)
{
    return anomaly_set_threshold(detector, *(double *)ctx);
}

/* One key's threshold is its own, in a snapshot too, until the whole pool gets one. With a forest, a threshold that has been
 * set follows the scores no more, for keys that come later either. */
static void test_thresholds(void **state)
{
    static const int KINDS[] = {ANOMALY_ZSCORE, ANOMALY_IFOREST};
    (void)state;
    for (size_t k = 0; k < ARRAY_COUNT(KINDS); k++) {
        anomaly_pool *pool = pool_of(KINDS[k], "window=300", NULL), *copy = NULL;
        double own = 0.75;
        uint64_t slot;
        anomaly_config config;
        pool_push(pool, "a", 1, 0);
        double shared = pool_push(pool, "b", 1, 0).threshold;
        assert_ok(anomaly_pool_find(pool, "a", 1, &slot));
        assert_ok(anomaly_pool_with(pool, slot, threshold_of_its_own, &own));
        saved s = save_pool(pool);
        assert_ok(anomaly_pool_restore(s.bytes, s.size, NULL, NULL, NULL, &copy, NULL));
        assert_true(pool_push(copy, "a", 1, 0).threshold == 0.75 &&
                    same_double(pool_push(copy, "b", 1, 0).threshold, shared));
        assert_error(anomaly_pool_set_threshold(copy, KINDS[k] == ANOMALY_IFOREST ? 0 : (double)NAN), ANOMALY_E_ARG);
        assert_ok(anomaly_pool_set_threshold(copy, 0.5));
        assert_true(pool_push(copy, "a", 1, 0).threshold == 0.5 && pool_push(copy, "b", 1, 0).threshold == 0.5);
        for (int i = 0; i < 200; i++)
            assert_true(pool_push(copy, "later", i % 7, 0).threshold == 0.5);
        assert_ok(anomaly_pool_get_config(copy, &config, sizeof config));
        assert_true(config.threshold == 0.5 && config.contamination == 0);
        free(s.bytes);
        anomaly_pool_destroy(pool);
        anomaly_pool_destroy(copy);
    }
}

typedef struct taken {
    unsigned char bytes[65536];
    size_t size;
} taken;

static int take_snapshot(void *ctx, anomaly_detector *detector)
{
    taken *to = ctx;
    return anomaly_snapshot(detector, to->bytes, sizeof to->bytes, &to->size);
}

static double threshold_in(anomaly_pool *pool, const char *key)
{
    return pool_push(pool, key, 3, 0).threshold;
}

/* A key that is exported, or saved while it is visited, comes back as it was: with its own threshold, if it has one; else under
 * the pool's, whatever that is by then. */
static void test_threshold_comes_back(void **state)
{
    static const int KINDS[] = {ANOMALY_ZSCORE, ANOMALY_PERCENTILE, ANOMALY_IFOREST};
    (void)state;
    for (size_t k = 0; k < ARRAY_COUNT(KINDS); k++) {
        anomaly_pool *pool = pool_of(KINDS[k], "window=300", NULL), *other = pool_of(KINDS[k], "window=300", NULL);
        taken *exported = calloc(2, sizeof *exported), *visited = exported + 1;
        anomaly_detector *alone;
        double own = 0.75;
        uint64_t slot;
        assert_non_null(exported);
        for (int i = 0; i < 150; i++)
            pool_push(pool, "a", i % 7, 0);
        assert_ok(anomaly_pool_export(pool, "a", 1, exported->bytes, sizeof exported->bytes, &exported->size));
        assert_ok(anomaly_pool_set_threshold(other, 0.5));
        if (KINDS[k] != ANOMALY_IFOREST) { /* that of a forest followed its scores until then */
            assert_ok(anomaly_pool_import(other, "a", 1, exported->bytes, exported->size, NULL));
            assert_true(threshold_in(other, "a") == 0.5);
        }
        assert_ok(anomaly_pool_find(pool, "a", 1, &slot));
        assert_ok(anomaly_pool_with(pool, slot, threshold_of_its_own, &own));
        assert_ok(anomaly_pool_export(pool, "a", 1, exported->bytes, sizeof exported->bytes, &exported->size));
        assert_ok(anomaly_pool_with(pool, slot, take_snapshot, visited));
        assert_int_equal(exported->size, visited->size);
        assert_memory_equal(exported->bytes, visited->bytes, visited->size);
        assert_ok(anomaly_pool_import(pool, "b", 1, exported->bytes, exported->size, NULL));
        assert_true(threshold_in(pool, "b") == own && threshold_in(pool, "c") != own);
        assert_ok(anomaly_restore(exported->bytes, exported->size, NULL, &alone, NULL));
        for (int i = 0; i < 200; i++) {
            anomaly_verdict a = pool_push(pool, "a", i % 9, 0), b = push(alone, i % 9);
            assert_same_verdict(&a, &b);
        }
        free(exported);
        anomaly_destroy(alone);
        anomaly_pool_destroy(pool);
        anomaly_pool_destroy(other);
    }
}

static void test_import_refusals(void **state)
{
    anomaly_pool *pool = filled("window=10", 2);
    unsigned char bytes[2048];
    size_t used = 0;
    uint64_t keys = anomaly_pool_count(pool);
    anomaly_error error;
    (void)state;
    assert_ok(anomaly_pool_export(pool, "1", 1, bytes, sizeof bytes, &used));
    error.message[0] = 0;
    assert_error(anomaly_pool_import(NULL, "1", 1, bytes, used, &error), ANOMALY_E_ARG);
    assert_true(error.status == ANOMALY_E_ARG && error.message[0] != 0);
    assert_error(anomaly_pool_import(NULL, "1", 1, bytes, used, NULL), ANOMALY_E_ARG);
    assert_error(anomaly_pool_import(pool, NULL, 1, bytes, used, NULL), ANOMALY_E_ARG);
    assert_error(anomaly_pool_import(pool, "1", 0, bytes, used, NULL), ANOMALY_E_ARG);
    assert_error(anomaly_pool_import(pool, "1", 1, NULL, used, NULL), ANOMALY_E_ARG);
    assert_error(anomaly_pool_import(pool, "1", 1, bytes, 0, NULL), ANOMALY_E_CORRUPT);
    assert_error(anomaly_pool_export(NULL, "1", 1, bytes, used, &used), ANOMALY_E_ARG);
    assert_error(anomaly_pool_export(pool, "1", 1, bytes, used, NULL), ANOMALY_E_ARG);
    assert_true(anomaly_pool_count(pool) == keys);
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
        cmocka_unit_test(test_in_pieces),
        cmocka_unit_test(test_a_key_that_comes_again_while_it_is_saved),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_length_that_lies),
        cmocka_unit_test(test_sections_are_chained),
        cmocka_unit_test(test_other_settings),
        cmocka_unit_test(test_one_key_elsewhere),
        cmocka_unit_test(test_thresholds),
        cmocka_unit_test(test_threshold_comes_back),
        cmocka_unit_test(test_import_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
