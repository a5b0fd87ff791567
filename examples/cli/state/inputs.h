/* SPDX-License-Identifier: MIT
 * inputs.h - the files that the state knows, and up to where they were read.
 */
#ifndef CLI_INPUTS_H
#define CLI_INPUTS_H

#include "common/say.h"
#include "read/source.h"
#include "state/state.h"

/** Finds for a file just opened the entry to go on from, NULL to begin at its start. `*old` (the caller frees it) is
 *  another path to be read on first, where the file was renamed and its path is that of a new one. */
const cli_input *cli_inputs_find(cli_state *state, const cli_source *source, cli_terminal *terminal, char **old);

/** Finds or makes the entry of a file that is read from now on, under the path it is known by. Valid until the next
 *  call. */
cli_input *cli_inputs_begin(cli_state *state, const cli_source *source, const char *path);

#endif
