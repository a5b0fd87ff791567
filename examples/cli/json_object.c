/* SPDX-License-Identifier: MIT
 * json_object.c - one JSON object as a row.
 *
 * jansson checks the object and decodes its strings. Numbers are taken from the text itself: a time such as
 * 1737460800.123456789 does not survive a double. For that the members of the text are walked in step with jansson's,
 * which keep their order; duplicates are refused, so the two lists are the same.
 */
#include "json_object.h"

#include "fields.h"
#include "json_scan.h"

#include <jansson.h>
#include <string.h>

/* A member in the text. */
typedef struct member {
    const char *name; /* with quotes and escapes */
    size_t name_length;
    const char *value;
    size_t value_length;
} member;

static const char *skip_to(const char *s, const char *end, const char *blanks)
{
    while (s < end && strchr(blanks, *s) != NULL)
        s++;
    return s;
}

/* The next member of a valid object, from behind `{` or the last member on. */
static const char *next_member(const char *s, const char *end, member *m)
{
    m->name = skip_to(s, end, " \t\r\n,");
    m->name_length = cli_json_value_length(m->name, (size_t)(end - m->name));
    m->value = skip_to(m->name + m->name_length, end, " \t\r\n:");
    m->value_length = cli_json_value_length(m->value, (size_t)(end - m->value));
    return m->value + m->value_length;
}

static bool plays_part(const cli_column *column)
{
    return column->key >= 0 || column->value >= 0 || column->time;
}

static bool plan(cli_json_rows *json, json_t *object, const char **why)
{
    cli_rows *rows = &json->rows;
    const char *name;
    json_t *value;
    size_t n = 0;
    bool *numeric = cli_resize(NULL, json_object_size(object) + 1, sizeof *numeric);
    cli_rows_forget_columns(rows);
    json_object_foreach(object, name, value)
    {
        cli_rows_column(rows, name, strlen(name));
        numeric[n++] = json_is_number(value);
    }
    /* the first object may lack a time that later ones have */
    if (!rows->options->time.given && cli_rows_find(rows, "timestamp", 9) == n) {
        cli_rows_column(rows, "timestamp", 9);
        numeric[n++] = false;
    }
    json->planned = cli_rows_plan(rows, numeric, why);
    free(numeric);
    json->seen = cli_resize(json->seen, n, sizeof *json->seen);
    return json->planned;
}

/* A number of JSON's own has a point, whatever the numbers in its strings have. */
static void plain_cell(cli_rows *rows, size_t column, const member *m)
{
    char decimal = rows->reading.decimal;
    cli_values_decimal(&rows->reading, '.');
    cli_rows_cell(rows, column, m->value, m->value_length);
    cli_values_decimal(&rows->reading, decimal);
}

static void role_cell(cli_json_rows *json, size_t column, const json_t *value, const member *m)
{
    cli_rows *rows = &json->rows;
    bool container = json_is_object(value) || json_is_array(value);
    json->seen[column] = true;
    if (container && rows->columns[column].key >= 0)
        cli_rows_reject(rows, CLI_BAD_JSON, "an object or array as key");
    else if (json_is_string(value))
        cli_rows_cell(rows, column, json_string_value(value), json_string_length(value));
    else if (json_is_null(value))
        cli_rows_cell(rows, column, "", 0);
    else if (rows->reading.decimal == ',')
        plain_cell(rows, column, m);
    else
        cli_rows_cell(rows, column, m->value, m->value_length);
}

/* Members that play no part go on to the output; those that would clash with its own under "input". */
static void pass_through(cli_json_rows *json, const char *name, const member *m)
{
    bool ours = cli_field_find(name) != CLI_FIELDS || strcmp(name, "input") == 0;
    cli_buffer *to = ours ? &json->input : &json->rows.rest;
    cli_buffer_char(to, ',');
    cli_buffer_add(to, m->name, m->name_length);
    cli_buffer_char(to, ':');
    cli_json_compact(to, m->value, m->value_length);
}

static void read_members(cli_json_rows *json, json_t *object, const char *text, size_t length)
{
    cli_rows *rows = &json->rows;
    const char *s = text + 1, *end = text + length, *name;
    json_t *value;
    member m;
    json->input.length = 0;
    memset(json->seen, 0, rows->column_count * sizeof *json->seen);
    json_object_foreach(object, name, value)
    {
        s = next_member(s, end, &m);
        size_t column = cli_rows_find(rows, name, strlen(name));
        if (column < rows->column_count && plays_part(&rows->columns[column]))
            role_cell(json, column, value, &m);
        else if (rows->sink->want_rest)
            pass_through(json, name, &m);
    }
    if (json->input.length > 0) {
        json->input.data[0] = '{';
        cli_buffer_text(&rows->rest, ",\"input\":");
        cli_buffer_add(&rows->rest, json->input.data, json->input.length);
        cli_buffer_char(&rows->rest, '}');
    }
}

static void reject_missing(cli_rows *rows, const char *name)
{
    cli_buffer text = {0};
    cli_buffer_text(&text, "no member \"");
    cli_add_printable(&text, name, strlen(name));
    cli_buffer_text(&text, "\"");
    cli_buffer_char(&text, '\0');
    cli_rows_reject(rows, CLI_FEW_FIELDS, text.data);
    cli_buffer_free(&text);
}

/* With --each one of the values is enough; a time may be missing unless it was named. */
static void check_members(cli_json_rows *json)
{
    cli_rows *rows = &json->rows;
    size_t values = 0;
    for (size_t i = 0; i < rows->column_count; i++)
        values += json->seen[i] && rows->columns[i].value >= 0;
    for (size_t i = 0; i < rows->column_count; i++) {
        const cli_column *column = &rows->columns[i];
        bool needed = column->key >= 0 || (column->time && rows->options->time.count > 0) ||
                      (column->value >= 0 && (!rows->options->each || values == 0));
        if (needed && !json->seen[i])
            reject_missing(rows, column->name);
    }
}

static void read_object(cli_json_rows *json, json_t *object, const char *text, size_t length)
{
    const char *why;
    if (!json->planned && !plan(json, object, &why)) {
        char *detail = cli_copy(why, strlen(why));
        cli_rows_reject(&json->rows, CLI_FEW_FIELDS, detail);
        free(detail);
        return;
    }
    cli_rows_begin(&json->rows, json->rows.line);
    read_members(json, object, text, length);
    check_members(json);
}

static void reject_syntax(cli_rows *rows, const json_error_t *error)
{
    enum json_error_code code = json_error_code(error);
    bool nul = code == json_error_null_character || code == json_error_null_byte_in_key;
    cli_rows_reject(rows, nul ? CLI_NUL_BYTE : CLI_BAD_JSON, nul ? NULL : error->text);
}

void cli_json_object(cli_json_rows *json, const char *text, size_t length, uint64_t line, bool suspect)
{
    json_error_t error;
    cli_rows *rows = &json->rows;
    cli_rows_begin(rows, line);
    if (!suspect || cli_rows_check_bytes(rows, text, length)) {
        /* integers as reals: jansson would refuse those beyond 64 bits */
        size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL | JSON_DECODE_ANY;
        json_t *object = json_loadb(text, length, flags, &error);
        if (json_is_object(object))
            read_object(json, object, text, length);
        else if (object == NULL)
            reject_syntax(rows, &error);
        else
            cli_rows_reject(rows, CLI_BAD_JSON, NULL);
        json_decref(object);
    }
    json->on = cli_rows_end(rows) && json->on;
}
