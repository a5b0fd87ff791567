/* SPDX-License-Identifier: MIT
 * reader_logfmt.c - logfmt: time=2025-03-04T14:00:00Z level=info msg="a \"b\"" took=12ms
 *
 * Each name is a column, and the lines in memory say which there are. A time at the front of a line is the column
 * timestamp; other words without a value are left out. Programs write lines of many kinds: those that have none of the
 * values that are judged are no rows, and are counted.
 */
#include "read/reader_logfmt.h"

#include "read/plan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 1024 };

typedef struct pair {
    cli_span name, value;
    bool has_value;
} pair;

typedef struct reader {
    cli_source *source;
    cli_rows rows;
    cli_buffer plain; /* a value without its backslashes */
    bool *seen;       /* for each column: has the line this name? */
    uint64_t skipped; /* lines without a value */
    bool told;        /* of a number under a new name */
    bool planned, on;
} reader;

/* ---- the pairs of a line ---- */

/* Tells what names are of: other signs are of text, of URLs, of base64. */
static bool is_of_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || cli_is_digit(c) || memchr("_.-@/:", c, 6) != NULL ||
           (c & 0x80) != 0;
}

/* Takes a value in quotes, without its backslashes; NULL if it does not end. */
static const char *take_quoted(cli_buffer *plain, const char *s, const char *end, cli_span *value)
{
    const char *first = ++s;
    bool escaped = false;
    for (; s < end && *s != '"'; s++)
        if (*s == '\\' && s + 1 < end) {
            escaped = true;
            s++;
        }
    if (s == end)
        return NULL;
    *value = (cli_span){first, (size_t)(s - first)};
    if (!escaped)
        return s + 1;
    plain->length = 0;
    for (const char *c = first; c < s; c++) {
        bool escape = *c == '\\';
        c += escape;
        cli_buffer_char(plain, escape && *c == 'n' ? '\n' : escape && *c == 't' ? '\t' : *c);
    }
    cli_buffer_char(plain, '\0');
    *value = (cli_span){plain->data, plain->length - 1};
    return s + 1;
}

/* Takes the next word, name or name=value, and answers the place behind it; NULL where a quote does not close. Behind
 * the last word p->name is empty. */
static const char *take_pair(cli_buffer *plain, const char *s, const char *end, pair *p)
{
    while (s < end && cli_is_blank(*s))
        s++;
    const char *name = s;
    while (s < end && !cli_is_blank(*s) && *s != '=')
        s++;
    *p = (pair){.name = {name, (size_t)(s - name)}, .has_value = s < end && *s == '='};
    if (!p->has_value)
        return s;
    s++;
    if (s < end && *s == '"')
        return take_quoted(plain, s, end, &p->value);
    const char *value = s;
    while (s < end && !cli_is_blank(*s))
        s++;
    p->value = (cli_span){value, (size_t)(s - value)};
    return s;
}

static bool is_pair(const pair *p)
{
    bool fits = p->has_value && p->name.length > 0 && p->name.length <= CLI_KEY_MAX;
    for (size_t i = 0; fits && i < p->name.length; i++)
        fits = is_of_name(p->name.text[i]);
    return fits;
}

/* Finds a time at the front of a line, of one word or of two: 2025-03-04 14:00:01. */
static cli_span time_in_front(const cli_line *line)
{
    const char *s = line->text, *end = s + line->length, *first = s;
    cli_span found = {s, 0};
    for (int words = 0; words < 2 && s < end; words++) {
        while (s < end && cli_is_blank(*s))
            s++;
        while (s < end && !cli_is_blank(*s) && *s != '=')
            s++;
        if (s < end && *s == '=')
            break;
        cli_span span = {first, (size_t)(s - first)};
        found = cli_span_time(span) ? span : found;
    }
    return found;
}

bool cli_is_logfmt(const cli_line *line)
{
    size_t pairs = 0, others = 0;
    cli_buffer plain = {0};
    pair p;
    const char *end = line->text + line->length;
    const char *s = take_pair(&plain, line->text + time_in_front(line).length, end, &p);
    while (s != NULL && (p.name.length > 0 || p.has_value)) {
        pairs += is_pair(&p);
        others += !is_pair(&p);
        s = take_pair(&plain, s, end, &p);
    }
    cli_buffer_free(&plain);
    return s != NULL && pairs > 1 && pairs > others;
}

/* ---- lines ---- */

typedef void take_cell(reader *r, const char *name, size_t length, cli_span value);

/* Gives the pairs of a line to a function; false if a quote does not close. */
static bool visit(reader *r, const cli_line *line, take_cell *take)
{
    pair p;
    const char *end = line->text + line->length;
    cli_span time = time_in_front(line);
    const char *s = line->text + time.length;
    if (time.length > 0)
        take(r, "timestamp", 9, time);
    s = take_pair(&r->plain, s, end, &p);
    while (s != NULL && (p.name.length > 0 || p.has_value)) {
        if (is_pair(&p))
            take(r, p.name.text, p.name.length, p.value);
        s = take_pair(&r->plain, s, end, &p);
    }
    return s != NULL;
}

static void look_at_cell(reader *r, const char *name, size_t length, cli_span value)
{
    cli_rows *rows = &r->rows;
    size_t column = cli_rows_find(rows, name, length);
    if (column == rows->column_count && column == COLUMNS)
        return;
    if (column == rows->column_count)
        cli_rows_column(rows, name, length);
    cli_rows_look(rows, column, CLI_CELL_PLAIN, value.text, value.length);
}

