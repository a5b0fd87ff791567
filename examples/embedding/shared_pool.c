/* SPDX-License-Identifier: MIT shared_pool.c - one pool for all threads, with its own locks, while another thread
 * takes snapshots and reads counters. The events of one key come from one thread here; from several they would be
 * judged in the order in which they arrive.
 */
#include "common.h"

#include <pthread.h>
#include <stdatomic.h>

enum { THREADS = 4 };

typedef struct writer {
    pthread_t thread;
    anomaly_pool *pool;
    int number;
    uint64_t anomalies;
} writer;

typedef struct reader {
    pthread_t thread;
    anomaly_pool *pool;
    atomic_bool end;
    uint64_t snapshots;
} reader;

static void *write_events(void *ctx)
{
    writer *w = ctx;
    for (int i = 0; i < EVENTS; i++)
        for (int key = w->number; key < KEYS; key += THREADS)
            w->anomalies += feed(w->pool, key, i);
    return NULL;
}

static int count_bytes(void *ctx, const void *bytes, size_t size)
{
    (void)bytes;
    *(size_t *)ctx += size;
    return 0;
}

static void *read_meanwhile(void *ctx)
{
    reader *r = ctx;
    do {
        anomaly_counts counts;
        size_t bytes = 0;
        MUST(anomaly_pool_snapshot_write(r->pool, count_bytes, &bytes) == ANOMALY_OK && bytes > 0);
        MUST(anomaly_pool_counters(r->pool, &counts) == ANOMALY_OK && counts.events <= KEYS * EVENTS);
        r->snapshots++;
    } while (!atomic_load(&r->end));
    return NULL;
}

static uint64_t run_writers(anomaly_pool *pool)
{
    writer writers[THREADS] = {0};
    uint64_t anomalies = 0;
    for (int i = 0; i < THREADS; i++) {
        writers[i].pool = pool;
        writers[i].number = i;
        MUST(pthread_create(&writers[i].thread, NULL, write_events, &writers[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        MUST(pthread_join(writers[i].thread, NULL) == 0);
        anomalies += writers[i].anomalies;
    }
    return anomalies;
}

int main(void)
{
    reader r = {.pool = pool_of("200", 1)};
    anomaly_counts counts;
    MUST(pthread_create(&r.thread, NULL, read_meanwhile, &r) == 0);
    uint64_t anomalies = run_writers(r.pool);
    atomic_store(&r.end, 1);
    MUST(pthread_join(r.thread, NULL) == 0);
    MUST(anomaly_pool_counters(r.pool, &counts) == ANOMALY_OK && counts.events == KEYS * EVENTS);
    MUST(anomalies == anomalies_in_one_thread() && anomalies == counts.anomalies);
    anomaly_pool_destroy(r.pool);
    printf("shared_pool: %d threads and one that takes snapshots: %u anomalies, as in one thread\n", THREADS,
           (unsigned)anomalies);
    return 0;
}
