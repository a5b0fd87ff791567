/* SPDX-License-Identifier: MIT
 * json_object.c - one JSON object as a row.
 *
 * jansson checks the object and decodes its strings; json_member.h says why its text is walked too.
 */
#include "read/json_object.h"

#include "common/fields.h"
#include "options/labels.h"
#include "read/json_member.h"
#include "read/json_scan.h"
#include "read/plan.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { TOLD = 8, COLUMNS = 1024 };

static enum cli_cell kind_of(const json_t *value)
{
    if (json_is_number(value))
        return CLI_CELL_PLAIN;
    return json_is_string(value) || json_is_null(value) ? CLI_CELL_TEXT : CLI_CELL_OTHER;
}

static void look_at_cell(cli_rows *rows, size_t column, const json_t *value, const cli_json_member *m)
{
    char decimal = rows->reading.decimal;
    if (json_is_string(value)) {
        cli_rows_look(rows, column, CLI_CELL_TEXT, json_string_value(value), json_string_length(value));
    } else if (!json_is_null(value)) {
        cli_values_decimal(&rows->reading, '.'); /* as in plain_cell() */
        cli_rows_look(rows, column, kind_of(value), m->value, m->value_length);
        cli_values_decimal(&rows->reading, decimal);
    }
}

/* Notes the first number in a member, for a message. */
static void note_number(cli_json_rows *json, const json_t *value, const char *path, size_t length)
{
    if (json->number == NULL && json_is_number(value))
        json->number = cli_copy(path, length);
}

static void note_number_in(cli_json_rows *json, json_t *object, const char *name)
{
    const char *inner;
    json_t *value;
    json_object_foreach(object, inner, value)
    {
        cli_buffer path = {0};
        cli_buffer_text(&path, name);
        cli_buffer_char(&path, '.');
        cli_buffer_text(&path, inner);
        note_number(json, value, path.data, path.length);
        cli_buffer_free(&path);
    }
}

static void look_at_members(cli_json_rows *json, json_t *object, const char *text, size_t length)
{
    cli_rows *rows = &json->rows;
    const char *s = text + 1, *end = text + length, *name;
    json_t *value;
    cli_json_member m;
    bool first = rows->looked == 0; /* the members of one object differ */
    json_object_foreach(object, name, value)
    {
        size_t n = strlen(name), column = first ? rows->column_count : cli_rows_find(rows, name, n);
        s = cli_json_next_member(s, end, &m);
        if (first && json_is_object(value))
            note_number_in(json, value, name);
        if (cli_json_is_container(value))
            continue;
        if (column == rows->column_count)
            column = cli_rows_column(rows, name, n);
        look_at_cell(rows, column, value, &m);
    }
}

/* Looks at the member that a path leads to inside another member. */
static void look_at_path(cli_rows *rows, const char *path, json_t *object, const char *text, size_t length)
{
    cli_json_member m = {.value = text, .value_length = length};
    const json_t *value = json_object_get(object, path) == NULL ? cli_json_find_path(object, path, &m) : NULL;
    if (value == NULL || cli_json_is_container(value))
        return;
    size_t column = cli_rows_find(rows, path, strlen(path));
    if (column == rows->column_count)
        column = cli_rows_column(rows, path, strlen(path));
    look_at_cell(rows, column, value, &m);
}

/* Looks at a wanted column whose name may be a path. */
static void look_at_wanted(cli_json_rows *json, const char *name, json_t *object, const char *text, size_t length)
{
    if (strchr(name, '.') == NULL)
        return;
    json->paths = true;
    look_at_path(&json->rows, name, object, text, length);
}

static void look_at_paths(cli_json_rows *json, const cli_list *wanted, json_t *object, const char *text, size_t length)
{
    for (size_t i = 0; wanted != NULL && i < wanted->count; i++)
        look_at_wanted(json, wanted->items[i], object, text, length);
}

