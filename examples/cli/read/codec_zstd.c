/* SPDX-License-Identifier: MIT
 * codec_zstd.c - zstd, by libzstd, where the program is built with it.
 */
#include "read/codec.h"

#if CLI_ZSTD

#include <zstd.h>
#include <zstd_errors.h>

static void *make_zstd(void)
{
    return ZSTD_createDStream();
}

static bool begin_zstd(void *state)
{
    return !ZSTD_isError(ZSTD_DCtx_reset(state, ZSTD_reset_session_only));
}

static enum cli_step step_zstd(void *state, cli_flow *flow)
{
    ZSTD_inBuffer in = {flow->in, flow->length, 0};
    ZSTD_outBuffer out = {flow->out, flow->room, 0};
    size_t result = ZSTD_decompressStream(state, &out, &in);
    flow->in += in.pos;
    flow->length -= in.pos;
    flow->out += out.pos;
    flow->room -= out.pos;
    if (result == 0)
        return CLI_STEP_END;
    if (ZSTD_getErrorCode(result) == ZSTD_error_frameParameter_windowTooLarge)
        return CLI_STEP_LARGE;
    return ZSTD_isError(result) ? CLI_STEP_DAMAGED : CLI_STEP_ON;
}

static void free_zstd(void *state)
{
    ZSTD_freeDStream(state);
}

const cli_codec cli_codec_zstd = {.ending = ".zst",
                                  .cut = "zstd data ends too early",
                                  .damaged = "damaged zstd data",
                                  .large = "zstd data with a window of more than 128 MiB; "
                                           "it can be read: zstd -dc --long=31 FILE | anomaly",
                                  .make = make_zstd,
                                  .begin = begin_zstd,
                                  .step = step_zstd,
                                  .free = free_zstd};

#else

const cli_codec cli_codec_zstd = {
    .ending = ".zst", .damaged = "zstd data, and anomaly is built without libzstd; it can be read: zstd -dc FILE | anomaly"};

#endif
