/* SPDX-License-Identifier: MIT */
/* A buffer that grows: what a section of a pool's snapshot is gathered in, before it is written or after it is
 * read. */
#ifndef AN_POOL_CHUNK_H
#define AN_POOL_CHUNK_H

#include "base/memory.h"

#define AN_CHUNK_BYTES 65536 /* of keys in a section, about; of a source, in one read */

typedef struct an_chunk {
    const anomaly_allocator *allocator;
    unsigned char *bytes;
    size_t room, used;
} an_chunk;

/* Makes room for `size` bytes in all. Returns 0, and keeps what is there, when there is no memory. */
int an_chunk_reserve(an_chunk *c, size_t size);
void an_chunk_free(an_chunk *c);

#endif
