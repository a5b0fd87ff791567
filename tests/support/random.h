/* SPDX-License-Identifier: MIT
 * random.h - a small generator with fixed seeds (splitmix64), the same numbers on every machine. */
#ifndef RANDOM_H
#define RANDOM_H

#include <stddef.h>
#include <stdint.h>

typedef struct random_state {
    uint64_t s;
} random_state;

static inline uint64_t random_bits(random_state *r)
{
    uint64_t z = (r->s += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* 0 .. limit-1 */
static inline uint64_t random_below(random_state *r, uint64_t limit)
{
    return random_bits(r) % limit;
}

static inline size_t random_size(random_state *r, size_t limit)
{
    return (size_t)random_below(r, limit);
}

static inline int one_in(random_state *r, uint64_t n)
{
    return random_below(r, n) == 0;
}

/* [0, 1) */
static inline double random_unit(random_state *r)
{
    return (double)(random_bits(r) >> 11) * 0x1p-53;
}

/* Close to a standard normal: the sum of twelve uniforms less six. */
static inline double random_normal(random_state *r)
{
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += random_unit(r);
    return sum;
}

#endif
