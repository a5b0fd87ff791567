/* SPDX-License-Identifier: MIT
 * pool_saved.c - snapshots of a pool: in pieces, damaged, with other settings; a key that goes elsewhere, and its threshold. */
#include "../support/snapshots.h"

#include "../support/random.h"
#include "../support/test_memory.h"

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
