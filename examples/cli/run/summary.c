/* SPDX-License-Identifier: MIT
 * summary.c - what is said when all is read: how much, and why not more.
 */
#include "run/summary.h"

#include "common/times.h"
#include "options/kinds.h"
#include "run/late.h"
#include "run/told.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* "15 not judged: ..." below a file's line. */
__attribute__((format(printf, 3, 4))) static void print_item(FILE *to, uint64_t count, const char *format, ...)
{
    if (count == 0)
        return;
    va_list arguments;
    va_start(arguments, format);
    fprintf(to, "  %" PRIu64 " ", count);
    vfprintf(to, format, arguments);
    fputc('\n', to);
    va_end(arguments);
}

static bool has_budget(const anomaly_config *config)
{
    return config->alarm_rate > 0 || config->alarms_ns > 0;
}

static void print_items(FILE *to, const cli_app *app, const cli_counts *c)
{
    const anomaly_config *config = &app->session.config;
    const char *what = app->session.whole_rows && cli_kind_offers(config->kind, ANOMALY_OFFERS_REBUILD)
                           ? "events in their metric"
                       : app->session.whole_rows   ? "other events in their metric"
                       : config->include_self != 0 ? "events in the window"
                                                   : "earlier events in the window";
    const char *season = config->season_ns > 0 ? ", or less than two periods of the season" : "";
    const char *budget = has_budget(config) ? ", or too few scores for a share of alarms" : "";
    print_item(to, c->alarms, "%s", c->alarms == 1 ? "alarm" : "alarms");
    print_item(to, c->resting, "held back: anomalous, but the episode has had its alarm, as rest= says");
    print_item(to, c->unconfirmed, "held back: anomalous, but too few of the last events are, as confirm= says");
    print_item(to, c->small_change, "held back: anomalous, but near the expected value, as min_change= says");
    print_item(to, c->warming_up, "not judged: fewer than %" PRIu64 " %s%s%s", config->warmup_events, what, season, budget);
    print_item(to, c->missing, "not judged: the value is missing");
    print_item(to, c->untransformed, "not judged: the value has no transform");
    print_item(to, c->undefined, "not judged: no score is defined there");
    print_item(to, c->late, "late: too old to be learned");
    print_item(to, c->jumped, "too far ahead of the others to be learned");
    print_item(to, c->nonfinite, "infinite: never learned");
    print_item(to, c->flat, "flat: the window had no spread, any other value is infinitely strange");
    print_item(to, c->truncated, "judged against a time window that its count bound has cut");
    print_item(to, c->not_learned, "flagged and kept out of the window, as learn= says");
    for (int i = 0; i < CLI_REASONS; i++)
        print_item(to, c->reasons[i], "rejected: %s", cli_reason_text((enum cli_reason)i));
}

static void print_head(FILE *to, const char *name, const cli_counts *c)
{
    cli_buffer shown = {0};
    cli_add_printable(&shown, name, strlen(name));
    fprintf(to, "%.*s: ", (int)shown.length, shown.data);
    cli_buffer_free(&shown);
    if (c->events != c->rows)
        fprintf(to, "%" PRIu64 " %s, ", c->rows, c->rows == 1 ? "row" : "rows");
    fprintf(to, "%" PRIu64 " %s", c->events, c->events == 1 ? "event" : "events");
    fprintf(to, ", %" PRIu64 " judged, %" PRIu64 " %s", c->judged, c->anomalies,
            c->anomalies == 1 ? "anomaly" : "anomalies");
    if (c->rejected > 0)
        fprintf(to, ", %" PRIu64 " rejected", c->rejected);
    fputc('\n', to);
}

/* The counts are an array of uint64_t by another name. */
static void add_counts(cli_counts *total, const cli_counts *c)
{
    uint64_t *to = &total->rows;
    const uint64_t *from = &c->rows;
    for (size_t i = 0; i < sizeof *c / sizeof *from; i++)
        to[i] += from[i];
}

