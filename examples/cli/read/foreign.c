/* SPDX-License-Identifier: MIT foreign.c - formats that people have and the program does not read: one message that
 * says how to convert them, instead of a reject for each line. docs/program.md shows the commands;
 * tests/program/cases/foreign.sh runs them.
 */
#include "read/foreign.h"

#include "read/layout.h"

#include <string.h>

enum { SEEN = 1024 }; /* bytes that are looked at for the signs of JSON */

static const char prometheus[] =
    "this looks like Prometheus's text format, one value of each metric; of many scrapes it can be read: "
    "sed -nE 's/^([a-zA-Z_:][^{ ]*(\\{.*\\})?) +([^ ]+).*/\\1\\t\\3/p' FILE... | anomaly -i txt";
static const char query[] = "this looks like an answer of Prometheus's query API; as lines it can be read: "
                            "jq -r '.data.result[] | (.metric | tostring) as $m | (.values // [.value])[] | "
                            "[$m, .[1], .[0]] | @tsv' FILE | anomaly -i txt";
static const char access_log[] =
    "this looks like a web server's access log; as lines of metric and value it can be read: "
    "awk '{ print $7 \"\\t\" $10 }' FILE | anomaly -i txt (bytes by path; $NF is the last field)";
static bool starts(const cli_line *line, const char *with)
{
    size_t n = strlen(with);
    return line->length >= n && memcmp(line->text, with, n) == 0;
}

/* Finds the place behind the first occurrence of `what`; NULL if there is none. */
static const char *behind(const char *text, size_t length, const char *what)
{
    size_t n = strlen(what);
    for (size_t i = 0; i + n <= length; i++)
        if (memcmp(text + i, what, n) == 0)
            return text + i + n;
    return NULL;
}

/* Tells a sample as of Prometheus, name{label="x"} 1: a brace behind a name, and a number behind the closing brace. */
static bool is_sample(const cli_line *line)
{
    const char *open = memchr(line->text, '{', line->length);
    const char *close = open != NULL ? behind(open, line->length - (size_t)(open - line->text), "\"} ") : NULL;
    if (close == NULL || open == line->text)
        return false;
    cli_line rest = {close, line->length - (size_t)(close - line->text), 0};
    cli_span first = cli_span_next(&rest, ' ');
    while (first.text != NULL && first.length == 0)
        first = cli_span_next(&rest, ' ');
    return first.text != NULL && cli_span_number(first);
}

/* Tells a line of an access log by its date: [04/Mar/2025:14:00:00 +0100] "GET ... */
static bool is_access(const cli_line *line)
{
    const char *date = behind(line->text, line->length, " ["), *end = line->text + line->length;
    return date != NULL && end - date > 30 && date[2] == '/' && date[6] == '/' && date[11] == ':' &&
           behind(date, (size_t)(end - date), "] \"") != NULL;
}

const char *cli_foreign(cli_source *s)
{
    cli_line line = cli_first_line(s);
    const char *start = s->buffer + s->pos;
    size_t seen = s->end - s->pos < SEEN ? s->end - s->pos : SEEN;
    if (line.length == 0)
        return NULL;
    if (starts(&line, "# HELP ") || starts(&line, "# TYPE ") || is_sample(&line))
        return prometheus;
    if (line.text[0] == '{' && behind(start, seen, "\"resultType\"") != NULL)
        return query;
    return is_access(&line) ? access_log : NULL;
}
