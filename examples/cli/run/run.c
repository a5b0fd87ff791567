/* SPDX-License-Identifier: MIT
 * run.c - the program from its options to its exit status.
 */
#include "run/run.h"

#include "judge/whole.h"
#include "options/command_line.h"
#include "run/app.h"
#include "run/input.h"
#include "run/page.h"
#include "run/progress.h"
#include "run/signals.h"
#include "run/silent.h"
#include "run/summary.h"
#include "suggest/propose.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_unreadable(const cli_app *app)
{
    bool unreadable = false;
    for (size_t i = 0; i < cli_session_files(&app->session); i++)
        unreadable |= app->unreadable[i];
    return unreadable;
}

static int exit_status(const cli_app *app)
{
    bool bad = app->session.failed || app->session.writer.out.error != NULL || app->interrupted || app->page_failed ||
               is_unreadable(app);
    uint64_t told = app->silent;
    for (size_t i = 0; i < cli_session_files(&app->session); i++) {
        bad |= app->session.counts[i].rejected > 0;
        const cli_counts *c = &app->session.counts[i];
        told += app->session.told == ANOMALY_ALARM ? c->alarms : c->anomalies;
    }
    if (app->refused || app->keep.complained)
        return CLI_EXIT_USAGE;
    if (app->session.options->fail_on_anomaly && told > 0)
        return CLI_EXIT_ANOMALY;
    return bad ? CLI_EXIT_INPUT : CLI_EXIT_OK;
}

/* A followed file, a pipe and a terminal have no end until a person makes one; what comes behind it was not read. */
static bool was_interrupted(const cli_app *app)
{
    bool last = app->session.file_index + 1 >= app->session.options->file_count;
    return cli_source_stopped() && !app->session.options->follow && !app->session.writer.out.closed && !(app->ended && last);
}

static void note_interrupt(cli_app *app)
{
    app->interrupted = was_interrupted(app);
    if (app->interrupted)
        cli_say(&app->session.terminal, app->session.file, 0, "stopped by a signal before its end", NULL);
}

static void finish(cli_app *app)
{
    cli_terminal_clear(&app->session.terminal);
    cli_whole_judge(&app->session);
    cli_silent_end(app);
    if (app->session.options->sparkline)
        cli_writer_add_pictures(&app->session.writer, &app->session.charts, app->session.config.features > 1);
    bool written = cli_writer_end(&app->session.writer);
    if (app->keep.on && written && !app->session.failed && !app->refused)
        cli_keep_save(&app->keep);
    if (app->session.writer.out.error != NULL)
        cli_say(&app->session.terminal, app->session.options->out != NULL ? app->session.options->out : "standard output", 0,
                app->session.writer.out.error, NULL);
    note_interrupt(app);
    if (!app->session.options->quiet && !app->session.writer.out.closed && !app->refused)
        cli_summary(stderr, app);
    if (!app->refused)
        cli_page_write(app);
}

static void finish_suggest(cli_app *app)
{
    cli_terminal_clear(&app->session.terminal);
    note_interrupt(app);
    if (!app->session.failed)
        cli_propose(&app->session, &app->held);
}

static void finish_backtest(cli_app *app)
{
    cli_terminal_clear(&app->session.terminal);
    cli_whole_judge(&app->session);
    note_interrupt(app);
    if (!app->session.failed && !app->refused && !is_unreadable(app))
        cli_backtest_say(&app->backtest, &app->session);
}

static void free_app(cli_app *app)
{
    cli_held_free(&app->held);
    cli_backtest_free(&app->backtest);
    cli_whole_free(&app->session);
    cli_keep_close(&app->keep);
    cli_session_free(&app->session);
    cli_buffer_free(&app->text);
    free(app->understood);
    cli_page_close(app);
    free(app->unreadable);
}

static void *make_zeroed(size_t count, size_t size)
{
    return memset(cli_resize(NULL, count, size), 0, count * size);
}

static bool begin(cli_app *app)
{
    cli_session *session = &app->session;
    const cli_options *options = session->options;
    size_t files = cli_session_files(session);
    session->file = cli_session_file(session, 0); /* a signal may come before it is opened */
    if (!cli_fields_choose(&session->writer.list, options, &options->config) || !cli_session_configure(session))
        return false;
    session->counts = make_zeroed(files, sizeof *session->counts);
    app->unreadable = make_zeroed(files, sizeof *app->unreadable);
    cli_order_start(&session->order);
    cli_source_start();
    cli_writer_init(&session->writer, options);
    cli_signals_catch(options->follow || options->state != NULL);
    return cli_keep_open(&app->keep) && cli_page_open(app);
}

static int run(const cli_options *options)
{
    cli_app app = {.session.options = options, .keep.session = &app.session, .looked = ANOMALY_NO_TIME};
    int status = CLI_EXIT_USAGE;
    if (options->command == CLI_BACKTEST) {
        app.session.watcher = cli_backtest_note;
        app.session.watcher_context = &app.backtest;
        if (!cli_backtest_begin(&app.backtest, options))
            return CLI_EXIT_INPUT;
    }
    if (begin(&app)) {
        cli_progress_start(&app);
        cli_input_read(&app);
        if (options->command == CLI_SUGGEST)
            finish_suggest(&app);
        else if (options->command == CLI_BACKTEST)
            finish_backtest(&app);
        else
            finish(&app);
        status = exit_status(&app);
    }
    free_app(&app);
    return status;
}

int cli_run(int argc, char **argv)
{
    cli_options options;
    int status = cli_options_read(&options, argc, argv);
    if (status < 0)
        status = run(&options);
    cli_options_free(&options);
    return status;
}
