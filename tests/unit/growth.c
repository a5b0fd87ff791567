/* SPDX-License-Identifier: MIT
 * growth.c - how much is taken, and when: rings, buckets of values in order, a pool's table and entries. Answers are right with
 * twice the memory or a table that is all but full, so it is looked at from inside. */
#include "../support/snapshots.h"

#include "../support/random.h"
#include "../support/test_memory.h"
#include "percentile/order.h"
#include "pool/pool.h"

enum { WINDOW = 3000, EVENTS = 9000 };

/* ---- values, one shape each ---- */

static double up(random_state *r, int i)
{
    (void)r;
    return i;
}

static double down(random_state *r, int i)
{
    (void)r;
    return -i;
}

static double at_random(random_state *r, int i)
{
    (void)i;
    return random_normal(r);
}

static double few(random_state *r, int i)
{
    (void)i;
    return (double)random_below(r, 3);
}

static double saw(random_state *r, int i)
{
    return i % 7 ? (double)(i * 37 % 400) : random_normal(r) * 400;
}

static double (*const SHAPES[])(random_state *, int) = {up, down, at_random, few, saw};

/* ---- a detector ---- */

/* A power of two, at least 8, never twice what is needed. */
static void check_ring(const an_window *window)
{
    uint64_t slots = window->mask + 1, count = an_window_count(window);
    assert_true((slots & window->mask) == 0 && slots >= count && slots >= AN_FIRST_SLOTS);
    assert_true(slots == AN_FIRST_SLOTS || slots < 2 * count);
}

/* Room for buckets that are two thirds full, at the last size for whatever may come: each has 1 to `width` values, and
 * neighbours do not fit in half of one. */
static void check_buckets(const an_ranks *ranks, uint64_t slots, int last)
{
    uint64_t sum = 0, usual = slots <= 64 ? 1 : slots * 3 / 2 / 64 + 2, worst = slots <= 64 ? 1 : 4 * slots / 66 + 3;
    assert_true(ranks->width <= 64 && ranks->buckets <= ranks->capacity && ranks->capacity <= worst + worst / 2 + 1);
    assert_true(ranks->capacity >= (last ? worst : usual));
    for (uint32_t b = 0; b < ranks->buckets; b++) {
        assert_true(ranks->count[b] >= 1 && ranks->count[b] <= ranks->width);
        assert_true(b == 0 || ranks->count[b - 1] + ranks->count[b] > ranks->width / 2);
        sum += ranks->count[b];
    }
    assert_true(sum == ranks->size);
    assert_true(ranks->buckets <= 4 * ranks->size / (ranks->width + 2) + 1);
}

static void check_growth(int kind, const char *options, double (*shape)(random_state *, int))
{
    test_memory m = {0};
    anomaly_allocator memory = {memory_take, memory_give, &m};
    anomaly_config config;
    anomaly_detector *d;
    random_state r = {1};
    size_t needed;
    config_of(&config, kind, options);
    assert_ok(anomaly_memory_needed(&config, &needed));
    assert_ok(anomaly_create(&config, &memory, &d, NULL));
    for (int i = 0; i < EVENTS; i++) {
        double x = shape(&r, i);
        assert_ok(anomaly_update(d, &x, i * SECOND, NULL));
        check_ring(&d->window);
        if (kind == ANOMALY_PERCENTILE || config.robust)
            check_buckets(&an_order_of(d, 0)->ranks, d->window.mask + 1, an_window_count(&d->window) > 2048);
        assert_true(m.bytes <= needed);
        if (i >= WINDOW)
            assert_true(m.bytes == needed);
    }
    anomaly_destroy(d);
    assert_true(m.bytes == 0);
}

