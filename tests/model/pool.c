/* SPDX-License-Identifier: MIT
 * pool.c - a pool beside an array of single detectors and a list of who was used when: the same verdicts, the same keys there
 * and gone, the same states, also after the pool has been saved and restored. */
#include "../support/snapshots.h"

#include "../support/random.h"
#include "../support/stream.h"
#include "base/threads.h"
#include "detector/detector.h"

enum { KEYS = 60, FEATURES = 3, MOST_ROWS = 40 };

typedef struct twin {
    char key[64];
    size_t size;
    anomaly_detector *d; /* NULL: not there */
    uint64_t used, slot, stale;
    int64_t newest;
} twin;

typedef struct bench {
    anomaly_pool *pool;
    anomaly_config config;
    anomaly_pool_options options;
    twin twins[KEYS];
    uint64_t uses, keys, evicted;
    int64_t newest;
    stream s;
    random_state r;
} bench;

/* ---- the model ---- */

static void forget(bench *b, twin *t)
{
    anomaly_destroy(t->d);
    t->d = NULL;
    t->stale = t->slot;
    t->slot = 0;
    b->keys--;
}

static twin *least_used(bench *b)
{
    twin *least = NULL;
    for (twin *t = b->twins; t < b->twins + KEYS; t++)
        if (t->d && (!least || t->used < least->used))
            least = t;
    return least;
}

static void model_evict(bench *b, twin *t)
{
    forget(b, t);
    b->evicted++;
}

static int is_idle(const bench *b, const twin *t)
{
    return t->newest != ANOMALY_NO_TIME && b->newest - t->newest > b->options.max_idle_ns;
}

/* 0: the pool is full, and refuses. */
static int model_make(bench *b, twin *t)
{
    if (t->d)
        return 1;
    for (int i = 0; i < 2 && b->options.max_idle_ns && b->keys && is_idle(b, least_used(b)); i++)
        model_evict(b, least_used(b));
    if (b->options.max_keys && b->keys == b->options.max_keys) {
        if (b->options.refuse)
            return 0;
        model_evict(b, least_used(b));
    }
    assert_ok(anomaly_create(&b->config, NULL, &t->d, NULL));
    t->newest = ANOMALY_NO_TIME;
    t->used = ++b->uses;
    b->keys++;
    return 1;
}

static void model_use(bench *b, twin *t, int64_t time)
{
    t->used = ++b->uses;
    t->newest = time > t->newest ? time : t->newest;
    b->newest = t->newest > b->newest ? t->newest : b->newest;
}

static int model_update(bench *b, twin *t, const double *x, int64_t time, anomaly_verdict *v)
{
    if (!model_make(b, t))
        return ANOMALY_E_FULL;
    assert_ok(anomaly_update(t->d, x, time, v));
    model_use(b, t, v->flags & (ANOMALY_LATE | ANOMALY_JUMPED) ? t->newest : time);
    return ANOMALY_OK;
}

/* ---- comparisons ---- */

static void check_twin(bench *b, twin *t)
{
    uint64_t slot = 99;
    int status = anomaly_pool_find(b->pool, t->key, t->size, &slot);
    assert_int_equal(status, t->d ? ANOMALY_OK : ANOMALY_E_NOTFOUND);
    if (t->d)
        t->slot = slot;
    else
        assert_true(slot == 99);
    if (t->stale)
        assert_error(anomaly_pool_update_at(b->pool, t->stale, (double[FEATURES]){0}, 0, NULL), ANOMALY_E_NOTFOUND);
}

static void check_state(const bench *b, const twin *t)
{
    saved want = save_detector(t->d);
    unsigned char *got = malloc(want.size);
    size_t used = 0;
    assert_non_null(got);
    assert_ok(anomaly_pool_export(b->pool, t->key, t->size, NULL, 0, &used));
    assert_int_equal(used, want.size);
    assert_ok(anomaly_pool_export(b->pool, t->key, t->size, got, want.size, &used));
    assert_memory_equal(got, want.bytes, want.size);
    free(got);
    free(want.bytes);
}

