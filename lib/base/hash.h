/* SPDX-License-Identifier: MIT */
/* XXH64 (Yann Collet), by its published description: the checksum of snapshots and the hash of keys. Both are formats:
 * they never change. */
#ifndef AN_BASE_HASH_H
#define AN_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

typedef struct an_hash {
    uint64_t lane[4];
    uint64_t total; /* bytes so far */
    uint64_t seed;
    unsigned char rest[32];
} an_hash;

/* In pieces. */
void an_hash_begin(an_hash *hash, uint64_t seed);
void an_hash_add(an_hash *hash, const void *bytes, size_t size);
uint64_t an_hash_end(const an_hash *hash);

/* At once. */
uint64_t an_hash_of(const void *bytes, size_t size, uint64_t seed);

#endif
