/* SPDX-License-Identifier: MIT foreign.c - formats that people have and the program does not read: one message that
 * says how to convert them, instead of a reject for each line. docs/program.md shows the commands;
 * tests/program/cases/foreign.sh runs them.
 */
#include "read/foreign.h"

#include "read/layout.h"

#include <string.h>

enum { SEEN = 1024 }; /* bytes that are looked at for the signs of JSON */

static const char vmstat[] = "this looks like vmstat's table; as CSV it can be read: "
                             "awk -v OFS=, 'NR == 2 || $1 ~ /^[0-9]/ { $1 = $1; print }' FILE | anomaly -v us,sy";
static const char sar[] = "this looks like sar's report; sadf writes the same as CSV: "
                          "sadf -dU SA-FILE -- -u | anomaly -k CPU -v %user";
static const char prometheus[] =
    "this looks like Prometheus's text format, one value of each metric; of many scrapes it can be read: "
    "sed -nE 's/^([a-zA-Z_:][^{ ]*(\\{.*\\})?) +([^ ]+).*/\\1\\t\\3/p' FILE... | anomaly -i txt";
static const char query[] = "this looks like an answer of Prometheus's query API; as lines it can be read: "
                            "jq -r '.data.result[] | (.metric | tostring) as $m | (.values // [.value])[] | "
                            "[$m, .[1], .[0]] | @tsv' FILE | anomaly -i txt";
static const char access_log[] =
    "this looks like a web server's access log; as lines of metric and value it can be read: "
    "awk '{ print $7 \"\\t\" $10 }' FILE | anomaly -i txt (bytes by path; $NF is the last field)";
static const char blanks[] = "its fields are between blanks; as CSV it can be read: "
                             "awk -v OFS=, '{ $1 = $1; print }' FILE | anomaly";

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

/* Counts the words between blanks, 0 if the line has a delimiter; *number says whether a word is a number. */
static size_t words(const cli_line *line, bool *number)
{
    size_t count = 0;
    cli_line rest = *line;
    cli_span f;
    *number = false;
    if (cli_frequent_delimiter(line, 0) != 0)
        return 0;
    while ((f = cli_span_next(&rest, ' ')).text != NULL) {
        count += f.length > 0;
        *number |= cli_span_number(f);
    }
    return count;
}

/* Tells a table with blanks between its columns: two lines of equally many words, with a number in the second. */
static bool is_blank_table(cli_source *s, size_t from, const cli_line *first)
{
    bool number;
    cli_line second;
    size_t count = memchr("{[#", *first->text, 3) == NULL ? words(first, &number) : 0, next;
    return count > 1 && cli_line_at(s, from, &second, &next) && words(&second, &number) == count && number;
}

const char *cli_foreign(cli_source *s)
{
    cli_line line = cli_first_line(s);
    size_t next = (size_t)(line.text - (s->buffer + s->pos)) + line.length + 1;
    const char *start = s->buffer + s->pos;
    size_t seen = s->end - s->pos < SEEN ? s->end - s->pos : SEEN;
    if (line.length == 0)
        return NULL;
    if (starts(&line, "procs ") && behind(line.text, line.length, "-memory-") != NULL)
        return vmstat;
    if (starts(&line, "Linux ") && behind(line.text, line.length, "CPU)") != NULL)
        return sar;
    if (starts(&line, "# HELP ") || starts(&line, "# TYPE ") || is_sample(&line))
        return prometheus;
    if (line.text[0] == '{' && behind(start, seen, "\"resultType\"") != NULL)
        return query;
    if (is_access(&line))
        return access_log;
    return is_blank_table(s, next, &line) ? blanks : NULL;
}
