/* SPDX-License-Identifier: MIT
 * blanks.h - the lines of tables with blanks between their fields, as vmstat, sar, mpstat, iostat and pidstat write
 * them: which is a header, which a row, and of what time a row is.
 */
#ifndef CLI_BLANKS_H
#define CLI_BLANKS_H

#include "common/list.h"
#include "common/text.h"
#include "options/options.h"
#include "read/layout.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cli_blanks_line {
    CLI_BLANKS_NONE,    /* a blank line, a title, a line of time, a comment */
    CLI_BLANKS_HEADER,  /* of the table that now is `table` */
    CLI_BLANKS_ROW,     /* of that table */
    CLI_BLANKS_SUMMARY, /* an average over the rows, or a restart */
};

/** Where in the input the lines are. All zero to begin, but for `header`. */
typedef struct cli_blanks {
    enum cli_header header; /* as the options say */
    cli_span *words;        /* of the present line, without the time that stands before them */
    size_t count, capacity;
    cli_list tables;    /* the headers that have come, their words with one blank between; "": rows without a header */
    uint64_t timed;     /* bit i: each row of table i begins with a time of day */
    size_t table;       /* that the present row is of */
    bool begun;         /* there is a table */
    bool fresh;         /* a new table may begin here */
    bool dated;         /* a title has told the date */
    int64_t day;        /* of the title and the midnights since, in days since 1970 */
    int32_t last;       /* second of the day of the last row */
    char time[40];      /* of the present row; "": none */
    char title[12];     /* the date as it was read */
    cli_buffer group;   /* the first word of a line as procs -----memory---- */
    cli_buffer comment; /* the words of the last comment: it may be the header */
} cli_blanks;

#define CLI_BLANKS_TABLES 64 /* that are told apart, at most */

void cli_blanks_free(cli_blanks *blanks);

/** Takes the next line. */
enum cli_blanks_line cli_blanks_take(cli_blanks *blanks, const cli_line *line);

/** Tells whether a field is a time of day, as 14:00:01. */
bool cli_blanks_clock(cli_span span);

/** Tells whether a field is a date as in 2025-03-04 14:00:01. */
bool cli_blanks_date(cli_span span);

/** Tells whether the first lines of an input are such a table. */
bool cli_blanks_shown(cli_source *source);

#endif
