/* SPDX-License-Identifier: MIT
 * written.h - what a part of a snapshot writes, and a reader of it. */
#ifndef WRITTEN_H
#define WRITTEN_H

#include "test.h"

#include "base/bytes.h"

typedef struct written {
    size_t length;
    unsigned char bytes[1 << 20];
} written;

static inline int written_keep(void *ctx, const void *bytes, size_t size)
{
    written *to = ctx;
    if (size > sizeof to->bytes - to->length)
        return 1;
    memcpy(to->bytes + to->length, bytes, size);
    to->length += size;
    return 0;
}

static inline void written_begin(written *to, an_writer *writer)
{
    to->length = 0;
    an_writer_begin(writer, written_keep, to);
}

static inline an_reader written_reader(const written *from)
{
    return (an_reader){from->bytes, from->bytes + from->length, 0};
}

/* Has the reader read all of it, and nothing that was bad? */
static inline int written_is_read(const an_reader *reader)
{
    return !reader->bad && an_reader_left(reader) == 0;
}

#endif
