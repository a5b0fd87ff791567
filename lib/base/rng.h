/* SPDX-License-Identifier: MIT */
/* Random numbers: xoshiro256** (Blackman, Vigna 2018), seeded by splitmix64. */
#ifndef AN_BASE_RNG_H
#define AN_BASE_RNG_H

#include <stdint.h>

typedef struct an_rng {
    uint64_t s[4];
} an_rng;

static inline uint64_t an_rng_next(an_rng *rng)
{
    uint64_t *s = rng->s, five = s[1] * 5, result = (five << 7 | five >> 57) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = s[3] << 45 | s[3] >> 19;
    return result;
}

static inline void an_rng_seed(an_rng *rng, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        seed += 0x9e3779b97f4a7c15u;
        uint64_t z = seed;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        rng->s[i] = z ^ (z >> 31);
    }
}

/* Uniform in 0..n-1, unbiased (Lemire 2019), from the high half of a draw; *low gets the low half, independent of
 * it. */
static inline uint32_t an_rng_below(an_rng *rng, uint32_t n, uint32_t *low)
{
    uint64_t r = an_rng_next(rng), m = (r >> 32) * n;
    if ((uint32_t)m < n) {
        uint32_t least = (0u - n) % n;
        while ((uint32_t)m < least) {
            r = an_rng_next(rng);
            m = (r >> 32) * n;
        }
    }
    *low = (uint32_t)r;
    return (uint32_t)(m >> 32);
}

#endif
