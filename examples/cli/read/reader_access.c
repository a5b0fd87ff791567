/* SPDX-License-Identifier: MIT
 * reader_access.c - access logs of web servers, and their error logs.
 *
 * A request by itself is no event to judge; how many there are, and how they end, is. The requests are counted by
 * intervals of the log's own time, and a row is made of an interval when a request of a later one shows that it has
 * ended. A request that comes late by less than an interval counts in the one that is open: servers write a request
 * when it has ended, and some write the time of its begin. The last interval of a log has not ended: it makes no row,
 * and the place to read on at stays before it.
 */
#include "read/reader_access.h"

#include "read/intervals.h"
#include "read/log_format.h"
#include "read/samples.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PARTS = 8, LINES = 5, GAP = 10000 };

enum { REQUESTS, CLIENT_ERRORS, SERVER_ERRORS, BYTES, LATENCY, METRICS };

static const char *const metrics[METRICS] = {"requests/min", "4xx share", "5xx share", "bytes/min", "latency"};

/* A part of a group: a field, or what is cut out of the request's line. */
typedef struct part {
    enum { WHOLE, METHOD, PATH } cut;
    size_t field;
} part;

typedef struct reader {
    cli_samples samples;
    cli_options options; /* of the rows that are made: metric, value and timestamp */
    const cli_options *asked;
    cli_log_format format;
    cli_buffer name;
    size_t time, status, bytes, seconds; /* fields; CLI_LOG_FIELDS: there is none */
    part parts[PARTS];
    size_t part_count;
    int64_t length_ns;
    cli_clock clock;
    cli_interval interval;
    cli_position place; /* of the first line of the interval */
    bool first;         /* no request has been counted yet */
    bool ended;         /* an interval has ended */
    bool told;          /* that there are very many groups */
    cli_buffer group, key;
} reader;

/* Tells whether lines have a level, as those of error logs: then there are no requests to count. */
static bool has_levels(const reader *r)
{
    return cli_log_format_find(&r->format, "level") < CLI_LOG_FIELDS;
}

static const char *metric_name(const reader *r, size_t metric)
{
    return metric == REQUESTS && has_levels(r) ? "lines/min" : metrics[metric];
}

/* ---- what is asked for ---- */

static size_t find_first(const cli_log_format *f, const char *const *names, size_t count)
{
    size_t field = CLI_LOG_FIELDS;
    for (size_t i = 0; i < count && field == CLI_LOG_FIELDS; i++)
        field = cli_log_format_find(f, names[i]);
    return field;
}

static void find_fields(reader *r)
{
    static const char *const times[] = {"time_local", "time_iso8601", "msec"}, *const sizes[] = {"body_bytes_sent",
                                                                                                 "bytes_sent"};
    r->time = find_first(&r->format, times, 3);
    r->bytes = find_first(&r->format, sizes, 2);
    r->status = cli_log_format_find(&r->format, "status");
    r->seconds = cli_log_format_find(&r->format, "request_time");
}

/* Finds what a name of --key means: a field, or path and method of the request. */
static part find_part(const cli_log_format *f, const char *name)
{
    static const char *const paths[] = {"request", "request_uri", "uri"}, *const methods[] = {"request", "request_method"};
    part p = {WHOLE, cli_log_format_find(f, *name == '$' ? name + 1 : name)};
    if (p.field == CLI_LOG_FIELDS && strcmp(name, "path") == 0)
        p = (part){PATH, find_first(f, paths, 3)};
    else if (p.field == CLI_LOG_FIELDS && strcmp(name, "method") == 0)
        p = (part){METHOD, find_first(f, methods, 2)};
    return p;
}

static bool fail(reader *r, const char *why)
{
    r->samples.rows.sink->fail(r->samples.rows.sink->context, 0, why);
    return false;
}

/* Says: no field "x" in the log's format (there are: path, method, status). Answers false. */
static bool no_field(reader *r, const char *name)
{
    cli_buffer text = {0};
    cli_buffer_text(&text, "no field \"");
    cli_add_name(&text, name);
    cli_buffer_text(&text, "\" in the log's format (there are: path, method");
    for (size_t i = 0; i < r->format.count; i++) {
        cli_buffer_text(&text, ", ");
        cli_add_printable(&text, r->format.names[i].text, r->format.names[i].length);
    }
    cli_buffer_text(&text, ")");
    cli_buffer_char(&text, '\0');
    fail(r, text.data);
    cli_buffer_free(&text);
    return false;
}

static bool find_parts(reader *r)
{
    const cli_list *keys = &r->asked->keys;
    if (keys->count > PARTS)
        return fail(r, "at most 8 fields of an access log make a key");
    for (size_t i = 0; i < keys->count; i++) {
        part p = find_part(&r->format, keys->items[i]);
        if (p.field == CLI_LOG_FIELDS)
            return no_field(r, keys->items[i]);
        r->parts[r->part_count++] = p;
    }
    return true;
}

