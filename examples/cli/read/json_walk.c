/* SPDX-License-Identifier: MIT
 * json_walk.c - through JSON of any length, of which only a piece is in memory.
 */
#include "read/json_walk.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { DEEPEST = 4 }; /* members of members that are looked at for arrays */

void cli_json_advance(cli_source *s, size_t count)
{
    for (size_t i = 0; i < count; i++)
        s->line += s->buffer[s->pos + i] == '\n';
    s->pos += count;
    s->keep = s->pos;
}

int cli_json_next(cli_source *s)
{
    for (;;) {
        while (s->pos < s->end) {
            char c = s->buffer[s->pos];
            if (!cli_is_blank(c) && c != ',' && c != ':')
                return (unsigned char)c;
            cli_json_advance(s, 1);
        }
        s->keep = s->pos;
        if (!cli_source_more(s))
            return -1;
    }
}

void cli_json_skip(cli_source *s, cli_json_scan *scan)
{
    enum cli_json_end end = CLI_JSON_MORE;
    while (end == CLI_JSON_MORE) {
        end = cli_json_scan_on(scan, s->buffer + s->pos, s->end - s->pos);
        cli_json_advance(s, scan->at);
        scan->at = 0;
        if (end == CLI_JSON_MORE && !cli_source_more(s))
            return;
    }
}

void cli_json_leave(cli_source *s, int depth)
{
    cli_json_scan scan = {.depth = depth};
    if (depth > 0)
        cli_json_skip(s, &scan);
}

/* Goes past a number, true, false or null. */
static void pass_word(cli_source *s)
{
    do {
        size_t n = 0;
        while (s->pos + n < s->end && memchr(" \t\r\n,]}", s->buffer[s->pos + n], 7) == NULL)
            n++;
        cli_json_advance(s, n);
    } while (s->pos == s->end && cli_source_more(s));
}

void cli_json_pass(cli_source *s)
{
    cli_json_scan scan = {0};
    int c = cli_json_next(s);
    if (c == '{' || c == '[' || c == '"')
        cli_json_skip(s, &scan);
    else if (c >= 0)
        pass_word(s);
}

size_t cli_json_hold(cli_source *s)
{
    cli_json_scan scan = {0};
    enum cli_json_end end;
    s->keep = s->pos;
    do
        end = cli_json_scan_on(&scan, s->buffer + s->pos, s->end - s->pos);
    while (end == CLI_JSON_MORE && cli_source_more(s));
    return end == CLI_JSON_DONE ? scan.at : 0;
}

bool cli_json_name(cli_source *s, cli_buffer *name)
{
    int c = cli_json_next(s);
    size_t length = c == '"' ? cli_json_hold(s) : 0;
    if (c == '}')
        cli_json_advance(s, 1);
    if (length < 2)
        return false;
    name->length = 0;
    cli_buffer_add(name, s->buffer + s->pos + 1, length - 2);
    cli_buffer_char(name, '\0');
    cli_json_advance(s, length);
    return cli_json_next(s) >= 0;
}

int cli_json_depth(const char *path)
{
    int depth = 1;
    for (; *path != '\0'; path++)
        depth += *path == '.';
    return depth;
}

/* Takes the next part off a path. */
static bool is_part(const cli_buffer *name, const char *path)
{
    size_t n = strcspn(path, ".");
    return name->length == n + 1 && memcmp(name->data, path, n) == 0;
}

/* Goes to the value of a member, inside an object whose bracket has been taken. */
static bool find_member(cli_source *s, const char *path, cli_buffer *name)
{
    while (cli_json_name(s, name)) {
        if (is_part(name, path))
            return true;
        cli_json_pass(s);
    }
    return false;
}

bool cli_json_enter(cli_source *s, const char *path)
{
    cli_buffer name = {0};
    int open = 1;
    cli_json_advance(s, 1);
    bool found = find_member(s, path, &name);
    while (found && path[strcspn(path, ".")] == '.' && cli_json_next(s) == '{') {
        path += strcspn(path, ".") + 1;
        cli_json_advance(s, 1);
        open++;
        found = find_member(s, path, &name);
    }
    cli_buffer_free(&name);
    if (found && path[strcspn(path, ".")] == '\0' && cli_json_next(s) == '[') {
        cli_json_advance(s, 1);
        return true;
    }
    cli_json_leave(s, found ? open : open - 1); /* a member that is not found: its object has been left */
    return false;
}

