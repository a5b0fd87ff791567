/* SPDX-License-Identifier: MIT
 * backtest.c - anomaly backtest: the alarms of a run beside the incidents that people know of.
 */
#include "backtest/backtest.h"

#include "write/record.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY    86400e9
#define SECOND 1e9

static bool holds(const cli_incident *incident, const cli_record *r, int64_t grace)
{
    bool of_key = incident->key == NULL ||
                  (incident->key_length == r->key_length && memcmp(incident->key, r->key, r->key_length) == 0);
    /* after the end by a difference that cannot overflow: both may be any time */
    return of_key && r->time >= incident->start &&
           (r->time <= incident->end || (uint64_t)r->time - (uint64_t)incident->end <= (uint64_t)grace);
}

static void note_alarm(cli_backtest *b, const cli_record *r, int64_t grace)
{
    bool known = false;
    for (size_t i = 0; i < b->incidents.count; i++) {
        cli_incident *incident = &b->incidents.items[i];
        if (!holds(incident, r, grace))
            continue;
        known = true;
        if (!incident->found || r->time < incident->alarm)
            incident->alarm = r->time;
        incident->found = true;
    }
    b->false_alarms += !known;
}

void cli_backtest_note(void *context, const cli_options *options, const cli_record *record, bool told)
{
    cli_backtest *b = context;
    (void)cli_key_index_get(&b->keys, record->key, record->key_length, SIZE_MAX);
    if (record->time == ANOMALY_NO_TIME) {
        b->untimed++;
        return;
    }
    b->first = b->events == 0 || record->time < b->first ? record->time : b->first;
    b->last = b->events == 0 || record->time > b->last ? record->time : b->last;
    b->events++;
    if (told)
        note_alarm(b, record, options->grace_ns);
}

void cli_backtest_free(cli_backtest *b)
{
    cli_incidents_free(&b->incidents);
    cli_key_index_free(&b->keys);
}

/* ---- figures ---- */

