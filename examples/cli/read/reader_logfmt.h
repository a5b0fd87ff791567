/* SPDX-License-Identifier: MIT
 * reader_logfmt.h - lines of name=value, as many programs write their logs, a source to its end.
 */
#ifndef CLI_READER_LOGFMT_H
#define CLI_READER_LOGFMT_H

#include "options/options.h"
#include "read/layout.h"
#include "read/sink.h"
#include "read/source.h"

/** Tells whether a line is mostly of name=value. */
bool cli_is_logfmt(const cli_line *line);

void cli_read_logfmt(cli_source *source, const cli_options *options, const cli_sink *sink);

#endif