static void test_detectors(void **state)
{
    (void)state;
    for (size_t k = 0; k < ARRAY_COUNT(SHAPES); k++) {
        check_growth(ANOMALY_ZSCORE, "window=3000", SHAPES[k]);
        check_growth(ANOMALY_ZSCORE, "window=3000s,3000", SHAPES[k]);
        check_growth(ANOMALY_ZSCORE, "window=3000 robust=1", SHAPES[k]);
        check_growth(ANOMALY_PERCENTILE, "window=3000", SHAPES[k]);
        check_growth(ANOMALY_PERCENTILE, "window=3000s,3000", SHAPES[k]);
    }
}

static void test_slots(void **state)
{
    (void)state;
    for (uint64_t events = 1; events <= 5000; events++) {
        uint64_t slots = an_window_slots(events);
        assert_true(slots >= events && (slots == AN_FIRST_SLOTS || slots / 2 < events));
    }
}

/* Sums of deviations are carried along for a window's worth of events after the last that asked for one, and no longer. */
static void test_sums(void **state)
{
    anomaly_detector *d = zscore_of("window=100 robust=1");
    random_state r = {1};
    (void)state;
    for (int i = 0; i < 1000; i++) {
        push(d, i < 300 ? 0 : random_normal(&r));
        if (i < 300)
            assert_true(an_order_of(d, 0)->sums);
        if (i >= 500)
            assert_false(an_order_of(d, 0)->sums);
    }
    anomaly_destroy(d);
}

/* ---- a pool ---- */

/* At most three quarters full, and before it was doubled it was no less. */
static void check_table(const an_shard *shard)
{
    uint64_t buckets = (uint64_t)shard->mask + 1, least = 8, used = 0;
    assert_true((buckets & shard->mask) == 0 && 4 * (uint64_t)shard->keys <= 3 * buckets);
    assert_true(buckets <= least || 4 * (uint64_t)shard->keys > 3 * buckets / 2 - 4);
    for (uint64_t i = 0; shard->keys % 97 == 0 && i < buckets; i++)
        used += shard->table[i].entry != AN_NO_ENTRY;
    assert_true(used == 0 || used == shard->keys);
}

/* Blocks of 64, a directory that doubles. */
static void check_entries(const an_shard *shard)
{
    assert_true(shard->entries <= shard->block_count * AN_BLOCK_ENTRIES &&
                shard->entries + AN_BLOCK_ENTRIES > shard->block_count * AN_BLOCK_ENTRIES);
    assert_true(shard->block_room >= shard->block_count &&
                (shard->block_room <= 4 || shard->block_room < 2 * shard->block_count));
}

static void test_pool(void **state)
{
    anomaly_pool_options options = pool_options();
    anomaly_pool *pool;
    const an_shard *shard;
    (void)state;
    options.shards = 1;
    pool = pool_of(ANOMALY_ZSCORE, "window=10", &options);
    shard = pool->shards;
    for (int i = 0; i < 20000; i++) {
        char key[16];
        snprintf(key, sizeof key, "%d", i);
        pool_push(pool, key, i, 0);
        check_table(shard);
        check_entries(shard);
    }
    anomaly_pool_destroy(pool);
}

/* A table that is as full as it may be finds what is there and ends a search for what is not. */
static void test_full_table(void **state)
{
    anomaly_pool_options options = pool_options();
    anomaly_pool *pool;
    int keys = 0;
    (void)state;
    options.shards = 1;
    pool = pool_of(ANOMALY_ZSCORE, "window=10", &options);
    do {
        char key[16];
        snprintf(key, sizeof key, "%d", keys++);
        pool_push(pool, key, 1, 0);
    } while (keys < 1000 || 4 * ((uint64_t)keys + 1) <= 3 * ((uint64_t)pool->shards->mask + 1));
    for (int i = 0; i < 3 * keys; i++) {
        char key[16];
        snprintf(key, sizeof key, "%d", i);
        assert_true(pool_has(pool, key) == (i < keys));
    }
    anomaly_pool_destroy(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_detectors), cmocka_unit_test(test_slots),      cmocka_unit_test(test_sums),
        cmocka_unit_test(test_pool),      cmocka_unit_test(test_full_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
