/* SPDX-License-Identifier: MIT
 * log_format.h - how the lines of an access log are written, as nginx's log_format says it.
 */
#ifndef CLI_LOG_FORMAT_H
#define CLI_LOG_FORMAT_H

#include "read/layout.h"

enum { CLI_LOG_FIELDS = 64 };

/** '$remote_addr - [$time_local] "$request"': fields, and the text between them. All borrowed from the pattern. */
typedef struct cli_log_format {
    cli_span before;                /* the text before the first field */
    cli_span names[CLI_LOG_FIELDS]; /* without the dollar */
    cli_span behind[CLI_LOG_FIELDS];
    size_t count;
    bool more; /* behind the last field there may be more, which is not read */
} cli_log_format;

/** Reads a pattern, or one of the names combined and common. On false *why says what is wrong. */
bool cli_log_format_read(cli_log_format *format, const char *pattern, const char **why);

/** Finds the format of a line that was not asked for; NULL if the line is of no access log. The answer is a
 *  pattern; *name is what people call it. */
const char *cli_log_format_of(const cli_line *line, const char **name);

/** Cuts a line into the values of the fields. On false *field is the first that was not found. */
bool cli_log_format_cut(const cli_log_format *format, const cli_line *line, cli_span values[], size_t *field);

/** Finds the field of that name; CLI_LOG_FIELDS if the format has none. */
size_t cli_log_format_find(const cli_log_format *format, const char *name);

#endif
