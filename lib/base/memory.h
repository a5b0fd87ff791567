/* SPDX-License-Identifier: MIT */
/* Memory through the caller's allocator; the one place where sizes that could be too large are multiplied and
 * added. */
#ifndef AN_BASE_MEMORY_H
#define AN_BASE_MEMORY_H

#include "anomaly.h"

#define AN_CACHE_LINE_BYTES 64u

/* The caller's allocator, or malloc and free where he gave none. */
anomaly_allocator an_allocator_or_default(const anomaly_allocator *allocator);

/* a * b and a + b. What does not fit into size_t is SIZE_MAX, and stays that. */
size_t an_product(uint64_t a, uint64_t b);
size_t an_sum(uint64_t a, uint64_t b);

/* count * size bytes, NULL when that does not fit or there is no memory. count 0 gives NULL too. */
void *an_alloc(const anomaly_allocator *allocator, uint64_t count, uint64_t size);

/* Frees what an_alloc() gave for the same count and size; NULL is fine. */
void an_free(const anomaly_allocator *allocator, void *memory, uint64_t count, uint64_t size);

/* The smallest power of two >= n, for 1 <= n <= 2^62. */
uint64_t an_power_of_two(uint64_t n);

#endif
