/* SPDX-License-Identifier: MIT
 * figures.c - anomaly backtest: what was found, and how soon, as text and as JSON.
 */
#include "backtest/figures.h"

#include "write/record.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY      86400e9
#define SECOND   1e9
#define THOUSAND 1000.0

typedef struct figures {
    bool counted; /* in events, not by times */
    uint64_t grace;
    size_t found;
    uint64_t false_alarms;
    double median, worst; /* delays; NaN: nothing was found */
    double span;          /* days, or thousands of events */
} figures;

/* ---- alarms of incidents ---- */

/* How far b is behind a, which is no later; without an overflow, whatever the times. */
static uint64_t between(const figures *f, cli_when a, cli_when b)
{
    return f->counted ? b.event - a.event : (uint64_t)b.time - (uint64_t)a.time;
}

static bool is_before(const figures *f, cli_when a, cli_when b)
{
    return f->counted ? a.event < b.event : a.time < b.time;
}

static bool holds(const figures *f, const cli_incident *incident, cli_when at)
{
    return !is_before(f, at, incident->start) &&
           (!is_before(f, incident->end, at) || between(f, incident->end, at) <= f->grace);
}

/* Gives an incident its first alarm, and notes which alarms are of it. */
static void match(const figures *f, cli_backtest *b, cli_incident *incident, bool *known)
{
    bool every = incident->key == NULL;
    size_t key = every ? 0 : cli_key_index_get(&b->keys, incident->key, incident->key_length, 0);
    for (size_t i = 0; i < b->alarm_count; i++) {
        const cli_noted_alarm *alarm = &b->alarms[i];
        if ((!every && alarm->key != key) || !holds(f, incident, alarm->at))
            continue;
        known[i] = true;
        if (!incident->found || is_before(f, alarm->at, incident->alarm))
            incident->alarm = alarm->at;
        incident->found = true;
    }
}

