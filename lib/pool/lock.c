/* SPDX-License-Identifier: MIT */
#include "pool/lock.h"

#define MOST_RESTS_AT_ONCE 1024

int an_shard_lock_init(an_shard *shard)
{
    int failed = shard->common->options.locks && an_mutex_init(&shard->lock) != 0;
    return failed ? ANOMALY_E_NOMEM : ANOMALY_OK;
}

void an_shard_lock_destroy(an_shard *shard)
{
    if (shard->common->options.locks)
        an_mutex_destroy(&shard->lock);
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
        if (!an_hint_read(&shard->taken))
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
    an_mutex_lock(&shard->lock);
    an_hint_write(&shard->taken, 1);
}

void an_shard_unlock(an_shard *shard)
{
    if (!shard->common->options.locks)
        return;
    an_hint_write(&shard->taken, 0);
    an_mutex_unlock(&shard->lock);
}
