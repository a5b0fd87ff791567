/* SPDX-License-Identifier: MIT
 * detect.c - which format an input has: from its name's ending, then from its first bytes.
 */
#include "read/detect.h"

#include "common/times.h"
#include "read/binary.h"
#include "read/blanks.h"
#include "read/foreign.h"
#include "read/reader_access.h"
#include "read/reader_influx.h"
#include "read/reader_logfmt.h"
#include "read/reader_ping.h"
#include "read/reader_prometheus.h"
#include "read/reader_query.h"
#include "read/unpack.h"

#include <string.h>
#include <strings.h>

static const struct {
    const char *ending;
    enum cli_format format;
    char delimiter;
} endings[] = {{"csv", CLI_CSV, 0},      {"tsv", CLI_CSV, '\t'}, {"json", CLI_JSON, 0},       {"ndjson", CLI_NDJSON, 0},
               {"jsonl", CLI_NDJSON, 0}, {"txt", CLI_TXT, 0},    {"prom", CLI_PROMETHEUS, 0}, {"lp", CLI_INFLUX, 0}};

static enum cli_format format_by_name(const char *name, char *delimiter)
{
    size_t length = cli_unpacked_name(name);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t n = strlen(endings[i].ending);
        if (length <= n || name[length - n - 1] != '.' || strncasecmp(name + length - n, endings[i].ending, n) != 0)
            continue;
        *delimiter = *delimiter != 0 ? *delimiter : endings[i].delimiter;
        return endings[i].format;
    }
    return CLI_AUTO;
}

static bool has_value_column(const cli_line *line, char delimiter)
{
    cli_line rest = *line;
    cli_span f;
    while ((f = cli_span_next(&rest, delimiter)).text != NULL)
        if (f.length == 5 && memcmp(f.text, "value", 5) == 0)
            return true;
    return false;
}

static bool is_time(cli_span f)
{
    cli_clock clock = {.unit = CLI_UNIT_AUTO};
    int64_t ns;
    const char *why;
    return f.text != NULL && cli_parse_time(&clock, f.text, f.length, &ns, &why);
}

/* Tells whether a line is metric, value and a time that cannot be the name of a column: data in place of a header. */
static bool is_event(const cli_line *line, char delimiter)
{
    cli_span time = cli_span_at(line, delimiter, 2);
    return time.length >= 10 && cli_span_number(cli_span_at(line, delimiter, 1)) && is_time(time);
}

/* Tells whether a line may be TXT: a number alone; or a metric that is no number, a number, and perhaps a time. */
static bool is_txt(const cli_line *line, char delimiter)
{
    cli_span metric = cli_span_at(line, delimiter, 0), time = cli_span_at(line, delimiter, 2);
    size_t count = cli_span_count(line, delimiter);
    if (count == 1)
        return cli_span_number(metric);
    if (is_event(line, delimiter))
        return true;
    return !cli_span_data(metric, delimiter) && cli_span_number(cli_span_at(line, delimiter, 1)) &&
           (count == 2 || is_time(time));
}

/* Tells whether a comment with as many fields as this line names the line's columns: before a line of TXT the comment
 * may be any remark. */
static bool has_names(const cli_line *line, char delimiter)
{
    return delimiter == ';' || cli_span_count(line, delimiter) > 4 || !is_txt(line, delimiter);
}

/* Tells whether a line closes the brackets that it opens: then each line is one object. */
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

/* Finds the form of JSON; CLI_AUTO if the line begins none. */
static enum cli_format which_json(const cli_line *line)
{
    char first = line->length > 0 ? line->text[0] : '\0';
    return first == '[' ? CLI_JSON : first != '{' ? CLI_AUTO : balanced(line) ? CLI_NDJSON : CLI_JSON;
}

