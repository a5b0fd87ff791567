/* SPDX-License-Identifier: MIT
 * reader_json.c - JSON: an array of objects, one object, objects one after the other, or one object a line.
 *
 * An array is read element by element and never held whole: the end of an element is found by its brackets and quotes.
 * An element that does not end (a missing bracket, the end of the input, CLI_HOLD bytes) is rejected, and reading goes
 * on at the next line that begins with an object. The search for an end may read far ahead, so each failure halves how
 * far the next search may read, down to LEAST: hostile input then costs no more than a constant factor.
 */
#include "read/reader_json.h"

#include "read/json_object.h"
#include "read/json_scan.h"
#include "read/json_walk.h"

#include <stdlib.h>
#include <string.h>

enum { LEAST = 4096 };

typedef struct json_reader {
    cli_source *source;
    cli_json_rows json;
    bool truncated;   /* told already */
    const char *path; /* of the array whose objects are the rows; NULL: they are not in another object */
    cli_buffer name;
} json_reader;

/* Goes to the next line in memory that begins with an object; false if there is none. */
static bool next_line_with_object(cli_source *s)
{
    const char *newline;
    while ((newline = memchr(s->buffer + s->pos, '\n', s->end - s->pos)) != NULL) {
        cli_json_advance(s, (size_t)(newline - (s->buffer + s->pos)) + 1);
        size_t i = s->pos;
        while (i < s->end && (cli_is_blank(s->buffer[i]) || s->buffer[i] == ','))
            i++;
        if (i < s->end && s->buffer[i] == '{')
            return true;
    }
    return false;
}

static void give_up_element(json_reader *r, enum cli_json_end end, cli_json_scan *scan)
{
    cli_source *s = r->source;
    bool at_end = s->eof && s->end - s->pos == scan->at;
    const char *detail = end == CLI_JSON_BROKEN ? "a string is not closed on its line"
                         : at_end               ? "truncated, it is not closed before the input ends"
                                                : "it is longer than 1 MiB, or not closed";
    cli_source_skip(s);
    cli_rows_reject_line(&r->json.rows, s->line, CLI_BAD_JSON, detail);
    r->truncated = end == CLI_JSON_MORE && at_end;
    s->reach = s->reach / 2 > LEAST ? s->reach / 2 : LEAST;
    size_t seen = s->pos + scan->at;
    if (next_line_with_object(s))
        return;
    if (end == CLI_JSON_BROKEN || at_end)
        seen = s->end;
    if (seen > s->pos)
        cli_json_advance(s, seen - s->pos);
    scan->at = 0;
    if (end == CLI_JSON_MORE)
        cli_json_skip(s, scan);
    cli_source_skipped(s);
}

static void read_element(json_reader *r)
{
    cli_source *s = r->source;
    cli_json_scan scan = {0};
    enum cli_json_end end;
    s->keep = s->pos;
    do {
        size_t have = s->end - s->pos;
        end = cli_json_scan_on(&scan, s->buffer + s->pos, have < s->reach ? have : s->reach);
    } while (end == CLI_JSON_MORE && scan.at < s->reach && cli_source_more(s));
    if (end == CLI_JSON_MORE && scan.at < s->reach && cli_source_unfinished(s)) {
        r->json.on = false;
        return;
    }
    if (end != CLI_JSON_DONE) {
        give_up_element(r, end, &scan);
        return;
    }
    const char *text = s->buffer + s->pos;
    cli_json_object(&r->json, text, scan.at, s->line, cli_source_suspects(s, text));
    s->reach = s->reach * 2 < CLI_HOLD ? s->reach * 2 : CLI_HOLD;
    cli_json_advance(s, scan.at);
}

/* Rejects something that is no object, and skips to where an object may begin. */
static void skip_junk(json_reader *r)
{
    cli_source *s = r->source;
    cli_source_skip(s);
    cli_rows_reject_line(&r->json.rows, s->line, CLI_BAD_JSON, NULL);
    cli_json_advance(s, 1);
    do {
        size_t n = 0;
        while (s->pos + n < s->end && memchr("\n,{]", s->buffer[s->pos + n], 4) == NULL)
            n++;
        cli_json_advance(s, n);
    } while (s->pos == s->end && cli_source_more(s));
    cli_source_skipped(s);
}

