/* SPDX-License-Identifier: MIT
 * pool_threads.c - one pool, many threads (S18): every key's verdicts are those of a serial run, the counters add up, and the
 * thread sanitizer finds nothing. */
#include "../support/snapshots.h"

#include "../support/random.h"

#include <pthread.h>

enum { THREADS = 8, KEYS = 100 };

typedef struct worker {
    anomaly_pool *pool;
    int number, events;
    uint64_t sum[KEYS]; /* of the bits of the scores, in order */
    int *stop;
    pthread_mutex_t *guard;
} worker;

static int events_wanted(void)
{
    return is_quick() ? 50 : 1000;
}

static double value_of(int thread, int key, int event)
{
    random_state r = {(uint64_t)(thread * KEYS + key) << 20 | (uint64_t)event};
    return random_normal(&r);
}

static uint64_t add_verdict(uint64_t sum, const anomaly_verdict *v)
{
    return (sum ^ bits_of(isnan(v->score) ? 0 : v->score) ^ v->flags) * UINT64_C(0x9e3779b97f4a7c15);
}

/* Half by key, half by slot; every thread has keys of its own, all of them in the same shards. */
static void *work(void *ctx)
{
    worker *w = ctx;
    for (int event = 0; event < w->events; event++)
        for (int key = 0; key < KEYS; key++) {
            char name[32];
            double x = value_of(w->number, key, event);
            anomaly_verdict v = {0};
            uint64_t slot;
            size_t size = (size_t)snprintf(name, sizeof name, "thread %d key %d", w->number, key);
            int status = key % 2 ? anomaly_pool_slot(w->pool, name, size, &slot) : ANOMALY_OK;
            if (!status)
                status = key % 2 ? anomaly_pool_update_at(w->pool, slot, &x, event * SECOND, &v)
                                 : anomaly_pool_update(w->pool, name, size, &x, event * SECOND, &v);
            w->sum[key] = status ? 0 : add_verdict(w->sum[key], &v);
        }
    return NULL;
}

static int ignore(void *ctx, const void *bytes, size_t size)
{
    (void)bytes;
    *(size_t *)ctx += size;
    return 0;
}

static int count_one(void *ctx, uint64_t slot, const void *key, size_t size, const anomaly_detector *detector)
{
    (void)slot, (void)key, (void)size, (void)detector;
    ++*(uint64_t *)ctx;
    return 0;
}

static int is_over(worker *w)
{
    pthread_mutex_lock(w->guard);
    int over = *w->stop;
    pthread_mutex_unlock(w->guard);
    return over;
}

/* The ninth thread: counters, snapshots, visits, and now and then a new threshold, which is the old one. */
static void *watch(void *ctx)
{
    worker *w = ctx;
    while (!is_over(w)) {
        anomaly_counts counts;
        anomaly_usage usage;
        anomaly_pool *copy = NULL;
        uint64_t seen = 0;
        size_t size = 0;
        (void)anomaly_pool_counters(w->pool, &counts);
        (void)anomaly_pool_usage(w->pool, &usage);
        (void)anomaly_pool_each(w->pool, count_one, &seen);
        (void)anomaly_pool_snapshot_write(w->pool, ignore, &size);
        (void)anomaly_pool_set_threshold(w->pool, 3);
        unsigned char *bytes = malloc(2 * size);
        if (bytes && anomaly_pool_snapshot(w->pool, bytes, 2 * size, &size) == ANOMALY_OK)
            w->events += anomaly_pool_restore(bytes, size, NULL, NULL, NULL, &copy, NULL) == ANOMALY_OK;
        anomaly_pool_destroy(copy);
        free(bytes);
    }
    return NULL;
}

