/* SPDX-License-Identifier: MIT
 * rows.h - what a reader delivers: rows, and what is wrong with the others.
 *
 * A reader learns its column names (CSV header, TXT shape, first JSON object), gives each column its part with
 * cli_rows_plan(), and then puts each row together cell by cell. Everything it finds goes to a sink, so that a reader can
 * be driven by the program, by a test or by a fuzzer alike.
 */
#ifndef CLI_ROWS_H
#define CLI_ROWS_H

#include "anomaly.h"
#include "options.h"
#include "text.h"
#include "times.h"
#include "values.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLI_KEY_MAX 255

/** Why a row was rejected. */
enum cli_reason {
    CLI_BAD_NUMBER,
    CLI_BAD_TIME,
    CLI_NO_TIME,
    CLI_FEW_FIELDS,
    CLI_MANY_FIELDS,
    CLI_EMPTY_KEY,
    CLI_LONG_KEY,
    CLI_BAD_UTF8,
    CLI_NUL_BYTE,
    CLI_LONG_LINE,
    CLI_BAD_QUOTE,
    CLI_BAD_JSON,
    CLI_NO_ROOM,
    CLI_REASONS
};

const char *cli_reason_text(enum cli_reason reason);

/** One row, its parts found. Everything is borrowed for the call. */
typedef struct cli_row {
    uint64_t line;
    const char *key; /* "" where there is no key column */
    size_t key_length;
    int64_t time; /* ANOMALY_NO_TIME where there is none */
    const double *values;
    const bool *present; /* with --each: which of the values there are */
    size_t value_count;
    const char *const *value_names;
    const char *rest; /* members to pass through, as JSON behind a comma, e.g. `,"meta":{"host":"a"}`; no NUL behind it */
    size_t rest_length;
} cli_row;

/** Where a reader's findings go. row answers false to end the reading. */
typedef struct cli_sink {
    bool (*row)(void *context, const cli_row *row);
    void (*reject)(void *context, uint64_t line, enum cli_reason reason, const char *detail);
    void (*fail)(void *context, uint64_t line, const char *message); /* nothing more can be read from this file */
    void *context;
    void (*note)(void *context, uint64_t line, const char *message); /* nothing is lost, but somebody should know; or NULL */
    bool want_rest;         /* the output has a place for members that pass through */
    const cli_list *values; /* the value columns, where they are known from an earlier reading; NULL: as the options say */
} cli_sink;

/** The part a column plays. */
typedef struct cli_column {
    char *name;
    int key;   /* place in the composite key, -1 none */
    int value; /* place among the values, -1 none */
    bool time;
    bool meta;
} cli_column;

/** The columns of one file and the row being put together. */
typedef struct cli_rows {
    const cli_options *options;
    const cli_sink *sink;
    cli_column *columns;
    size_t column_count;
    size_t key_count;
    size_t value_count;
    bool has_time;
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
    cli_buffer *keys; /* one for each part */
    cli_buffer key;   /* the parts joined */
    cli_buffer rest;
    cli_row row;
} cli_rows;

void cli_rows_init(cli_rows *rows, const cli_options *options, const cli_sink *sink);
void cli_rows_free(cli_rows *rows);

/** Adds a column; the name is copied. */
void cli_rows_column(cli_rows *rows, const char *name, size_t length);
void cli_rows_forget_columns(cli_rows *rows);

/** Index of a column, column_count if there is none of that name. */
size_t cli_rows_find(const cli_rows *rows, const char *name, size_t length);

/** Gives the columns their parts. `numeric` says which hold numbers, for the default value columns (NULL: none is known to).
 *  On false *why says what is missing, until the next call. */
bool cli_rows_plan(cli_rows *rows, const bool *numeric, const char **why);

/** True if the default value columns have to be found by looking at the data. */
bool cli_rows_must_look(const cli_rows *rows);

/** A row begins, gets its cells, and goes to the sink (or is rejected there). */
void cli_rows_begin(cli_rows *rows, uint64_t line);
void cli_rows_cell(cli_rows *rows, size_t column, const char *text, size_t length);
bool cli_rows_end(cli_rows *rows);

/** Marks the present row as bad; the first reason counts. `detail` may be NULL. */
void cli_rows_reject(cli_rows *rows, enum cli_reason reason, const char *detail);

/** Rejects a line that never became a row. */
void cli_rows_reject_line(cli_rows *rows, uint64_t line, enum cli_reason reason, const char *detail);

/** Checks the bytes of a suspect line: rejects the present row for a NUL or for what is no UTF-8. */
bool cli_rows_check_bytes(cli_rows *rows, const char *text, size_t length);

#endif
