/* SPDX-License-Identifier: MIT
 * codec_xz.c - xz, by liblzma, where the program is built with it.
 */
#include "read/codec.h"

#if CLI_XZ

#include "common/text.h"

#include <lzma.h>
#include <stdlib.h>

#define MOST_MEMORY (UINT64_C(256) << 20) /* xz -9 takes 65 MiB */

static void *make_xz(void)
{
    lzma_stream *xz = cli_resize(NULL, 1, sizeof *xz);
    *xz = (lzma_stream)LZMA_STREAM_INIT;
    return xz;
}

static bool begin_xz(void *state)
{
    return lzma_stream_decoder(state, MOST_MEMORY, 0) == LZMA_OK;
}

static enum cli_step step_xz(void *state, cli_flow *flow)
{
    lzma_stream *xz = state;
    xz->next_in = flow->in;
    xz->avail_in = flow->length;
    xz->next_out = flow->out;
    xz->avail_out = flow->room;
    lzma_ret result = lzma_code(xz, LZMA_RUN);
    flow->in = xz->next_in;
    flow->length = xz->avail_in;
    flow->out = xz->next_out;
    flow->room = xz->avail_out;
    switch (result) {
    case LZMA_OK:
    case LZMA_BUF_ERROR: return CLI_STEP_ON;
    case LZMA_STREAM_END: return CLI_STEP_END;
    case LZMA_MEM_ERROR:
    case LZMA_MEMLIMIT_ERROR: return CLI_STEP_LARGE;
    default: return CLI_STEP_DAMAGED;
    }
}

static void free_xz(void *state)
{
    lzma_end(state);
    free(state);
}

const cli_codec cli_codec_xz = {.ending = ".xz",
                                .cut = "xz data ends too early",
                                .damaged = "damaged xz data",
                                .large = "xz data that takes more than 256 MiB to unpack; "
                                         "it can be read: xz -dc FILE | anomaly",
                                .make = make_xz,
                                .begin = begin_xz,
                                .step = step_xz,
                                .free = free_xz};

#else

const cli_codec cli_codec_xz = {
    .ending = ".xz", .damaged = "xz data, and anomaly is built without liblzma; it can be read: xz -dc FILE | anomaly"};

#endif
