/* SPDX-License-Identifier: MIT
 * input.h - the files of a run, one after the other.
 */
#ifndef CLI_INPUT_H
#define CLI_INPUT_H

#include "run/app.h"

/** Reads all of them, unless something ends the run before. */
void cli_input_read(cli_app *app);

#endif
