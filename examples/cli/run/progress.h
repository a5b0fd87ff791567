/* SPDX-License-Identifier: MIT
 * progress.h - a line on the terminal that says how far a long input has been read.
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "run/app.h"

/** Begins; no line is shown before a second has passed. */
void cli_progress_start(cli_app *app);

/** Shows the line anew, if it is time to. Called before each read. */
void cli_progress_tick(cli_app *app);

#endif
