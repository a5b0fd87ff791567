/* SPDX-License-Identifier: MIT
 * reader_csv.h - reads a source as CSV to its end.
 */
#ifndef CLI_READER_CSV_H
#define CLI_READER_CSV_H

#include "options/options.h"
#include "read/layout.h"
#include "read/sink.h"
#include "read/source.h"

/** Reads rows and tells the sink what it finds. */
void cli_read_csv(cli_source *source, const cli_options *options, const cli_layout *layout, const cli_sink *sink);

#endif
