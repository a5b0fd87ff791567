/* SPDX-License-Identifier: MIT
 * reader_blanks.c - tables with blanks between their fields, as vmstat, sar, iostat and mpstat write them.
 *
 * The lines in memory show which tables there are. One of them is read: the one that has the columns that the options
 * name, else the one with the most rows.
 */
#include "read/reader_blanks.h"

#include "read/blanks.h"
#include "read/csv_signs.h"
#include "read/plan.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* How the words of a row fall into the columns of its header. */
typedef struct row_form {
    size_t rows;    /* that were seen */
    size_t dropped; /* words of the header that are no column: avg-cpu: */
    bool unnamed;   /* the first column has no name */
    bool joined;    /* a date and a time of day are one column, ... */
    size_t pair;    /* ... this one */
    bool tail;      /* the last column takes all further words */
    size_t columns; /* without that of the time that stands before the rows */
} row_form;

typedef struct blanks_reader {
    cli_source *source;
    cli_rows rows;
    cli_blanks lines;
    size_t table; /* that is read */
    row_form shape;
    bool time;        /* the first column is the time that stands before the rows, or before the report */
    cli_buffer notes; /* what is to be said before the first row */
    uint64_t headers, summaries, others;
} blanks_reader;

/* ---- the words of a header ---- */

static cli_span header_word(const char *header, size_t index)
{
    cli_line rest = {header, strlen(header), 0};
    cli_span word = cli_span_next(&rest, ' ');
    while (index-- > 0)
        word = cli_span_next(&rest, ' ');
    return word;
}

static size_t count_header(const char *header)
{
    cli_line line = {header, strlen(header), 0};
    return *header != '\0' ? cli_span_count(&line, ' ') : 0;
}

static bool header_has(const char *header, const char *name)
{
    size_t length = strlen(name);
    cli_line rest = {header, strlen(header), 0};
    cli_span word;
    while ((word = cli_span_next(&rest, ' ')).text != NULL)
        if (word.length == length && strncasecmp(word.text, name, length) == 0)
            return true;
    return false;
}

static bool header_has_all(const char *header, const cli_list *names)
{
    for (size_t i = 0; i < names->count; i++)
        if (!header_has(header, names->items[i]))
            return false;
    return true;
}

/* ---- the words of a row ---- */

/* Finds the first of two words that are a date and a time of day; b->count if there are none. */
static size_t find_pair(const cli_blanks *b)
{
    for (size_t i = 0; i + 1 < b->count; i++)
        if (cli_blanks_date(b->words[i]) && cli_blanks_clock(b->words[i + 1]))
            return i;
    return b->count;
}

static cli_span span_of(const cli_span *first, const cli_span *last)
{
    return (cli_span){first->text, (size_t)(last->text - first->text) + last->length};
}

static void merge(cli_blanks *b, size_t from, size_t to)
{
    b->words[from] = span_of(&b->words[from], &b->words[to]);
    memmove(b->words + from + 1, b->words + to + 1, (b->count - to - 1) * sizeof *b->words);
    b->count -= to - from;
}

/* Makes the words of a row its fields; false if there are too few or too many. */
static bool fit(const row_form *shape, cli_blanks *b)
{
    size_t pair = shape->joined ? find_pair(b) : b->count;
    if (pair < b->count)
        merge(b, pair, pair + 1);
    if (shape->tail && b->count > shape->columns)
        merge(b, shape->columns - 1, b->count - 1);
    return b->count == shape->columns;
}

static bool is_number(cli_span f)
{
    return cli_span_data(f, ';');
}

/* Learns from the first row of a table how its words fall into columns. */
static void learn_shape(row_form *shape, const char *header, const cli_blanks *b)
{
    size_t names = count_header(header), words = b->count;
    cli_span first = header_word(header, 0);
    shape->pair = find_pair(b);
    shape->joined = shape->pair < words && (names == 0 || words == names + 1);
    words -= shape->joined;
    shape->columns = names > 0 ? names : words;
    if (names == words + 1 && first.length > 1 && first.text[first.length - 1] == ':')
        shape->dropped = 1;
    if (names > 0 && words == names + 1 && !is_number(b->words[0]))
        shape->unnamed = true;
    else if (names > 0 && words >= names)
        shape->tail = !is_number(b->words[names - 1]) && b->words[names - 1].length > 1;
    shape->columns += shape->unnamed;
    shape->columns -= shape->dropped;
}

