/* SPDX-License-Identifier: MIT
 * common.h - what the embedding examples share: a stream of events for many keys, and a way to say what does not hold.
 */
#ifndef EMBEDDING_COMMON_H
#define EMBEDDING_COMMON_H

#include <anomaly.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/** Ends the program if what it is to show does not hold. */
#define MUST(condition)                                                             \
    do {                                                                            \
        if (!(condition)) {                                                         \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
            exit(1);                                                                \
        }                                                                           \
    } while (0)

enum { KEYS = 40, EVENTS = 2000 }; /* events of each key */

/** The metric of a key: its text goes to `text`. */
static inline size_t key_of(int key, char text[16])
{
    return (size_t)snprintf(text, 16, "host-%d", key);
}

/** The i-th value of a key: noise around 50, and now and then a spike. */
static inline double value_of(int key, int i)
{
    uint64_t x = ((uint64_t)key * 1000003 + (uint64_t)i) * UINT64_C(0x9e3779b97f4a7c15);
    x ^= x >> 29;
    x *= UINT64_C(0xbf58476d1ce4e5b9);
    x ^= x >> 32;
    return (i % 500 == 499 ? 95.0 : 50.0) + (double)(x % 1000) / 250;
}

static inline anomaly_config config_of(const char *window)
{
    anomaly_config config;
    MUST(anomaly_config_init(&config, sizeof config, ANOMALY_ZSCORE) == ANOMALY_OK);
    MUST(anomaly_config_set(&config, "window", window, NULL) == ANOMALY_OK);
    return config;
}

static inline anomaly_pool *pool_of(const char *window, int locks)
{
    anomaly_config config = config_of(window);
    anomaly_pool_options options;
    anomaly_pool *pool = NULL;
    MUST(anomaly_pool_options_init(&options, sizeof options) == ANOMALY_OK);
    options.locks = locks;
    MUST(anomaly_pool_create(&config, &options, NULL, &pool, NULL) == ANOMALY_OK);
    return pool;
}

/** The i-th event of a key goes to the pool; 1 if it is an anomaly. */
static inline uint64_t feed(anomaly_pool *pool, int key, int i)
{
    char text[16];
    size_t size = key_of(key, text);
    double value = value_of(key, i);
    anomaly_verdict verdict;
    MUST(anomaly_pool_update(pool, text, size, &value, ANOMALY_NO_TIME, &verdict) == ANOMALY_OK);
    return (verdict.flags & ANOMALY_IS_ANOMALY) != 0;
}

/** How many anomalies there are if one thread does it all. */
static inline uint64_t anomalies_in_one_thread(void)
{
    anomaly_pool *pool = pool_of("200", 0);
    uint64_t anomalies = 0;
    for (int i = 0; i < EVENTS; i++)
        for (int key = 0; key < KEYS; key++)
            anomalies += feed(pool, key, i);
    anomaly_pool_destroy(pool);
    return anomalies;
}

#endif
