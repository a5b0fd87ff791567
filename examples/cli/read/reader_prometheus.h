/* SPDX-License-Identifier: MIT
 * reader_prometheus.h - the text that programs show Prometheus, a source to its end.
 */
#ifndef CLI_READER_PROMETHEUS_H
#define CLI_READER_PROMETHEUS_H

#include "options/options.h"
#include "read/sink.h"
#include "read/source.h"

/** Tells whether a line can be one of this format and of no other: it has labels, or is a comment for Prometheus. */
bool cli_is_prometheus(const cli_line *line);

/** Reads lines of metric, value and perhaps time: one scrape, or several one after the other. */
void cli_read_prometheus(cli_source *source, const cli_options *options, const cli_sink *sink);

#endif
