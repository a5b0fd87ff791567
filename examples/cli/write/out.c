/* SPDX-License-Identifier: MIT
 * out.c - standard output, in blocks, with a quiet end when nobody reads it any more.
 */
#include "write/out.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK = 1 << 16 };

bool cli_out_flush(cli_out *out)
{
    size_t written = 0;
    bool failed = out->closed || out->error != NULL;
    while (!failed && written < out->buffer.length) {
        ssize_t n = write(out->fd, out->buffer.data + written, out->buffer.length - written);
        if (n >= 0)
            written += (size_t)n;
        else if (errno != EINTR) {
            out->closed = errno == EPIPE;
            out->error = out->closed ? NULL : strerror(errno);
            failed = true;
        }
    }
    out->buffer.length = 0;
    return !failed;
}

bool cli_out_check(cli_out *out)
{
    return out->buffer.length < BLOCK || cli_out_flush(out);
}
