/* SPDX-License-Identifier: MIT
 * reader_ping.h - what ping prints, a source to its end.
 */
#ifndef CLI_READER_PING_H
#define CLI_READER_PING_H

#include "options/options.h"
#include "read/layout.h"
#include "read/sink.h"
#include "read/source.h"

/** Tells whether a line is the first one of ping, or an answer. */
bool cli_is_ping(const cli_line *line);

void cli_read_ping(cli_source *source, const cli_options *options, const cli_sink *sink);

#endif