/* Checks that --value names what is counted. */
static bool check_values(reader *r)
{
    const cli_list *values = &r->asked->values;
    for (size_t i = 0; i < values->count; i++) {
        size_t k = 0;
        while (k < METRICS && strcmp(metric_name(r, k), values->items[i]) != 0)
            k++;
        if (k == METRICS)
            return fail(r, "--value of an access log names some of requests/min (of an error log lines/min), 4xx share, "
                           "5xx share, bytes/min, latency");
    }
    return true;
}

static bool find_format(reader *r)
{
    const char *why = NULL, *name = "--format", *pattern = r->asked->log_format;
    if (pattern == NULL)
        pattern = cli_access_format(r->samples.source, &name);
    if (pattern == NULL)
        return fail(r,
                    "no form of access log that is known: --format says how its lines are written, as log_format of nginx");
    bool known = r->asked->log_format == NULL || strchr(pattern, '$') == NULL;
    if (!cli_log_format_read(&r->format, r->asked->log_format == NULL ? name : pattern, &why)) {
        cli_buffer text = {0};
        cli_buffer_text(&text, "--format ");
        cli_buffer_text(&text, why);
        cli_buffer_char(&text, '\0');
        fail(r, text.data);
        cli_buffer_free(&text);
        return false;
    }
    char span[CLI_TIME_SIZE];
    cli_format_span(span, (double)r->length_ns);
    cli_buffer_text(&r->name, has_levels(r) ? "log (" : "access log (");
    cli_buffer_text(&r->name, r->asked->log_format == NULL ? name : known ? pattern : "--format");
    cli_buffer_text(&r->name, ") counted by ");
    cli_buffer_text(&r->name, span);
    cli_buffer_char(&r->name, '\0');
    r->samples.rows.format = r->name.data;
    return true;
}

/* ---- an interval as rows ---- */

static bool is_wanted(const reader *r, size_t metric)
{
    return !r->asked->values.given || cli_list_has(&r->asked->values, metric_name(r, metric));
}

static void add_metric(reader *r, const cli_sums *s, size_t metric, double value, cli_span time)
{
    char number[CLI_NUMBER_SIZE];
    if (!is_wanted(r, metric))
        return;
    r->key.length = 0;
    cli_buffer_add(&r->key, s->group, s->group_length);
    cli_buffer_text(&r->key, s->group_length > 0 ? " " : "");
    cli_buffer_text(&r->key, metric_name(r, metric));
    size_t length = cli_format_number(number, value);
    cli_samples_add(&r->samples, &(cli_sample){r->interval.line, {r->key.data, r->key.length}, {number, length}, time});
}

static void add_sums(reader *r, const cli_sums *s)
{
    char text[CLI_TIME_SIZE];
    const cli_span time = {text, cli_format_time(text, r->interval.begin_ns)};
    double minutes = (double)r->interval.covered_ns / 6e10, requests = (double)s->requests;
    add_metric(r, s, REQUESTS, requests / minutes, time);
    if (r->status < CLI_LOG_FIELDS && s->requests > 0) {
        add_metric(r, s, CLIENT_ERRORS, (double)s->client_errors / requests, time);
        add_metric(r, s, SERVER_ERRORS, (double)s->server_errors / requests, time);
    }
    if (r->bytes < CLI_LOG_FIELDS)
        add_metric(r, s, BYTES, s->bytes / minutes, time);
    if (s->timed > 0)
        add_metric(r, s, LATENCY, s->seconds / (double)s->timed, time);
}

static void end_interval(reader *r)
{
    bool enough = 2 * r->interval.covered_ns >= r->length_ns;
    for (size_t i = 0; enough && i < r->interval.count; i++)
        add_sums(r, &r->interval.sums[i]);
    if (!enough)
        cli_samples_note(&r->samples, r->interval.line, "the log begins late in its first interval, which is left out");
    r->interval.open = false;
    r->ended |= !r->samples.looking;
}

/* Makes rows of the intervals without a request before `begin_ns`: nobody came. Within groups nothing is made of
 * them. */
static void fill_gap(reader *r, int64_t begin_ns, uint64_t line)
{
    const cli_sums none = {.group = NULL};
    int64_t empty = begin_ns / r->length_ns - r->interval.begin_ns / r->length_ns - 1;
    if (r->part_count > 0 || empty <= 0)
        return;
    if (empty > GAP) {
        cli_samples_note(&r->samples, line, "more than 10000 intervals without a request before this line: left out");
        return;
    }
    r->interval.line = line;
    r->interval.covered_ns = r->length_ns;
    for (int64_t i = 0; i < empty; i++) {
        r->interval.begin_ns += r->length_ns;
        add_sums(r, &none);
    }
}