/* ---- a look at the lines in memory ---- */

typedef void take_look(void *context, cli_blanks *lines, const cli_line *line, enum cli_blanks_line kind);

/* Visits the lines in memory, and further ones until there is a row. The source stays where it is. */
static void look(blanks_reader *r, take_look *take, void *context)
{
    cli_source *s = r->source;
    cli_blanks lines = {.header = r->rows.options->header};
    cli_line line;
    size_t from = 0, next, rows = 0;
    s->keep = s->pos;
    for (; rows < CLI_LOOK; from = next) {
        const char *rest = s->buffer + s->pos + from;
        bool whole = memchr(rest, '\n', (size_t)(s->buffer + s->end - rest)) != NULL;
        if ((!whole && rows > 0 && !s->eof) || !cli_line_at(s, from, &line, &next))
            break;
        enum cli_blanks_line kind = cli_blanks_take(&lines, &line);
        take(context, &lines, &line, kind);
        rows += kind == CLI_BLANKS_ROW;
    }
    cli_blanks_free(&lines);
}

/* What the look shows. */
typedef struct tally {
    row_form shapes[CLI_BLANKS_TABLES];
    cli_list headers;
    bool times; /* rows have a time that stands before them */
    char title[12];
    cli_buffer group;
    cli_buffer rows; /* as they are */
} tally;

static void take_tally(void *context, cli_blanks *b, const cli_line *line, enum cli_blanks_line kind)
{
    tally *t = context;
    if (kind != CLI_BLANKS_ROW || b->table >= b->tables.count)
        return;
    row_form *shape = &t->shapes[b->table];
    if (b->tables.count > t->headers.count)
        cli_list_copy(&t->headers, &b->tables);
    if (shape->rows++ == 0)
        learn_shape(shape, b->tables.items[b->table], b);
    if (t->title[0] == '\0' && (b->timed >> b->table & 1) != 0)
        memcpy(t->title, b->title, sizeof t->title);
    t->times |= b->time[0] != '\0';
    t->group.length = 0;
    cli_buffer_add(&t->group, b->group.data, b->group.length);
    cli_buffer_add(&t->rows, line->text, line->length);
    cli_buffer_char(&t->rows, '\n');
}

static void free_tally(tally *t)
{
    cli_list_free(&t->headers);
    cli_buffer_free(&t->group);
    cli_buffer_free(&t->rows);
}

static bool has_wanted(const cli_rows *rows, const char *header)
{
    const cli_options *o = rows->options;
    const cli_list *before = rows->sink->values; /* as files and runs before have it */
    return header_has_all(header, before != NULL ? before : &o->values) && header_has_all(header, &o->keys);
}

static size_t choose_table(const cli_rows *rows, const tally *t)
{
    size_t best = 0;
    bool best_has = false;
    for (size_t i = 0; i < t->headers.count; i++) {
        bool has = has_wanted(rows, t->headers.items[i]);
        if ((has && !best_has) || (has == best_has && t->shapes[i].rows > t->shapes[best].rows)) {
            best = i;
            best_has = has;
        }
    }
    return best;
}

/* ---- columns ---- */

static void add_column(blanks_reader *r, const char *name, size_t length)
{
    char other[80];
    if (length > 1 && name[length - 1] == ':')
        length--;
    if (length < 64 && cli_rows_find(&r->rows, name, length) < r->rows.column_count) {
        snprintf(other, sizeof other, "%.*s_%zu", (int)length, name, r->rows.column_count + 1);
        name = other;
        length = strlen(other);
    }
    cli_rows_column(&r->rows, name, length);
}