/* Decides between CSV and TXT, mainly by the lines: a file's name may say the wrong one. */
static enum cli_format table_format(const cli_options *options, const cli_layout *layout, const cli_line *line)
{
    char delimiter = layout->delimiter;
    enum cli_format format = layout->format;
    if (options->input != CLI_AUTO || line->length == 0)
        return format == CLI_AUTO ? CLI_CSV : format;
    if (options->header != CLI_HEADER_AUTO || (layout->in_comment && has_names(line, delimiter)))
        return CLI_CSV;
    if (format == CLI_TXT)
        return has_value_column(line, delimiter) ? CLI_CSV : CLI_TXT;
    if (format == CLI_CSV)
        return is_event(line, delimiter) && !layout->in_comment ? CLI_TXT : CLI_CSV;
    return is_txt(line, delimiter) ? CLI_TXT : CLI_CSV;
}

static bool is_monitoring(enum cli_format format)
{
    return format == CLI_PROMETHEUS || format == CLI_INFLUX || format == CLI_ACCESS || format == CLI_LOGFMT ||
           format == CLI_PING;
}

/* Finds the format of a monitoring tool by the first line; CLI_AUTO if it is of none. */
static enum cli_format which_monitoring(cli_source *source)
{
    const char *name;
    cli_line line = cli_first_line(source);
    if (line.length > 0 && (cli_is_prometheus(&line) || cli_is_query(source)))
        return CLI_PROMETHEUS;
    if (line.length > 0 && cli_is_influx(&line))
        return CLI_INFLUX;
    if (cli_access_format(source, &name) != NULL)
        return CLI_ACCESS;
    line = cli_first_line(source);
    if (cli_is_ping(&line))
        return CLI_PING;
    return cli_is_logfmt(&line) ? CLI_LOGFMT : CLI_AUTO;
}

/* ---- the steps: each tells whether it has decided ---- */

typedef struct detection {
    cli_source *source;
    const cli_options *options;
    bool open;      /* the command line says neither format nor delimiter */
    char delimiter; /* by the command line or the name, 0: by neither */
    cli_layout layout;
} detection;

/* Reads the first bytes. */
static bool is_no_text(detection *d)
{
    cli_first_line(d->source);
    d->layout.advice = cli_binary(d->source->buffer + d->source->pos, d->source->end - d->source->pos);
    return d->layout.advice != NULL;
}

static bool by_name(detection *d)
{
    if (d->layout.format == CLI_AUTO)
        d->layout.format = format_by_name(d->source->name, &d->delimiter);
    return d->layout.format == CLI_NDJSON || is_monitoring(d->layout.format);
}

/* The lines of monitoring tools, whatever the name; and what the program cannot read, but knows. */
static bool by_tool(detection *d)
{
    enum cli_format monitoring = d->open ? which_monitoring(d->source) : CLI_AUTO;
    if (monitoring != CLI_AUTO)
        d->layout.format = monitoring;
    else if (d->open && d->options->rows == NULL)
        d->layout.advice = cli_foreign(d->source);
    return monitoring != CLI_AUTO || d->layout.advice != NULL;
}

static bool by_brackets(detection *d)
{
    if (d->layout.format != CLI_AUTO && d->layout.format != CLI_JSON)
        return false;
    cli_line line = cli_first_line(d->source);
    enum cli_format json = which_json(&line);
    if (json != CLI_AUTO)
        d->layout.format = json;
    return d->layout.format == CLI_JSON || d->layout.format == CLI_NDJSON;
}

static bool by_blanks(detection *d)
{
    if (d->layout.format != CLI_BLANKS && d->open && cli_blanks_shown(d->source))
        d->layout.format = CLI_BLANKS;
    return d->layout.format == CLI_BLANKS;
}

/* What is left is a table, with a header or without. */
static void by_header(detection *d)
{
    cli_line line = cli_find_header(d->source, d->options, d->delimiter, &d->layout);
    d->layout.format = table_format(d->options, &d->layout, &line);
    if (d->layout.format == CLI_TXT && (d->layout.delimiter == ',' || d->layout.delimiter == '\t'))
        d->layout.delimiter = d->delimiter;
}

cli_layout cli_detect(cli_source *source, const cli_options *options)
{
    detection d = {.source = source,
                   .options = options,
                   .open = options->input == CLI_AUTO && options->delimiter == 0,
                   .delimiter = options->delimiter,
                   .layout.format = options->input};
    if (!is_no_text(&d) && !by_name(&d) && !by_tool(&d) && !by_brackets(&d) && !by_blanks(&d))
        by_header(&d);
    return d.layout;
}
