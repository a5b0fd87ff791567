/* SPDX-License-Identifier: MIT
 * codec_gzip.c - gzip, by zlib.
 */
#define ZLIB_CONST /* input is const */
#include "common/text.h"
#include "read/codec.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static void *make_gzip(void)
{
    z_stream *z = cli_resize(NULL, 1, sizeof *z);
    memset(z, 0, sizeof *z);
    if (inflateInit2(z, 15 + 16) == Z_OK)
        return z;
    free(z);
    return NULL;
}

static bool begin_gzip(void *state)
{
    return inflateReset(state) == Z_OK;
}

static enum cli_step step_gzip(void *state, cli_flow *flow)
{
    z_stream *z = state;
    z->next_in = flow->in;
    z->avail_in = flow->length < INT_MAX ? (uInt)flow->length : INT_MAX;
    z->next_out = flow->out;
    z->avail_out = flow->room < INT_MAX ? (uInt)flow->room : INT_MAX;
    int result = inflate(z, Z_NO_FLUSH);
    flow->length -= (size_t)(z->next_in - flow->in);
    flow->in = z->next_in;
    flow->room -= (size_t)(z->next_out - flow->out);
    flow->out = z->next_out;
    if (result == Z_STREAM_END)
        return CLI_STEP_END;
    return result == Z_OK || result == Z_BUF_ERROR ? CLI_STEP_ON : CLI_STEP_DAMAGED;
}

static void free_gzip(void *state)
{
    inflateEnd(state);
    free(state);
}

const cli_codec cli_codec_gzip = {.ending = ".gz",
                                  .cut = "gzip data ends too early",
                                  .damaged = "damaged gzip data",
                                  .make = make_gzip,
                                  .begin = begin_gzip,
                                  .step = step_gzip,
                                  .free = free_gzip};
