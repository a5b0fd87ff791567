/* SPDX-License-Identifier: MIT
 * plan.h - which column plays which part.
 */
#ifndef CLI_PLAN_H
#define CLI_PLAN_H

#include "read/rows.h"

/** Tells whether a name is among those by which columns are found, or left alone, without an option. Headers have such
 *  names, data hardly ever. */
bool cli_rows_usual(const char *name);

/** Finds the column by which sysstat's programs and their like name the streams of a table, NULL if there is none; a
 *  processor's number beside a command is no measure then. */
const char *cli_rows_stream(cli_rows *rows);

/** Gives the columns their parts, by their names and by what was looked at, and tells the sink. On false *why says
 *  what is missing, until the next call. */
bool cli_rows_plan(cli_rows *rows, const char **why);

#endif
