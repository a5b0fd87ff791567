/* SPDX-License-Identifier: MIT */
#include "base/hash.h"

#include "anomaly.h"

#include <string.h>

#define PRIME1 UINT64_C(0x9E3779B185EBCA87)
#define PRIME2 UINT64_C(0xC2B2AE3D27D4EB4F)
#define PRIME3 UINT64_C(0x165667B19E3779F9)
#define PRIME4 UINT64_C(0x85EBCA77C2B2AE63)
#define PRIME5 UINT64_C(0x27D4EB2F165667C5)

static uint64_t load32(const unsigned char *at)
{
    return (uint64_t)at[0] | (uint64_t)at[1] << 8 | (uint64_t)at[2] << 16 | (uint64_t)at[3] << 24;
}

static uint64_t load64(const unsigned char *at)
{
    return load32(at) | load32(at + 4) << 32;
}

static uint64_t rotate(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

static uint64_t mix(uint64_t lane, uint64_t word)
{
    return rotate(lane + word * PRIME2, 31) * PRIME1;
}

static uint64_t join(uint64_t sum, uint64_t lane)
{
    return (sum ^ mix(0, lane)) * PRIME1 + PRIME4;
}

static void set_lanes(uint64_t *lane, uint64_t seed)
{
    lane[0] = seed + PRIME1 + PRIME2;
    lane[1] = seed + PRIME2;
    lane[2] = seed;
    lane[3] = seed - PRIME1;
}

/* Whole stripes of 32 bytes; returns what follows the last. */
static const unsigned char *add_stripes(uint64_t *lane, const unsigned char *at, size_t size)
{
    uint64_t a = lane[0], b = lane[1], c = lane[2], d = lane[3];
    for (; size >= 32; size -= 32, at += 32) {
        a = mix(a, load64(at));
        b = mix(b, load64(at + 8));
        c = mix(c, load64(at + 16));
        d = mix(d, load64(at + 24));
    }
    lane[0] = a;
    lane[1] = b;
    lane[2] = c;
    lane[3] = d;
    return at;
}

/* What is left over, fewer than 32 bytes, and the avalanche. */
static uint64_t finish_hash(const uint64_t *lane, uint64_t seed, uint64_t total, const unsigned char *at)
{
    size_t size = (size_t)(total % 32);
    uint64_t sum = seed + PRIME5;
    if (total >= 32) {
        sum = rotate(lane[0], 1) + rotate(lane[1], 7) + rotate(lane[2], 12) + rotate(lane[3], 18);
        for (int i = 0; i < 4; i++)
            sum = join(sum, lane[i]);
    }
    sum += total;
    for (; size >= 8; size -= 8, at += 8)
        sum = rotate(sum ^ mix(0, load64(at)), 27) * PRIME1 + PRIME4;
    for (; size >= 4; size -= 4, at += 4)
        sum = rotate(sum ^ load32(at) * PRIME1, 23) * PRIME2 + PRIME3;
    for (; size > 0; size--, at++)
        sum = rotate(sum ^ *at * PRIME5, 11) * PRIME1;
    sum = (sum ^ sum >> 33) * PRIME2;
    sum = (sum ^ sum >> 29) * PRIME3;
    return sum ^ sum >> 32;
}

void an_hash_begin(an_hash *hash, uint64_t seed)
{
    memset(hash, 0, sizeof *hash);
    hash->seed = seed;
    set_lanes(hash->lane, seed);
}

void an_hash_add(an_hash *hash, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    size_t held = (size_t)(hash->total % 32);
    if (size == 0)
        return;
    hash->total += size;
    if (held > 0) {
        size_t taken = size < 32 - held ? size : 32 - held;
        memcpy(hash->rest + held, at, taken);
        if (held + taken < 32)
            return;
        add_stripes(hash->lane, hash->rest, 32);
        at += taken;
        size -= taken;
    }
    const unsigned char *rest = add_stripes(hash->lane, at, size);
    memcpy(hash->rest, rest, size % 32);
}

uint64_t an_hash_end(const an_hash *hash)
{
    return finish_hash(hash->lane, hash->seed, hash->total, hash->rest);
}

uint64_t an_hash_of(const void *bytes, size_t size, uint64_t seed)
{
    uint64_t lane[4];
    const unsigned char *at = bytes;
    set_lanes(lane, seed);
    if (size >= 32)
        at = add_stripes(lane, at, size);
    return finish_hash(lane, seed, size, at);
}

uint64_t anomaly_key_hash(const void *key, size_t size)
{
    return an_hash_of(key, key ? size : 0, 0);
}
