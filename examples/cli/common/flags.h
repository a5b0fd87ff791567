/* SPDX-License-Identifier: MIT
 * flags.h - the flags of a verdict in words, as the program and the example service tell them.
 */
#ifndef CLI_FLAGS_H
#define CLI_FLAGS_H

#include <stddef.h>
#include <stdint.h>

/** Finds the first flag at *next or later that is set, moves *next behind it, and answers its name; NULL: none is
 *  left. IS_ANOMALY has no name here: both tell it in a field of its own. */
const char *cli_next_flag(uint32_t flags, size_t *next);

#endif
