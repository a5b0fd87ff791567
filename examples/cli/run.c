/* SPDX-License-Identifier: MIT
 * run.c - the program from its options to its exit status.
 */
#include "app.h"

#include "reader.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOLD_REJECTS = 20 };

void cli_say(cli_app *app, const char *file, uint64_t line, const char *text, const char *detail)
{
    cli_buffer b = {0};
    cli_progress_clear(app);
    cli_add_printable(&b, file, strlen(file));
    if (line > 0) {
        cli_buffer_char(&b, ':');
        cli_buffer_uint(&b, line);
    }
    cli_buffer_text(&b, ": ");
    cli_add_printable(&b, text, strlen(text));
    if (detail != NULL) {
        cli_buffer_text(&b, ": ");
        cli_add_printable(&b, detail, strlen(detail));
    }
    cli_buffer_char(&b, '\n');
    fwrite(b.data, 1, b.length, stderr);
    cli_buffer_free(&b);
}

/* What the detail says already need not be said twice. */
static bool says_it(enum cli_reason reason, const char *detail)
{
    return detail != NULL && reason != CLI_BAD_QUOTE && reason != CLI_BAD_JSON;
}

void cli_reject_event(cli_app *app, uint64_t line, enum cli_reason reason, const char *detail)
{
    cli_counts *c = &app->counts[app->file_index];
    c->rejected++;
    c->reasons[reason]++;
    if (c->rejected > TOLD_REJECTS)
        return;
    if (says_it(reason, detail))
        cli_say(app, app->file, line, detail, NULL);
    else
        cli_say(app, app->file, line, cli_reason_text(reason), detail);
}

void cli_reject_row(void *context, uint64_t line, enum cli_reason reason, const char *detail)
{
    cli_app *app = context;
    app->counts[app->file_index].rows++;
    cli_reject_event(app, line, reason, detail);
}

static void fail_file(void *context, uint64_t line, const char *message)
{
    cli_app *app = context;
    app->unreadable[app->file_index] = true;
    cli_say(app, app->file, line, message, NULL);
}

static void idle(void *context, bool waits)
{
    cli_app *app = context;
    if (waits)
        cli_progress_clear(app);
    if (waits && !cli_writer_flush(&app->writer))
        cli_source_stop();
    cli_progress_tick(app);
}

static void tell_untold(cli_app *app)
{
    uint64_t rejected = app->counts[app->file_index].rejected;
    char text[80];
    if (rejected <= TOLD_REJECTS)
        return;
    snprintf(text, sizeof text, "%" PRIu64 " more rejected rows, not shown", rejected - TOLD_REJECTS);
    cli_say(app, app->file, 0, text, NULL);
}

static void read_file(cli_app *app, const char *path, bool follow)
{
    cli_source source;
    const char *why;
    const cli_sink sink = {.row = cli_judge_row,
                           .reject = cli_reject_row,
                           .fail = fail_file,
                           .context = app,
                           .want_rest = app->writer.form == CLI_TO_JSON || app->writer.form == CLI_TO_NDJSON};
    if (!cli_source_open(&source, path, follow, &why)) {
        fail_file(app, 0, why);
        return;
    }
    source.idle = idle;
    source.idle_context = app;
    app->source = &source;
    cli_read(&source, app->options, &sink);
    if (source.error != NULL)
        fail_file(app, 0, source.error);
    else if (source.bytes_read == 0 && !cli_source_stopped())
        fail_file(app, 0, "is empty");
    tell_untold(app);
    app->source = NULL;
    cli_source_close(&source);
}

static bool done(const cli_app *app)
{
    return app->failed || app->writer.out.closed || app->writer.out.error != NULL || cli_source_stopped();
}

static void read_files(cli_app *app)
{
    static char *standard_input[] = {"-"};
    const cli_options *o = app->options;
    char **files = o->file_count > 0 ? o->files : standard_input;
    size_t count = o->file_count > 0 ? o->file_count : 1;
    for (size_t i = 0; i < count && !done(app); i++) {
        app->file_index = i;
        app->file = files[i];
        read_file(app, files[i], o->follow && i + 1 == count);
    }
}

static int exit_status(const cli_app *app)
{
    bool bad = app->failed || app->writer.out.error != NULL;
    uint64_t anomalies = 0;
    size_t count = app->options->file_count > 0 ? app->options->file_count : 1;
    for (size_t i = 0; i < count; i++) {
        bad |= app->unreadable[i] || app->counts[i].rejected > 0;
        anomalies += app->counts[i].anomalies;
    }
    if (app->options->fail_on_anomaly && anomalies > 0)
        return CLI_EXIT_ANOMALY;
    return bad ? CLI_EXIT_INPUT : CLI_EXIT_OK;
}

/* A followed file has no end: an interrupt is the ordinary way to stop. The second one kills as always. */
static void stop(int number)
{
    (void)number;
    cli_source_stop();
}

static void catch_signals(bool follow)
{
    struct sigaction action = {.sa_handler = SIG_IGN};
    sigemptyset(&action.sa_mask);
    sigaction(SIGPIPE, &action, NULL); /* write(2) says so */
    if (!follow)
        return;
    action.sa_handler = stop;
    action.sa_flags = (int)SA_RESETHAND;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static void finish(cli_app *app)
{
    cli_progress_clear(app);
    cli_whole_judge(app);
    cli_writer_end(&app->writer);
    if (app->writer.out.error != NULL)
        cli_say(app, "standard output", 0, app->writer.out.error, NULL);
    if (!app->options->quiet && !app->writer.out.closed)
        cli_summary(app);
}

static void free_app(cli_app *app)
{
    cli_whole_free(app);
    cli_keys_free(&app->keys);
    cli_writer_free(&app->writer);
    cli_buffer_free(&app->key);
    free(app->counts);
    free(app->unreadable);
}

static int run(cli_app *app)
{
    size_t files = app->options->file_count > 0 ? app->options->file_count : 1;
    if (!cli_fields_choose(&app->writer.list, app->options) || !cli_app_configure(app))
        return CLI_EXIT_USAGE;
    app->counts = cli_resize(NULL, files, sizeof *app->counts);
    memset(app->counts, 0, files * sizeof *app->counts);
    app->unreadable = cli_resize(NULL, files, sizeof *app->unreadable);
    memset(app->unreadable, 0, files * sizeof *app->unreadable);
    cli_source_start();
    cli_writer_init(&app->writer, app->options);
    catch_signals(app->options->follow);
    cli_progress_start(app);
    read_files(app);
    finish(app);
    return exit_status(app);
}

int cli_run(int argc, char **argv)
{
    cli_options options;
    int status = cli_options_read(&options, argc, argv);
    if (status < 0) {
        cli_app app = {.options = &options};
        status = run(&app);
        free_app(&app);
    }
    cli_options_free(&options);
    return status;
}
