/* SPDX-License-Identifier: MIT
 * judge.c - from a row to its verdict.
 */
#include "run/app.h"

#include "options/kinds.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void tell_warning(cli_app *app, const anomaly_error *error)
{
    if (error->message[0] == '\0' || strcmp(app->warning, error->message) == 0)
        return;
    snprintf(app->warning, sizeof app->warning, "%s", error->message);
    cli_progress_clear(app);
    fprintf(stderr, "anomaly: warning: %s\n", error->message);
}

/* What a create had to say. */
static bool told(cli_app *app, int status, const anomaly_error *error)
{
    if (status == ANOMALY_OK) {
        if (!app->options->whole) /* there the summary says what could not be judged */
            tell_warning(app, error);
        return true;
    }
    cli_progress_clear(app);
    fprintf(stderr, "anomaly: %s%s%s\n", error->field, error->field[0] != '\0' ? ": " : "", error->message);
    app->failed = true;
    return false;
}

anomaly_detector *cli_app_detector(cli_app *app, const anomaly_config *config)
{
    anomaly_detector *detector = NULL;
    anomaly_error error = {0};
    int status = anomaly_create(config, NULL, &detector, &error);
    return told(app, status, &error) ? detector : NULL;
}

static bool can_be_saved(const anomaly_detector *detector)
{
    size_t size;
    int status = anomaly_snapshot_size(detector, &size);
    if (status != ANOMALY_OK)
        fputs("anomaly: --state: detectors of this kind cannot be saved yet\n", stderr);
    return status == ANOMALY_OK;
}

/* A detector that is thrown away shows whether the options hold together, before anything is read. */
bool cli_app_configure(cli_app *app)
{
    app->config = app->options->config;
    if (app->options->whole) {
        /* the rows of a metric are few here, and every one is judged against all others, not only those before */
        if (!app->options->warmup_given && app->config.kind == ANOMALY_ZSCORE)
            app->config.warmup_events = 3;
        if (!app->options->warmup_given && app->config.kind == ANOMALY_IFOREST)
            app->config.warmup_events = 16;
        app->config.window_events = 1 << 20;
        app->config.window_ns = 0;
        app->config.learn = ANOMALY_LEARN_ALWAYS;
    } else if (!app->options->window_given && cli_kind_offers(app->config.kind, ANOMALY_OFFERS_TIME)) {
        anomaly_config_set(&app->config, "window", "300s", NULL);
    }
    anomaly_detector *trial = cli_app_detector(app, &app->config);
    bool good = trial != NULL && (app->options->state == NULL || can_be_saved(trial));
    anomaly_destroy(trial);
    return good;
}

void cli_app_decide(cli_app *app, bool has_time, size_t values)
{
    if (!app->options->window_given && !has_time) {
        app->config.window_events = app->options->config.window_events;
        app->config.window_ns = app->options->config.window_ns;
    }
    app->has_time = has_time;
    app->needs_time = app->config.window_ns > 0;
    app->value_count = values;
    app->config.features = app->options->each ? 1 : (uint32_t)values;
    if (app->config.features > 1)
        cli_fields_together(&app->writer.list, app->options);
    app->decided = true;
}

bool cli_app_begin(cli_app *app, bool has_time, size_t values)
{
    anomaly_error error = {0};
    cli_app_decide(app, has_time, values);
    if (app->options->whole)
        return true;
    return told(app, cli_keys_create(&app->keys, &app->config, app->options, values, &error), &error);
}

/* False if the row cannot be judged like those before: it is rejected then. */
static bool fits(cli_app *app, const cli_row *row)
{
    if (!app->needs_time || row->time != ANOMALY_NO_TIME)
        return true;
    cli_reject_row(app, row->line, CLI_NO_TIME, NULL);
    return false;
}

/* With --each the column's name is added to the key, which is only a part then. */
static void name_key(cli_app *app, const cli_row *row, size_t index)
{
    app->key.length = 0;
    cli_buffer_add(&app->key, row->key, row->key_length);
    const char *name = row->value_names[index];
    if (row->key_length > 0) {
        cli_buffer_char(&app->key, '/');
        cli_rows_add_part(&app->key, name, strlen(name));
    } else {
        cli_buffer_text(&app->key, name);
    }
}

