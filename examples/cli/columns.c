/* SPDX-License-Identifier: MIT
 * columns.c - which column plays which part.
 */
#include "rows.h"

#include "nearest.h"

#include <stdlib.h>
#include <string.h>

void cli_rows_column(cli_rows *rows, const char *name, size_t length)
{
    rows->columns = cli_resize(rows->columns, rows->column_count + 1, sizeof *rows->columns);
    rows->columns[rows->column_count++] = (cli_column){.name = cli_copy(name, length), .key = -1, .value = -1};
}

void cli_rows_forget_columns(cli_rows *rows)
{
    for (size_t i = 0; i < rows->column_count; i++)
        free(rows->columns[i].name);
    rows->column_count = 0;
}

size_t cli_rows_find(const cli_rows *rows, const char *name, size_t length)
{
    size_t i = 0;
    while (i < rows->column_count &&
           (strncmp(rows->columns[i].name, name, length) != 0 || rows->columns[i].name[length] != '\0'))
        i++;
    return i;
}

static cli_column *find(const cli_rows *rows, const char *name)
{
    size_t i = cli_rows_find(rows, name, strlen(name));
    return i < rows->column_count ? &rows->columns[i] : NULL;
}

static void add_nearest(cli_rows *rows, const char *name)
{
    cli_nearest nearest = {.word = name};
    for (size_t i = 0; i < rows->column_count; i++)
        cli_nearest_offer(&nearest, rows->columns[i].name);
    cli_nearest_add(&rows->detail, &nearest);
}

/* "no column "x" (there are: a, b)" */
static bool missing(cli_rows *rows, const char *name, const char **why)
{
    cli_buffer *text = &rows->detail;
    text->length = 0;
    if (name != NULL) {
        cli_buffer_text(text, "no column \"");
        cli_add_printable(text, name, strlen(name));
        cli_buffer_text(text, "\"");
    } else {
        cli_buffer_text(text, "no column \"value\" and none that holds numbers; name it with --value");
    }
    for (size_t i = 0; i < rows->column_count && text->length < 400; i++) {
        cli_buffer_text(text, i == 0 ? " (there are: " : ", ");
        cli_add_printable(text, rows->columns[i].name, strlen(rows->columns[i].name));
    }
    cli_buffer_text(text, rows->column_count > 0 ? ")" : "");
    if (name != NULL)
        add_nearest(rows, name);
    cli_buffer_char(text, '\0');
    *why = text->data;
    return false;
}

static bool plan_keys(cli_rows *rows, const char **why)
{
    const cli_list *wanted = &rows->options->keys;
    cli_column *metric = find(rows, "metric");
    rows->keys = cli_resize(rows->keys, wanted->count + 1, sizeof *rows->keys);
    memset(rows->keys, 0, (wanted->count + 1) * sizeof *rows->keys);
    if (!wanted->given && metric != NULL)
        metric->key = (int)rows->key_count++;
    for (size_t i = 0; i < wanted->count; i++) {
        cli_column *column = find(rows, wanted->items[i]);
        if (column == NULL)
            return missing(rows, wanted->items[i], why);
        column->key = (int)rows->key_count++;
    }
    return true;
}

static bool plan_time(cli_rows *rows, const char **why)
{
    const cli_list *wanted = &rows->options->time;
    const char *name = wanted->count > 0 ? wanted->items[0] : "timestamp";
    cli_column *column = wanted->given && wanted->count == 0 ? NULL : find(rows, name);
    if (column == NULL && wanted->count > 0)
        return missing(rows, name, why);
    rows->has_time = column != NULL;
    if (column != NULL)
        column->time = true;
    return true;
}

static bool never_a_value(const cli_column *column)
{
    static const char *const labels[] = {"label", "is_anomaly", "anomaly"};
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
        if (strcmp(column->name, labels[i]) == 0)
            return true;
    return column->time || column->key >= 0;
}

static const cli_list *wanted_values(const cli_rows *rows)
{
    return rows->sink->values != NULL ? rows->sink->values : &rows->options->values;
}

bool cli_rows_must_look(const cli_rows *rows)
{
    return !wanted_values(rows)->given && find(rows, "value") == NULL;
}

static bool plan_values(cli_rows *rows, const bool *numeric, const char **why)
{
    const cli_list *wanted = wanted_values(rows);
    cli_column *value = find(rows, "value");
    for (size_t i = 0; i < wanted->count; i++) {
        cli_column *column = find(rows, wanted->items[i]);
        if (column == NULL)
            return missing(rows, wanted->items[i], why);
        if (column->value < 0)
            column->value = (int)rows->value_count++;
    }
    if (!wanted->given && value != NULL)
        value->value = (int)rows->value_count++;
    for (size_t i = 0; cli_rows_must_look(rows) && i < rows->column_count; i++)
        if (numeric != NULL && numeric[i] && !never_a_value(&rows->columns[i]))
            rows->columns[i].value = (int)rows->value_count++;
    return rows->value_count > 0 || missing(rows, NULL, why);
}

static void make_room(cli_rows *rows)
{
    size_t n = rows->value_count;
    rows->values = cli_resize(rows->values, n, sizeof *rows->values);
    rows->present = cli_resize(rows->present, n, sizeof *rows->present);
    rows->value_names = cli_resize(rows->value_names, n, sizeof *rows->value_names);
    for (size_t i = 0; i < rows->column_count; i++)
        if (rows->columns[i].value >= 0)
            rows->value_names[rows->columns[i].value] = rows->columns[i].name;
}

static void forget_parts(cli_rows *rows)
{
    for (size_t i = 0; i < rows->key_count; i++)
        cli_buffer_free(&rows->keys[i]);
    for (size_t i = 0; i < rows->column_count; i++) {
        cli_column *column = &rows->columns[i];
        *column = (cli_column){.name = column->name, .key = -1, .value = -1};
    }
    rows->key_count = rows->value_count = 0;
}

bool cli_rows_plan(cli_rows *rows, const bool *numeric, const char **why)
{
    forget_parts(rows);
    if (!plan_keys(rows, why) || !plan_time(rows, why) || !plan_values(rows, numeric, why)) {
        forget_parts(rows); /* half a plan would have rows begun with parts that have no place */
        return false;
    }
    cli_column *meta = find(rows, "meta");
    if (meta != NULL)
        meta->meta = meta->key < 0 && meta->value < 0 && !meta->time && rows->sink->want_rest;
    make_room(rows);
    return true;
}
