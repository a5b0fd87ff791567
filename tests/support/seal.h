/* SPDX-License-Identifier: MIT
 * seal.h - snapshots that were changed, with lengths and checksums that are right again. */
#ifndef SEAL_H
#define SEAL_H

#include "base/hash.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { SEAL_HEADER = 24, SEAL_FRAME = 32 }; /* bytes before a section's body; beside it */

static inline uint64_t seal_load(const unsigned char *at)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value |= (uint64_t)at[i] << 8 * i;
    return value;
}

static inline void seal_store(unsigned char *at, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        at[i] = (unsigned char)(value >> 8 * i);
}

/* The section that begins at `at`: what it says of its length, or all there is where that cannot be. */
static inline size_t seal_length(const unsigned char *bytes, size_t size, size_t at)
{
    uint64_t length = seal_load(bytes + at + 16);
    int fits = length >= SEAL_FRAME && length <= size - at && (length == size - at || size - at - length >= SEAL_FRAME);
    return fits ? (size_t)length : size - at;
}

/* Each section's checksum is the seed of the next one's. */
static inline void seal(unsigned char *bytes, size_t size)
{
    uint64_t chain = 0;
    for (size_t at = 0; size - at >= SEAL_FRAME;) {
        size_t length = seal_length(bytes, size, at);
        seal_store(bytes + at + 16, length);
        chain = an_hash_of(bytes + at, length - 8, chain);
        seal_store(bytes + at + length - 8, chain);
        at += length;
    }
}

#endif
