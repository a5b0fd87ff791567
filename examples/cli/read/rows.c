/* SPDX-License-Identifier: MIT
 * rows.c - the columns of a file, and the row that is put together from its cells.
 */
#include "read/rows.h"

#include "read/truth.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void cli_rows_init(cli_rows *rows, const cli_options *options, const cli_sink *sink)
{
    *rows = (cli_rows){.options = options, .sink = sink, .clock = options->clock, .numbered = true};
    cli_values_init(&rows->reading, options);
}

void cli_rows_free(cli_rows *rows)
{
    for (size_t i = 0; i < rows->key_count; i++)
        cli_buffer_free(&rows->keys[i]);
    cli_rows_forget_columns(rows);
    free(rows->columns);
    free(rows->keys);
    free(rows->value_names);
    free(rows->values);
    free(rows->present);
    cli_values_free(&rows->reading);
    cli_buffer_free(&rows->detail);
    cli_buffer_free(&rows->remark);
    cli_buffer_free(&rows->key);
    cli_buffer_free(&rows->rest);
}

/* ---- the columns ---- */

size_t cli_rows_column(cli_rows *rows, const char *name, size_t length)
{
    rows->columns = cli_resize(rows->columns, rows->column_count + 1, sizeof *rows->columns);
    rows->columns[rows->column_count] = (cli_column){.name = cli_copy(name, length), .key = -1, .value = -1};
    return rows->column_count++;
}

void cli_rows_forget_columns(cli_rows *rows)
{
    for (size_t i = 0; i < rows->column_count; i++) {
        free(rows->columns[i].name);
        free(rows->columns[i].facts);
    }
    rows->column_count = rows->looked = 0;
}

void cli_rows_look(cli_rows *rows, size_t column, enum cli_cell kind, const char *text, size_t length)
{
    cli_column *c = &rows->columns[column];
    if (rows->looked >= CLI_LOOK || length == 0)
        return;
    if (c->facts == NULL) {
        c->facts = cli_resize(NULL, 1, sizeof *c->facts);
        *c->facts = (cli_facts){.clock = rows->options->clock};
    }
    cli_look(c->facts, &rows->reading, kind, text, length);
}

void cli_rows_looked(cli_rows *rows)
{
    rows->looked += rows->looked < CLI_LOOK;
}

static bool is_named(const cli_column *column, const char *name, size_t length)
{
    return strncmp(column->name, name, length) == 0 && strlen(column->name) == length; /* name may have a NUL */
}

size_t cli_rows_find(cli_rows *rows, const char *name, size_t length)
{
    size_t i = rows->next;
    if (i >= rows->column_count || !is_named(&rows->columns[i], name, length))
        for (i = 0; i < rows->column_count && !is_named(&rows->columns[i], name, length); i++)
            continue;
    rows->next = i + 1;
    return i;
}

const cli_column *cli_rows_time(const cli_rows *rows)
{
    for (size_t i = 0; i < rows->column_count; i++)
        if (rows->columns[i].time)
            return &rows->columns[i];
    return NULL;
}

void cli_rows_offer_growth(const cli_rows *rows, bool times, cli_buffer *text)
{
    if (rows->options->config.transform == ANOMALY_RAW)
        cli_buffer_text(text, times ? ": -s transform=rate judges the growth" : ": -s transform=diff judges the growth");
}

/* ---- a row ---- */

void cli_rows_begin(cli_rows *rows, uint64_t line)
{
    rows->line = line;
    rows->bad = false;
    rows->time = ANOMALY_NO_TIME;
    rows->has_label = rows->labelled = false;
    rows->rest.length = 0;
    for (size_t i = 0; i < rows->value_count; i++)
        rows->present[i] = false;
    for (size_t i = 0; i < rows->key_count; i++)
        rows->keys[i].length = 0;
}

void cli_rows_reject(cli_rows *rows, enum cli_reason reason, const char *detail)
{
    if (rows->bad)
        return;
    rows->bad = true;
    rows->reason = reason;
    rows->detail.length = 0;
    if (detail != NULL)
        cli_buffer_add(&rows->detail, detail, strlen(detail) + 1);
}

