/* SPDX-License-Identifier: MIT */
/* Equal rows in memory that grows and never moves: the first piece holds 8 rows, each later one as many as all before
 * it. What is there stays where it is, so no event pays for a copy; memory that is not needed yet is not touched. */
#ifndef AN_BASE_SEGMENTS_H
#define AN_BASE_SEGMENTS_H

#include "base/memory.h"

#define AN_SEGMENTS_FIRST 8u  /* rows of the first piece */
#define AN_SEGMENTS_MOST  29u /* pieces: up to 2^31 rows */

typedef struct an_segments {
    size_t row_bytes;
    uint32_t pieces; /* there are so many */
    void *memory[AN_SEGMENTS_MOST];
    unsigned char *piece[AN_SEGMENTS_MOST]; /* the same, at a cache line */
} an_segments;

/* The piece that holds row i, and the rows before it. */
static inline uint32_t an_segments_piece(uint64_t i)
{
    uint32_t piece = 0;
#if defined(__GNUC__)
    piece = 61u - (uint32_t)__builtin_clzll(i | 4u);
#else
    while (i >= (uint64_t)AN_SEGMENTS_FIRST << piece)
        piece++;
#endif
    return piece;
}

static inline uint64_t an_segments_before(uint32_t piece)
{
    return piece ? (uint64_t)(AN_SEGMENTS_FIRST / 2) << piece : 0;
}

/* Row i, which must be there. */
static inline void *an_segments_row(const an_segments *s, uint64_t i)
{
    uint32_t piece = an_segments_piece(i);
    return s->piece[piece] + (size_t)(i - an_segments_before(piece)) * s->row_bytes;
}

static inline uint64_t an_segments_rows(uint32_t piece)
{
    return piece ? an_segments_before(piece) : AN_SEGMENTS_FIRST;
}

/* Of memory for `rows`, 8 or a larger power of two. */
size_t an_segments_bytes(size_t row_bytes, uint64_t rows);

/* Makes room for `rows` in all, 8 or a larger power of two. ANOMALY_E_NOMEM: with less, which is kept for the next
 * time. */
int an_segments_grow(an_segments *s, uint64_t rows, const anomaly_allocator *allocator);
void an_segments_free(an_segments *s, const anomaly_allocator *allocator);

/* Writes zeros everywhere: memory that has been written to costs the events that come no page faults. */
void an_segments_touch(an_segments *s);

#endif
