/* SPDX-License-Identifier: MIT */
/* What the library needs of threads: a lock, and a hint that others may read without it. Built with
 * -DANOMALY_THREADS=0 (make WITH_THREADS=0), for targets without pthread, there is neither: nobody may ask for locks
 * then. */
#ifndef AN_BASE_THREADS_H
#define AN_BASE_THREADS_H

#include <stddef.h>
#include <stdint.h>

#ifndef ANOMALY_THREADS
#define ANOMALY_THREADS 1
#endif

#if ANOMALY_THREADS

#include <pthread.h>
#include <stdatomic.h>

typedef pthread_mutex_t an_mutex;
typedef _Atomic uint16_t an_hint;

/* 0, or a number of errno. */
static inline int an_mutex_init(an_mutex *mutex)
{
    return pthread_mutex_init(mutex, NULL);
}

static inline void an_mutex_destroy(an_mutex *mutex)
{
    pthread_mutex_destroy(mutex);
}

static inline void an_mutex_lock(an_mutex *mutex)
{
    pthread_mutex_lock(mutex);
}

static inline void an_mutex_unlock(an_mutex *mutex)
{
    pthread_mutex_unlock(mutex);
}

static inline uint16_t an_hint_read(an_hint *hint)
{
    return atomic_load_explicit(hint, memory_order_relaxed);
}

static inline void an_hint_write(an_hint *hint, uint16_t value)
{
    atomic_store_explicit(hint, value, memory_order_relaxed);
}

#else

typedef unsigned char an_mutex;
typedef uint16_t an_hint;

static inline int an_mutex_init(an_mutex *mutex)
{
    *mutex = 0;
    return 0;
}

static inline void an_mutex_destroy(an_mutex *mutex)
{
    (void)mutex;
}

static inline void an_mutex_lock(an_mutex *mutex)
{
    (void)mutex;
}

static inline void an_mutex_unlock(an_mutex *mutex)
{
    (void)mutex;
}

static inline uint16_t an_hint_read(an_hint *hint)
{
    return *hint;
}

static inline void an_hint_write(an_hint *hint, uint16_t value)
{
    *hint = value;
}

#endif
#endif