static void begin_interval(reader *r, int64_t begin_ns, int64_t time, const cli_line *line)
{
    int64_t covered = r->first ? begin_ns + r->length_ns - time : r->length_ns;
    cli_interval_open(&r->interval, begin_ns, covered, line->number);
    if (r->samples.looking)
        return;
    r->place = cli_source_place(r->samples.source, line);
    r->first = false;
}

/* Ends and begins intervals as the time of a request says. */
static void move_to(reader *r, int64_t time, const cli_line *line)
{
    int64_t within = time % r->length_ns, begin_ns = time - within - (within < 0 ? r->length_ns : 0);
    bool was_open = r->interval.open, later = begin_ns > r->interval.begin_ns;
    if (was_open && !later && time >= r->interval.begin_ns - r->length_ns)
        return;
    if (was_open)
        end_interval(r);
    if (was_open && later)
        fill_gap(r, begin_ns, line->number);
    begin_interval(r, begin_ns, time, line);
}

/* ---- a line ---- */

static bool reject(reader *r, uint64_t line, enum cli_reason reason, const char *why, size_t field)
{
    cli_buffer text = {0};
    cli_buffer_text(&text, why);
    cli_buffer_text(&text, " in $");
    cli_add_printable(&text, r->format.names[field].text, r->format.names[field].length);
    cli_buffer_char(&text, '\0');
    cli_samples_reject(&r->samples, line, reason, text.data);
    cli_buffer_free(&text);
    return false;
}

/* Reads the time of a line; false after a reject. Times whose intervals would pass the range of times are refused. */
static bool read_time(reader *r, cli_span text, const cli_line *line, int64_t *time)
{
    const char *why;
    if (!cli_parse_time(&r->clock, text.text, text.length, time, &why))
        return reject(r, line->number, CLI_BAD_TIME, why, r->time);
    if (*time > INT64_MAX - 2 * r->length_ns || *time < INT64_MIN + 2 * r->length_ns)
        return reject(r, line->number, CLI_BAD_TIME, "a time out of range", r->time);
    return true;
}

static cli_span cut_request(cli_span request, const part *p)
{
    const char *s = request.text, *end = s + request.length, *blank = memchr(s, ' ', request.length);
    if (p->cut == METHOD)
        return (cli_span){s, blank != NULL ? (size_t)(blank - s) : request.length};
    if (blank != NULL && *s != '/') {
        s = blank + 1;
        blank = memchr(s, ' ', (size_t)(end - s));
    }
    end = blank != NULL ? blank : end;
    const char *query = memchr(s, '?', (size_t)(end - s));
    return (cli_span){s, (size_t)((query != NULL ? query : end) - s)};
}

/* Puts the group together; false if it is too long for a key. */
static bool make_group(reader *r, const cli_span values[])
{
    r->group.length = 0;
    for (size_t i = 0; i < r->part_count; i++) {
        cli_span s = values[r->parts[i].field];
        s = r->parts[i].cut == WHOLE ? s : cut_request(s, &r->parts[i]);
        cli_buffer_text(&r->group, i > 0 ? "/" : "");
        if (r->part_count > 1)
            cli_rows_add_part(&r->group, s.text, s.length);
        else
            cli_buffer_add(&r->group, s.text, s.length);
    }
    return r->group.length + 1 + strlen(metrics[REQUESTS]) <= CLI_KEY_MAX;
}

static double number_at(const cli_span values[], size_t field)
{
    double x;
    bool there = field < CLI_LOG_FIELDS && cli_span_number(values[field]);
    return there && cli_parse_number(values[field].text, values[field].length, &x) == CLI_NUMBER_OK ? x : (double)NAN;
}

/* Checks a number that must be one, or a dash for none. */
static bool is_number(const cli_span values[], size_t field)
{
    return field == CLI_LOG_FIELDS || cli_span_number(values[field]) ||
           (values[field].length == 1 && *values[field].text == '-');
}

static bool check_numbers(reader *r, const cli_span values[], uint64_t line)
{
    const size_t fields[] = {r->status, r->bytes, r->seconds};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (!is_number(values, fields[i]))
            return reject(r, line, CLI_BAD_NUMBER, "not a number", fields[i]);
    return true;
}

static unsigned status_of(double x)
{
    return x >= 100 && x < 1000 ? (unsigned)x : 0;
}

static void count(reader *r, const cli_span values[], uint64_t line)
{
    const cli_request request = {{r->group.length > 0 ? r->group.data : "", r->group.length},
                                 number_at(values, r->bytes),
                                 number_at(values, r->seconds),
                                 status_of(number_at(values, r->status))};
    bool room = cli_interval_count(&r->interval, &request);
    if (!room && !r->told && !r->samples.looking) {
        r->told = true;
        cli_samples_note(&r->samples, line,
                         "more than 10000 keys in one interval: the further ones are counted as \"(others)\"");
    }
}