static void tell_new(reader *r, const char *name, size_t length)
{
    cli_buffer text = {0};
    r->told = true;
    cli_buffer_text(&text, "a new name \"");
    cli_add_printable(&text, name, length);
    cli_buffer_text(&text, "\" has a number: it is not judged, unless it is named with --value");
    cli_buffer_char(&text, '\0');
    if (r->rows.sink->note != NULL)
        r->rows.sink->note(r->rows.sink->context, r->rows.line, text.data);
    cli_buffer_free(&text);
}

/* Of a name that comes twice in a line, the first value counts. */
static void give_cell(reader *r, const char *name, size_t length, cli_span value)
{
    cli_rows *rows = &r->rows;
    size_t column = cli_rows_find(rows, name, length);
    if (column == rows->column_count) {
        if (!r->told && rows->every && column < COLUMNS && cli_span_number(value))
            tell_new(r, name, length);
        return;
    }
    if (!r->seen[column])
        cli_rows_cell(rows, column, value.text, value.length);
    r->seen[column] = true;
}

/* Checks what a line lacks: of the values one is enough. Answers false if it has none, and so is no row. */
static bool check_line(reader *r)
{
    cli_rows *rows = &r->rows;
    size_t values = 0;
    for (size_t i = 0; i < rows->column_count; i++)
        values += r->seen[i] && rows->columns[i].value >= 0;
    for (size_t i = 0; i < rows->column_count && values > 0; i++) {
        const cli_column *column = &rows->columns[i];
        if (!r->seen[i] && column->value >= 0)
            rows->values[column->value] = (double)NAN;
        if (!r->seen[i] && column->key >= 0)
            cli_rows_reject(rows, CLI_NO_MEMBER, "a name of the key is missing");
    }
    return values > 0;
}

static void take_line(reader *r, const cli_line *line)
{
    cli_rows *rows = &r->rows;
    memset(r->seen, 0, rows->column_count * sizeof *r->seen);
    cli_rows_begin(rows, line->number);
    bool good = !cli_source_suspects(r->source, line->text) || cli_rows_check_bytes(rows, line->text, line->length);
    if (good && !visit(r, line, give_cell)) {
        rows->bad = false;
        cli_rows_reject(rows, CLI_BAD_QUOTE, "a quote that is opened here is not closed");
    } else if (good && !check_line(r)) {
        r->skipped++;
        return;
    }
    r->on = cli_rows_end(rows);
}

/* ---- the whole ---- */

static bool is_empty(const cli_line *line)
{
    size_t i = 0;
    while (i < line->length && cli_is_blank(line->text[i]))
        i++;
    return i == line->length;
}

/* Looks at the whole lines in memory; the source stays where it is. */
static void look_ahead(reader *r)
{
    cli_source *s = r->source;
    cli_line line;
    size_t from = 0, next;
    cli_first_line(s); /* so that there is one */
    s->keep = s->pos;
    for (; r->rows.looked < CLI_LOOK; from = next) {
        const char *rest = s->buffer + s->pos + from;
        bool whole = memchr(rest, '\n', (size_t)(s->buffer + s->end - rest)) != NULL;
        if ((!whole && r->rows.looked > 0 && !s->eof) || !cli_line_at(s, from, &line, &next))
            break;
        visit(r, &line, look_at_cell);
        if (!is_empty(&line))
            cli_rows_looked(&r->rows);
    }
    r->rows.few = cli_source_few(s, r->rows.looked, CLI_LOOK);
}

static bool plan(reader *r)
{
    const char *why;
    look_ahead(r);
    if (r->rows.looked == 0)
        return false;
    r->planned = cli_rows_plan(&r->rows, &why);
    r->seen = cli_resize(NULL, r->rows.column_count, sizeof *r->seen);
    if (!r->planned)
        r->rows.sink->fail(r->rows.sink->context, 1, why);
    return r->planned;
}

static void read_lines(reader *r)
{
    cli_line line;
    while (r->on) {
        cli_source_replay(r->source, true);
        enum cli_line_status status = cli_source_line(r->source, &line);
        if (status == CLI_LINE_END)
            break;
        if (status == CLI_LINE_LONG)
            cli_rows_reject_line(&r->rows, line.number, CLI_LONG_LINE, NULL);
        else if (!is_empty(&line))
            take_line(r, &line);
    }
}

static void tell_skipped(const reader *r)
{
    char text[96];
    snprintf(text, sizeof text, "skipped %llu %s without a value that is judged", (unsigned long long)r->skipped,
             r->skipped == 1 ? "line" : "lines");
    if (r->skipped > 0 && r->rows.sink->note != NULL)
        r->rows.sink->note(r->rows.sink->context, 0, text);
}

void cli_read_logfmt(cli_source *source, const cli_options *options, const cli_sink *sink)
{
    reader r = {.source = source, .on = true};
    cli_rows_init(&r.rows, options, sink);
    r.rows.format = "logfmt";
    r.rows.sparse = true;
    if (plan(&r)) {
        read_lines(&r);
        tell_skipped(&r);
    }
    cli_rows_free(&r.rows);
    cli_buffer_free(&r.plain);
    free(r.seen);
}
