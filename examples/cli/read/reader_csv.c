/* SPDX-License-Identifier: MIT
 * reader_csv.c - CSV with a header, by libcsv in strict mode.
 *
 * libcsv gets line after line out of the source's block, so that the line of every row is known and a bad row can be
 * skipped. The lines of a row that a quote keeps open are held until the quote closes. If the quote never closes
 * (until the end of the input, or within CLI_HOLD bytes), the row is rejected, the parser starts anew, and reading
 * goes on behind the row's first line.
 */
#include "read/reader_csv.h"

#include "read/csv_signs.h"
#include "read/plan.h"

#include <csv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void field_callback(void *, size_t, void *);
typedef void row_callback(int, void *);

typedef struct csv_reader {
    cli_source *source;
    cli_rows rows;
    struct csv_parser parser;
    const cli_layout *layout;
    char delimiter;
    bool comments;    /* the file has such lines before its header */
    uint64_t skipped; /* lines that are comments */
    cli_buffer notes; /* what is to be said before the first row */
    cli_buffer first; /* the first rows' lines, to look at */
    field_callback *field;
    row_callback *row;
    size_t fields;    /* of the present row */
    size_t row_count; /* rows completed by the present line */
    bool on;          /* false: the sink has had enough */
} csv_reader;

static const char *const never = "a quote that is opened here is not closed";
static const char *const misplaced = "a quote in the middle of a field";

enum record { RECORD_OK, RECORD_BAD, RECORD_END };

/* ---- callbacks: libcsv calls field for each field, row at a row's end ---- */

static void header_field(void *text, size_t length, void *context)
{
    csv_reader *r = context;
    cli_rows_column(&r->rows, text, length);
    r->fields++;
}

static void skip_field(void *text, size_t length, void *context)
{
    (void)text;
    (void)length;
    (void)context;
}

static void count_row(int c, void *context)
{
    (void)c;
    csv_reader *r = context;
    r->row_count++;
}

/* Looks at a field only to learn what its column holds. */
static void look_field(void *text, size_t length, void *context)
{
    csv_reader *r = context;
    size_t i = r->fields++;
    if (i < r->rows.column_count)
        cli_rows_look(&r->rows, i, CLI_CELL_PLAIN, text, length);
}

static void data_field(void *text, size_t length, void *context)
{
    csv_reader *r = context;
    size_t i = r->fields++;
    if (i < r->rows.column_count)
        cli_rows_cell(&r->rows, i, text, length);
    else if (length > 0)
        cli_rows_reject(&r->rows, CLI_MANY_FIELDS, "more fields than the header has");
}