static void check_worker(const worker *w)
{
    for (int key = 0; key < KEYS; key++) {
        anomaly_detector *d = zscore_of("window=40s,100");
        uint64_t sum = 0;
        for (int event = 0; event < w->events; event++) {
            anomaly_verdict v = push_at(d, value_of(w->number, key, event), event * SECOND);
            sum = add_verdict(sum, &v);
        }
        assert_true(sum == w->sum[key]);
        anomaly_destroy(d);
    }
}

static void run_threads(anomaly_pool *pool, worker *w)
{
    pthread_t thread[THREADS + 1];
    pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
    anomaly_counts counts;
    int stop = 0;
    for (int i = 0; i <= THREADS; i++) {
        w[i] =
            (worker){.pool = pool, .number = i, .events = i < THREADS ? events_wanted() : 0, .stop = &stop, .guard = &guard};
        assert_int_equal(pthread_create(&thread[i], NULL, i < THREADS ? work : watch, &w[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    pthread_mutex_lock(&guard);
    stop = 1;
    pthread_mutex_unlock(&guard);
    pthread_join(thread[THREADS], NULL);
    assert_ok(anomaly_pool_counters(pool, &counts));
    assert_true(counts.events == (uint64_t)(THREADS * KEYS * events_wanted()));
    assert_true(w[THREADS].events > 0); /* snapshots taken meanwhile could be restored */
}

static void test_threads(void **state)
{
    static worker w[THREADS + 1];
    anomaly_pool *pool = pool_of(ANOMALY_ZSCORE, "window=40s,100", NULL);
    (void)state;
    run_threads(pool, w);
    for (int i = 0; i < THREADS; i++)
        check_worker(&w[i]);
    anomaly_pool_destroy(pool);
}

/* What all keys have together is changed by every thread: the verdicts depend on who comes first. */
static void test_threads_that_judge_together(void **state)
{
    static worker w[THREADS + 1];
    anomaly_pool *pool = pool_of(ANOMALY_ZSCORE, "window=40s,100 population=1 alarm_rate=0.01 calibrate=300,pool", NULL);
    (void)state;
    run_threads(pool, w);
    anomaly_pool_destroy(pool);
}

/* All threads on the same few keys, too many for the limits, with removals: nothing to compare but that nothing breaks. */
static void *fight(void *ctx)
{
    worker *w = ctx;
    random_state r = {(uint64_t)w->number};
    for (int i = 0; i < w->events * 20; i++) {
        char name[32];
        double x = random_normal(&r);
        size_t size = (size_t)snprintf(name, sizeof name, "%s%d", i % 2 ? "a name that is long enough " : "",
                                       (int)random_below(&r, 300));
        if (one_in(&r, 20))
            (void)anomaly_pool_remove(w->pool, name, size);
        else
            (void)anomaly_pool_update(w->pool, name, size, &x, i * SECOND, NULL);
        if (one_in(&r, 1000))
            (void)anomaly_pool_evict(w->pool, (i - 50) * SECOND, 100, UINT64_MAX, NULL);
    }
    return NULL;
}

static void test_fight(void **state)
{
    static worker w[THREADS];
    pthread_t thread[THREADS];
    anomaly_pool_options options = pool_options();
    anomaly_pool *pool;
    anomaly_usage usage;
    (void)state;
    options.max_keys = 200;
    options.max_bytes = 1 << 20;
    options.shards = 4;
    pool = pool_of(ANOMALY_PERCENTILE, "window=30", &options);
    for (int i = 0; i < THREADS; i++) {
        w[i] = (worker){.pool = pool, .number = i, .events = events_wanted()};
        assert_int_equal(pthread_create(&thread[i], NULL, fight, &w[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    assert_ok(anomaly_pool_usage(pool, &usage));
    assert_true(usage.keys <= 200 && usage.bytes <= options.max_bytes);
    assert_true(usage.created == usage.keys + usage.removed + usage.evicted);
    anomaly_pool_destroy(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_threads), cmocka_unit_test(test_threads_that_judge_together),
                                       cmocka_unit_test(test_fight)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