/* Goes into the array that lies in the object at the source's place. Until then the object is where to begin anew. */
static void enter_array(json_reader *r)
{
    cli_source *s = r->source;
    uint64_t line = s->line;
    cli_buffer why = {0};
    cli_source_skip(s);
    bool found = cli_json_enter(s, r->path);
    s->array = found ? s->line : 0;
    cli_source_skipped(s);
    if (found || cli_source_unfinished(s))
        return;
    cli_buffer_text(&why, "no array under ");
    cli_add_name(&why, r->path);
    cli_buffer_char(&why, '\0');
    cli_rows_reject_line(&r->json.rows, line, CLI_NO_MEMBER, why.data);
    cli_buffer_free(&why);
}

/* Leaves the array whose bracket is next, and the objects that it lies in. */
static void leave_array(json_reader *r)
{
    cli_source *s = r->source;
    cli_source_skip(s);
    cli_json_advance(s, 1);
    s->array = 0;
    if (r->path != NULL)
        cli_json_leave(s, cli_json_depth(r->path));
    cli_source_skipped(s);
}

static void read_sequence(json_reader *r)
{
    cli_source *s = r->source;
    int c;
    while (r->json.on && (c = cli_json_next(s)) >= 0) {
        if (c == '{' && r->path != NULL && s->array == 0) {
            enter_array(r);
        } else if (c == '{' || (c == '[' && s->array != 0)) {
            read_element(r);
        } else if (c == ']' && s->array != 0) {
            leave_array(r);
        } else if (c == '[') {
            s->array = s->line;
            cli_json_advance(s, 1);
        } else {
            skip_junk(r);
        }
        cli_source_replay(s, r->json.planned);
    }
    if (s->array != 0 && r->json.on && !r->truncated && !cli_source_unfinished(s))
        cli_rows_reject_line(&r->json.rows, s->array, CLI_BAD_JSON, "the array that begins here is not closed");
}

static void take_json_line(json_reader *r, const cli_line *line)
{
    const char *text = line->text;
    size_t length = line->length;
    while (length > 0 && cli_is_blank(text[length - 1]))
        length--;
    for (; length > 0 && cli_is_blank(*text); length--)
        text++;
    if (length > 0)
        cli_json_object(&r->json, text, length, line->number, cli_source_suspects(r->source, text));
}

static void read_lines(json_reader *r)
{
    cli_line line;
    enum cli_line_status status;
    while (r->json.on) {
        cli_source_replay(r->source, r->json.planned);
        status = cli_source_line(r->source, &line);
        if (status == CLI_LINE_END)
            break;
        if (status == CLI_LINE_LONG)
            cli_rows_reject_line(&r->json.rows, line.number, CLI_LONG_LINE, NULL);
        else
            take_json_line(r, &line);
    }
}

/* "JSON (rows under data.items)" */
static void name_format(json_reader *r, bool lines)
{
    cli_buffer *name = &r->name;
    cli_buffer_text(name, lines ? "NDJSON" : "JSON");
    if (r->path != NULL) {
        cli_buffer_text(name, " (rows under ");
        cli_add_name(name, r->path);
        cli_buffer_char(name, ')');
    }
    cli_buffer_char(name, '\0');
    r->json.rows.format = name->data;
}

void cli_read_json(cli_source *source, const cli_options *options, bool lines, const cli_sink *sink)
{
    json_reader r = {.source = source};
    bool open = options->rows == NULL && (!lines || options->input == CLI_AUTO);
    char *found = open ? cli_json_find_rows(source, options) : NULL;
    source->reach = CLI_HOLD;
    cli_json_rows_init(&r.json, source, options, sink);
    r.path = options->rows != NULL ? options->rows : found;
    r.json.within = r.path != NULL;
    name_format(&r, lines);
    if (lines && r.path == NULL)
        read_lines(&r);
    else
        read_sequence(&r);
    cli_json_rows_free(&r.json);
    cli_buffer_free(&r.name);
    free(found);
}
