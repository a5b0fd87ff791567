/* SPDX-License-Identifier: MIT
 * input.c - the files of a run, one after the other: opened, read on where the last run left them, followed.
 */
#include "run/input.h"

#include "common/nearest.h"
#include "judge/event.h"
#include "judge/judge.h"
#include "read/reader.h"
#include "run/page.h"
#include "run/progress.h"
#include "run/signals.h"
#include "run/silent.h"
#include "run/understood.h"
#include "state/inputs.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void fail_file(void *context, uint64_t line, const char *message)
{
    cli_app *app = context;
    app->unreadable[app->session.file_index] = true;
    cli_say(&app->session.terminal, app->session.file, line, message, NULL);
}

static void take_note(void *context, uint64_t line, const char *message)
{
    cli_app *app = context;
    if (!app->session.options->quiet && !app->source->replay)
        cli_say(&app->session.terminal, app->session.file, line, message, NULL);
}

/* What comes before the place where the last run left the file is known. */
static bool take_row(void *context, const cli_row *row)
{
    cli_app *app = context;
    if (app->session.options->command == CLI_SUGGEST) {
        cli_held_add(&app->held, &app->session, row);
        return true;
    }
    return app->source->replay || cli_judge_row(&app->session, row);
}

static void take_reject(void *context, uint64_t line, enum cli_reason reason, const char *detail)
{
    cli_app *app = context;
    if (!app->source->replay)
        cli_row_reject(&app->session, line, reason, detail);
}

static const char *take_plan(void *context, const cli_rows *rows)
{
    return cli_understood(context, rows);
}

/* The value columns, where they are known: those of the files before, and of the runs before. */
static const cli_list *known_values(const cli_app *app, const cli_source *source, const cli_input *from)
{
    if (source->replay && from->values.given)
        return &from->values;
    return app->session.values.given && !app->session.options->values.given && !app->session.options->each
               ? &app->session.values
               : NULL;
}

static void on_idle(void *context, bool waits)
{
    cli_app *app = context;
    cli_keep_tick(&app->keep);
    cli_page_tick(app);
    if (waits) {
        cli_terminal_clear(&app->session.terminal);
        cli_silent_tick(app);
    }
    if (waits && !cli_writer_flush(&app->session.writer))
        cli_source_stop();
    cli_progress_tick(app);
}

static bool done(const cli_app *app)
{
    return app->session.failed || app->refused || app->session.writer.out.closed || app->session.writer.out.error != NULL ||
           cli_source_stopped();
}

/* One source to its end; `path` is what the file is known by, `from` where to go on. */
static void read_source(cli_app *app, cli_source *source, const char *path, const cli_input *from)
{
    if (from != NULL)
        cli_source_go_on(source, &from->at);
    const cli_sink sink = {.row = take_row,
                           .reject = take_reject,
                           .fail = fail_file,
                           .context = app,
                           .want_rest = app->session.writer.form == CLI_TO_JSON || app->session.writer.form == CLI_TO_NDJSON,
                           .values = known_values(app, source, from),
                           .planned = take_plan,
                           .note = take_note};
    source->idle = on_idle;
    source->idle_context = app;
    app->session.file = source->name;
    app->source = source;
    cli_keep_begin(&app->keep, source, path);
    cli_read(source, app->session.options, &sink);
    if (source->error != NULL)
        fail_file(app, 0, source->error);
    else if (source->bytes_read == 0 && !cli_source_stopped() && !app->session.options->resume)
        fail_file(app, 0, "is empty");
    cli_keep_end(&app->keep);
    app->ended = cli_signals_last() == SIGINT && !source->regular;
    app->source = NULL;
}

/* What is left of a file that was renamed since the last run. */
static void read_rest(cli_app *app, const char *old, const char *path)
{
    cli_source source;
    const char *why;
    if (!cli_source_open(&source, old, false, &why)) {
        fail_file(app, 0, why);
        return;
    }
    char *none;
    const cli_input *from = cli_inputs_find(&app->keep.state, &source, &app->session.terminal, &none);
    if (from != NULL)
        read_source(app, &source, path, from);
    free(none);
    cli_source_close(&source);
}

static bool can_resume(cli_app *app, const cli_source *source)
{
    if (!app->session.options->resume || source->regular)
        return true;
    cli_say(&app->session.terminal, source->name, 0, "--resume needs a regular file to read on in", NULL);
    app->refused = true;
    return false;
}

/* A command that is misspelt, or stands behind an option, was taken for a file. */
static const char *explain_missing(cli_app *app, const char *path, const char *why)
{
    cli_nearest nearest = {.word = path};
    cli_buffer *b = &app->text;
    cli_nearest_offer(&nearest, "suggest");
    cli_nearest_offer(&nearest, "backtest");
    if (nearest.name == NULL && strcmp(path, "help") != 0)
        return why;
    b->length = 0;
    cli_buffer_text(b, why);
    cli_buffer_text(b, nearest.name != NULL ? "; the command stands first: anomaly " : "; did you mean \"--help\"?");
    cli_buffer_text(b, nearest.name != NULL ? nearest.name : "");
    cli_buffer_char(b, '\0');
    return b->data;
}

/* A file to be followed may come later: a log that is just being rotated is not there for a moment. */
static bool open_source(cli_app *app, cli_source *source, const char *path, bool follow)
{
    const struct timespec pause = {0, 200000000};
    const char *why;
    for (bool told = false; !cli_source_open(source, path, follow, &why); told = true) {
        if (!follow || errno != ENOENT || done(app)) {
            if (!cli_source_stopped())
                fail_file(app, 0, errno == ENOENT ? explain_missing(app, path, why) : why);
            return false;
        }
        if (!told)
            cli_say(&app->session.terminal, path, 0, "is not there: waiting for it", NULL);
        nanosleep(&pause, NULL);
    }
    return true;
}

/* Reads a file; answers whether it was replaced or cut while it was followed. `anew`: from its start. */
static bool read_once(cli_app *app, const char *path, bool follow, bool anew)
{
    cli_source source;
    char *old = NULL;
    if (!open_source(app, &source, path, follow))
        return false;
    if (can_resume(app, &source)) {
        const cli_input *from = app->session.options->resume && !anew
                                    ? cli_inputs_find(&app->keep.state, &source, &app->session.terminal, &old)
                                    : NULL;
        if (old != NULL)
            read_rest(app, old, path);
        source.whole_lines = app->session.options->resume && !follow;
        if (!done(app))
            read_source(app, &source, path, from);
    }
    enum cli_turn turn = source.turn;
    if (turn != CLI_TURN_NONE && !app->session.options->quiet && !done(app))
        cli_say(&app->session.terminal, path, 0,
                turn == CLI_TURN_CUT ? "was cut: read from its start" : "was replaced: the new file is read", NULL);
    free(old);
    cli_source_close(&source);
    return turn != CLI_TURN_NONE;
}

static void read_file(cli_app *app, const char *path, bool follow)
{
    bool again = read_once(app, path, follow, false);
    while (again && !done(app)) {
        if (app->keep.on)
            cli_keep_save(&app->keep);
        again = read_once(app, path, follow, true);
    }
    app->session.file = path;
    cli_rejects_end(&app->session.rejects, &app->session.terminal, path);
}

void cli_input_read(cli_app *app)
{
    cli_session *session = &app->session;
    size_t count = cli_session_files(session);
    for (size_t i = 0; i < count && !done(app); i++) {
        session->file_index = i;
        session->file = cli_session_file(session, i);
        read_file(app, session->file, session->options->follow && i + 1 == count);
    }
}
