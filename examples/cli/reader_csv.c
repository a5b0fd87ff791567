/* SPDX-License-Identifier: MIT
 * reader_csv.c - CSV with a header, by libcsv in strict mode.
 *
 * libcsv is fed line by line out of the source's block, so that the line of every row is known and a bad row can be left
 * behind: a row that a quote keeps open is held until it closes. If it never does (end of input, or CLI_HOLD bytes later),
 * the row is rejected, the parser starts anew and reading goes on with the line after the one the row began on.
 */
#include "reader.h"

#include <csv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void field_callback(void *, size_t, void *);
typedef void row_callback(int, void *);

typedef struct reader {
    cli_source *source;
    cli_rows rows;
    struct csv_parser parser;
    char delimiter;
    field_callback *field;
    row_callback *row;
    size_t fields;    /* of the present row */
    size_t row_count; /* rows completed by the present line */
    bool on;          /* false: the sink has had enough */
} reader;

static const char *const never = "a quote that is opened here is not closed";
static const char *const misplaced = "a quote in the middle of a field";

enum record { RECORD_OK, RECORD_BAD, RECORD_END };

/* ---- callbacks: libcsv calls field for each field, row at a row's end ---- */

static void header_field(void *text, size_t length, void *context)
{
    reader *r = context;
    cli_rows_column(&r->rows, text, length);
    r->fields++;
}

static void count_row(int c, void *context)
{
    (void)c;
    reader *r = context;
    r->row_count++;
}

/* Looks at a row only to learn what the columns hold. */
static void look_field(void *text, size_t length, void *context)
{
    reader *r = context;
    size_t i = r->fields++;
    if (i < r->rows.column_count)
        cli_rows_look(&r->rows, i, CLI_CELL_PLAIN, text, length);
}

static void data_field(void *text, size_t length, void *context)
{
    reader *r = context;
    size_t i = r->fields++;
    if (i < r->rows.column_count)
        cli_rows_cell(&r->rows, i, text, length);
    else if (length > 0)
        cli_rows_reject(&r->rows, CLI_MANY_FIELDS, "more fields than the header has");
}

static void data_row(int c, void *context)
{
    (void)c;
    reader *r = context;
    r->row_count++;
    if (r->fields < r->rows.column_count) {
        char detail[80];
        snprintf(detail, sizeof detail, "%zu %s, the header has %zu", r->fields, r->fields == 1 ? "field" : "fields",
                 r->rows.column_count);
        r->rows.bad = false; /* shifted fields explain any other complaint */
        cli_rows_reject(&r->rows, CLI_FEW_FIELDS, detail);
    }
    r->on = cli_rows_end(&r->rows) && r->on;
    r->fields = 0;
    cli_rows_begin(&r->rows, r->rows.line);
}

/* ---- the parser ---- */

static void start_parser(reader *r)
{
    /* fails only for memory, and the first thing it does is not to allocate */
    csv_init(&r->parser, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL);
    csv_set_delim(&r->parser, (unsigned char)r->delimiter);
    csv_set_blk_size(&r->parser, 4096);
}

static void restart_parser(reader *r)
{
    csv_free(&r->parser);
    start_parser(r);
    r->fields = 0;
}

/* False for a quote where none may be. The last line may lack its end: then the row ends with it. */
static bool feed(reader *r, const cli_line *line)
{
    if (csv_parse(&r->parser, line->text, line->length, r->field, r->row, r) != line->length)
        return false;
    return line->text[line->length - 1] == '\n' || csv_fini(&r->parser, r->field, r->row, r) == 0;
}

static enum record reject(reader *r, enum cli_reason reason, const char *detail)
{
    restart_parser(r);
    cli_rows_begin(&r->rows, r->rows.line);
    cli_rows_reject_line(&r->rows, r->rows.line, reason, detail);
    return RECORD_BAD;
}

/* Rejects the row begun on the held line and goes on behind that line. */
static enum record give_up(reader *r, const char *detail)
{
    cli_line line;
    cli_source_rewind(r->source);
    cli_source_release(r->source);
    cli_source_line(r->source, &line);
    return reject(r, CLI_BAD_QUOTE, detail);
}