static void check_all(bench *b)
{
    anomaly_usage usage;
    assert_ok(anomaly_pool_usage(b->pool, &usage));
    assert_true(usage.keys == b->keys && anomaly_pool_count(b->pool) == b->keys);
    for (twin *t = b->twins; t < b->twins + KEYS; t++) {
        check_twin(b, t);
        if (t->d)
            check_state(b, t);
    }
}

/* ---- calls ---- */

static twin *any_twin(bench *b)
{
    return &b->twins[one_in(&b->r, 2) ? random_below(&b->r, 8) : random_below(&b->r, KEYS)];
}

static void call_update(bench *b)
{
    twin *t = any_twin(b);
    double x[FEATURES];
    int64_t time = stream_time(&b->s);
    anomaly_verdict got, want;
    int there = t->d != NULL;
    stream_values(&b->s, x, b->config.features);
    int status = model_update(b, t, x, time, &want);
    if (there && t->slot && one_in(&b->r, 2))
        assert_int_equal(anomaly_pool_update_at(b->pool, t->slot, x, time, &got), status);
    else
        assert_int_equal(anomaly_pool_update(b->pool, t->key, t->size, x, time, &got), status);
    if (!status)
        assert_same_verdict(&got, &want);
}

static void call_rows(bench *b)
{
    static double x[MOST_ROWS * FEATURES], score[MOST_ROWS];
    static int64_t times[MOST_ROWS];
    static uint32_t flags[MOST_ROWS];
    const char *keys[MOST_ROWS];
    size_t sizes[MOST_ROWS], done = 0, i = 0;
    twin *twins[MOST_ROWS];
    anomaly_rows rows = {.count = random_size(&b->r, MOST_ROWS), .values = x, .times = times};
    anomaly_keys by = {.keys = keys, .sizes = sizes};
    anomaly_verdicts out = {.score = score, .flags = flags};
    for (; i < rows.count; i++) {
        twins[i] = i && one_in(&b->r, 2) ? twins[i - 1] : any_twin(b);
        keys[i] = twins[i]->key;
        sizes[i] = twins[i]->size;
        times[i] = stream_time(&b->s);
        stream_values(&b->s, x + i * b->config.features, b->config.features);
    }
    int status = anomaly_pool_update_rows(b->pool, &by, &rows, &out, &done);
    for (i = 0; i < rows.count; i++) {
        anomaly_verdict want;
        if (model_update(b, twins[i], x + i * b->config.features, times[i], &want))
            break;
        assert_same(score[i], want.score);
        assert_true(flags[i] == want.flags);
    }
    assert_true(done == i && status == (i < rows.count ? ANOMALY_E_FULL : ANOMALY_OK));
}

static void call_evict(bench *b)
{
    uint64_t keep = random_below(&b->r, KEYS), before = b->evicted, evicted;
    int64_t limit = one_in(&b->r, 2) || b->newest == ANOMALY_NO_TIME ? ANOMALY_NO_TIME : b->newest - 50 * STREAM_SECOND;
    for (twin *t = b->twins; t < b->twins + KEYS && limit != ANOMALY_NO_TIME; t++)
        if (t->d && t->newest != ANOMALY_NO_TIME && t->newest < limit)
            model_evict(b, t);
    while (b->options.shards == 1 && b->keys > keep)
        model_evict(b, least_used(b));
    assert_ok(anomaly_pool_evict(b->pool, limit, b->options.shards == 1 ? keep : UINT64_MAX, UINT64_MAX, &evicted));
    assert_true(evicted == b->evicted - before);
}

static void call_remove(bench *b)
{
    twin *t = any_twin(b);
    assert_int_equal(anomaly_pool_remove(b->pool, t->key, t->size), t->d ? ANOMALY_OK : ANOMALY_E_NOTFOUND);
    if (t->d)
        forget(b, t);
}

