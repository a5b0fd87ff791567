/* SPDX-License-Identifier: MIT
 * session.c - the configuration and the detectors of a run.
 */
#include "judge/session.h"

#include "options/kinds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void tell_warning(cli_session *session, const anomaly_error *error)
{
    if (error->message[0] == '\0' || strcmp(session->warning, error->message) == 0)
        return;
    snprintf(session->warning, sizeof session->warning, "%s", error->message);
    cli_terminal_clear(&session->terminal);
    fprintf(stderr, "anomaly: warning: %s\n", error->message);
}

/* What a create had to say. */
static bool told(cli_session *session, int status, const anomaly_error *error)
{
    if (status == ANOMALY_OK) {
        if (!session->whole_rows) /* there the summary says what could not be judged */
            tell_warning(session, error);
        return true;
    }
    cli_terminal_clear(&session->terminal);
    fprintf(stderr, "anomaly: %s%s%s\n", error->field, error->field[0] != '\0' ? ": " : "", error->message);
    session->failed = true;
    return false;
}

anomaly_detector *cli_session_detector(cli_session *session, const anomaly_config *config)
{
    anomaly_detector *detector = NULL;
    anomaly_error error = {0};
    int status = anomaly_create(config, NULL, &detector, &error);
    return told(session, status, &error) ? detector : NULL;
}

static bool can_be_saved(const anomaly_detector *detector)
{
    size_t size;
    int status = anomaly_snapshot_size(detector, &size);
    if (status != ANOMALY_OK)
        fputs("anomaly: --state: detectors of this kind cannot be saved yet\n", stderr);
    return status == ANOMALY_OK;
}

/* The rows of a metric are few here, and every one is judged against all others, not only those before. */
static void configure_whole(cli_session *session)
{
    if (!session->options->warmup_given && !session->options->open && session->config.kind == ANOMALY_ZSCORE)
        session->config.warmup_events = 3;
    if (!session->options->warmup_given && session->config.kind == ANOMALY_IFOREST)
        session->config.warmup_events = 16;
    session->config.window_events = 1 << 20;
    session->config.window_ns = 0;
    session->config.learn = ANOMALY_LEARN_ALWAYS;
    session->whole_rows = true;
}

/* A detector that is thrown away shows whether the options hold together, before anything is read. */
bool cli_session_configure(cli_session *session)
{
    session->config = session->options->config;
    if (session->options->whole) {
        configure_whole(session);
    } else if (!session->options->window_given && cli_kind_offers(session->config.kind, ANOMALY_OFFERS_TIME)) {
        anomaly_config_set(&session->config, "window", "300s", NULL);
    }
    anomaly_detector *trial = cli_session_detector(session, &session->config);
    bool good = trial != NULL && (session->options->state == NULL || can_be_saved(trial));
    anomaly_destroy(trial);
    return good;
}

static bool decides(const anomaly_config *c)
{
    return c->rest_events > 0 || c->rest_ns > 0 || c->confirm > 1 || c->min_change > 0 || c->min_percent > 0;
}

/* Where rest, confirm or min_change decide which odd events are alarms, the others are not printed. Who has asked for
 * a rest is told its end; with the rest that comes by default that would only double the lines. */
static void settle_what_is_told(cli_session *session)
{
    const anomaly_config *asked = &session->options->config;
    session->told = decides(&session->config) ? ANOMALY_ALARM : ANOMALY_IS_ANOMALY;
    session->printed = session->told;
    if (asked->rest_events > 0 || asked->rest_ns > 0)
        session->printed |= ANOMALY_EPISODE_END;
    session->writer.table.told = session->told;
}

void cli_session_decide(cli_session *session, const cli_shown *shown, size_t values)
{
    const cli_options *options = session->options;
    session->shown = *shown;
    session->shown.features = options->each ? 1 : values;
    if (options->open) {
        if (cli_method_choose(options, &session->shown, &session->config))
            configure_whole(session);
    } else if (!options->window_given && !shown->times) {
        session->config.window_events = options->config.window_events;
        session->config.window_ns = options->config.window_ns;
    }
    session->needs_time = anomaly_needs_times(&session->config) != 0;
    session->charts.timed = shown->times;
    session->value_count = values;
    session->config.features = (uint32_t)session->shown.features;
    cli_fields_choose(&session->writer.list, options, &session->config);
    settle_what_is_told(session);
    session->decided = true;
}

bool cli_session_begin(cli_session *session, const cli_shown *shown, size_t values)
{
    anomaly_error error = {0};
    cli_session_decide(session, shown, values);
    if (session->whole_rows)
        return true;
    return told(session, cli_keys_create(&session->keys, &session->config, session->options, values, &error), &error);
}

void cli_session_free(cli_session *session)
{
    cli_keys_free(&session->keys);
    cli_writer_free(&session->writer);
    cli_buffer_free(&session->key);
    cli_buffer_free(&session->sentence);
    cli_charts_free(&session->charts);
    cli_episodes_free(&session->episodes);
    cli_found_free(&session->found);
    cli_list_free(&session->values);
    cli_list_free(&session->others);
    free(session->counts);
}

size_t cli_session_files(const cli_session *session)
{
    return session->options->file_count > 0 ? session->options->file_count : 1;
}

const char *cli_session_file(const cli_session *session, size_t index)
{
    return session->options->file_count > 0 ? session->options->files[index] : "-";
}