/* An object in an object, and its path with a dot at the end. */
typedef struct branch {
    json_t *object;
    const char *text;
    size_t length;
    char *path;
} branch;

/* Notes the first array of objects, for a message: each of these objects could be a row. */
static void note_array(cli_json_rows *json, const json_t *value, const char *path, size_t length)
{
    if (json->array == NULL && json_is_object(json_array_get(value, 0)))
        json->array = cli_copy(path, length);
}

static bool has_path(const cli_list *list, const char *path)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcasecmp(list->items[i], path) == 0)
            return true;
    return false;
}

/* Tells whether an option names the path, in upper or lower case. */
static bool is_named_path(const cli_options *o, const char *path)
{
    const char *labels = cli_labels_column(o);
    return has_path(&o->keys, path) || has_path(&o->values, path) || has_path(&o->time, path) ||
           (labels != NULL && strcasecmp(labels, path) == 0);
}

/* Makes a column of a member of a member, named by its path. Where none of these is to be judged, only columns that an
 * option names are looked at: the others are for a message. */
static void look_at_leaf(cli_json_rows *json, const char *path, const json_t *value, const cli_json_member *m)
{
    cli_rows *rows = &json->rows;
    size_t column = cli_rows_find(rows, path, strlen(path));
    if (column == rows->column_count && column >= COLUMNS)
        return;
    if (column == rows->column_count)
        column = cli_rows_column(rows, path, strlen(path));
    if (json->deep || is_named_path(rows->options, path))
        look_at_cell(rows, column, value, m);
}

static void look_at_leaves(cli_json_rows *json, json_t *object, const char *text, size_t length)
{
    enum { BRANCHES = 64 };
    branch branches[BRANCHES] = {{object, text, length, cli_copy("", 0)}};
    size_t count = 1;
    const char *name;
    json_t *value;
    cli_json_member m;
    for (size_t i = 0; i < count; i++) {
        const char *s = branches[i].text + 1, *end = branches[i].text + branches[i].length;
        json_object_foreach(branches[i].object, name, value)
        {
            cli_buffer path = {0};
            s = cli_json_next_member(s, end, &m);
            cli_buffer_text(&path, branches[i].path);
            cli_buffer_text(&path, name);
            size_t n = path.length;
            cli_buffer_char(&path, '.');
            cli_buffer_char(&path, '\0');
            note_array(json, value, path.data, n);
            if (i > 0)
                note_number(json, value, path.data, n);
            if (json_is_object(value) && count < BRANCHES) {
                branches[count++] = (branch){value, m.value, m.value_length, cli_copy(path.data, n + 1)};
            } else if (i > 0 && !cli_json_is_container(value)) {
                path.data[n] = '\0';
                look_at_leaf(json, path.data, value, &m);
            }
            cli_buffer_free(&path);
        }
        free(branches[i].path);
    }
}

static void look_at_object(cli_json_rows *json, json_t *object, const char *text, size_t length)
{
    cli_rows *rows = &json->rows;
    const cli_options *o = rows->options;
    const cli_list *lists[] = {&o->keys, &o->values, &o->time, rows->sink->values};
    const char *labels = cli_labels_column(o);
    look_at_members(json, object, text, length);
    if (json->leaves) {
        look_at_leaves(json, object, text, length);
    } else {
        for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
            look_at_paths(json, lists[i], object, text, length);
        if (labels != NULL)
            look_at_wanted(json, labels, object, text, length);
    }
    cli_rows_looked(rows);
}

static json_t *parse_object(const char *text, size_t length, json_error_t *error)
{
    /* integers as reals: jansson would refuse those beyond 64 bits */
    size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL | JSON_DECODE_ANY | JSON_ALLOW_NUL;
    return json_loadb(text, length, flags, error);
}

/* Tells whether the next element of an array is an object. */
static bool goes_on(const char *text, const char *end)
{
    while (text < end && (cli_is_blank(*text) || *text == ','))
        text++;
    return text < end && *text == '{';
}

