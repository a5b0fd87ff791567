/* SPDX-License-Identifier: MIT
 * reader.h - reads an input of any format to its end.
 */
#ifndef CLI_READER_H
#define CLI_READER_H

#include "options/options.h"
#include "read/sink.h"
#include "read/source.h"

/** Detects the format, reads, and tells the sink what is found. */
void cli_read(cli_source *source, const cli_options *options, const cli_sink *sink);

#endif
