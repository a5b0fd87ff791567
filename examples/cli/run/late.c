/* SPDX-License-Identifier: MIT
 * late.c - why many events were late.
 *
 * Four things make many events late: one time far ahead of the others, an input that is sorted backwards, streams that
 * are mixed without a key, and a state that has seen newer ones. They look different: in the first case nearly all
 * that is late came behind one leap, in the last the times go forward nevertheless.
 */
#include "run/late.h"

#include "common/text.h"
#include "common/times.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { FEW = 5, FAR = 10 };

static bool is_far(const cli_app *app, int64_t newer, int64_t older)
{
    return (double)newer - (double)older > FAR * (double)app->session.config.window_ns;
}

/* A bound for max_jump that lets pauses pass and stops the leap. */
static const char *bound_for(const cli_reach *leap)
{
    static const struct {
        double days;
        const char *text;
    } bounds[] = {{365, "365d"}, {30, "30d"}, {1, "1d"}};
    double days = ((double)leap->time - (double)leap->before) / 86400e9;
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++)
        if (days > 2 * bounds[i].days)
            return bounds[i].text;
    return "1h";
}

static void tell_leap(FILE *to, const cli_app *app, const cli_reach *leap)
{
    char time[CLI_TIME_SIZE], others[CLI_TIME_SIZE];
    const char *name = cli_shown_name(cli_session_file(&app->session, leap->file));
    cli_buffer file = {0};
    cli_add_printable(&file, name, strlen(name));
    cli_format_time(time, leap->time);
    cli_format_time(others, leap->newest_late);
    fprintf(to,
            "note: %.*s:%" PRIu64 " has the time %s, far ahead of those behind it (up to %s);\n"
            "      %" PRIu64 " of them were late, so judged but not learned. ",
            (int)file.length, file.data, leap->line, time, others, leap->late);
    if (leap->before == ANOMALY_NO_TIME)
        fputs("If it is wrong, leave that row out\n", to);
    else
        fprintf(to, "If it is wrong, -s max_jump=%s keeps such a time out\n", bound_for(leap));
    cli_buffer_free(&file);
}

static void tell_late(FILE *to, const cli_order *order, const char *how, const char *what)
{
    fprintf(to,
            "note: %s: %" PRIu64 " of %" PRIu64 " events were late, so judged but not learned;\n"
            "      %s\n",
            how, order->late, order->events, what);
}

bool cli_late_tell(FILE *to, const cli_app *app)
{
    const cli_order *o = &app->session.order;
    const cli_reach *leap = o->newest.late > o->worst.late ? &o->newest : &o->worst;
    if (o->late < FEW || o->late < o->events / 10)
        return false;
    bool far = (leap->before == ANOMALY_NO_TIME || is_far(app, leap->time, leap->before)) &&
               is_far(app, leap->time, leap->newest_late);
    if (o->forward <= 1 + o->back / 20)
        tell_late(to, o, "the times go backwards, newest first",
                  "sort the rows by time (tac turns them round), or take them as they come: -T '' -w 100");
    else if (leap->late >= o->late / 2 && far)
        tell_leap(to, app, leap);
    else if (app->keep.before.rows > 0 && o->back < o->late / 2)
        tell_late(to, o, "the times are older than those that the state has seen",
                  "give rows that were read once only, as --resume does, or another --state");
    else
        tell_late(to, o, "the times go back and forth",
                  "name the columns that tell the streams apart with -k, or sort the rows by time");
    return true;
}
