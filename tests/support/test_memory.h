/* SPDX-License-Identifier: MIT
 * test_memory.h - an allocator that counts, checks sizes on free, and fails when told to. */
#ifndef TEST_MEMORY_H
#define TEST_MEMORY_H

#include "random.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

typedef struct test_memory {
    uint64_t calls;   /* allocations asked for since the last memory_arm() */
    uint64_t fail_at; /* the call that fails, from 1; 0 = none */
    int stay_failed;  /* and every later one too */
    uint64_t odds;    /* one call in so many fails beside that; 0 = none */
    random_state chance;
    uint64_t live; /* blocks not yet freed */
    size_t bytes;  /* bytes not yet freed */
    size_t peak;
    uint64_t bad_frees; /* a size on free that is not the one asked for, or a stray pointer */
} test_memory;

typedef union memory_header {
    struct {
        size_t bytes;
        uint64_t magic;
    } is;
    max_align_t align;
} memory_header;

#define MEMORY_MAGIC UINT64_C(0x6d656d6f72792e68)

static inline int memory_fails(test_memory *m)
{
    m->calls++;
    if (m->odds != 0 && one_in(&m->chance, m->odds))
        return 1;
    return m->fail_at != 0 && (m->calls == m->fail_at || (m->stay_failed && m->calls > m->fail_at));
}

static inline void *memory_take(void *ctx, size_t bytes)
{
    test_memory *m = ctx;
    memory_header *h;
    if (memory_fails(m))
        return NULL;
    h = malloc(sizeof *h + bytes);
    if (h == NULL)
        return NULL;
    h->is.bytes = bytes;
    h->is.magic = MEMORY_MAGIC;
    m->live++;
    m->bytes += bytes;
    if (m->bytes > m->peak)
        m->peak = m->bytes;
    return h + 1;
}

static inline void memory_give(void *ctx, void *memory, size_t bytes)
{
    test_memory *m = ctx;
    memory_header *h;
    if (memory == NULL)
        return;
    h = (memory_header *)memory - 1;
    if (h->is.magic != MEMORY_MAGIC || h->is.bytes != bytes) {
        m->bad_frees++;
        return;
    }
    h->is.magic = 0;
    m->live--;
    m->bytes -= bytes;
    free(h);
}

static inline void memory_arm(test_memory *m, uint64_t fail_at, int stay_failed)
{
    m->calls = 0;
    m->fail_at = fail_at;
    m->stay_failed = stay_failed;
    m->odds = 0;
}

static inline void memory_arm_odds(test_memory *m, uint64_t odds, uint64_t seed)
{
    memory_arm(m, 0, 0);
    m->odds = odds;
    m->chance = (random_state){seed};
}

#endif