/* The names of columns without a header: metric, value and timestamp for rows of that form. */
static void name_columns(blanks_reader *r, const cli_blanks *b)
{
    static const char *const usual[] = {"metric", "value", "timestamp"};
    size_t n = r->shape.columns;
    bool txt =
        (n == 2 || n == 3) && !is_number(b->words[0]) && cli_span_number(b->words[1]) && (n == 2 || is_number(b->words[2]));
    cli_buffer_text(&r->notes, "no header (--header if there is one): the columns are ");
    for (size_t i = 0; i < n; i++) {
        char name[32];
        snprintf(name, sizeof name, "column%zu", i + 1);
        const char *chosen = txt ? usual[i]
                             : cli_span_time(b->words[i]) && cli_rows_find(&r->rows, "timestamp", 9) == r->rows.column_count
                                 ? "timestamp"
                                 : name;
        cli_rows_column(&r->rows, chosen, strlen(chosen));
        if (i < 8) {
            cli_buffer_text(&r->notes, i > 0 ? ", " : "");
            cli_buffer_text(&r->notes, chosen);
        }
    }
    cli_buffer_text(&r->notes, n > 8 ? ", ..." : "");
}

static void make_columns(blanks_reader *r, const tally *t)
{
    const char *header = t->headers.items[r->table];
    size_t count = count_header(header);
    if (r->time)
        cli_rows_column(&r->rows, "time", 4);
    if (r->shape.unnamed)
        add_column(r, t->group.length > 0 ? t->group.data : "name", t->group.length > 0 ? t->group.length : 4);
    for (size_t i = r->shape.dropped; i < count; i++) {
        cli_span name = header_word(header, i);
        bool date = r->shape.joined && i - r->shape.dropped + r->shape.unnamed == r->shape.pair;
        add_column(r, date ? "timestamp" : name.text, date ? 9 : name.length);
    }
    r->rows.stream = r->shape.unnamed ? r->rows.columns[r->time].name : cli_rows_stream(&r->rows);
}

typedef void give_cell(cli_rows *rows, size_t column, const char *text, size_t length);

static void look_at_cell(cli_rows *rows, size_t column, const char *text, size_t length)
{
    cli_rows_look(rows, column, CLI_CELL_PLAIN, text, length);
}

static void give_cells(blanks_reader *r, const cli_blanks *b, give_cell *give)
{
    if (r->time)
        give(&r->rows, 0, b->time, strlen(b->time));
    for (size_t i = 0; i < b->count; i++)
        give(&r->rows, i + r->time, b->words[i].text, b->words[i].length);
}

static void take_first(void *context, cli_blanks *b, const cli_line *line, enum cli_blanks_line kind)
{
    (void)line;
    blanks_reader *r = context;
    if (kind != CLI_BLANKS_ROW || b->table != r->table || !fit(&r->shape, b))
        return;
    if (r->rows.column_count == r->time)
        name_columns(r, b);
    give_cells(r, b, look_at_cell);
    cli_rows_looked(&r->rows);
}

/* ---- what is to be said ---- */

static void add_note(blanks_reader *r, const char *text)
{
    cli_buffer_text(&r->notes, r->notes.length > 0 ? "; " : "");
    cli_buffer_text(&r->notes, text);
}

static void tell_notes(blanks_reader *r)
{
    const cli_sink *sink = r->rows.sink;
    cli_buffer_char(&r->notes, '\0');
    if (r->notes.length > 1 && sink->note != NULL)
        sink->note(sink->context, 0, r->notes.data);
    r->notes.length = 0;
}

static void note_tables(blanks_reader *r, const tally *t)
{
    char text[160];
    cli_span name = header_word(t->headers.items[r->table], 0);
    if (t->title[0] != '\0') {
        snprintf(text, sizeof text, "its first line says the date: %s", t->title);
        add_note(r, text);
    }
    if (t->headers.count < 2)
        return;
    int shown = (int)cli_utf8_cut(name.text, name.length - (name.length > 1 && name.text[name.length - 1] == ':'), 40);
    snprintf(text, sizeof text, "%zu tables: that of %.*s is read (-v COLUMN: the one with that column)", t->headers.count,
             shown, name.text);
    add_note(r, text);
}

static void note_decimal(blanks_reader *r, const tally *t)
{
    char text[120];
    cli_csv_signs signs = cli_csv_look(t->rows.data, t->rows.length, ' ');
    if (cli_csv_decimal(&signs, r->rows.options->decimal, &r->rows.reading, text, sizeof text))
        add_note(r, text);
}

