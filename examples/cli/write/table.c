/* SPDX-License-Identifier: MIT
 * table.c - records as an aligned table.
 *
 * The first lines are held until there are HELD of them, the input has to be waited for, or it ends; then the columns'
 * widths are known. A later cell that is wider widens its column from there on.
 */
#include "write/table.h"

#include "common/colour.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HELD = 200 };

static bool is_text(enum cli_field field)
{
    return field == CLI_FILE || field == CLI_KEY || field == CLI_TIME || field == CLI_FEATURE || field == CLI_FLAGS ||
           field == CLI_EXPLANATION;
}

static void add_rounded(cli_buffer *b, double number, int digits)
{
    char text[40];
    int n = isnan(number) ? snprintf(text, sizeof text, "-") : snprintf(text, sizeof text, "%.*g", digits, number);
    cli_buffer_add(b, text, (size_t)n);
}

static void add_words(cli_buffer *b, const cli_record *record, enum cli_field field)
{
    switch (field) {
    case CLI_FILE: cli_add_printable(b, record->file, strlen(record->file)); break;
    case CLI_KEY: cli_add_printable(b, record->key, record->key_length); break;
    case CLI_FEATURE: cli_add_printable(b, record->feature, strlen(record->feature)); break;
    case CLI_FLAGS: cli_add_flags(b, record->verdict.flags & ~(uint32_t)ANOMALY_IS_ANOMALY); break;
    case CLI_TIME: cli_add_time(b, record->time); break;
    case CLI_EXPLANATION: cli_buffer_add(b, record->explanation, record->explanation_length); break;
    default: break;
    }
}

static void add_cell(cli_buffer *b, const cli_record *record, enum cli_field field)
{
    size_t begin = b->length;
    double number;
    if (cli_field_number(record, field, &number))
        add_rounded(b, number, field == CLI_SCORE ? 4 : 6);
    else if (field == CLI_LINE)
        cli_buffer_uint(b, record->line);
    else if (field == CLI_EVENTS)
        cli_buffer_uint(b, record->verdict.events);
    else if (field == CLI_ANOMALY)
        cli_buffer_text(b, (record->verdict.flags & ANOMALY_IS_ANOMALY) != 0 ? "yes" : "no");
    else
        add_words(b, record, field);
    if (b->length == begin)
        cli_buffer_char(b, '-');
    cli_buffer_char(b, '\0');
}

static void pad(cli_buffer *b, size_t width, size_t taken)
{
    for (; taken < width; taken++)
        cli_buffer_char(b, ' ');
}

/* One line of cells, each ending in a NUL; answers where the next line's begin. */
static const char *put_line(cli_table *t, const char *cells)
{
    cli_buffer *b = t->to;
    for (size_t i = 0; i < t->list->count; i++) {
        size_t length = strlen(cells), width = cli_text_width(cells, length);
        bool left = is_text(t->list->fields[i]), last = i + 1 == t->list->count;
        if (width > t->widths[i])
            t->widths[i] = width;
        if (i > 0)
            cli_buffer_text(b, "  ");
        if (!left)
            pad(b, t->widths[i], width);
        cli_buffer_add(b, cells, length);
        if (left && !last)
            pad(b, t->widths[i], width);
        cells += length + 1;
    }
    return cells;
}

static void put_header(cli_table *t)
{
    cli_buffer names = {0};
    for (size_t i = 0; i < t->list->count; i++) {
        const char *name = cli_field_name(t->list->fields[i]);
        cli_buffer_add(&names, name, strlen(name) + 1);
    }
    cli_buffer_text(t->to, t->colour ? CLI_COLOUR_HEAD : "");
    cli_buffer_text(t->to, t->mark ? "  " : "");
    put_line(t, names.data);
    cli_buffer_text(t->to, t->colour ? CLI_COLOUR_OFF : "");
    cli_buffer_char(t->to, '\n');
    cli_buffer_free(&names);
    t->begun = true;
}

static void measure(cli_table *t)
{
    const char *cells = t->cells.data;
    for (size_t line = 0; line < t->held; line++)
        for (size_t i = 0; i < t->list->count; i++) {
            size_t length = strlen(cells), width = cli_text_width(cells, length);
            t->widths[i] = width > t->widths[i] ? width : t->widths[i];
            cells += length + 1;
        }
}

/* Where every line is an anomaly, colour would only shout. */
static const char *put_record(cli_table *t, const char *cells, bool anomaly)
{
    cli_buffer *b = t->to;
    bool shine = t->colour && t->mark && anomaly;
    cli_buffer_text(b, shine ? CLI_COLOUR_ODD : "");
    cli_buffer_text(b, !t->mark ? "" : anomaly ? "! " : "  ");
    cells = put_line(t, cells);
    cli_buffer_text(b, shine ? CLI_COLOUR_OFF : "");
    cli_buffer_char(b, '\n');
    return cells;
}

void cli_table_flush(cli_table *t)
{
    if (t->held == 0)
        return;
    measure(t);
    for (size_t i = 0; i < t->list->count && !t->begun; i++) {
        size_t width = strlen(cli_field_name(t->list->fields[i]));
        t->widths[i] = width > t->widths[i] ? width : t->widths[i];
    }
    if (!t->begun)
        put_header(t);
    const char *cells = t->cells.data;
    for (size_t line = 0; line < t->held; line++)
        cells = put_record(t, cells, t->held_told[line]);
    t->held = 0;
    t->cells.length = 0;
}

void cli_table_add(cli_table *t, const cli_record *record)
{
    if (t->held_told == NULL)
        t->held_told = cli_resize(NULL, HELD, sizeof *t->held_told);
    for (size_t i = 0; i < t->list->count; i++)
        add_cell(&t->cells, record, t->list->fields[i]);
    t->held_told[t->held++] = (record->verdict.flags & t->told) != 0;
    if (t->begun || t->held == HELD)
        cli_table_flush(t);
}

void cli_table_free(cli_table *t)
{
    cli_buffer_free(&t->cells);
    free(t->held_told);
}
