/* SPDX-License-Identifier: MIT
 * silent.h - keys of which an event is overdue, with the option silence.
 */
#ifndef CLI_SILENT_H
#define CLI_SILENT_H

#include "run/app.h"

/** Tells the keys that have become overdue by the wall clock, once a second at most. For --follow. */
void cli_silent_tick(cli_app *app);

/** Tells the keys that are overdue at the end: beside the input's newest time, with --follow by the wall clock. */
void cli_silent_end(cli_app *app);

#endif