static void add_count(blanks_reader *r, uint64_t count, const char *one, const char *many)
{
    if (count == 0)
        return;
    cli_buffer_text(&r->notes, r->notes.length > 0 ? ", " : "skipped ");
    cli_buffer_uint(&r->notes, count);
    cli_buffer_text(&r->notes, count == 1 ? one : many);
}

static void tell_skipped(blanks_reader *r)
{
    uint64_t tables = r->lines.tables.count;
    add_count(r, r->headers > tables ? r->headers - tables : 0, " repeated header", " repeated headers");
    add_count(r, r->summaries, " line of averages or a restart", " lines of averages or restarts");
    add_count(r, r->others, " row of another table", " rows of other tables");
    tell_notes(r);
}

/* ---- rows ---- */

static bool end_misfit(blanks_reader *r)
{
    char detail[80];
    size_t count = r->lines.count, columns = r->shape.columns;
    snprintf(detail, sizeof detail, "%zu %s, the header has %zu", count, count == 1 ? "word" : "words", columns);
    cli_rows_reject(&r->rows, count < columns ? CLI_FEW_FIELDS : CLI_MANY_FIELDS, detail);
    return cli_rows_end(&r->rows);
}

/* Reads a line; false to end the reading. */
static bool take_blanks_line(blanks_reader *r, const cli_line *line)
{
    cli_rows_begin(&r->rows, line->number);
    if (cli_source_suspects(r->source, line->text) && !cli_rows_check_bytes(&r->rows, line->text, line->length))
        return cli_rows_end(&r->rows);
    enum cli_blanks_line kind = cli_blanks_take(&r->lines, line);
    r->headers += kind == CLI_BLANKS_HEADER;
    r->summaries += kind == CLI_BLANKS_SUMMARY;
    if (kind != CLI_BLANKS_ROW)
        return true;
    if (r->lines.table != r->table) {
        r->others++;
        return true;
    }
    if (!fit(&r->shape, &r->lines))
        return end_misfit(r);
    give_cells(r, &r->lines, cli_rows_cell);
    return cli_rows_end(&r->rows);
}

/* Reads all lines: what a row is depends on the lines before it, so there is no way to a place but to read up to
 * it. */
static void read_lines(blanks_reader *r)
{
    bool on = true;
    cli_line line;
    while (on) {
        cli_source_replay(r->source, false);
        enum cli_line_status status = cli_source_line(r->source, &line);
        if (status == CLI_LINE_END)
            break;
        if (status == CLI_LINE_LONG)
            cli_rows_reject_line(&r->rows, line.number, CLI_LONG_LINE, NULL);
        else
            on = take_blanks_line(r, &line);
    }
}

static bool plan_blanks(blanks_reader *r)
{
    tally t = {.times = false};
    const char *why = "holds no rows";
    look(r, take_tally, &t);
    bool ok = t.headers.count > 0;
    if (ok) {
        r->table = choose_table(&r->rows, &t);
        r->shape = t.shapes[r->table];
        r->time = t.times;
        make_columns(r, &t);
        note_tables(r, &t);
        note_decimal(r, &t);
        look(r, take_first, r);
        r->rows.few = cli_source_few(r->source, r->rows.looked, CLI_LOOK);
        tell_notes(r);
        ok = cli_rows_plan(&r->rows, &why);
    }
    if (!ok)
        r->rows.sink->fail(r->rows.sink->context, 1, why);
    free_tally(&t);
    return ok;
}

void cli_read_blanks(cli_source *source, const cli_options *options, const cli_sink *sink)
{
    blanks_reader r = {.source = source, .lines = {.header = options->header}};
    cli_rows_init(&r.rows, options, sink);
    r.rows.format = "table";
    r.rows.delimiter = ' ';
    r.rows.numbered = false;
    if (plan_blanks(&r)) {
        read_lines(&r);
        tell_skipped(&r);
    }
    cli_rows_free(&r.rows);
    cli_blanks_free(&r.lines);
    cli_buffer_free(&r.notes);
}
