/* SPDX-License-Identifier: MIT */
#include "base/memory.h"

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

size_t an_product(uint64_t a, uint64_t b)
{
    return b && a > SIZE_MAX / b ? SIZE_MAX : (size_t)(a * b);
}

size_t an_sum(uint64_t a, uint64_t b)
{
    return b > SIZE_MAX || a > SIZE_MAX - b ? SIZE_MAX : (size_t)(a + b);
}

/* No object is larger than PTRDIFF_MAX: pointers into it could not be subtracted. */
void *an_alloc(const anomaly_allocator *allocator, uint64_t count, uint64_t size)
{
    size_t bytes = an_product(count, size);
    return bytes == 0 || bytes > PTRDIFF_MAX ? NULL : allocator->alloc(allocator->ctx, bytes);
}

void an_free(const anomaly_allocator *allocator, void *memory, uint64_t count, uint64_t size)
{
    if (memory)
        allocator->free(allocator->ctx, memory, an_product(count, size));
}

uint64_t an_power_of_two(uint64_t n)
{
    uint64_t power = 1;
    while (power < n)
        power *= 2;
    return power;
}
