/* SPDX-License-Identifier: MIT pool_per_worker.c - workers that share nothing: a pool without locks for each, and a
 * key always goes to the same worker. The same arithmetic routes to processes and to machines.
 */
#include "common.h"

#include <pthread.h>

enum { WORKERS = 4 };

typedef struct worker {
    pthread_t thread;
    uint64_t number, keys, anomalies;
} worker;

static int is_mine(const worker *w, int key)
{
    char text[16];
    size_t size = key_of(key, text);
    return anomaly_key_hash(text, size) % WORKERS == w->number;
}

static void *work(void *ctx)
{
    worker *w = ctx;
    anomaly_pool *pool = pool_of("200", 0);
    for (int i = 0; i < EVENTS; i++)
        for (int key = 0; key < KEYS; key++)
            if (is_mine(w, key))
                w->anomalies += feed(pool, key, i);
    w->keys = anomaly_pool_count(pool);
    anomaly_pool_destroy(pool);
    return NULL;
}

int main(void)
{
    worker workers[WORKERS] = {0};
    uint64_t keys = 0, anomalies = 0;
    for (uint64_t i = 0; i < WORKERS; i++) {
        workers[i].number = i;
        MUST(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0);
    }
    for (int i = 0; i < WORKERS; i++) {
        MUST(pthread_join(workers[i].thread, NULL) == 0);
        keys += workers[i].keys;
        anomalies += workers[i].anomalies;
    }
    MUST(keys == KEYS && anomalies > 0 && anomalies == anomalies_in_one_thread());
    printf("pool_per_worker: %d workers, %d keys, %d events: %u anomalies, as in one thread\n", WORKERS, KEYS, KEYS * EVENTS,
           (unsigned)anomalies);
    return 0;
}
