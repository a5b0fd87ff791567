/* SPDX-License-Identifier: MIT
 * reader_prometheus.c - Prometheus's text format, and OpenMetrics: name{label="x"} 1.5 1395066363000
 *
 * The name with its labels, as they are written, is the metric. Comments are skipped, but those that say which metrics
 * are counters: a counter only grows, so what is to be judged is its growth. What stands behind a `#` after the value
 * (an exemplar of OpenMetrics) is not read.
 */
#include "read/reader_prometheus.h"

#include "read/samples.h"

#include <ctype.h>
#include <string.h>

enum { SHOWN = 3 }; /* counters whose names are told */

typedef struct reader {
    cli_samples samples;
    size_t counters; /* seen while looking */
} reader;

static const char *skip_blanks(const char *s, const char *end)
{
    while (s < end && cli_is_blank(*s))
        s++;
    return s;
}

static const char *skip_word(const char *s, const char *end)
{
    while (s < end && !cli_is_blank(*s))
        s++;
    return s;
}

/* Finds the place behind the labels that begin at `s`; NULL if they do not end. */
static const char *behind_labels(const char *s, const char *end)
{
    bool quoted = false;
    for (s++; s < end; s++) {
        if (quoted && *s == '\\')
            s++;
        else if (*s == '"')
            quoted = !quoted;
        else if (*s == '}' && !quoted)
            return s + 1;
    }
    return NULL;
}

static bool begins_name(char c)
{
    return isalpha((unsigned char)c) || c == '_' || c == ':' || c == '{';
}

/* Finds the place behind the name and its labels; NULL if there is no name, or the labels do not end. */
static const char *behind_key(const char *s, const char *end)
{
    if (s == end || !begins_name(*s))
        return NULL;
    while (s < end && !cli_is_blank(*s) && *s != '{')
        s++;
    const char *next = skip_blanks(s, end);
    return next < end && *next == '{' ? behind_labels(next, end) : s;
}

static cli_span next_word(const char **s, const char *end)
{
    const char *from = skip_blanks(*s, end);
    *s = skip_word(from, end);
    return (cli_span){from, (size_t)(*s - from)};
}

/* Cuts a line into metric, value and time; false if it is no sample. */
static bool cut(const cli_line *line, cli_sample *sample)
{
    const char *s = line->text, *end = s + line->length, *behind = behind_key(s, end);
    if (behind == NULL)
        return false;
    *sample = (cli_sample){line->number, {s, (size_t)(behind - s)}, next_word(&behind, end), {behind, 0}};
    if (sample->value.length == 0)
        return false;
    behind = skip_blanks(behind, end);
    if (behind < end && *behind != '#')
        sample->time = next_word(&behind, end);
    behind = skip_blanks(behind, end);
    return behind == end || *behind == '#';
}

static bool starts(const cli_line *line, const char *with)
{
    size_t n = strlen(with);
    return line->length >= n && memcmp(line->text, with, n) == 0;
}

bool cli_is_prometheus(const cli_line *line)
{
    cli_sample sample;
    if (starts(line, "# HELP ") || starts(line, "# TYPE "))
        return true;
    bool labels = cut(line, &sample) && sample.key.text[sample.key.length - 1] == '}';
    const char *quote = labels ? memchr(sample.key.text, '"', sample.key.length) : NULL;
    return quote != NULL && sample.key.text[sample.key.length - 2] == '"' && cli_span_number(sample.value);
}

/* Notes the counter that a comment tells of: # TYPE http_requests_total counter */
static void note_type(reader *r, const cli_line *line)
{
    static const char begin[] = "# TYPE ";
    const char *s = line->text + strlen(begin), *end = line->text + line->length;
    if (!r->samples.looking || !starts(line, begin))
        return;
    cli_span name = next_word(&s, end), type = next_word(&s, end);
    cli_buffer *told = &r->samples.rows.remark;
    if (type.length != 7 || memcmp(type.text, "counter", 7) != 0 || r->counters++ >= SHOWN)
        return;
    cli_buffer_text(told, r->counters == 1 ? "" : ", ");
    cli_add_printable(told, name.text, name.length);
}

static void take_line(void *context, const cli_line *line)
{
    reader *r = context;
    cli_sample sample;
    if (*line->text == '#')
        note_type(r, line);
    else if (cut(line, &sample))
        cli_samples_add(&r->samples, &sample);
    else
        cli_samples_reject(&r->samples, line->number, CLI_BAD_LINE, "not a sample as name{label=\"x\"} 1.5");
}

/* Completes the remark on counters, once the look is over: ... (counters: judge how fast they grow by ...) */
static void end_look(void *context)
{
    reader *r = context;
    cli_rows *rows = &r->samples.rows;
    if (!r->samples.looking || r->counters == 0)
        return;
    cli_buffer_text(&rows->remark, r->counters > SHOWN ? ", ..." : "");
    cli_buffer_text(&rows->remark, r->counters > 1 ? " are counters" : " is a counter");
    cli_rows_offer_growth(rows, cli_samples_have_times(&r->samples), &rows->remark);
}

void cli_read_prometheus(cli_source *source, const cli_options *options, const cli_sink *sink)
{
    reader r = {.counters = 0};
    const cli_line_format format = {.take = take_line, .end = end_look, .context = &r};
    cli_samples_init(&r.samples, source, options, sink);
    r.samples.rows.format = "Prometheus text";
    cli_samples_read(&r.samples, &format);
    cli_samples_free(&r.samples);
}
