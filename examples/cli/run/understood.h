/* SPDX-License-Identifier: MIT
 * understood.h - what was understood of a file's columns, in one line.
 */
#ifndef CLI_UNDERSTOOD_H
#define CLI_UNDERSTOOD_H

#include "read/rows.h"
#include "run/app.h"

/** Looks at the columns of a file, which have their parts: begins the judging, and tells what was understood. Answers
 *  why the file is not to be read so, NULL: it is. */
const char *cli_understood(cli_app *app, const cli_rows *rows);

#endif
