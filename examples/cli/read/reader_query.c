/* SPDX-License-Identifier: MIT
 * reader_query.c - answers of Prometheus's query API:
 *
 *   {"status":"success","data":{"resultType":"matrix","result":[
 *     {"metric":{"__name__":"up"},"values":[[1741096800,"1"]]}]}}
 *
 * An answer is one line of any length, so it is read value by value, and never held whole. A metric is named as in
 * Prometheus's text format: up{job="a"}.
 */
#include "read/reader_query.h"

#include "read/json_walk.h"
#include "read/samples.h"

#include <jansson.h>
#include <string.h>

enum { SEEN = 1024 };

typedef struct reader {
    cli_samples samples;
    cli_source *source;
    cli_buffer name, key;
    bool told; /* that there are histograms */
} reader;

/* Finds the place behind the first occurrence of `what` in the first bytes; NULL if it is not there. */
static const char *find_early(const cli_source *s, const char *what)
{
    size_t n = strlen(what), length = s->end - s->pos < SEEN ? s->end - s->pos : SEEN;
    for (size_t i = 0; i + n <= length; i++)
        if (memcmp(s->buffer + s->pos + i, what, n) == 0)
            return s->buffer + s->pos + i + n;
    return NULL;
}

bool cli_is_query(cli_source *s)
{
    cli_line line = cli_first_line(s);
    return line.length > 0 && *line.text == '{' &&
           (find_early(s, "\"resultType\"") != NULL || (find_early(s, "\"status\"") && find_early(s, "\"errorType\"")));
}

/* ---- names ---- */

static void add_label(cli_buffer *key, const char *name, const char *value)
{
    cli_buffer_text(key, name);
    cli_buffer_text(key, "=\"");
    for (; *value != '\0'; value++) {
        if (*value == '"' || *value == '\\' || *value == '\n')
            cli_buffer_char(key, '\\');
        cli_buffer_char(key, *value == '\n' ? 'n' : *value);
    }
    cli_buffer_char(key, '"');
}

/* Writes {"__name__":"up","job":"a"} as up{job="a"}; an answer without names is {}. */
static void name_metric(cli_buffer *key, json_t *metric)
{
    const char *name, *own = json_string_value(json_object_get(metric, "__name__"));
    json_t *value;
    size_t labels = 0;
    key->length = 0;
    cli_buffer_text(key, own != NULL ? own : "");
    json_object_foreach(metric, name, value)
    {
        if (strcmp(name, "__name__") == 0 || !json_is_string(value))
            continue;
        cli_buffer_text(key, labels++ == 0 ? "{" : ",");
        add_label(key, name, json_string_value(value));
    }
    cli_buffer_text(key, labels > 0 ? "}" : own == NULL ? "{}" : "");
}

/* ---- values ---- */

static bool reject(reader *r, const char *why)
{
    cli_samples_reject(&r->samples, r->source->line, CLI_BAD_JSON, why);
    return false;
}

/* Answers the length of the word at `s`: up to a comma, a bracket or a blank. */
static size_t word(const char *s, const char *end)
{
    size_t n = 0;
    while (s + n < end && memchr(",]\" \t\r\n", s[n], 7) == NULL)
        n++;
    return n;
}

static const char *skip(const char *s, const char *end)
{
    while (s < end && memchr(" \t\r\n,\"", *s, 6) != NULL)
        s++;
    return s;
}

/* Hands on a time and a value, as [1741096800.5,"1"] without the first bracket. */
static void add_pair(reader *r, const char *s, const char *end)
{
    cli_sample sample = {.line = r->source->line, .key = {r->key.data, r->key.length}};
    s = skip(s, end);
    sample.time = (cli_span){s, word(s, end)};
    s = skip(s + sample.time.length, end);
    sample.value = (cli_span){s, word(s, end)};
    cli_samples_add(&r->samples, &sample);
}

/* Tells how the values look, before the first one is judged: those in memory are alike, and each has a bracket. */
static void expect(reader *r, const char *s, const char *end)
{
    const cli_source *source = r->source;
    const char *text = source->buffer + source->pos, *behind = source->buffer + source->end;
    r->samples.looking = true;
    for (; text < behind && r->samples.rows.looked < CLI_LOOK; text++)
        if (*text == '[')
            add_pair(r, s, end);
    r->samples.looking = false;
}

/* Takes a time and a value; false where there are none, or no more are wanted. */
static bool take_pair(reader *r)
{
    cli_source *s = r->source;
    size_t length = cli_json_next(s) == '[' ? cli_json_hold(s) : 0;
    if (length == 0)
        return cli_source_unfinished(s) ? false : reject(r, "not a time and a value in brackets");
    const char *text = s->buffer + s->pos;
    if (!r->samples.planned)
        expect(r, text + 1, text + length);
    if (cli_source_suspects(s, text) && !cli_utf8_valid(text, length))
        reject(r, "not UTF-8");
    else
        add_pair(r, text + 1, text + length);
    cli_json_advance(s, length);
    return r->samples.on;
}