/* Looks at the objects that lie in memory, from this one on, until there are COLUMNS columns: further members that
 * hold numbers are told when they come. */
static void look_ahead(cli_json_rows *json, const char *text)
{
    const char *end = json->source->buffer + json->source->end;
    cli_rows *rows = &json->rows;
    while (rows->looked < CLI_LOOK && rows->column_count < COLUMNS &&
           (text = memchr(text, '{', (size_t)(end - text))) != NULL) {
        cli_json_scan scan = {0};
        json_error_t error;
        if (cli_json_scan_on(&scan, text, (size_t)(end - text)) != CLI_JSON_DONE)
            return;
        json_t *object = parse_object(text, scan.at, &error);
        if (json_is_object(object))
            look_at_object(json, object, text, scan.at);
        json_decref(object);
        text += scan.at;
        if (json->within && !goes_on(text, end))
            return;
    }
}

/* Appends: ; --rows data takes the objects of the array "data" as rows */
static void add_array_hint(cli_buffer *text, const char *path)
{
    cli_buffer_text(text, "; --rows ");
    cli_add_printable(text, path, strlen(path));
    cli_buffer_text(text, " takes the objects of that array as rows");
}

/* Appends: ; -v data.cpu judges the numbers in there */
static void add_number_hint(cli_buffer *text, const char *path)
{
    cli_buffer option = {0};
    cli_list_add_quoted(&option, path);
    cli_buffer_char(&option, '\0');
    cli_buffer_text(text, "; -v ");
    cli_add_printable(text, option.data, strlen(option.data));
    cli_buffer_text(text, " judges the numbers in there");
    cli_buffer_free(&option);
}

static void look_at_all(cli_json_rows *json, const char *text)
{
    cli_rows_forget_columns(&json->rows);
    look_ahead(json, text);
}

/* Plans a second time, now with every member of a member. If no object has a number of its own, all numbers in members
 * are judged; but not where each object has an array of objects, since these could be the rows. Else a path may fit in
 * another case, or the message lists them all. */
static bool plan_leaves(cli_json_rows *json, const char *text, const char **why)
{
    json->rows.remark.length = 0;
    json->leaves = true;
    json->deep = json->rows.valueless && json->rows.sink->values == NULL;
    look_at_all(json, text);
    if (json->deep && json->array != NULL) {
        json->deep = false;
        look_at_all(json, text);
    }
    json->leaves = false;
    json->paths = true;
    return cli_rows_plan(&json->rows, why);
}

/* Writes the message for a plan that failed; the caller frees it. */
static char *explain_failure(const cli_json_rows *json, const char *why)
{
    cli_buffer explained = {0};
    cli_buffer_text(&explained, why);
    if (json->array != NULL)
        add_array_hint(&explained, json->array);
    if (json->number != NULL && !json->rows.options->values.given)
        add_number_hint(&explained, json->number);
    cli_buffer_char(&explained, '\0');
    return explained.data;
}

/* Remarks that members of members have numbers too, where every number of the objects themselves is judged. */
static void remark_inner(cli_json_rows *json)
{
    cli_rows *rows = &json->rows;
    rows->remark.length = 0;
    if (json->number == NULL || rows->options->values.given || rows->sink->values != NULL ||
        cli_rows_find(rows, "value", 5) < rows->column_count)
        return;
    cli_buffer_text(&rows->remark, "not the numbers in members, as ");
    cli_add_name(&rows->remark, json->number);
    cli_buffer_text(&rows->remark, ": -v names them");
}

/* Plans with the objects in memory. After a failure the same objects are not tried again. */
static void plan_objects(cli_json_rows *json, const char *text)
{
    cli_rows *rows = &json->rows;
    const cli_source *s = json->source;
    const char *why;
    if (s->base + (uint64_t)(text - s->buffer) < json->looked_to)
        return;
    json->looked_to = s->base + s->end;
    look_at_all(json, text);
    rows->few = cli_source_few(s, rows->looked, CLI_LOOK);
    remark_inner(json);
    json->planned = cli_rows_plan(rows, &why) || plan_leaves(json, text, &why);
    free(json->why);
    json->why = json->planned ? NULL : explain_failure(json, why);
    free(json->array);
    free(json->number);
    json->array = json->number = NULL;
    json->seen = cli_resize(json->seen, rows->column_count + TOLD, sizeof *json->seen);
}