static void take_line(void *context, const cli_line *line)
{
    reader *r = context;
    cli_span values[CLI_LOG_FIELDS];
    size_t field;
    int64_t time;
    if (r->interval.open && !r->samples.looking)
        cli_source_stay(r->samples.source, &r->place); /* a line that is too long ends that */
    if (!cli_log_format_cut(&r->format, line, values, &field)) {
        reject(r, line->number, CLI_BAD_LINE, "the line does not fit the log's format", field);
        return;
    }
    if (!read_time(r, values[r->time], line, &time) || !check_numbers(r, values, line->number))
        return;
    if (!make_group(r, values)) {
        cli_samples_reject(&r->samples, line->number, CLI_LONG_KEY, NULL);
        return;
    }
    move_to(r, time, line);
    count(r, values, line->number);
    if (!r->samples.looking)
        cli_source_stay(r->samples.source, &r->place);
}

static void begin(void *context)
{
    reader *r = context;
    cli_interval_free(&r->interval);
    r->clock = r->asked->clock;
    r->first = r->samples.source->line == 1;
    cli_source_skipped(r->samples.source);
}

/* Tells of the last interval, which makes no row. */
static void tell_last(reader *r)
{
    cli_buffer text = {0};
    char time[CLI_TIME_SIZE];
    uint64_t requests = 0;
    for (size_t i = 0; i < r->interval.count; i++)
        requests += r->interval.sums[i].requests;
    cli_format_time(time, r->interval.begin_ns);
    cli_buffer_text(&text, "the last interval, from ");
    cli_buffer_text(&text, time);
    cli_buffer_text(&text, ", has not ended: ");
    cli_buffer_uint(&text, requests);
    cli_buffer_text(&text, has_levels(r) ? " line" : " request");
    cli_buffer_text(&text, requests == 1 ? " is" : "s are");
    cli_buffer_text(&text, r->asked->resume ? " left for the next run" : " not judged");
    cli_buffer_text(&text, r->ended ? "" : "; --interval makes intervals shorter");
    cli_buffer_char(&text, '\0');
    cli_samples_note(&r->samples, 0, text.data);
    cli_buffer_free(&text);
}

static void end(void *context)
{
    reader *r = context;
    if (r->interval.open && r->samples.looking)
        end_interval(r);
    if (r->samples.looking)
        r->samples.rows.few = cli_source_few(r->samples.source, r->samples.rows.looked, CLI_LOOK);
    else if (r->interval.open)
        tell_last(r);
}

/* ---- the whole ---- */

const char *cli_access_format(cli_source *source, const char **name)
{
    cli_line line = cli_first_line(source);
    const char *end = source->buffer + source->end, *next = line.text + line.length;
    for (int i = 0; i < LINES && line.length > 0; i++) {
        while (line.length > 0 && cli_is_blank(line.text[line.length - 1]))
            line.length--;
        const char *pattern = cli_log_format_of(&line, name);
        if (pattern != NULL)
            return pattern;
        const char *text = next < end ? next + 1 : end, *newline = memchr(text, '\n', (size_t)(end - text));
        next = newline != NULL ? newline : end;
        line = (cli_line){text, newline != NULL ? (size_t)(newline - text) : 0, 0}; /* of those in memory: no wait */
    }
    return NULL;
}

/* The rows that are made have columns and times of their own; what was asked for is of the log. */
static cli_options options_of_rows(const cli_options *asked)
{
    cli_options o = *asked;
    o.keys = o.values = (cli_list){.given = false};
    o.clock = (cli_clock){.unit = CLI_UNIT_AUTO};
    o.decimal = 0;
    o.na = (cli_list){.given = false};
    return o;
}

void cli_read_access(cli_source *source, const cli_options *options, const cli_sink *sink)
{
    reader r = {.asked = options, .options = options_of_rows(options)};
    const cli_line_format format = {.take = take_line, .begin = begin, .end = end, .context = &r};
    r.length_ns = options->interval_ns > 0 ? options->interval_ns : CLI_INTERVAL;
    cli_samples_init(&r.samples, source, &r.options, sink);
    cli_first_line(source); /* so that what fails is not taken for an empty file */
    if (find_format(&r) && check_values(&r) && find_parts(&r)) {
        find_fields(&r);
        cli_samples_read(&r.samples, &format);
    }
    cli_samples_free(&r.samples);
    cli_interval_free(&r.interval);
    cli_buffer_free(&r.name);
    cli_buffer_free(&r.group);
    cli_buffer_free(&r.key);
}
