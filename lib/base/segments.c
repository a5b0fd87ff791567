/* SPDX-License-Identifier: MIT */
#include "base/segments.h"

#include <string.h>

static uint32_t pieces_for(uint64_t rows)
{
    return an_segments_piece(rows - 1) + 1;
}

/* With some more, so that the first can begin at a cache line. */
static uint64_t rows_taken(size_t row_bytes, uint32_t piece)
{
    return an_segments_rows(piece) + (AN_CACHE_LINE_BYTES + row_bytes - 1) / row_bytes;
}

size_t an_segments_bytes(size_t row_bytes, uint64_t rows)
{
    uint64_t taken = 0;
    for (uint32_t piece = 0; piece < pieces_for(rows); piece++)
        taken += rows_taken(row_bytes, piece);
    return an_product(taken, row_bytes);
}

int an_segments_grow(an_segments *s, uint64_t rows, const anomaly_allocator *allocator)
{
    for (uint32_t wanted = pieces_for(rows); s->pieces < wanted; s->pieces++) {
        unsigned char *memory = an_alloc(allocator, rows_taken(s->row_bytes, s->pieces), s->row_bytes);
        if (!memory)
            return ANOMALY_E_NOMEM;
        s->memory[s->pieces] = memory;
        s->piece[s->pieces] = memory + (AN_CACHE_LINE_BYTES - (uintptr_t)memory % AN_CACHE_LINE_BYTES) % AN_CACHE_LINE_BYTES;
    }
    return ANOMALY_OK;
}

void an_segments_free(an_segments *s, const anomaly_allocator *allocator)
{
    for (; s->pieces > 0; s->pieces--)
        an_free(allocator, s->memory[s->pieces - 1], rows_taken(s->row_bytes, s->pieces - 1), s->row_bytes);
}

void an_segments_touch(an_segments *s)
{
    for (uint32_t piece = 0; piece < s->pieces; piece++)
        memset(s->piece[piece], 0, (size_t)an_segments_rows(piece) * s->row_bytes);
}
