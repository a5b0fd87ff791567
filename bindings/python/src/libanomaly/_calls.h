/* SPDX-License-Identifier: MIT _calls.h - what the Python classes call: anomaly.h, and helpers so that no Python code
 * ever runs while a pool holds a lock (a thread that waited for that lock with the interpreter's would never get it).
 * Preprocessed, this is what CFFI reads. */
#include "anomaly.h"

/** Bytes that grow; `libanomaly_drop()` frees them. */
typedef struct libanomaly_bytes {
    char *bytes;
    size_t used;
    size_t room;
} libanomaly_bytes;

/** The keys of a pool: slot, size of the key (8 bytes each, native order), key; and so on. */
int libanomaly_keys(const anomaly_pool *pool, libanomaly_bytes *to);

/** The keys that are overdue: anomaly_silence, size of the key (8 bytes, native order), key; and so on. */
int libanomaly_overdue_keys(const anomaly_pool *pool, int64_t now_ns, libanomaly_bytes *to);

void libanomaly_drop(libanomaly_bytes *bytes);

/** What has been evicted and nobody has been told of yet. */
typedef struct libanomaly_evictions libanomaly_evictions;

/** An evicted key: first the key, then its detector's snapshot. */
typedef struct libanomaly_evicted {
    struct libanomaly_evicted *next;
    size_t key_size;
    size_t snapshot_size;
    char bytes[1];
} libanomaly_evicted;

libanomaly_evictions *libanomaly_evictions_new(void);
void libanomaly_evictions_free(libanomaly_evictions *evictions);

/** Has a pool's options tell `evictions`. */
void libanomaly_evictions_watch(libanomaly_evictions *evictions, anomaly_pool_options *options);

/** All of them, oldest first, each to be freed with libanomaly_evicted_free(). */
libanomaly_evicted *libanomaly_evictions_take(libanomaly_evictions *evictions);
void libanomaly_evicted_free(libanomaly_evicted *evicted);

enum libanomaly_question {
    LIBANOMALY_SCORE,
    LIBANOMALY_LEARN,
    LIBANOMALY_STATS,
    LIBANOMALY_QUANTILE,
    LIBANOMALY_EXPLAIN,
    LIBANOMALY_COUNTERS,
    LIBANOMALY_ADVANCE,
    LIBANOMALY_REBUILD,
    LIBANOMALY_RESET
};

/** A call on one key's detector: what goes in, then what comes out. */
typedef struct libanomaly_ask {
    int question;
    uint32_t feature;
    const double *x;
    int64_t t_ns;
    double q;
    double *contribution;
    double value;
    anomaly_verdict verdict;
    anomaly_stats stats;
    anomaly_counts counts;
} libanomaly_ask;

int libanomaly_pool_ask(anomaly_pool *pool, uint64_t slot, libanomaly_ask *ask);