static void data_row(int c, void *context)
{
    (void)c;
    csv_reader *r = context;
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

static void start_parser(csv_reader *r)
{
    /* cannot fail: it could only for memory, and allocates none yet */
    csv_init(&r->parser, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL);
    csv_set_delim(&r->parser, (unsigned char)r->delimiter);
    csv_set_blk_size(&r->parser, 4096);
}

static void restart_parser(csv_reader *r)
{
    csv_free(&r->parser);
    start_parser(r);
    r->fields = 0;
}

/* Gives a line to the parser; false for a quote where none may be. A last line without an end ends its row, too. */
static bool feed(csv_reader *r, const cli_line *line)
{
    if (csv_parse(&r->parser, line->text, line->length, r->field, r->row, r) != line->length)
        return false;
    return line->text[line->length - 1] == '\n' || csv_fini(&r->parser, r->field, r->row, r) == 0;
}

static enum record reject(csv_reader *r, enum cli_reason reason, const char *detail)
{
    restart_parser(r);
    cli_rows_begin(&r->rows, r->rows.line);
    cli_rows_reject_line(&r->rows, r->rows.line, reason, detail);
    return RECORD_BAD;
}

/* Rejects the row that began on the held line, and goes on behind that line. */
static enum record give_up_row(csv_reader *r, const char *detail)
{
    cli_line line;
    cli_source_rewind(r->source);
    cli_source_release(r->source);
    cli_source_line(r->source, &line);
    return reject(r, CLI_BAD_QUOTE, detail);
}

/* Reads lines until the open quote closes. */
static enum record read_on(csv_reader *r)
{
    cli_line line;
    while (r->row_count == 0) {
        enum cli_line_status status = cli_source_line(r->source, &line);
        if (status == CLI_LINE_END && cli_source_unfinished(r->source))
            return RECORD_END;
        if (status != CLI_LINE_OK)
            return give_up_row(r, never);
        if (cli_source_suspects(r->source, line.text))
            cli_rows_check_bytes(&r->rows, line.text, line.length);
        if (!feed(r, &line))
            return give_up_row(r, never);
    }
    cli_source_release(r->source);
    return RECORD_OK;
}

static bool has_quote(const cli_line *line)
{
    return memchr(line->text, '"', line->length) != NULL;
}

/* Reads a line with quotes. A quoted field may go on behind the line's end, so the line is held: give_up_row() comes
 * back to it. */
static enum record read_quoted(csv_reader *r, const cli_line *line)
{
    cli_source *s = r->source;
    size_t behind = s->pos;
    s->pos -= line->length;
    s->line--;
    cli_source_hold(s);
    s->pos = behind;
    s->line++;
    if (!feed(r, line))
        return give_up_row(r, line->text[line->length - 1] == '\n' ? misplaced : never);
    if (r->row_count > 0) {
        cli_source_release(s);
        return RECORD_OK;
    }
    return read_on(r);
}

static enum record take_csv_line(csv_reader *r, const cli_line *line)
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

/* Tells a comment: a line that begins with #, unless it may be a row. In a file without comments before its header a
 * key may begin with #; and a first field of #N/A is a missing value. */
static bool is_comment(const csv_reader *r, const cli_line *line)
{
    const cli_column *first = r->rows.columns;
    if (line->text[0] != '#' || r->rows.column_count == 0)
        return false;
    cli_line plain = {line->text, line->length - (line->text[line->length - 1] == '\n'), 0};
    cli_span field = cli_span_at(&plain, r->delimiter, 0);
    if (cli_values_missing(&r->rows.reading, field.text, field.length))
        return false;
    return r->comments || first->value >= 0 || first->time || r->rows.column_count == 1 ||
           cli_span_count(line, r->delimiter) < r->rows.column_count;
}

/* Reads one record: a line, or more where quotes span lines. A blank line and a comment are records without rows. */
static enum record next_record(csv_reader *r)
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
    if (line.text[0] == '#' && is_comment(r, &line)) {
        r->skipped++;
        return RECORD_OK;
    }
    return take_csv_line(r, &line);
}

/* ---- the header, and what it leaves open ---- */

/* Appends a note; all notes become one line: "skipped ...; no header: ...". */
static void add_note(csv_reader *r, const char *text)
{
    cli_buffer_text(&r->notes, r->notes.length > 0 ? "; " : "");
    cli_buffer_text(&r->notes, text);
}

static void tell_notes(csv_reader *r)
{
    const cli_sink *sink = r->rows.sink;
    cli_buffer_char(&r->notes, '\0');
    if (r->notes.length > 1 && sink->note != NULL)
        sink->note(sink->context, 0, r->notes.data);
    r->notes.length = 0;
}

static void skip_to_header(csv_reader *r)
{
    cli_line line;
    const cli_layout *l = r->layout;
    for (size_t i = 0; i < l->lines && cli_source_line(r->source, &line) == CLI_LINE_OK; i++)
        continue;
    r->comments = l->comments > 0;
    r->skipped = l->comments;
    if (l->titles == 0)
        return;
    add_note(r, "skipped before the header: \"");
    cli_buffer_text(&r->notes, l->title);
    cli_buffer_text(&r->notes, l->titles > 1 ? "\", and more" : "\"");
}

