/* SPDX-License-Identifier: MIT
 * out.h - standard output, in blocks, with a quiet end when nobody reads it any more.
 */
#ifndef CLI_OUT_H
#define CLI_OUT_H

#include "common/text.h"

#include <stdbool.h>

typedef struct cli_out {
    int fd;
    cli_buffer buffer;
    bool closed;       /* the reader of a pipe went away */
    const char *error; /* any other reason why writing failed */
} cli_out;

/** Writes what is in the buffer. False once nothing more can be written. */
bool cli_out_flush(cli_out *out);

/** The same, if a block is full. */
bool cli_out_check(cli_out *out);

#endif
