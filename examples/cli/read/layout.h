/* SPDX-License-Identifier: MIT
 * layout.h - what the first lines of an input show: where its header is, and what stands between the fields.
 */
#ifndef CLI_LAYOUT_H
#define CLI_LAYOUT_H

#include "options/options.h"
#include "read/source.h"

/** The first line that may be a header or a row, and what is before it. */
typedef struct cli_layout {
    enum cli_format format;
    char delimiter;     /* CSV; TXT: 0 for a tab or a comma, as each line has it */
    size_t lines;       /* CSV: lines before the header, to be skipped */
    size_t titles;      /* ... of which so many are titles */
    size_t comments;    /* ... and so many are comments */
    bool in_comment;    /* the header is a comment */
    char title[48];     /* the first title */
    const char *advice; /* a format that is not read: what to do instead */
} cli_layout;

/** A field of a line, without blanks around it; quotes are not looked at. */
typedef struct cli_span {
    const char *text; /* NULL past the last */
    size_t length;
} cli_span;

/** Takes the next field off a line. */
cli_span cli_span_next(cli_line *rest, char delimiter);

/** Finds the index-th field of a line, and how many fields it has. */
cli_span cli_span_at(const cli_line *line, char delimiter, size_t index);
size_t cli_span_count(const cli_line *line, char delimiter);

/** Tells whether a field is a finite number. */
bool cli_span_number(cli_span span);

/** Tells whether a field is a time that is more than a number: 2025-01-21T12:00:00Z. */
bool cli_span_time(cli_span span);

/** Tells whether a field is digits around one comma. */
bool cli_span_comma_number(cli_span f);

/** Tell what no header has: a field (a line with a field) that is a number, also with a decimal comma, or a time. */
bool cli_span_data(cli_span span, char delimiter);
bool cli_line_data(const cli_line *line, char delimiter);

/** Finds the delimiter that a line has most often outside quotes; answers `none` if it has none. */
char cli_frequent_delimiter(const cli_line *line, char none);

/** Finds the line that begins `from` bytes behind the source's place, whole if CLI_HOLD allows, without its end; *next
 *  is where the next line begins. False at the end of the input. The source stays where it is; a later call may move
 *  an earlier line. */
bool cli_line_at(cli_source *source, size_t from, cli_line *line, size_t *next);

/** Finds the first line that is not blank, whole if CLI_HOLD allows; the source stays where it is. */
cli_line cli_first_line(cli_source *source);

/** Finds the header of a CSV or TXT: fills the layout but its format and advice. `delimiter`: as given, or 0. Answers
 *  the header, or the first row. */
cli_line cli_find_header(cli_source *source, const cli_options *options, char delimiter, cli_layout *layout);

#endif