static double span(int64_t from, int64_t to)
{
    return (double)((uint64_t)to - (uint64_t)from);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

typedef struct figures {
    size_t found;
    double median, worst; /* delays; NaN: nothing was found */
    double days, a_day;   /* NaN: all events have one time */
} figures;

static figures figures_of(const cli_backtest *b)
{
    figures f = {.median = NAN, .worst = NAN, .days = span(b->first, b->last) / DAY};
    double *delays = cli_resize(NULL, b->incidents.count + 1, sizeof *delays);
    for (size_t i = 0; i < b->incidents.count; i++)
        if (b->incidents.items[i].found)
            delays[f.found++] = span(b->incidents.items[i].start, b->incidents.items[i].alarm);
    qsort(delays, f.found, sizeof *delays, by_size);
    if (f.found > 0) {
        f.median = (delays[(f.found - 1) / 2] + delays[f.found / 2]) / 2;
        f.worst = delays[f.found - 1];
    }
    f.a_day = f.days > 0 ? (double)b->false_alarms / f.days : NAN;
    free(delays);
    return f;
}

/* ---- text ---- */

static void add_span(cli_buffer *out, const char *before, double ns)
{
    char text[CLI_TIME_SIZE];
    cli_format_span(text, ns);
    cli_buffer_text(out, before);
    cli_buffer_text(out, text);
}

static void add_incident(cli_buffer *out, const cli_incident *incident)
{
    cli_buffer_text(out, incident->found ? "found         line " : "missed        line ");
    cli_buffer_uint(out, incident->line);
    cli_buffer_text(out, "  ");
    if (incident->key_length > 0) {
        cli_add_printable(out, incident->key, incident->key_length);
        cli_buffer_text(out, "  ");
    }
    cli_add_time(out, incident->start);
    cli_buffer_text(out, " to ");
    cli_add_time(out, incident->end);
    if (incident->found)
        add_span(out, "  after ", span(incident->start, incident->alarm));
    cli_buffer_char(out, '\n');
}

static void add_text(cli_buffer *out, const cli_backtest *b, const figures *f)
{
    char rate[32];
    cli_buffer_text(out, "incidents     ");
    cli_buffer_uint(out, f->found);
    cli_buffer_text(out, " of ");
    cli_buffer_uint(out, b->incidents.count);
    cli_buffer_text(out, " found\nfalse alarms  ");
    cli_buffer_uint(out, b->false_alarms);
    if (!isnan(f->a_day)) {
        snprintf(rate, sizeof rate, ", %.2g a day", f->a_day);
        cli_buffer_text(out, rate);
    }
    if (f->found > 0) {
        add_span(out, "\ndelay         median ", f->median);
        add_span(out, ", worst ", f->worst);
    }
    cli_buffer_char(out, '\n');
    for (size_t i = 0; i < b->incidents.count; i++)
        add_incident(out, &b->incidents.items[i]);
}

/* ---- JSON ---- */

static void add_member(cli_buffer *out, const char *before, double number)
{
    cli_buffer_text(out, before);
    cli_add_number(out, number, "null");
}

static void add_time_member(cli_buffer *out, const char *before, int64_t time)
{
    cli_buffer_text(out, before);
    cli_buffer_char(out, '"');
    cli_add_time(out, time);
    cli_buffer_char(out, '"');
}

static void add_json_incidents(cli_buffer *out, const cli_backtest *b, bool found)
{
    bool any = false;
    for (size_t i = 0; i < b->incidents.count; i++) {
        const cli_incident *incident = &b->incidents.items[i];
        if (incident->found != found)
            continue;
        cli_buffer_text(out, any ? ",{\"line\":" : "{\"line\":");
        any = true;
        cli_buffer_uint(out, incident->line);
        cli_buffer_text(out, ",\"key\":");
        if (incident->key == NULL)
            cli_buffer_text(out, "null");
        else
            cli_add_json_string(out, incident->key, incident->key_length);
        add_time_member(out, ",\"start\":", incident->start);
        add_time_member(out, ",\"end\":", incident->end);
        if (found)
            add_member(out, ",\"delay_s\":", span(incident->start, incident->alarm) / SECOND);
        cli_buffer_char(out, '}');
    }
}

static void add_json(cli_buffer *out, const cli_backtest *b, const figures *f)
{
    cli_buffer_text(out, "{\"found\":[");
    add_json_incidents(out, b, true);
    cli_buffer_text(out, "],\"missed\":[");
    add_json_incidents(out, b, false);
    cli_buffer_text(out, "],\"false_alarms\":");
    cli_buffer_uint(out, b->false_alarms);
    add_member(out, ",\"false_alarms_per_day\":", f->a_day);
    add_member(out, ",\"days\":", f->days);
    add_member(out, ",\"delay_median_s\":", f->median / SECOND);
    add_member(out, ",\"delay_worst_s\":", f->worst / SECOND);
    cli_buffer_text(out, "}\n");
}

/* ---- all ---- */

/* A key with a typing error would make an incident that nothing can find. */
static bool check_keys(cli_backtest *b, cli_session *session)
{
    bool good = true;
    for (size_t i = 0; i < b->incidents.count; i++) {
        const cli_incident *incident = &b->incidents.items[i];
        if (incident->key == NULL || cli_key_index_get(&b->keys, incident->key, incident->key_length, 0) != SIZE_MAX)
            continue;
        cli_buffer shown = {0};
        cli_add_printable(&shown, incident->key, incident->key_length);
        cli_buffer_char(&shown, '\0');
        cli_say(&session->terminal, session->options->labels, incident->line, "no event has this key", shown.data);
        cli_buffer_free(&shown);
        good = false;
    }
    return good;
}

static bool check(cli_backtest *b, cli_session *session)
{
    if (b->untimed == 0 && b->events > 0)
        return check_keys(b, session);
    cli_say(&session->terminal, "anomaly", 0,
            b->untimed > 0 ? "backtest: there are events without a time, name its column with --time"
                           : "backtest: there are no events",
            NULL);
    return false;
}

bool cli_backtest_say(cli_backtest *b, cli_session *session)
{
    cli_buffer out = {0};
    bool good = check(b, session);
    if (good) {
        figures f = figures_of(b);
        (session->options->output == CLI_TO_TABLE ? add_text : add_json)(&out, b, &f);
        if (fwrite(out.data, 1, out.length, stdout) != out.length || fflush(stdout) != 0) {
            cli_say(&session->terminal, "standard output", 0, strerror(errno), NULL);
            good = false;
        }
    }
    session->failed |= !good;
    cli_buffer_free(&out);
    return good;
}
