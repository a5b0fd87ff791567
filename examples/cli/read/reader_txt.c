/* SPDX-License-Identifier: MIT
 * reader_txt.c - lines without a header: metric, value, time and perhaps meta, between commas or tabs.
 *
 * The first line with data says how many fields the file has: one is a value, two are metric and value. A fourth field
 * is all the rest of the line. Blank lines and lines that begin with # are skipped.
 */
#include "read/reader_txt.h"

#include "read/plan.h"

#include <string.h>

enum { FIELDS = 4 };

typedef struct fields {
    const char *text[FIELDS];
    size_t length[FIELDS];
    size_t count;
} fields;

static void add_field(fields *f, const char *text, size_t length)
{
    while (length > 0 && cli_is_blank(text[length - 1]))
        length--;
    for (; length > 0 && cli_is_blank(*text); length--)
        text++;
    f->text[f->count] = text;
    f->length[f->count++] = length;
}

static void cut_fields(fields *f, const char *text, size_t length, char delimiter)
{
    f->count = 0;
    for (;;) {
        const char *end = f->count < FIELDS - 1 ? memchr(text, delimiter, length) : NULL;
        size_t n = end != NULL ? (size_t)(end - text) : length;
        add_field(f, text, n);
        if (end == NULL)
            return;
        text += n + 1;
        length -= n + 1;
    }
}

/* Answers the delimiter of a line: a tab where it has one, or the one that was given. */
static char delimiter_of(const cli_line *line, char given)
{
    return given != 0 ? given : memchr(line->text, '\t', line->length) != NULL ? '\t' : ',';
}

static size_t leading_blanks(const cli_line *line)
{
    size_t n = 0;
    while (n < line->length && cli_is_blank(line->text[n]))
        n++;
    return n;
}

static bool has_data(const cli_line *line)
{
    size_t blanks = leading_blanks(line);
    return blanks < line->length && line->text[blanks] != '#';
}

static void look(cli_rows *rows, const fields *f)
{
    for (size_t i = 0; i < f->count && i < rows->column_count; i++)
        cli_rows_look(rows, i, CLI_CELL_PLAIN, f->text[i], f->length[i]);
    cli_rows_looked(rows);
}

/* Looks at the whole lines in memory; the source stays where it is. */
static void look_ahead(cli_rows *rows, const cli_source *source, char delimiter)
{
    const char *behind = source->buffer + source->end, *next;
    fields f;
    for (const char *text = source->buffer + source->pos; text < behind && rows->looked < CLI_LOOK; text = next) {
        const char *newline = memchr(text, '\n', (size_t)(behind - text));
        if (newline == NULL && !source->eof)
            break;
        next = newline != NULL ? newline + 1 : behind;
        cli_line line = {text, (size_t)(next - text), 0};
        if (!has_data(&line))
            continue;
        cut_fields(&f, line.text, line.length, delimiter_of(&line, delimiter));
        look(rows, &f);
    }
}

static bool plan_txt(cli_rows *rows, const cli_source *source, const fields *f, char delimiter, const char **why)
{
    static const char *const names[] = {"metric", "value", "timestamp", "meta"};
    if (f->count == 1)
        cli_rows_column(rows, "value", 5);
    for (size_t i = 0; f->count > 1 && i < (f->count == 2 ? 2 : FIELDS); i++)
        cli_rows_column(rows, names[i], strlen(names[i]));
    look(rows, f);
    look_ahead(rows, source, delimiter);
    return cli_rows_plan(rows, why);
}

static bool check_count(cli_rows *rows, const fields *f)
{
    size_t least = rows->column_count < 3 ? rows->column_count : 3;
    if (f->count < least)
        cli_rows_reject(rows, CLI_FEW_FIELDS, NULL);
    else if (f->count > rows->column_count)
        cli_rows_reject(rows, CLI_MANY_FIELDS, "more fields than the first line has");
    return !rows->bad;
}

static bool read_fields(cli_rows *rows, const cli_line *line, const fields *f)
{
    cli_rows_begin(rows, line->number);
    if (check_count(rows, f))
        for (size_t i = 0; i < f->count; i++)
            cli_rows_cell(rows, i, f->text[i], f->length[i]);
    return cli_rows_end(rows);
}

/* Reads a line; false to end the reading. */
static bool take_txt_line(cli_rows *rows, const cli_source *source, const cli_line *line, char delimiter)
{
    if (!has_data(line))
        return true;
    cli_rows_begin(rows, line->number);
    if (cli_source_suspects(source, line->text) && !cli_rows_check_bytes(rows, line->text, line->length))
        return cli_rows_end(rows);
    fields f;
    const char *why;
    char own = delimiter_of(line, delimiter);
    cut_fields(&f, line->text, line->length, own);
    if (rows->column_count == 0)
        rows->delimiter = own;
    if (rows->column_count == 0 && !plan_txt(rows, source, &f, delimiter, &why)) {
        rows->sink->fail(rows->sink->context, line->number, why);
        return false;
    }
    return read_fields(rows, line, &f);
}

void cli_read_txt(cli_source *source, const cli_options *options, char delimiter, const cli_sink *sink)
{
    cli_rows rows;
    cli_line line;
    enum cli_line_status status;
    bool on = true;
    cli_rows_init(&rows, options, sink);
    rows.format = "TXT";
    while (on) {
        cli_source_replay(source, rows.column_count > 0);
        status = cli_source_line(source, &line);
        if (status == CLI_LINE_END)
            break;
        if (status == CLI_LINE_LONG)
            cli_rows_reject_line(&rows, line.number, CLI_LONG_LINE, NULL);
        else
            on = take_txt_line(&rows, source, &line, delimiter);
    }
    cli_rows_free(&rows);
}
