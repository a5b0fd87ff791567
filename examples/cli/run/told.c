/* SPDX-License-Identifier: MIT
 * told.c - what a run has found, in words, and what to do if it was too much.
 *
 * What another threshold would have told is counted on the scores of this run: the scores do not depend on the
 * threshold, unless the learning does.
 */
#include "run/told.h"

#include "common/number.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* So many lines are read at a glance; more than so many, if they are one event in MANY, are too many; one event in FEW
 * can be looked after. */
enum { GLANCE = 5, BEARABLE = 10, MANY = 100, FEW = 1000, STRONGER = 2 };

static const char *noun(const cli_app *app, uint64_t count)
{
    bool alarms = app->session.told == ANOMALY_ALARM;
    return count == 1 ? (alarms ? "alarm" : "anomaly") : alarms ? "alarms" : "anomalies";
}

/* ", of 2025-03-04" */
static void tell_day(FILE *to, int64_t ns)
{
    char time[CLI_TIME_SIZE];
    if (ns == ANOMALY_NO_TIME)
        return;
    cli_format_time(time, ns);
    fprintf(to, ", of %.*s", (int)strcspn(time, "T"), time);
}

/* A weak alarm silences what follows it soon, an incident of its own perhaps. */
static void tell_held(FILE *to, const cli_found *f)
{
    if (!f->held.any || !(f->held.score > STRONGER * f->strongest.score))
        return;
    fputs("note: an alarm that came shortly before has held back the strongest", to);
    tell_day(to, f->held.time);
    fprintf(to, ";\n      a shorter rest= tells it: %.*s\n", (int)f->held.sentence.length, f->held.sentence.data);
}

static void tell_strongest(FILE *to, const cli_app *app)
{
    const cli_found *f = &app->session.found;
    size_t most = 0;
    for (size_t i = 1; i < f->keys.count; i++)
        most = f->counts[i] > f->counts[most] ? i : most;
    fprintf(to, "found: %" PRIu64 " %s", f->told, noun(app, f->told));
    if (f->keys.count > 1)
        fprintf(to, " in %s%zu keys", f->keys.count == CLI_NOTED ? "at least " : "", f->keys.count);
    if (f->keys.count > 1 && f->counts[most] > 1) {
        cli_buffer key = {0};
        cli_add_printable(&key, f->keys.keys[most].key, f->keys.keys[most].length);
        fprintf(to, ", %" PRIu64 " of them in %.*s", f->counts[most], (int)key.length, key.data);
        cli_buffer_free(&key);
    }
    fputs("; the strongest", to);
    tell_day(to, f->strongest.time);
    fprintf(to, ": %.*s\n", (int)f->strongest.sentence.length, f->strongest.sentence.data);
}

/* Where a budget or a share sets the threshold, or a decision tells of a part only, the scores do not say. */
static bool threshold_decides(const cli_app *app)
{
    const anomaly_config *c = &app->session.config;
    bool budget = c->alarm_rate > 0 || c->alarms_ns != 0, share = c->kind == ANOMALY_IFOREST;
    return !budget && !share && app->session.told == ANOMALY_IS_ANOMALY;
}

static void tell_threshold(FILE *to, const cli_app *app, uint64_t judged)
{
    const anomaly_config *c = &app->session.config;
    uint64_t count, most = judged / FEW > 1 ? judged / FEW : 1;
    double edge;
    if (!threshold_decides(app) || !cli_found_threshold(&app->session.found, c->threshold, most, &edge, &count))
        return;
    char text[CLI_NUMBER_SIZE];
    cli_format_number(text, edge);
    const char *about = c->learn == ANOMALY_LEARN_ALWAYS ? "" : "about ";
    fprintf(to, "      with -t %s it would have been %s%" PRIu64 "\n", text, about, count);
}

/* One a day of each key, for as many days as there were. */
static void tell_budget(FILE *to, const cli_app *app)
{
    const cli_session *s = &app->session;
    const cli_order *order = &s->order;
    uint64_t keys = anomaly_pool_count(s->keys.pool);
    double days = ceil(((double)order->newest.time - (double)order->oldest) / 86400e9);
    if (s->keys.pool == NULL || order->events == 0 || days < 1 || s->config.alarms_ns != 0)
        return;
    fprintf(to, "      with -s alarms=1/day it would be about %.0f: one a day of each key\n",
            fmin(days * (double)keys, 1e18));
}

void cli_tell_found(FILE *to, const cli_app *app, uint64_t judged)
{
    uint64_t told = app->session.found.told;
    tell_held(to, &app->session.found);
    if (told <= GLANCE)
        return;
    tell_strongest(to, app);
    if (told <= BEARABLE || told <= judged / MANY)
        return;
    fprintf(to, "hint: that is one event in %" PRIu64 ", more than anybody reads;\n", judged / told > 0 ? judged / told : 1);
    tell_threshold(to, app, judged);
    tell_budget(to, app);
}