/* ---- one array of objects in one object ---- */

typedef struct search {
    const cli_options *options;
    cli_buffer path; /* of the object that is open; each part ends with a dot */
    size_t parts[DEEPEST + 1];
    int depth;
    char *found;
    size_t arrays;
    bool named; /* an option names a member that is no array of objects, or one is called value */
} search;

static bool names(const cli_list *list, const char *path)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcasecmp(list->items[i], path) == 0)
            return true;
    return false;
}

static const char *skip_blanks(const char *s, const char *end)
{
    while (s < end && (cli_is_blank(*s) || *s == ',' || *s == ':'))
        s++;
    return s;
}

/* Notes a member whose value is at `s`: an array of objects, or one that an option may name. */
static void note_member(search *f, const char *s, const char *end)
{
    const char *inside = skip_blanks(s + 1, end);
    const cli_options *o = f->options;
    if (*s == '[' && inside < end && *inside == '{') {
        f->arrays++;
        free(f->found);
        f->found = cli_copy(f->path.data, strlen(f->path.data));
    } else if (*s != '[') {
        f->named |= (f->depth == 0 && strcmp(f->path.data, "value") == 0) || names(&o->keys, f->path.data) ||
                    names(&o->values, f->path.data) || names(&o->time, f->path.data);
    }
}

/* Takes a member: goes into an object, and past all else. Answers NULL where memory ends. */
static const char *take_member(search *f, const char *s, const char *end)
{
    size_t length = cli_json_value_length(s, (size_t)(end - s)), before = f->path.length;
    const char *value = skip_blanks(s + length, end);
    if (*s != '"' || length < 2 || value >= end)
        return NULL;
    cli_buffer_add(&f->path, s + 1, length - 2);
    if (*value == '{' && f->depth < DEEPEST) {
        cli_buffer_char(&f->path, '.');
        f->parts[++f->depth] = before;
        return value + 1;
    }
    cli_buffer_char(&f->path, '\0');
    note_member(f, value, end);
    f->path.length = before;
    length = cli_json_value_length(value, (size_t)(end - value));
    return length > 0 && value + length < end ? value + length : NULL;
}

/* Walks through the object at `s`, as far as it is in memory. */
static void walk(search *f, const char *s, const char *end)
{
    for (s++; s != NULL; s = s != NULL ? skip_blanks(s, end) : NULL) {
        if (s >= end || (*s == '}' && f->depth == 0))
            return;
        if (*s == '}')
            f->path.length = f->parts[f->depth--];
        s = *s == '}' ? s + 1 : take_member(f, s, end);
    }
}

/* Tells whether nothing but blanks follows the first `length` bytes. */
static bool is_alone(cli_source *s, size_t length)
{
    if (s->follow) /* more may come */
        return false;
    for (;;) {
        const char *end = s->buffer + s->end, *behind = skip_blanks(s->buffer + s->pos + length, end);
        if (behind < end)
            return false;
        if (!cli_source_more(s))
            return s->eof;
    }
}

char *cli_json_find_rows(cli_source *s, const cli_options *options)
{
    search f = {.options = options};
    if (s->pos == s->end)
        cli_source_more(s);
    size_t at = s->pos;
    while (at < s->end && cli_is_blank(s->buffer[at]))
        at++;
    size_t blanks = at - s->pos;
    cli_json_scan scan = {0};
    if (at == s->end || s->buffer[at] != '{')
        return NULL;
    enum cli_json_end end;
    do
        end = cli_json_scan_on(&scan, s->buffer + s->pos + blanks, s->end - s->pos - blanks);
    while (end == CLI_JSON_MORE && cli_source_more(s));
    walk(&f, s->buffer + s->pos + blanks, s->buffer + s->pos + blanks + scan.at);
    cli_buffer_free(&f.path);
    bool one = f.arrays == 1 && !f.named && end != CLI_JSON_BROKEN;
    if (one && (end == CLI_JSON_MORE || is_alone(s, blanks + scan.at)))
        return f.found;
    free(f.found);
    return NULL;
}
