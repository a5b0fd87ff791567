/* SPDX-License-Identifier: MIT
 * detect.c - which format an input has: from its name's ending, then from its first bytes.
 */
#include "reader.h"

#include "number.h"

#include <math.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *ending;
    enum cli_format format;
    char delimiter;
} endings[] = {{"csv", CLI_CSV, 0},       {"tsv", CLI_CSV, '\t'},   {"json", CLI_JSON, 0},
               {"ndjson", CLI_NDJSON, 0}, {"jsonl", CLI_NDJSON, 0}, {"txt", CLI_TXT, 0}};

static enum cli_format by_name(const char *name, char *delimiter)
{
    size_t length = strlen(name);
    if (length > 3 && strcasecmp(name + length - 3, ".gz") == 0)
        length -= 3;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t n = strlen(endings[i].ending);
        if (length <= n || name[length - n - 1] != '.' || strncasecmp(name + length - n, endings[i].ending, n) != 0)
            continue;
        *delimiter = *delimiter != 0 ? *delimiter : endings[i].delimiter;
        return endings[i].format;
    }
    return CLI_AUTO;
}

/* The first line that is not blank, whole if CLI_HOLD allows; the source stays where it is. */
static cli_line first_line(cli_source *s)
{
    size_t from = 0;
    for (;;) {
        const char *text = s->buffer + s->pos;
        size_t length = s->end - s->pos;
        while (from < length && strchr(" \t\r\n", text[from]) != NULL && text[from] != '\0')
            from++;
        const char *newline = length > from ? memchr(text + from, '\n', length - from) : NULL;
        if (newline != NULL)
            return (cli_line){text + from, (size_t)(newline - text) - from, 0};
        if (!cli_source_more(s))
            return (cli_line){s->buffer + s->pos + from, s->end - s->pos - from, 0};
    }
}

/* The delimiter seen most often outside quotes; a comma if there is none. */
static char frequent_delimiter(const cli_line *line)
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
    return candidates[best];
}

typedef struct field {
    const char *text;
    size_t length;
} field;

/* The index-th field, without blanks around it; text NULL past the last. Quotes are not looked at. */
static field field_at(const cli_line *line, char delimiter, size_t index)
{
    const char *s = line->text, *end = s + line->length;
    while (index-- > 0) {
        const char *next = s < end ? memchr(s, delimiter, (size_t)(end - s)) : NULL;
        if (next == NULL)
            return (field){NULL, 0};
        s = next + 1;
    }
    const char *stop = s < end ? memchr(s, delimiter, (size_t)(end - s)) : NULL;
    stop = stop != NULL ? stop : end;
    while (s < stop && strchr(" \t\r", *s) != NULL)
        s++;
    while (stop > s && strchr(" \t\r", stop[-1]) != NULL)
        stop--;
    return (field){s, (size_t)(stop - s)};
}

static bool is_number(field f)
{
    double value;
    return f.length > 0 && cli_parse_number(f.text, f.length, &value) == CLI_NUMBER_OK && isfinite(value);
}

/* A line with a number in it is data, not a header. */
static bool has_number(const cli_line *line, char delimiter)
{
    field f;
    for (size_t i = 0; (f = field_at(line, delimiter, i)).text != NULL; i++)
        if (is_number(f))
            return true;
    return false;
}

static bool has_value_column(const cli_line *line, char delimiter)
{
    field f;
    if (line->length > 0 && line->text[0] == '#')
        return false; /* a comment may say what the fields are */
    for (size_t i = 0; (f = field_at(line, delimiter, i)).text != NULL; i++)
        if (f.length == 5 && memcmp(f.text, "value", 5) == 0)
            return true;
    return false;
}

/* Metric, value and a time that cannot be a column's name: data where a header should be. */
static bool is_event(const cli_line *line, char delimiter)
{
    cli_clock clock = {.unit = CLI_UNIT_AUTO};
    int64_t ns;
    const char *why;
    field time = field_at(line, delimiter, 2);
    return time.length >= 10 && is_number(field_at(line, delimiter, 1)) &&
           cli_parse_time(&clock, time.text, time.length, &ns, &why);
}

/* Whether the brackets that a line opens are closed at its end: then each line is one object. */
static bool balanced(const cli_line *line)
{
    bool quoted = false;
    int depth = 0;
    for (size_t i = 0; i < line->length; i++) {
        char c = line->text[i];
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted)
            depth += (c == '{' || c == '[') - (c == '}' || c == ']');
    }
    return depth == 0;
}

static enum cli_format by_content(const cli_line *line)
{
    char first = line->length > 0 ? line->text[0] : '\0';
    if (first == '[')
        return CLI_JSON;
    if (first == '{')
        return balanced(line) ? CLI_NDJSON : CLI_JSON;
    if (first == '#' || has_number(line, frequent_delimiter(line)))
        return CLI_TXT;
    return CLI_CSV;
}

enum cli_format cli_detect(cli_source *source, const cli_options *options, char *delimiter)
{
    *delimiter = options->delimiter;
    enum cli_format format = options->input;
    if (format == CLI_AUTO)
        format = by_name(source->name, delimiter);
    if (format == CLI_NDJSON)
        return format;
    cli_line line = first_line(source);
    if (format == CLI_AUTO || format == CLI_JSON) {
        enum cli_format found = by_content(&line);
        bool json = found == CLI_JSON || found == CLI_NDJSON;
        format = format == CLI_AUTO || json ? found : format;
    }
    char between = *delimiter != 0 ? *delimiter : frequent_delimiter(&line);
    if (options->input == CLI_AUTO && format == CLI_TXT && has_value_column(&line, between))
        format = CLI_CSV; /* it has a header, whatever its name */
    if (options->input == CLI_AUTO && format == CLI_CSV && is_event(&line, between))
        format = CLI_TXT; /* it has none */
    if (format == CLI_CSV)
        *delimiter = between;
    return format;
}

void cli_read(cli_source *source, const cli_options *options, const cli_sink *sink)
{
    char delimiter;
    switch (cli_detect(source, options, &delimiter)) {
    case CLI_TXT: cli_read_txt(source, options, delimiter, sink); break;
    case CLI_JSON: cli_read_json(source, options, false, sink); break;
    case CLI_NDJSON: cli_read_json(source, options, true, sink); break;
    default: cli_read_csv(source, options, delimiter, sink); break;
    }
}
