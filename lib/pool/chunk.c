/* SPDX-License-Identifier: MIT */
#include "pool/chunk.h"

#include <string.h>

int an_chunk_reserve(an_chunk *c, size_t size)
{
    size_t room = c->room ? c->room : 4096;
    if (size <= c->room)
        return 1;
    while (room < size && room <= SIZE_MAX / 2)
        room *= 2;
    unsigned char *grown = room < size ? NULL : an_alloc(c->allocator, room, 1);
    if (!grown)
        return 0;
    if (c->used)
        memcpy(grown, c->bytes, c->used);
    an_free(c->allocator, c->bytes, c->room, 1);
    c->bytes = grown;
    c->room = room;
    return 1;
}

void an_chunk_free(an_chunk *c)
{
    an_free(c->allocator, c->bytes, c->room, 1);
}