void cli_rows_reject_line(cli_rows *rows, uint64_t line, enum cli_reason reason, const char *detail)
{
    rows->sink->reject(rows->sink->context, line, reason, detail);
}

/* Rejects the row with the detail: WHY: "TEXT" in column NAME. The text is cut to SHOWN bytes. */
static void reject_cell(cli_rows *rows, enum cli_reason reason, const cli_column *column, const char *why, const char *text,
                        size_t length)
{
    enum { SHOWN = 40 };
    cli_buffer *d = &rows->detail;
    size_t shown = cli_utf8_cut(text, length, SHOWN);
    rows->bad = true;
    rows->reason = reason;
    d->length = 0;
    cli_buffer_text(d, why);
    if (length > 0) {
        cli_buffer_text(d, ": \"");
        cli_add_printable(d, text, shown);
        cli_buffer_text(d, shown < length ? "...\"" : "\"");
    }
    cli_buffer_text(d, " in column ");
    cli_add_printable(d, column->name, strlen(column->name));
    cli_buffer_char(d, '\0');
}

/* Reads a number of a column whose numbers have a unit; false after a reject. 0 needs none. */
static bool read_united(cli_rows *rows, const cli_column *column, const char *text, size_t length, double *value)
{
    cli_unit unit;
    const char *why = "not a number";
    enum cli_number result = cli_values_read(&rows->reading, text, length, value);
    if (result == CLI_NUMBER_OK && (!(fabs(*value) > 0) || isinf(*value) || cli_unit_optional(column->unit)))
        return true;
    if (result == CLI_NUMBER_OK)
        why = "no unit, where other rows have one";
    else if (cli_unit_read(&rows->reading, text, length, &unit, value) == CLI_NUMBER_OK)
        why = cli_unit_fits(column->unit, &unit) ? NULL : "another unit than other rows have";
    if (why != NULL)
        reject_cell(rows, CLI_BAD_NUMBER, column, why, text, length);
    return why == NULL;
}

static void value_cell(cli_rows *rows, const cli_column *column, const char *text, size_t length)
{
    cli_unit unit;
    double other;
    size_t i = (size_t)column->value;
    rows->present[i] = true;
    if (column->unit != NULL) {
        read_united(rows, column, text, length, &rows->values[i]);
        return;
    }
    enum cli_number result = cli_values_read(&rows->reading, text, length, &rows->values[i]);
    if (result == CLI_NUMBER_RANGE)
        reject_cell(rows, CLI_BAD_NUMBER, column, "a number too large", text, length);
    else if (result == CLI_NUMBER_TEXT && cli_unit_read(&rows->reading, text, length, &unit, &other) == CLI_NUMBER_OK)
        reject_cell(rows, CLI_BAD_NUMBER, column, "a number with a unit, where other rows have none or another", text,
                    length);
    else if (result == CLI_NUMBER_TEXT)
        reject_cell(rows, CLI_BAD_NUMBER, column, "not a number", text, length);
}

/* Reads a time. An empty one is no reason for a reject here: whether a row needs a time depends on the window. */
static void time_cell(cli_rows *rows, const cli_column *column, const char *text, size_t length)
{
    const char *why;
    if (length > 0 && !cli_parse_time(&rows->clock, text, length, &rows->time, &why) &&
        !cli_values_missing(&rows->reading, text, length))
        reject_cell(rows, CLI_BAD_TIME, column, why, text, length);
}

static void key_cell(cli_rows *rows, const cli_column *column, const char *text, size_t length)
{
    if (length == 0)
        reject_cell(rows, CLI_EMPTY_KEY, column, "empty key", text, length);
    else if (length > CLI_KEY_MAX)
        reject_cell(rows, CLI_LONG_KEY, column, "key longer than 255 bytes", text, length);
    else
        cli_buffer_add(&rows->keys[column->key], text, length);
}