/* ---- one object ---- */

/* Tells of a number under a new name: it would be judged, if it had been in the first objects. */
static void tell_new(cli_json_rows *json, const char *name)
{
    cli_rows *rows = &json->rows;
    cli_buffer text = {0};
    if (json->told == TOLD || rows->sink->note == NULL)
        return;
    json->told++;
    json->seen[cli_rows_column(rows, name, strlen(name))] = false;
    cli_buffer_text(&text, "a new member \"");
    cli_add_printable(&text, name, strlen(name));
    cli_buffer_text(&text, "\" holds a number: it is not judged, unless it is named with --value");
    cli_buffer_char(&text, '\0');
    rows->sink->note(rows->sink->context, rows->line, text.data);
    cli_buffer_free(&text);
}

/* Reads a number of JSON, which has a decimal point even where numbers in strings have a comma. */
static void plain_cell(cli_rows *rows, size_t column, const cli_json_member *m)
{
    char decimal = rows->reading.decimal;
    cli_values_decimal(&rows->reading, '.');
    cli_rows_cell(rows, column, m->value, m->value_length);
    cli_values_decimal(&rows->reading, decimal);
}

/* Rejects the row with the detail: WHY "NAME". */
static void reject_member(cli_rows *rows, enum cli_reason reason, const char *why, const char *name)
{
    cli_buffer text = {0};
    cli_buffer_text(&text, why);
    cli_buffer_text(&text, " \"");
    cli_add_printable(&text, name, strlen(name));
    cli_buffer_text(&text, "\"");
    cli_buffer_char(&text, '\0');
    cli_rows_reject(rows, reason, text.data);
    cli_buffer_free(&text);
}

static void string_cell(cli_rows *rows, size_t column, const char *text, size_t length, const cli_json_member *m)
{
    bool escapes = m->value_length != length + 2;
    if (escapes && memchr(text, '\0', length) != NULL)
        reject_member(rows, CLI_NUL_BYTE, "NUL byte in member", rows->columns[column].name);
    else
        cli_rows_cell(rows, column, text, length);
}

static void role_cell(cli_json_rows *json, size_t column, const json_t *value, const cli_json_member *m)
{
    cli_rows *rows = &json->rows;
    json->seen[column] = true;
    if (cli_json_is_container(value) && rows->columns[column].key >= 0)
        cli_rows_reject(rows, CLI_BAD_JSON, "an object or array as key");
    else if (json_is_string(value))
        string_cell(rows, column, json_string_value(value), json_string_length(value), m);
    else if (json_is_null(value))
        cli_rows_cell(rows, column, "", 0);
    else if (rows->reading.decimal == ',')
        plain_cell(rows, column, m);
    else
        cli_rows_cell(rows, column, m->value, m->value_length);
}

/* Passes a member that plays no part through to the output, inside "input" if its name is one of the output's own. */
static void pass_through(cli_json_rows *json, const char *name, const cli_json_member *m)
{
    bool ours = cli_field_find(name) != CLI_FIELDS || strcmp(name, "input") == 0;
    cli_buffer *to = ours ? &json->input : &json->rows.rest;
    cli_buffer_char(to, ',');
    cli_buffer_add(to, m->name, m->name_length);
    cli_buffer_char(to, ':');
    cli_json_compact(to, m->value, m->value_length);
}

