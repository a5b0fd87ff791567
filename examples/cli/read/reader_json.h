/* SPDX-License-Identifier: MIT
 * reader_json.h - reads a source as JSON to its end.
 */
#ifndef CLI_READER_JSON_H
#define CLI_READER_JSON_H

#include "options/options.h"
#include "read/sink.h"
#include "read/source.h"

/** Reads an array of objects, one object, or objects one after the other, with `lines` one object a line, and tells
 *  the sink what it finds. */
void cli_read_json(cli_source *source, const cli_options *options, bool lines, const cli_sink *sink);

#endif
