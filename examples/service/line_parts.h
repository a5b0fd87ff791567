/* SPDX-License-Identifier: MIT
 * line_parts.h - the parts of a line, whichever way it is written. Each answers false after line_refuse().
 */
#ifndef SERVICE_LINE_PARTS_H
#define SERVICE_LINE_PARTS_H

#include "line.h"

/** Text of a client, made fit to be shown: printable ASCII, not too long. */
typedef struct quoted {
    char text[48];
} quoted;
const char *line_quote(quoted *q, const char *text, size_t size);

bool line_take_metric(line *l, const char *text, size_t size);
bool line_take_source(line *l, const char *text, size_t size);
bool line_take_value(line *l, const char *text, size_t size);
bool line_take_time(line *l, cli_clock *clock, const char *text, size_t size);
bool line_take_command(line *l, const char *text, size_t size);

bool line_read_json(cli_clock *clock, const char *text, size_t size, line *l);

#endif