/* Reads the columns whose names are paths; a member that has the whole path as its name has been read already. */
static void read_paths(cli_json_rows *json, json_t *object, const char *text, size_t length)
{
    const cli_rows *rows = &json->rows;
    for (size_t i = 0; i < rows->column_count; i++) {
        const cli_column *column = &rows->columns[i];
        cli_json_member m = {.value = text, .value_length = length};
        if (json->seen[i] || !cli_has_part(column) || strchr(column->name, '.') == NULL)
            continue;
        json_t *value = cli_json_find_path(object, column->name, &m);
        if (value != NULL)
            role_cell(json, i, value, &m);
    }
}

static void read_members(cli_json_rows *json, json_t *object, const char *text, size_t length)
{
    cli_rows *rows = &json->rows;
    const char *s = text + 1, *end = text + length, *name;
    json_t *value;
    cli_json_member m;
    json->input.length = 0;
    memset(json->seen, 0, rows->column_count * sizeof *json->seen);
    json_object_foreach(object, name, value)
    {
        s = cli_json_next_member(s, end, &m);
        size_t column = cli_rows_find(rows, name, strlen(name));
        if (column == rows->column_count && rows->every && json_is_number(value))
            tell_new(json, name);
        if (column < rows->column_count && cli_has_part(&rows->columns[column]))
            role_cell(json, column, value, &m);
        else if (rows->sink->want_rest)
            pass_through(json, name, &m);
    }
    if (json->paths)
        read_paths(json, object, text, length);
    if (json->input.length > 0) {
        json->input.data[0] = '{';
        cli_buffer_text(&rows->rest, ",\"input\":");
        cli_buffer_add(&rows->rest, json->input.data, json->input.length);
        cli_buffer_char(&rows->rest, '}');
    }
}

/* Checks which members an object lacks. Of the values one is enough, and the others are missing, unless --value names
 * values to be judged together: then all must be there. */
static void check_members(cli_json_rows *json)
{
    cli_rows *rows = &json->rows;
    bool all = rows->options->values.given && !rows->options->each;
    size_t values = 0;
    for (size_t i = 0; i < rows->column_count; i++)
        values += json->seen[i] && rows->columns[i].value >= 0;
    for (size_t i = 0; i < rows->column_count; i++) {
        const cli_column *column = &rows->columns[i];
        if (json->seen[i])
            continue;
        if (column->key >= 0 || (column->value >= 0 && (all || values == 0)))
            reject_member(rows, CLI_NO_MEMBER, "no member", column->name);
        else if (column->value >= 0)
            rows->values[column->value] = (double)NAN;
    }
}

static void read_object(cli_json_rows *json, json_t *object, const char *text, size_t length)
{
    if (!json->planned)
        plan_objects(json, text);
    if (!json->planned) {
        cli_rows_reject(&json->rows, CLI_NO_MEMBER, json->why);
        return;
    }
    cli_rows_begin(&json->rows, json->rows.line);
    read_members(json, object, text, length);
    check_members(json);
}

static void reject_syntax(cli_rows *rows, const json_error_t *error)
{
    enum json_error_code code = json_error_code(error);
    bool nul = code == json_error_null_byte_in_key;
    cli_rows_reject(rows, nul ? CLI_NUL_BYTE : CLI_BAD_JSON, nul ? "NUL byte in the name of a member" : error->text);
}

void cli_json_rows_init(cli_json_rows *json, const cli_source *source, const cli_options *options, const cli_sink *sink)
{
    *json = (cli_json_rows){.source = source, .on = true};
    cli_rows_init(&json->rows, options, sink);
    json->rows.sparse = true;
}

void cli_json_rows_free(cli_json_rows *json)
{
    cli_rows_free(&json->rows);
    cli_buffer_free(&json->input);
    free(json->seen);
    free(json->why);
}

void cli_json_object(cli_json_rows *json, const char *text, size_t length, uint64_t line, bool suspect)
{
    json_error_t error;
    cli_rows *rows = &json->rows;
    cli_rows_begin(rows, line);
    if (!suspect || cli_rows_check_bytes(rows, text, length)) {
        json_t *object = parse_object(text, length, &error);
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
