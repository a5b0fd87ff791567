/* SPDX-License-Identifier: MIT */
#include "memory.h"

#include <stdlib.h>

static void *default_alloc(void *ctx, size_t bytes)
{
    (void)ctx;
    return malloc(bytes);
}

static void default_free(void *ctx, void *memory, size_t bytes)
{
    (void)ctx;
    (void)bytes;
    free(memory);
}

anomaly_allocator an_allocator_or_default(const anomaly_allocator *allocator)
{
    if (allocator)
        return *allocator;
    return (anomaly_allocator){default_alloc, default_free, NULL};
}

void *an_alloc(const anomaly_allocator *allocator, size_t count, size_t size)
{
    if (count == 0 || size > SIZE_MAX / count)
        return NULL;
    return allocator->alloc(allocator->ctx, count * size);
}

void an_free(const anomaly_allocator *allocator, void *memory, size_t count, size_t size)
{
    if (memory)
        allocator->free(allocator->ctx, memory, count * size);
}

uint64_t an_power_of_two(uint64_t n)
{
    uint64_t power = 1;
    while (power < n)
        power *= 2;
    return power;
}
