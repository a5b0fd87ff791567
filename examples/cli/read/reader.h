/* SPDX-License-Identifier: MIT
 * reader.h - the input formats. Each reads a source to its end and tells a sink what it finds.
 */
#ifndef CLI_READER_H
#define CLI_READER_H

#include "options/options.h"
#include "read/layout.h"
#include "read/rows.h"
#include "read/source.h"

/** The format, where its rows begin, and what is between their fields: from the options, the name's ending, the first lines. */
cli_layout cli_detect(cli_source *source, const cli_options *options);

void cli_read_csv(cli_source *source, const cli_options *options, const cli_layout *layout, const cli_sink *sink);
void cli_read_txt(cli_source *source, const cli_options *options, char delimiter, const cli_sink *sink);
/** JSON: an array of objects, one object, or objects one after the other; with `lines` one object a line. */
void cli_read_json(cli_source *source, const cli_options *options, bool lines, const cli_sink *sink);

/** Detects the format and reads. */
void cli_read(cli_source *source, const cli_options *options, const cli_sink *sink);

#endif
