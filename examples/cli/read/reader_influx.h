/* SPDX-License-Identifier: MIT
 * reader_influx.h - InfluxDB's line protocol, a source to its end.
 */
#ifndef CLI_READER_INFLUX_H
#define CLI_READER_INFLUX_H

#include "options/options.h"
#include "read/sink.h"
#include "read/source.h"

/** Tells whether a line is one of this format: its fields have names and values that no other format has. */
bool cli_is_influx(const cli_line *line);

/** Reads lines of measurement, tags, fields and perhaps time: each field that is a number is a row. */
void cli_read_influx(cli_source *source, const cli_options *options, const cli_sink *sink);

#endif
