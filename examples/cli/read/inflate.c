/* SPDX-License-Identifier: MIT
 * inflate.c - gzip data, also of several members, from a file descriptor.
 *
 * zlib's gzread waits until its whole buffer is full, so what comes through a live pipe would be late: hence this
 * file.
 */
#include "read/inflate.h"

#include "common/text.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { INPUT_SIZE = 1 << 16 };

struct cli_inflate {
    z_stream stream;
    cli_read *read;
    void *context;
    bool between; /* behind the end of a member */
    unsigned char input[INPUT_SIZE];
};

cli_inflate *cli_inflate_open(const char *data, size_t length, cli_read *read, void *context)
{
    cli_inflate *gz = cli_resize(NULL, 1, sizeof *gz);
    memset(&gz->stream, 0, sizeof gz->stream);
    gz->read = read;
    gz->context = context;
    gz->between = false;
    memcpy(gz->input, data, length);
    gz->stream.next_in = gz->input;
    gz->stream.avail_in = (uInt)length;
    if (inflateInit2(&gz->stream, 15 + 16) != Z_OK) {
        free(gz);
        return NULL;
    }
    return gz;
}

void cli_inflate_close(cli_inflate *gz)
{
    if (gz == NULL)
        return;
    inflateEnd(&gz->stream);
    free(gz);
}

static ssize_t refill(cli_inflate *gz)
{
    ssize_t n = gz->read(gz->context, gz->input, INPUT_SIZE);
    if (n > 0) {
        gz->stream.next_in = gz->input;
        gz->stream.avail_in = (uInt)n;
    }
    return n;
}

/* Goes on behind a member: another member begins, or the data ends. Zero bytes as of tar and tapes are skipped. */
static bool next_gzip_member(cli_inflate *gz)
{
    z_stream *z = &gz->stream;
    while (z->avail_in > 0 && *z->next_in == 0) {
        z->next_in++;
        z->avail_in--;
    }
    if (z->avail_in == 0)
        return true;
    gz->between = false;
    return inflateReset(z) == Z_OK;
}

bool cli_inflate_drained(const cli_inflate *gz)
{
    return gz->stream.avail_in == 0 && gz->stream.avail_out > 0;
}

ssize_t cli_inflate_read(cli_inflate *gz, void *data, size_t size, const char **why)
{
    z_stream *z = &gz->stream;
    uInt room = size < INT_MAX ? (uInt)size : INT_MAX;
    z->next_out = data;
    z->avail_out = room;
    *why = NULL;
    while (z->avail_out == room) {
        if (z->avail_in == 0) {
            ssize_t n = refill(gz);
            if (n < 0 || (n == 0 && gz->between))
                return n;
            *why = "gzip data ends too early";
            if (n == 0)
                return -1;
        }
        if (gz->between && !next_gzip_member(gz))
            return -1;
        if (gz->between)
            continue;
        *why = "damaged gzip data";
        int result = inflate(z, Z_NO_FLUSH);
        if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
            return -1;
        gz->between = result == Z_STREAM_END;
    }
    return (ssize_t)(room - z->avail_out);
}