size_t cli_app_key(cli_app *app, const cli_row *row, size_t index, const char **key)
{
    if (!app->options->each) {
        *key = row->key;
        return row->key_length;
    }
    name_key(app, row, index);
    *key = app->key.data;
    return app->key.length;
}

static void count_flags(cli_counts *c, uint32_t flags)
{
    c->late += (flags & ANOMALY_LATE) != 0;
    c->jumped += (flags & ANOMALY_JUMPED) != 0;
    c->nonfinite += (flags & ANOMALY_NONFINITE) != 0;
    c->flat += (flags & ANOMALY_FLAT) != 0;
    c->truncated += (flags & ANOMALY_TRUNCATED) != 0;
    c->not_learned += (flags & ANOMALY_NOT_LEARNED) != 0;
}

static void count(cli_counts *c, const anomaly_verdict *v)
{
    bool scored = !isnan(v->score) || (v->flags & ANOMALY_NONFINITE) != 0;
    c->events++;
    if ((v->flags & ANOMALY_WARMING_UP) != 0)
        c->warming_up++;
    else if (scored)
        c->judged++;
    else if ((v->flags & ANOMALY_MISSING) != 0)
        c->missing++;
    else
        c->undefined++;
    c->anomalies += (v->flags & ANOMALY_IS_ANOMALY) != 0;
    if ((v->flags & ~(uint32_t)(ANOMALY_IS_ANOMALY | ANOMALY_ABOVE | ANOMALY_BELOW)) != 0)
        count_flags(c, v->flags);
}

bool cli_tell_verdict(cli_app *app, cli_counts *counts, const cli_record *record)
{
    const anomaly_verdict *v = &record->verdict;
    count(counts, v);
    if ((v->flags & ANOMALY_IS_ANOMALY) == 0 && !app->options->all)
        return true;
    if (app->progress_shown)
        cli_progress_clear(app);
    return cli_writer_add(&app->writer, record);
}

/* No room for one key's window is no reason to leave the others alone. */
static bool refuse(cli_app *app, const cli_row *row, int status)
{
    if (status == ANOMALY_E_FULL) {
        cli_reject_event(app, row->line, CLI_NO_ROOM, NULL);
        return true;
    }
    cli_say(app, app->file, row->line, anomaly_status_text(status), NULL);
    app->failed = true;
    return false;
}

static bool judge(cli_app *app, const cli_row *row, size_t index)
{
    cli_record r;
    r.key_length = cli_app_key(app, row, index, &r.key);
    /* the values' number is bounded by the first file's: with --each another one may have more */
    size_t place = index < app->keys.place_count ? index : 0;
    const double *x = row->values + index;
    int status = cli_keys_update(&app->keys, place, r.key, r.key_length, x, row->time, &r.verdict);
    if (status != ANOMALY_OK)
        return refuse(app, row, status);
    if (row->time != ANOMALY_NO_TIME)
        cli_order_note(&app->order, app->file_index, row->line, row->time, (r.verdict.flags & ANOMALY_LATE) != 0);
    size_t worst = app->options->each ? index : r.verdict.feature;
    r.file = app->file;
    r.line = row->line;
    r.time = row->time;
    r.feature = row->value_names[worst];
    r.value = row->values[worst];
    r.rest = row->rest;
    r.rest_length = row->rest_length;
    return cli_tell_verdict(app, &app->counts[app->file_index], &r);
}

bool cli_judge_row(void *context, const cli_row *row)
{
    cli_app *app = context;
    if (app->source->replay)
        return true;
    if (app->failed)
        return false;
    if (!fits(app, row))
        return true;
    app->counts[app->file_index].rows++;
    if (app->options->whole)
        return cli_whole_row(app, row);
    if (!app->options->each)
        return judge(app, row, 0);
    for (size_t i = 0; i < row->value_count; i++)
        if (row->present[i] && !judge(app, row, i))
            return false;
    return true;
}
