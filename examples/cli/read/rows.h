/* SPDX-License-Identifier: MIT
 * rows.h - the columns of a file, and the row that is put together from its cells.
 *
 * A reader learns its column names (CSV header, TXT shape, first JSON objects), looks at what the first rows hold,
 * gives each column its part with cli_rows_plan() of plan.h, and then puts each row together cell by cell. Everything
 * that the reader finds goes to a sink, so the program, a test or a fuzzer can drive a reader.
 */
#ifndef CLI_ROWS_H
#define CLI_ROWS_H

#include "anomaly.h"
#include "common/text.h"
#include "common/times.h"
#include "options/options.h"
#include "read/look.h"
#include "read/sink.h"
#include "read/values.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLI_KEY_MAX 255

/** Why a column is not judged. */
enum cli_unused {
    CLI_UNUSED_NUMBERS, /* it could be judged, but other columns are */
    CLI_UNUSED_COUNTER, /* it numbers the rows */
    CLI_UNUSED_NAMES,   /* its numbers name something, as pid does */
    CLI_UNUSED_UNITS,   /* its numbers have different units */
    CLI_UNUSED_KEY,     /* it could be a key */
    CLI_UNUSED_TIME,    /* it holds times, and another column is the time */
    CLI_UNUSED_ORDER,   /* it holds times with the day or the month first */
    CLI_UNUSED_NO_TIME, /* it has a name of times, and holds none */
    CLI_UNUSED_TEXT,
    CLI_UNUSED_EMPTY,
    CLI_UNUSED_LABEL, /* it says which rows are anomalies */
    CLI_UNUSED_KINDS
};

/** The part a column plays. */
typedef struct cli_column {
    char *name;
    cli_facts *facts;     /* what the first rows show of it, NULL: none had a value */
    const cli_unit *unit; /* that its values have, NULL: none */
    bool named;           /* the reader knows that its numbers name something */
    bool assumed;         /* no row has had it yet: a later JSON object may */
    enum cli_unused unused;
    int key;   /* place in the composite key, -1 none */
    int value; /* place among the values, -1 none */
    bool time;
    bool label;
    bool meta;
} cli_column;

/** Does a column play a part in each row? */
static inline bool cli_has_part(const cli_column *column)
{
    return column->key >= 0 || column->value >= 0 || column->time || column->label;
}

/** The columns of one file and the row being put together. */
struct cli_rows {
    const cli_options *options;
    const cli_sink *sink;
    const char *format; /* the reader's name for messages: "CSV" */
    cli_buffer remark;  /* what else the reader has understood of the file, without a NUL */
    char delimiter;     /* 0: it has none */
    bool sparse;        /* a row may lack columns, and have others: JSON */
    bool every;         /* every column of numbers is a value: no option names one, and none has the name "value" */
    bool valueless;     /* the last plan failed since no column can be judged, and no option names one */
    size_t looked;      /* rows that were looked at */
    bool few;           /* the whole file has fewer than CLI_LOOK, by an estimate */
    cli_column *columns;
    size_t column_count;
    size_t next;        /* the column that is looked for first, since columns mostly come in their order */
    bool labels;        /* a column says which rows are of an incident */
    const char *stream; /* the column that is the key where no option says it and none is called metric; NULL: none */
    bool numbered;      /* a column called id or the like numbers the rows; vmstat's id is a value */
    size_t key_count;
    size_t obvious; /* ... of which so many are keys by their names, without an option */
    size_t value_count;
    char **value_names; /* borrowed from the columns */

    cli_clock clock;
    cli_values reading;
    uint64_t line; /* of the present row */
    bool bad;
    enum cli_reason reason;
    cli_buffer detail;
    double *values;
    bool *present;
    int64_t time;
    bool has_label, labelled;
    cli_buffer *keys; /* one for each part */
    cli_buffer key;   /* the parts joined */
    cli_buffer rest;
    cli_row row;
};

void cli_rows_init(cli_rows *rows, const cli_options *options, const cli_sink *sink);
void cli_rows_free(cli_rows *rows);

/** Adds a column and answers its index; the name is copied. */
size_t cli_rows_column(cli_rows *rows, const char *name, size_t length);
void cli_rows_forget_columns(cli_rows *rows);

/** Finds the index of a column, column_count if none has exactly that name. */
size_t cli_rows_find(cli_rows *rows, const char *name, size_t length);

/** Look at a cell of one of the first rows; end such a row. */
void cli_rows_look(cli_rows *rows, size_t column, enum cli_cell kind, const char *text, size_t length);
void cli_rows_looked(cli_rows *rows);

/** Finds the column of times; NULL if there is none. */
const cli_column *cli_rows_time(const cli_rows *rows);

/** Appends that -s transform=rate, or diff where there are no times, judges the growth of counters, unless an option
 *  says what is judged. */
void cli_rows_offer_growth(const cli_rows *rows, bool times, cli_buffer *text);

/** Appends that the numbers of a column have different units: which ones. */
void cli_rows_add_units(const cli_column *column, cli_buffer *text);

/** Begin a row, give it its cells, and hand it to the sink as a row or a reject. end answers false to end reading. */
void cli_rows_begin(cli_rows *rows, uint64_t line);
void cli_rows_cell(cli_rows *rows, size_t column, const char *text, size_t length);
bool cli_rows_end(cli_rows *rows);

/** Appends a part of a composite key, with a backslash before a slash in it, since slashes stand between the parts. */
void cli_rows_add_part(cli_buffer *key, const char *part, size_t length);

/** Marks the present row as bad; the first reason counts. `detail` may be NULL. */
void cli_rows_reject(cli_rows *rows, enum cli_reason reason, const char *detail);

/** Rejects a line that never became a row. */
void cli_rows_reject_line(cli_rows *rows, uint64_t line, enum cli_reason reason, const char *detail);

/** Checks the bytes of a suspect line: rejects the present row for a NUL or for what is no UTF-8. */
bool cli_rows_check_bytes(cli_rows *rows, const char *text, size_t length);

#endif
