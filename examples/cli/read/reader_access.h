/* SPDX-License-Identifier: MIT
 * reader_access.h - access logs of web servers, a source to its end.
 */
#ifndef CLI_READER_ACCESS_H
#define CLI_READER_ACCESS_H

#include "options/options.h"
#include "read/sink.h"
#include "read/source.h"

#define CLI_INTERVAL INT64_C(60000000000) /* that requests are counted by, unless --interval says another */

/** Finds the format of an access log by one of its first lines: a pattern, and in *name what people call it. NULL: it
 *  is none, or none that is known. The source stays where it is. */
const char *cli_access_format(cli_source *source, const char **name);

/** Reads an access log: for each interval, and for each group of --key, what was requested in it. */
void cli_read_access(cli_source *source, const cli_options *options, const cli_sink *sink);

#endif
