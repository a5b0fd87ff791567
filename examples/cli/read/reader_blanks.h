/* SPDX-License-Identifier: MIT
 * reader_blanks.h - tables with blanks between their fields.
 */
#ifndef CLI_READER_BLANKS_H
#define CLI_READER_BLANKS_H

#include "options/options.h"
#include "read/sink.h"
#include "read/source.h"

/** Reads the source to its end. */
void cli_read_blanks(cli_source *source, const cli_options *options, const cli_sink *sink);

#endif
