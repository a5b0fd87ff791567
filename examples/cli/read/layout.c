/* SPDX-License-Identifier: MIT
 * layout.c - where the header of a table is, and what stands between its fields.
 *
 * Before a header there may be blank lines, comments (lines that begin with #), a line `sep=;` (as spreadsheets
 * write), and titles: lines without a delimiter, or with nothing behind their first field, and without numbers, before
 * a line with delimiters. A line with numbers is no header; if the last comment before it has as many fields, that
 * comment is the header.
 */
#include "read/layout.h"

#include "common/number.h"
#include "common/text.h"
#include "common/times.h"

#include <math.h>
#include <string.h>
#include <strings.h>

enum { LINES = 40 }; /* that are looked at for the header */

/* ---- lines that lie in memory ---- */

bool cli_line_at(cli_source *s, size_t from, cli_line *line, size_t *next)
{
    if (from > s->end - s->pos)
        return false;
    for (;;) {
        const char *text = s->buffer + s->pos + from, *end = s->buffer + s->end;
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        bool ends = newline == NULL && !cli_source_more(s);
        if (newline == NULL && !ends)
            continue;
        text = s->buffer + s->pos + from;
        end = newline != NULL ? newline : s->buffer + s->end;
        *line = (cli_line){text, (size_t)(end - text), 0};
        *next = from + line->length + (newline != NULL);
        return *next > from;
    }
}

static bool is_blank_line(const cli_line *line)
{
    size_t i = 0;
    while (i < line->length && memchr(" \t\r", line->text[i], 3) != NULL)
        i++;
    return i == line->length;
}

cli_line cli_first_line(cli_source *s)
{
    cli_line line;
    size_t from = 0, next;
    while (cli_line_at(s, from, &line, &next)) {
        if (!is_blank_line(&line)) {
            while (memchr(" \t\r", *line.text, 3) != NULL) {
                line.text++;
                line.length--;
            }
            return line;
        }
        from = next;
    }
    return (cli_line){"", 0, 0};
}

/* ---- fields ---- */

char cli_frequent_delimiter(const cli_line *line, char none)
{
    static const char candidates[] = {',', ';', '\t', '|'};
    size_t counts[sizeof candidates] = {0}, best = 0;
    bool quoted = false;
    for (size_t i = 0; i < line->length; i++) {
        quoted ^= line->text[i] == '"';
        for (size_t k = 0; k < sizeof candidates; k++)
            counts[k] += !quoted && line->text[i] == candidates[k];
    }
    for (size_t k = 1; k < sizeof candidates; k++)
        if (counts[k] > counts[best])
            best = k;
    return counts[best] > 0 ? candidates[best] : none;
}

cli_span cli_span_next(cli_line *rest, char delimiter)
{
    const char *s = rest->text;
    if (s == NULL)
        return (cli_span){NULL, 0};
    const char *stop = memchr(s, delimiter, rest->length), *end = s + rest->length;
    *rest = stop != NULL ? (cli_line){stop + 1, (size_t)(end - stop) - 1, 0} : (cli_line){NULL, 0, 0};
    stop = stop != NULL ? stop : end;
    while (s < stop && memchr(" \t\r", *s, 3) != NULL)
        s++;
    while (stop > s && memchr(" \t\r", stop[-1], 3) != NULL)
        stop--;
    return (cli_span){s, (size_t)(stop - s)};
}

cli_span cli_span_at(const cli_line *line, char delimiter, size_t index)
{
    cli_line rest = *line;
    cli_span span = cli_span_next(&rest, delimiter);
    while (index-- > 0)
        span = cli_span_next(&rest, delimiter);
    return span;
}

size_t cli_span_count(const cli_line *line, char delimiter)
{
    size_t count = 1;
    for (size_t i = 0; i < line->length; i++)
        count += line->text[i] == delimiter;
    return count;
}

bool cli_span_number(cli_span f)
{
    double value;
    return f.length > 0 && cli_parse_number(f.text, f.length, &value) == CLI_NUMBER_OK && isfinite(value);
}

bool cli_span_time(cli_span f)
{
    cli_clock clock = {.unit = CLI_UNIT_ISO};
    int64_t ns;
    const char *why;
    return f.length >= 10 && cli_parse_time(&clock, f.text, f.length, &ns, &why);
}

bool cli_span_comma_number(cli_span f)
{
    char copy[CLI_NUMBER_SIZE];
    char *comma = f.length < sizeof copy ? memchr(f.text, ',', f.length) : NULL;
    if (comma == NULL)
        return false;
    memcpy(copy, f.text, f.length);
    copy[f.length] = '\0';
    copy[comma - f.text] = '.';
    return cli_span_number((cli_span){copy, f.length});
}

bool cli_span_data(cli_span f, char delimiter)
{
    return cli_span_number(f) || cli_span_time(f) || (delimiter != ',' && cli_span_comma_number(f));
}

bool cli_line_data(const cli_line *line, char delimiter)
{
    cli_line rest = *line;
    cli_span f;
    while ((f = cli_span_next(&rest, delimiter)).text != NULL)
        if (cli_span_data(f, delimiter))
            return true;
    return false;
}

/* ---- the header ---- */

/* How far the search for the header is. Places count bytes behind the place of the source. */
typedef struct search {
    size_t place, number; /* of the present line: its place, and how many lines are before it */
    size_t next;          /* place of the line behind it */
    size_t comment;       /* place of the last comment, ... */
    size_t comment_number;
    size_t comments, titles;
    char delimiter; /* as given, or by sep=; 0: not known */
} search;

