/* SPDX-License-Identifier: MIT
 * reader_txt.h - TXT: a source to its end.
 */
#ifndef CLI_READER_TXT_H
#define CLI_READER_TXT_H

#include "options/options.h"
#include "read/sink.h"
#include "read/source.h"

/** Reads lines of metric, value, time and more, and tells the sink what they hold. `delimiter` 0: a tab or a comma,
 *  whichever a line has. */
void cli_read_txt(cli_source *source, const cli_options *options, char delimiter, const cli_sink *sink);

#endif