static void tell_starved(FILE *to, const cli_app *app, const cli_stream *s, uint64_t starved)
{
    char cadence[CLI_TIME_SIZE], window[CLI_TIME_SIZE], better[CLI_TIME_SIZE];
    uint64_t keys = anomaly_pool_count(app->session.keys.pool), warmup = app->session.config.warmup_events;
    double apart = ((double)s->last - (double)s->first) / (double)(s->events - 1);
    cli_format_span(cadence, apart);
    cli_format_span(window, (double)app->session.config.window_ns);
    cli_format_span(better, ceil(apart * 2 * (double)warmup / 60e9) * 60e9);
    cli_buffer key = {0};
    cli_add_printable(&key, s->key, strlen(s->key)); /* the nameless stream's key is a NUL */
    fprintf(to, "note: the window of %s is too short", window);
    if (keys > 1)
        fprintf(to, " for %" PRIu64 " of %" PRIu64 " streams", starved, keys);
    fputc(':', to);
    if (key.length > 0)
        fprintf(to, " \"%.*s\" has", (int)key.length, key.data);
    fprintf(to,
            " an event every %s,\n"
            "      so the window held at most %" PRIu64 " and %" PRIu64
            " are needed before anything can be flagged; try -w %s, or a count as -w 100\n",
            cadence, s->fullest, warmup, better);
    cli_buffer_free(&key);
}

/* A window that never filled although events enough came is too short for how often they come. */
static void check_windows(FILE *to, const cli_app *app)
{
    const cli_stream *first;
    if (app->session.config.window_ns == 0 || app->session.keys.pool == NULL)
        return;
    uint64_t starved = cli_keys_starved(&app->session.keys, app->session.config.warmup_events, &first);
    if (starved > 0)
        tell_starved(to, app, first, starved);
}

/* With --state: what the runs before have seen is in the windows too. */
static void tell_runs(FILE *to, const cli_app *app)
{
    const cli_sums *before = &app->keep.before, *s = &app->keep.state.sums;
    if (before->rows > 0)
        fprintf(to, "with the runs before: %" PRIu64 " events, %" PRIu64 " judged, %" PRIu64 " %s\n", s->events, s->judged,
                s->anomalies, s->anomalies == 1 ? "anomaly" : "anomalies");
}

static void tell_keys(FILE *to, const cli_app *app)
{
    anomaly_usage usage;
    if (app->session.keys.pool == NULL || anomaly_pool_usage(app->session.keys.pool, &usage) != ANOMALY_OK ||
        usage.evicted == 0)
        return;
    fprintf(to, "keys: %" PRIu64 " kept, %" PRIu64 " forgotten to stay within the limits\n", usage.keys, usage.evicted);
}

static void tell_blinding(FILE *to, const cli_app *app)
{
    const cli_blinding *b = &app->session.blinding;
    if (b->line == 0)
        return;
    const char *name = cli_shown_name(cli_session_file(&app->session, b->file_index));
    cli_buffer file = {0};
    cli_add_printable(&file, name, strlen(name));
    fprintf(to,
            "note: the value of %.*s:%" PRIu64
            " has made its window %.3g times as wide, so that others can hide behind it;\n"
            "      -s robust=1 or -s learn=normal:5 keeps a value from that\n",
            (int)file.length, file.data, b->line, b->times);
    cli_buffer_free(&file);
}

void cli_summary(FILE *to, const cli_app *app)
{
    size_t files = cli_session_files(&app->session);
    cli_counts total = {0};
    uint64_t unread = 0;
    for (size_t i = 0; i < files && i <= app->session.file_index; i++) {
        const char *name = cli_session_file(&app->session, i);
        add_counts(&total, &app->session.counts[i]);
        unread += app->unreadable[i];
        if (app->unreadable[i] && app->session.counts[i].rows == 0)
            continue; /* that it could not be read was said */
        print_head(to, cli_shown_name(name), &app->session.counts[i]);
        print_items(to, app, &app->session.counts[i]);
    }
    if (files > 1) {
        print_head(to, "all", &total);
        print_item(to, unread, "%s could not be read", unread == 1 ? "file" : "files");
        print_items(to, app, &total);
    }
    cli_tell_found(to, app, total.judged);
    tell_runs(to, app);
    tell_keys(to, app);
    tell_blinding(to, app);
    if (cli_late_tell(to, app))
        return;
    check_windows(to, app);
    const anomaly_config *config = &app->session.config;
    if (config->season_ns > 0 || has_budget(config))
        return; /* they cannot be learned without order */
    if (!app->session.whole_rows && !app->keep.on && total.warming_up > 0 && total.judged < total.warming_up &&
        total.events <= 10000)
        fputs("hint: --whole judges each row of small files against all the others of its metric\n", to);
}