/* Tells a line `sep=;`, which says what stands between the fields. */
static bool is_separator(const cli_line *line, char *delimiter)
{
    size_t length = line->length;
    while (length > 5 && memchr(" \r", line->text[length - 1], 2) != NULL)
        length--;
    if (length != 5 || strncasecmp(line->text, "sep=", 4) != 0 || line->text[4] == '"')
        return false;
    *delimiter = *delimiter != 0 ? *delimiter : line->text[4];
    return true;
}

/* Goes to the next line that is neither blank nor a comment; false if there is none among the first lines. */
static bool next_line(cli_source *s, search *f, cli_line *line)
{
    for (; f->number < LINES && cli_line_at(s, f->next, line, &f->next); f->number++) {
        f->place = (size_t)(line->text - (s->buffer + s->pos));
        if (is_blank_line(line))
            continue;
        if (line->text[0] != '#')
            return true;
        f->comment = f->place;
        f->comment_number = f->number;
        f->comments++;
    }
    return false;
}

static bool has_fields(const search *f, const cli_line *line)
{
    return f->delimiter != 0 ? memchr(line->text, f->delimiter, line->length) != NULL : cli_frequent_delimiter(line, 0) != 0;
}

/* The first field, where nothing but delimiters is behind it, as spreadsheets fill up a title's row; else the line. */
static cli_span title_of(const search *f, const cli_line *line)
{
    cli_span all = cli_span_at(line, '\n', 0);
    char delimiter = f->delimiter != 0 ? f->delimiter : cli_frequent_delimiter(line, '\n');
    cli_line rest = *line;
    cli_span first = cli_span_next(&rest, delimiter), other;
    while ((other = cli_span_next(&rest, delimiter)).text != NULL)
        if (other.length > 0)
            return all;
    return first;
}

/* Tells whether a line may be a title: one field that is neither a number nor the name of a value column. */
static bool may_be_title(const search *f, const cli_line *line)
{
    cli_span title = title_of(f, line);
    cli_line alone = {title.text, title.length, 0};
    bool value = title.length == 5 && strncasecmp(title.text, "value", 5) == 0;
    return !value && !has_fields(f, &alone) && !cli_line_data(&alone, '\n');
}

/* Goes to the header behind titles; false if no header is there, so that the lines are no titles. */
static bool skip_titles(cli_source *s, search *f, cli_line *line)
{
    while (may_be_title(f, line)) {
        f->titles++;
        f->number++;
        if (!next_line(s, f, line))
            return false;
    }
    char delimiter = f->delimiter != 0 ? f->delimiter : cli_frequent_delimiter(line, ',');
    return has_fields(f, line) && !cli_line_data(line, delimiter);
}

static void keep_title(cli_layout *layout, cli_span f)
{
    if (f.length >= 2 && f.text[0] == '"' && f.text[f.length - 1] == '"')
        f = (cli_span){f.text + 1, f.length - 2};
    size_t shown = cli_utf8_cut(f.text, f.length, sizeof layout->title - 1);
    memcpy(layout->title, f.text, shown);
    layout->title[shown] = '\0';
}

/* Tells whether the last comment is the header: it has as many fields as the first row, as with sadf and gnuplot. */
static bool comment_is_header(cli_source *s, const search *f, const cli_line *row, char delimiter)
{
    cli_line line;
    size_t next, fields = cli_span_count(row, delimiter);
    return f->comments > 0 && fields > 1 && cli_line_data(row, delimiter) && cli_line_at(s, f->comment, &line, &next) &&
           cli_span_count(&line, delimiter) == fields && !cli_line_data(&line, delimiter);
}

static cli_line settle(cli_source *s, const cli_options *options, const search *f, cli_layout *layout)
{
    cli_line line;
    size_t next;
    cli_line_at(s, f->place, &line, &next);
    layout->delimiter = f->delimiter;
    if (f->delimiter == 0)
        layout->delimiter = cli_frequent_delimiter(&line, options->decimal == ',' ? ';' : ',');
    layout->in_comment = options->header != CLI_HEADER_NO && comment_is_header(s, f, &line, layout->delimiter);
    layout->lines = layout->in_comment ? f->comment_number : f->number;
    layout->comments = f->comments - layout->in_comment;
    layout->titles = f->titles;
    return line;
}

cli_line cli_find_header(cli_source *s, const cli_options *options, char delimiter, cli_layout *layout)
{
    search f = {.delimiter = delimiter};
    cli_line line;
    bool any = next_line(s, &f, &line);
    if (any && is_separator(&line, &f.delimiter)) {
        keep_title(layout, cli_span_at(&line, '\n', 0));
        f.titles++;
        f.number++;
        any = next_line(s, &f, &line);
    }
    layout->delimiter = f.delimiter != 0 ? f.delimiter : ',';
    if (!any)
        return (cli_line){"", 0, 0};
    search ahead = f;
    cli_line first = line;
    size_t place = f.place;
    if (options->header != CLI_HEADER_NO && skip_titles(s, &ahead, &line))
        f = ahead;
    if (f.place != place && layout->title[0] == '\0' && cli_line_at(s, place, &first, &place))
        keep_title(layout, title_of(&f, &first));
    return settle(s, options, &f, layout);
}