/* One key's state goes out, the key is forgotten, the state comes back, maybe under another name. */
static void call_move(bench *b)
{
    twin *from = any_twin(b), *to = any_twin(b);
    saved s;
    if (!from->d || to->d)
        return;
    s = save_detector(from->d);
    assert_ok(anomaly_pool_remove(b->pool, from->key, from->size));
    forget(b, from);
    assert_ok(anomaly_pool_import(b->pool, to->key, to->size, s.bytes, s.size, NULL));
    assert_true(model_make(b, to));
    anomaly_destroy(to->d);
    to->d = restore_detector(&s);
    to->newest = to->d->window.clock_ns;
    free(s.bytes);
}

static void call_restore(bench *b)
{
    saved s = save_pool(b->pool);
    anomaly_pool *restored = NULL;
    anomaly_counts before, after;
    assert_ok(anomaly_pool_counters(b->pool, &before));
    assert_ok(anomaly_pool_restore(s.bytes, s.size, NULL, b->options.hash_seed ? &b->options : NULL, NULL, &restored, NULL));
    assert_ok(anomaly_pool_counters(restored, &after));
    assert_memory_equal(&before, &after, sizeof before);
    assert_true(pool_is(restored, &s));
    anomaly_pool_destroy(b->pool);
    b->pool = restored;
    for (twin *t = b->twins; t < b->twins + KEYS; t++)
        t->stale = 0; /* slots of another pool */
    check_all(b);
    free(s.bytes);
}

static void one_call(bench *b)
{
    uint64_t choice = random_below(&b->r, 1000);
    if (choice < 800)
        call_update(b);
    else if (choice < 900)
        call_rows(b);
    else if (choice < 910)
        call_evict(b);
    else if (choice < 950)
        call_remove(b);
    else if (choice < 970)
        call_move(b);
    else if (choice < 990)
        check_all(b);
    else
        call_restore(b);
}

/* ---- runs ---- */

static void begin(bench *b, uint64_t seed)
{
    static const uint64_t LIMITS[] = {0, 0, 1, 5, 30};
    *b = (bench){.r = {seed}, .newest = ANOMALY_NO_TIME};
    random_config(&b->r, &b->config, seed % 4 ? 0 : ANOMALY_IFOREST, 40, FEATURES);
    b->s = random_stream(&b->r);
    assert_ok(anomaly_pool_options_init(&b->options, sizeof b->options));
    b->options.locks = one_in(&b->r, 2) && ANOMALY_THREADS;
    b->options.shards = one_in(&b->r, 3) ? 8 : 1;
    b->options.hash_seed = one_in(&b->r, 2) ? 0 : random_bits(&b->r);
    if (b->options.shards == 1) {
        b->options.max_keys = LIMITS[random_below(&b->r, 5)];
        b->options.max_idle_ns = one_in(&b->r, 2) ? 0 : 40 * STREAM_SECOND;
        b->options.refuse = one_in(&b->r, 4);
    }
    for (size_t i = 0; i < KEYS; i++) {
        twin *t = &b->twins[i];
        t->size = (size_t)snprintf(t->key, sizeof t->key, "%zu", i);
        while (one_in(&b->r, 2) && t->size < 40) /* shorter and longer than is kept in place, and with NUL */
            memset(t->key + t->size, (int)random_below(&b->r, 4), 8), t->size += 8;
    }
    assert_ok(anomaly_pool_create(&b->config, &b->options, NULL, &b->pool, NULL));
}

static void test_random(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= (is_quick() ? 10 : 300); seed++) {
        bench b;
        begin(&b, seed);
        for (int i = 0; i < 1500; i++)
            one_call(&b);
        check_all(&b);
        for (twin *t = b.twins; t < b.twins + KEYS; t++)
            anomaly_destroy(t->d);
        anomaly_pool_destroy(b.pool);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