static void label_cell(cli_rows *rows, const cli_column *column, const char *text, size_t length)
{
    rows->has_label = true;
    if (length == 0)
        reject_cell(rows, CLI_BAD_LABEL, column, "no label", text, length);
    else if (!cli_read_truth(text, length, &rows->labelled))
        reject_cell(rows, CLI_BAD_LABEL, column, "not a label (" CLI_TRUTHS ")", text, length);
}

void cli_rows_cell(cli_rows *rows, size_t column, const char *text, size_t length)
{
    const cli_column *c = &rows->columns[column];
    if (rows->bad)
        return;
    if (c->value >= 0)
        value_cell(rows, c, text, length);
    if (c->time && !rows->bad)
        time_cell(rows, c, text, length);
    if (c->key >= 0 && !rows->bad)
        key_cell(rows, c, text, length);
    if (c->label && !rows->bad)
        label_cell(rows, c, text, length);
    if (c->meta && length > 0) {
        cli_buffer_text(&rows->rest, ",\"meta\":");
        cli_add_json_string(&rows->rest, text, length);
    }
}

bool cli_rows_check_bytes(cli_rows *rows, const char *text, size_t length)
{
    if (memchr(text, '\0', length) != NULL)
        cli_rows_reject(rows, CLI_NUL_BYTE, NULL);
    else if (!cli_utf8_valid(text, length))
        cli_rows_reject(rows, CLI_BAD_UTF8, NULL);
    return !rows->bad;
}

static size_t plain_length(const char *part, size_t length)
{
    size_t n = 0;
    while (n < length && part[n] != '/' && part[n] != '\\')
        n++;
    return n;
}

void cli_rows_add_part(cli_buffer *key, const char *part, size_t length)
{
    for (;;) {
        size_t n = plain_length(part, length);
        cli_buffer_add(key, part, n);
        if (n == length)
            return;
        cli_buffer_char(key, '\\');
        cli_buffer_char(key, part[n]);
        part += n + 1;
        length -= n + 1;
    }
}

/* Joins the parts of the key with slashes. A single part is used without a copy, unless --each will add the column's
 * name to it and some byte of the part needs a backslash. */
static const cli_buffer *join_key(cli_rows *rows)
{
    cli_buffer *key = &rows->key;
    const cli_buffer *one = rows->keys;
    if (rows->key_count == 1 && (!rows->options->each || plain_length(one->data, one->length) == one->length))
        return one;
    key->length = 0;
    for (size_t i = 0; i < rows->key_count; i++) {
        if (i > 0)
            cli_buffer_char(key, '/');
        cli_rows_add_part(key, rows->keys[i].data, rows->keys[i].length);
    }
    if (key->length > CLI_KEY_MAX)
        cli_rows_reject(rows, CLI_LONG_KEY, NULL);
    return key;
}

static void reject_unlabelled(cli_rows *rows)
{
    size_t i = 0;
    while (!rows->columns[i].label)
        i++;
    label_cell(rows, &rows->columns[i], "", 0);
}

bool cli_rows_end(cli_rows *rows)
{
    if (rows->labels && !rows->has_label && !rows->bad)
        reject_unlabelled(rows);
    const cli_buffer *key = rows->bad ? NULL : join_key(rows);
    if (rows->bad) {
        const char *detail = rows->detail.length > 0 ? rows->detail.data : NULL;
        rows->sink->reject(rows->sink->context, rows->line, rows->reason, detail);
        return true;
    }
    rows->row = (cli_row){.line = rows->line,
                          .key = key->length > 0 ? key->data : "",
                          .key_length = key->length,
                          .time = rows->time,
                          .labelled = rows->labelled,
                          .values = rows->values,
                          .present = rows->present,
                          .value_count = rows->value_count,
                          .value_names = (const char *const *)rows->value_names,
                          .rest = rows->rest.length > 0 ? rows->rest.data : "",
                          .rest_length = rows->rest.length};
    return rows->sink->row(rows->sink->context, &rows->row);
}
