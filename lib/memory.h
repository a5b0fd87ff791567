/* SPDX-License-Identifier: MIT */
/* Memory through the caller's allocator; the one place where sizes are multiplied. */
#ifndef AN_MEMORY_H
#define AN_MEMORY_H

#include "anomaly.h"

/* The caller's allocator, or malloc and free where he gave none. */
anomaly_allocator an_allocator_or_default(const anomaly_allocator *allocator);

/* count * size bytes, NULL when that overflows or there is no memory. count 0 gives NULL too. */
void *an_alloc(const anomaly_allocator *allocator, size_t count, size_t size);

/* Frees what an_alloc() gave for the same count and size; NULL is fine. */
void an_free(const anomaly_allocator *allocator, void *memory, size_t count, size_t size);

/* The smallest power of two >= n, for 1 <= n <= 2^62. */
uint64_t an_power_of_two(uint64_t n);

#endif