/* Takes the # off the names of a header that is a comment, as in # time,cpu. */
static void strip_comment(csv_reader *r)
{
    char *name = r->rows.column_count > 0 ? r->rows.columns[0].name : NULL;
    if (name == NULL || *name != '#')
        return;
    size_t n = 1 + strspn(name + 1, " \t");
    if (name[n] != '\0')
        memmove(name, name + n, strlen(name + n) + 1);
    r->comments = true;
}

static bool is_known_name(const cli_options *o, const char *name)
{
    return cli_rows_usual(name) || cli_list_has(&o->keys, name) || cli_list_has(&o->values, name) ||
           cli_list_has(&o->time, name);
}

/* Tells whether the header is data: numbers or times where names should be. An empty first field is no data: some
 * programs give the column of row numbers no name. */
static bool is_data(const csv_reader *r)
{
    const cli_rows *rows = &r->rows;
    bool data = false;
    if (rows->options->header != CLI_HEADER_AUTO)
        return rows->options->header == CLI_HEADER_NO;
    for (size_t i = 0; i < rows->column_count; i++) {
        const char *name = rows->columns[i].name;
        if (is_known_name(rows->options, name) || (i == 0 && *name == '\0'))
            return false;
        data |= cli_span_data((cli_span){name, strlen(name)}, ';');
    }
    return data;
}

/* Names columns without a header: column1, column2, ..., and timestamp for the first with times that are
 * no numbers. */
static void name_columns(csv_reader *r)
{
    cli_rows *rows = &r->rows;
    bool timed = rows->options->time.given;
    add_note(r, "no header (--header if there is one): the columns are ");
    for (size_t i = 0; i < rows->column_count; i++) {
        char name[32];
        cli_column *column = &rows->columns[i];
        bool time = !timed && cli_span_time((cli_span){column->name, strlen(column->name)});
        timed |= time;
        snprintf(name, sizeof name, time ? "timestamp" : "column%zu", i + 1);
        free(column->name);
        column->name = cli_copy(name, strlen(name));
        if (i >= 8 && i + 1 < rows->column_count)
            continue;
        cli_buffer_text(&r->notes, i == 0 ? "" : i > 8 ? " ... " : ", ");
        cli_buffer_text(&r->notes, name);
    }
}

/* Knows the columns of sadf -d: interval is no measure, and the fourth column may name the streams. */
static void know_sadf(csv_reader *r)
{
    static const char *const names[] = {"hostname", "interval", "timestamp"};
    cli_rows *rows = &r->rows;
    for (size_t i = 0; i < 3; i++)
        if (rows->column_count < 4 || strcmp(rows->columns[i].name, names[i]) != 0)
            return;
    rows->columns[1].named = true;
    rows->stream = cli_rows_stream(rows);
}

static bool read_header(csv_reader *r)
{
    enum record record;
    r->field = header_field;
    r->row = count_row;
    skip_to_header(r);
    do {
        cli_rows_forget_columns(&r->rows);
        record = next_record(r);
    } while (record == RECORD_OK && r->row_count == 0);
    if (record == RECORD_BAD)
        r->rows.sink->fail(r->rows.sink->context, r->rows.line, "the header cannot be read");
    else if (record == RECORD_END && r->source->bytes_read > 0 && r->source->error == NULL &&
             !cli_source_unfinished(r->source)) /* else it is empty */
        r->rows.sink->fail(r->rows.sink->context, 0, "holds nothing but blank lines and comments");
    if (record != RECORD_OK)
        return false;
    if (is_data(r)) {
        name_columns(r);
        cli_source_back(r->source, r->rows.line);
    } else {
        strip_comment(r);
        know_sadf(r);
    }
    return true;
}

static void skip_units(csv_reader *r)
{
    char text[60];
    r->field = skip_field;
    r->row = count_row;
    while (next_record(r) == RECORD_OK && r->row_count == 0)
        continue;
    snprintf(text, sizeof text, "skipped line %llu, of units", (unsigned long long)r->rows.line);
    add_note(r, text);
}

