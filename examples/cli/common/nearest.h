/* SPDX-License-Identifier: MIT
 * nearest.h - the name that was probably meant by one that is not known.
 */
#ifndef CLI_NEAREST_H
#define CLI_NEAREST_H

#include "common/text.h"

#include <stddef.h>

/** Begins as {.word = ...}; then every known name is offered. */
typedef struct cli_nearest {
    const char *word;
    const char *before; /* shown before the name, "--" for an option; may be NULL */
    const char *name;   /* the nearest so far, borrowed; NULL while none is near */
    size_t distance;
} cli_nearest;

void cli_nearest_offer(cli_nearest *nearest, const char *name);

/** Appends `; did you mean "NAME"?`, or nothing where no name is near. */
void cli_nearest_add(cli_buffer *buffer, const cli_nearest *nearest);

#endif
