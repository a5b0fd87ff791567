/* SPDX-License-Identifier: MIT
 * codec.h - a way in which data is packed (gzip, zstd, xz), as unpack.c drives it.
 */
#ifndef CLI_CODEC_H
#define CLI_CODEC_H

#include <stdbool.h>
#include <stddef.h>

/** Packed bytes that are to be taken, and room for plain bytes; a step moves both on. */
typedef struct cli_flow {
    const unsigned char *in;
    size_t length;
    unsigned char *out;
    size_t room;
} cli_flow;

/** What a step came to: more is to be done, or more bytes are wanted; the end of a member, behind which another one
 *  may begin; data that cannot be unpacked; data that would take too much memory. */
enum cli_step { CLI_STEP_ON, CLI_STEP_END, CLI_STEP_DAMAGED, CLI_STEP_LARGE };

typedef struct cli_codec {
    const char *ending;                /* of names: ".gz" */
    const char *cut, *damaged, *large; /* messages */
    void *(*make)(void);               /* answers the state, NULL without memory */
    bool (*begin)(void *state);        /* a member */
    enum cli_step (*step)(void *state, cli_flow *flow);
    void (*free)(void *state);
} cli_codec;

/** Where the program is built without a library, `make` is NULL and `damaged` says how to do without it. */
extern const cli_codec cli_codec_gzip, cli_codec_zstd, cli_codec_xz;

#endif