/* Lines until the open quote closes. */
static enum record read_on(reader *r)
{
    cli_line line;
    while (r->row_count == 0) {
        enum cli_line_status status = cli_source_line(r->source, &line);
        if (status == CLI_LINE_END && cli_source_unfinished(r->source))
            return RECORD_END;
        if (status != CLI_LINE_OK)
            return give_up(r, never);
        if (cli_source_suspects(r->source, line.text))
            cli_rows_check_bytes(&r->rows, line.text, line.length);
        if (!feed(r, &line))
            return give_up(r, never);
    }
    cli_source_release(r->source);
    return RECORD_OK;
}

static bool has_quote(const cli_line *line)
{
    return memchr(line->text, '"', line->length) != NULL;
}

/* A quoted field may go on behind the line's end: then the line has to be there still, to come back to. */
static enum record read_quoted(reader *r, const cli_line *line)
{
    cli_source *s = r->source;
    size_t behind = s->pos;
    s->pos -= line->length;
    s->line--;
    cli_source_hold(s);
    s->pos = behind;
    s->line++;
    if (!feed(r, line))
        return give_up(r, line->text[line->length - 1] == '\n' ? misplaced : never);
    if (r->row_count > 0) {
        cli_source_release(s);
        return RECORD_OK;
    }
    return read_on(r);
}

static enum record take_line(reader *r, const cli_line *line)
{
    if (cli_source_suspects(r->source, line->text) && !cli_rows_check_bytes(&r->rows, line->text, line->length)) {
        enum cli_reason reason = r->rows.reason;
        return reject(r, reason, NULL);
    }
    if (has_quote(line))
        return read_quoted(r, line);
    if (!feed(r, line))
        return reject(r, CLI_BAD_QUOTE, csv_strerror(csv_error(&r->parser)));
    return RECORD_OK;
}

/* One line, more where quotes span lines. A blank line is a record without rows. */
static enum record next_record(reader *r)
{
    cli_line line;
    enum cli_line_status status = cli_source_line(r->source, &line);
    if (status == CLI_LINE_END)
        return RECORD_END;
    r->row_count = 0;
    r->fields = 0;
    cli_rows_begin(&r->rows, line.number);
    if (status == CLI_LINE_LONG)
        return reject(r, CLI_LONG_LINE, NULL);
    return take_line(r, &line);
}

/* ---- the header, and what it leaves open ---- */

static bool read_header(reader *r)
{
    enum record record;
    r->field = header_field;
    r->row = count_row;
    do {
        cli_rows_forget_columns(&r->rows);
        record = next_record(r);
    } while (record == RECORD_OK && r->row_count == 0);
    if (record == RECORD_BAD)
        r->rows.sink->fail(r->rows.sink->context, r->rows.line, "the header cannot be read");
    return record == RECORD_OK;
}

static void next_look(int c, void *context)
{
    (void)c;
    reader *r = context;
    r->fields = 0;
    cli_rows_looked(&r->rows);
}

/* Looks at the rows that lie in memory, at least one, with a parser of its own; the source does not move. */
static void look_at_data(reader *r)
{
    cli_source *s = r->source;
    s->keep = s->pos;
    while (!cli_source_ready(s) && cli_source_more(s))
        continue;
    struct csv_parser look;
    csv_init(&look, CSV_APPEND_NULL);
    csv_set_delim(&look, (unsigned char)r->delimiter);
    r->fields = 0;
    csv_parse(&look, s->buffer + s->pos, s->end - s->pos, look_field, next_look, r);
    if (s->eof)
        csv_fini(&look, look_field, next_look, r);
    csv_free(&look);
}

static bool plan(reader *r)
{
    const char *why;
    look_at_data(r);
    bool ok = cli_rows_plan(&r->rows, &why);
    if (!ok)
        r->rows.sink->fail(r->rows.sink->context, 1, why);
    return ok;
}

static void read_data(reader *r)
{
    r->field = data_field;
    r->row = data_row;
    cli_source_replay(r->source, true);
    while (r->on && next_record(r) != RECORD_END)
        continue;
}

void cli_read_csv(cli_source *source, const cli_options *options, char delimiter, const cli_sink *sink)
{
    reader r = {.source = source, .delimiter = delimiter, .on = true};
    cli_rows_init(&r.rows, options, sink);
    r.rows.format = "CSV";
    r.rows.delimiter = delimiter;
    start_parser(&r);
    if (read_header(&r) && plan(&r))
        read_data(&r);
    csv_free(&r.parser);
    cli_rows_free(&r.rows);
}