static void match_all(figures *f, cli_backtest *b)
{
    bool *known = cli_resize(NULL, b->alarm_count + 1, sizeof *known);
    memset(known, 0, b->alarm_count + 1);
    for (size_t i = 0; i < b->incidents.count; i++)
        match(f, b, &b->incidents.items[i], known);
    for (size_t i = 0; i < b->alarm_count; i++)
        f->false_alarms += !known[i];
    free(known);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double delay_of(const figures *f, const cli_incident *incident)
{
    return (double)between(f, incident->start, incident->alarm);
}

static void sum_delays(figures *f, const cli_backtest *b)
{
    double *delays = cli_resize(NULL, b->incidents.count + 1, sizeof *delays);
    for (size_t i = 0; i < b->incidents.count; i++)
        if (b->incidents.items[i].found)
            delays[f->found++] = delay_of(f, &b->incidents.items[i]);
    qsort(delays, f->found, sizeof *delays, by_size);
    if (f->found > 0) {
        f->median = (delays[(f->found - 1) / 2] + delays[f->found / 2]) / 2;
        f->worst = delays[f->found - 1];
    }
    free(delays);
}

static figures figures_of(cli_backtest *b, const cli_options *options)
{
    bool counted = b->untimed > 0;
    double days = counted ? 0 : (double)((uint64_t)b->last - (uint64_t)b->first) / DAY;
    figures f = {.counted = counted,
                 .grace = counted ? options->grace_events : (uint64_t)options->grace_ns,
                 .median = (double)NAN,
                 .worst = (double)NAN,
                 .span = counted ? (double)b->events / THOUSAND : days};
    match_all(&f, b);
    sum_delays(&f, b);
    return f;
}

/* NaN: all events have one time. */
static double rate_of(const figures *f)
{
    return f->span > 0 ? (double)f->false_alarms / f->span : (double)NAN;
}

/* ---- text ---- */

/* "90s", "3 events" */
static void add_delay(cli_buffer *out, const figures *f, const char *before, double delay)
{
    char text[CLI_TIME_SIZE];
    if (f->counted)
        snprintf(text, sizeof text, "%.16g event%s", delay, delay == 1 ? "" : "s");
    else
        cli_format_span(text, delay);
    cli_buffer_text(out, before);
    cli_buffer_text(out, text);
}

static void add_bounds(cli_buffer *out, const figures *f, const cli_incident *incident)
{
    if (!f->counted) {
        cli_add_time(out, incident->start.time);
        cli_buffer_text(out, " to ");
        cli_add_time(out, incident->end.time);
        return;
    }
    cli_buffer_text(out, "event ");
    cli_buffer_uint(out, incident->start.event);
    cli_buffer_text(out, " to ");
    cli_buffer_uint(out, incident->end.event);
}

static void add_incident(cli_buffer *out, const figures *f, const cli_incident *incident)
{
    cli_buffer_text(out, incident->found ? "found         line " : "missed        line ");
    cli_buffer_uint(out, incident->line);
    cli_buffer_text(out, "  ");
    if (incident->key_length > 0) {
        cli_add_printable(out, incident->key, incident->key_length);
        cli_buffer_text(out, "  ");
    }
    add_bounds(out, f, incident);
    if (incident->found)
        add_delay(out, f, "  after ", delay_of(f, incident));
    cli_buffer_char(out, '\n');
}

static void add_text(cli_buffer *out, const cli_backtest *b, const figures *f)
{
    char rate[48];
    cli_buffer_text(out, "incidents     ");
    cli_buffer_uint(out, f->found);
    cli_buffer_text(out, " of ");
    cli_buffer_uint(out, b->incidents.count);
    cli_buffer_text(out, " found\nfalse alarms  ");
    cli_buffer_uint(out, f->false_alarms);
    if (f->span > 0) {
        snprintf(rate, sizeof rate, f->counted ? ", %.2g in 1000 events" : ", %.2g a day", rate_of(f));
        cli_buffer_text(out, rate);
    }
    if (f->found > 0) {
        add_delay(out, f, "\ndelay         median ", f->median);
        add_delay(out, f, ", worst ", f->worst);
    }
    cli_buffer_char(out, '\n');
    for (size_t i = 0; i < b->incidents.count; i++)
        add_incident(out, f, &b->incidents.items[i]);
}

/* ---- JSON ---- */

static void add_member(cli_buffer *out, const char *before, double number)
{
    cli_buffer_text(out, before);
    cli_add_number(out, number, "null");
}

static void add_place(cli_buffer *out, const figures *f, const char *name, cli_when place)
{
    cli_buffer_text(out, ",\"");
    cli_buffer_text(out, name);
    if (f->counted) {
        cli_buffer_text(out, "_event\":");
        cli_buffer_uint(out, place.event);
        return;
    }
    cli_buffer_text(out, "\":\"");
    cli_add_time(out, place.time);
    cli_buffer_char(out, '"');
}

static void add_json_incident(cli_buffer *out, const figures *f, const cli_incident *incident)
{
    cli_buffer_text(out, "{\"line\":");
    cli_buffer_uint(out, incident->line);
    cli_buffer_text(out, ",\"key\":");
    if (incident->key == NULL)
        cli_buffer_text(out, "null");
    else
        cli_add_json_string(out, incident->key, incident->key_length);
    add_place(out, f, "start", incident->start);
    add_place(out, f, "end", incident->end);
    if (incident->found && f->counted)
        add_member(out, ",\"delay_events\":", delay_of(f, incident));
    else if (incident->found)
        add_member(out, ",\"delay_s\":", delay_of(f, incident) / SECOND);
    cli_buffer_char(out, '}');
}

static void add_json_incidents(cli_buffer *out, const cli_backtest *b, const figures *f, bool found)
{
    bool any = false;
    for (size_t i = 0; i < b->incidents.count; i++) {
        if (b->incidents.items[i].found != found)
            continue;
        cli_buffer_text(out, any ? "," : "");
        any = true;
        add_json_incident(out, f, &b->incidents.items[i]);
    }
}

static void add_json(cli_buffer *out, const cli_backtest *b, const figures *f)
{
    bool counted = f->counted;
    double unit = counted ? 1 : SECOND;
    cli_buffer_text(out, "{\"found\":[");
    add_json_incidents(out, b, f, true);
    cli_buffer_text(out, "],\"missed\":[");
    add_json_incidents(out, b, f, false);
    cli_buffer_text(out, "],\"false_alarms\":");
    cli_buffer_uint(out, f->false_alarms);
    add_member(out, counted ? ",\"false_alarms_per_1000_events\":" : ",\"false_alarms_per_day\":", rate_of(f));
    add_member(out, counted ? ",\"events\":" : ",\"days\":", counted ? (double)b->events : f->span);
    add_member(out, counted ? ",\"delay_median_events\":" : ",\"delay_median_s\":", f->median / unit);
    add_member(out, counted ? ",\"delay_worst_events\":" : ",\"delay_worst_s\":", f->worst / unit);
    cli_buffer_text(out, "}\n");
}

void cli_add_figures(cli_buffer *out, cli_backtest *b, const cli_options *options)
{
    figures f = figures_of(b, options);
    (options->output == CLI_TO_TABLE ? add_text : add_json)(out, b, &f);
}