static bool is_empty_line(const cli_line *line)
{
    return line->length == 0 || (line->length == 1 && *line->text == '\r');
}

/* Copies the rows that lie in memory, without comments between them; reads on until there are at least so many rows.
 * The source stays where it is. */
static void copy_rows(csv_reader *r, size_t least)
{
    cli_source *s = r->source;
    cli_line line;
    size_t from = 0, next, rows = 0;
    r->first.length = 0;
    s->keep = s->pos;
    for (; rows < CLI_LOOK; from = next) {
        const char *rest = s->buffer + s->pos + from;
        bool whole = memchr(rest, '\n', (size_t)(s->buffer + s->end - rest)) != NULL;
        if ((!whole && rows >= least && !s->eof) || !cli_line_at(s, from, &line, &next))
            return;
        if (is_empty_line(&line) || is_comment(r, &line))
            continue;
        cli_buffer_add(&r->first, line.text, line.length);
        cli_buffer_char(&r->first, '\n');
        rows++;
    }
}

/* Looks at the first rows; waits for a second row where the first may hold units. */
static cli_csv_signs look_for_signs(csv_reader *r)
{
    copy_rows(r, 1);
    cli_csv_signs signs = cli_csv_look(r->first.data, r->first.length, r->delimiter);
    if (!signs.undecided)
        return signs;
    copy_rows(r, 2);
    return cli_csv_look(r->first.data, r->first.length, r->delimiter);
}

static void look_at_signs(csv_reader *r)
{
    char text[120];
    cli_csv_signs signs = look_for_signs(r);
    if (signs.units)
        skip_units(r);
    if (cli_csv_decimal(&signs, r->rows.options->decimal, &r->rows.reading, text, sizeof text))
        add_note(r, text);
}

static void next_look(int c, void *context)
{
    (void)c;
    csv_reader *r = context;
    r->fields = 0;
    cli_rows_looked(&r->rows);
}

/* Looks at what the columns of the first rows hold, by a parser of its own. */
static void look_at_data(csv_reader *r)
{
    struct csv_parser look;
    copy_rows(r, 1);
    csv_init(&look, CSV_APPEND_NULL);
    csv_set_delim(&look, (unsigned char)r->delimiter);
    r->fields = 0;
    csv_parse(&look, r->first.data, r->first.length, look_field, next_look, r);
    csv_free(&look);
    r->rows.few = cli_source_few(r->source, r->rows.looked, CLI_LOOK);
}

static bool plan_csv(csv_reader *r)
{
    const char *why;
    look_at_data(r);
    bool ok = cli_rows_plan(&r->rows, &why);
    if (!ok)
        r->rows.sink->fail(r->rows.sink->context, 1, why);
    return ok;
}

static void read_data(csv_reader *r)
{
    r->field = data_field;
    r->row = data_row;
    cli_source_replay(r->source, true);
    while (r->on && next_record(r) != RECORD_END)
        continue;
    if (r->skipped == 0)
        return;
    char text[80];
    snprintf(text, sizeof text, "skipped %llu %s", (unsigned long long)r->skipped,
             r->skipped == 1 ? "line that begins with #" : "lines that begin with #");
    add_note(r, text);
    tell_notes(r);
}

void cli_read_csv(cli_source *source, const cli_options *options, const cli_layout *layout, const cli_sink *sink)
{
    csv_reader r = {.source = source, .layout = layout, .delimiter = layout->delimiter, .on = true};
    cli_rows_init(&r.rows, options, sink);
    r.rows.format = "CSV";
    r.rows.delimiter = layout->delimiter;
    start_parser(&r);
    if (read_header(&r)) {
        look_at_signs(&r);
        tell_notes(&r);
        if (plan_csv(&r))
            read_data(&r);
    }
    csv_free(&r.parser);
    cli_rows_free(&r.rows);
    cli_buffer_free(&r.notes);
    cli_buffer_free(&r.first);
}