static bool take_pairs(reader *r)
{
    cli_source *s = r->source;
    if (cli_json_next(s) != '[')
        return reject(r, "values are no array");
    cli_json_advance(s, 1);
    int c;
    while ((c = cli_json_next(s)) >= 0 && c != ']')
        if (!take_pair(r))
            return false;
    if (c == ']')
        cli_json_advance(s, 1);
    return c == ']' || cli_source_unfinished(s) || reject(r, "truncated, the answer does not end");
}

static bool take_metric(reader *r)
{
    cli_source *s = r->source;
    size_t length = cli_json_next(s) == '{' ? cli_json_hold(s) : 0;
    json_error_t error;
    json_t *metric = length > 0 ? json_loadb(s->buffer + s->pos, length, JSON_REJECT_DUPLICATES, &error) : NULL;
    if (metric == NULL)
        return reject(r, "a metric that is no object");
    name_metric(&r->key, metric);
    json_decref(metric);
    cli_json_advance(s, length);
    return true;
}

static void tell_histograms(reader *r)
{
    if (!r->told)
        cli_samples_note(&r->samples, r->source->line, "native histograms are not judged");
    r->told = true;
}

static bool is_name(const reader *r, const char *name)
{
    return strcmp(r->name.data, name) == 0;
}

/* Takes a metric with its values, behind the bracket. The metric comes before them, as Prometheus writes it. */
static bool take_series(reader *r)
{
    bool good = true, named = false;
    while (good && cli_json_name(r->source, &r->name)) {
        if (is_name(r, "metric"))
            good = named = take_metric(r);
        else if (!named && (is_name(r, "value") || is_name(r, "values")))
            good = reject(r, "values before their metric");
        else if (is_name(r, "values"))
            good = take_pairs(r);
        else if (is_name(r, "value"))
            good = take_pair(r);
        else
            cli_json_pass(r->source);
        if (is_name(r, "histogram") || is_name(r, "histograms"))
            tell_histograms(r);
    }
    return good;
}

/* Takes all of a result, behind its bracket: series, or the two parts of a scalar. */
static bool take_result(reader *r)
{
    cli_source *s = r->source;
    int c = cli_json_next(s);
    if (c != '{' && c != ']') { /* a scalar */
        s->pos--;               /* to the bracket again */
        r->key.length = 0;
        cli_buffer_text(&r->key, "scalar");
        return take_pair(r);
    }
    for (; c == '{'; c = cli_json_next(s)) {
        cli_json_advance(s, 1);
        if (!take_series(r))
            return false;
    }
    if (c == ']')
        cli_json_advance(s, 1);
    return c == ']' || cli_source_unfinished(s) || reject(r, "truncated, the answer does not end");
}

/* ---- answers ---- */

/* Says why Prometheus had no result. */
static void tell_error(reader *r, const cli_buffer *error, uint64_t line)
{
    cli_buffer text = {0};
    cli_buffer_text(&text, error->length > 0 ? "Prometheus answered with an error: " : "no data.result in this answer");
    cli_add_printable(&text, error->data, error->length);
    cli_buffer_char(&text, '\0');
    cli_samples_reject(&r->samples, line, CLI_NO_MEMBER, text.data);
    cli_buffer_free(&text);
}

/* Takes an answer; false to end the reading. */
static bool take_answer(reader *r)
{
    cli_source *s = r->source;
    cli_buffer error = {0};
    const char *text = find_early(s, "\"error\":\"");
    uint64_t line = s->line;
    if (text != NULL)
        cli_buffer_add(&error, text, strcspn(text, "\""));
    bool found = cli_json_enter(s, "data.result");
    if (!found && !cli_source_unfinished(s))
        tell_error(r, &error, line);
    cli_buffer_free(&error);
    if (found && !take_result(r))
        return false;
    if (found)
        cli_json_leave(s, cli_json_depth("data.result"));
    return true;
}

static void take_answers(reader *r)
{
    int c;
    bool on = true;
    while (on && (c = cli_json_next(r->source)) >= 0)
        on = c == '{' ? take_answer(r) : reject(r, "no answer of Prometheus begins so");
}

void cli_read_query(cli_source *source, const cli_options *options, const cli_sink *sink)
{
    reader r = {.source = source};
    if (options->resume) {
        sink->fail(sink->context, 0, "an answer of Prometheus's query API is read whole, so not with --resume");
        return;
    }
    cli_samples_init(&r.samples, source, options, sink);
    r.samples.rows.format = "answer of Prometheus";
    take_answers(&r);
    cli_samples_free(&r.samples);
    cli_buffer_free(&r.name);
    cli_buffer_free(&r.key);
}
