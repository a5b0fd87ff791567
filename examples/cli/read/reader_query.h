/* SPDX-License-Identifier: MIT
 * reader_query.h - answers of Prometheus's query API, a source to its end.
 */
#ifndef CLI_READER_QUERY_H
#define CLI_READER_QUERY_H

#include "options/options.h"
#include "read/sink.h"
#include "read/source.h"

/** Tells whether the input begins as such an answer does. The source stays where it is. */
bool cli_is_query(cli_source *source);

/** Reads matrix, vector and scalar; of several answers one after the other. */
void cli_read_query(cli_source *source, const cli_options *options, const cli_sink *sink);

#endif
