/* SPDX-License-Identifier: MIT */
#include "pool/lock.h"

#define MOST_RESTS_AT_ONCE 1024

int an_shard_lock_init(an_shard *shard)
{
    int failed = shard->common->options.locks && pthread_mutex_init(&shard->lock, NULL) != 0;
    return failed ? ANOMALY_E_NOMEM : ANOMALY_OK;
}

void an_shard_lock_destroy(an_shard *shard)
{
    if (shard->common->options.locks)
        pthread_mutex_destroy(&shard->lock);
}

/* Tells the processor that this thread only waits. */
static void rest_processor(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Waits for a lock without sleeping, looking at it after longer and longer rests, for about as long as it takes to
 * sleep and be woken: tens of microseconds. An event keeps a shard for less than one, so the lock is mostly free
 * before that. */
static void wait_awake(an_shard *shard)
{
    for (int rests = 1; rests <= MOST_RESTS_AT_ONCE; rests *= 2) {
        if (!atomic_load_explicit(&shard->taken, memory_order_relaxed))
            return;
        for (int i = 0; i < rests; i++)
            rest_processor();
    }
}

void an_shard_lock(an_shard *shard)
{
    if (!shard->common->options.locks)
        return;
    wait_awake(shard);
    pthread_mutex_lock(&shard->lock);
    atomic_store_explicit(&shard->taken, 1, memory_order_relaxed);
}

void an_shard_unlock(an_shard *shard)
{
    if (!shard->common->options.locks)
        return;
    atomic_store_explicit(&shard->taken, 0, memory_order_relaxed);
    pthread_mutex_unlock(&shard->lock);
}
