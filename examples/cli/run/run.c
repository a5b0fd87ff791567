/* SPDX-License-Identifier: MIT
 * run.c - the program from its options to its exit status.
 */
#include "run/app.h"

#include "read/reader.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static volatile sig_atomic_t last_signal;

/* A followed file has no end: an interrupt is the ordinary way to stop. With a state it is saved first. The second one kills
 * as always. */
static void stop(int number)
{
    last_signal = number;
    cli_source_stop();
}

const char *cli_shown_name(const char *file)
{
    return strcmp(file, "-") == 0 ? "standard input" : file;
}

void cli_say(cli_app *app, const char *file, uint64_t line, const char *text, const char *detail)
{
    cli_buffer b = {0};
    const char *name = cli_shown_name(file);
    cli_progress_clear(app);
    cli_add_printable(&b, name, strlen(name));
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

static void fail_file(void *context, uint64_t line, const char *message)
{
    cli_app *app = context;
    app->unreadable[app->file_index] = true;
    cli_say(app, app->file, line, message, NULL);
}

static void note(void *context, uint64_t line, const char *message)
{
    cli_app *app = context;
    if (!app->options->quiet && !app->source->replay)
        cli_say(app, app->file, line, message, NULL);
}

/* The value columns, where they are known: those of the files before, and of the runs before. */
static const cli_list *known_values(const cli_app *app, const cli_source *source, const cli_input *from)
{
    if (source->replay && from->values.given)
        return &from->values;
    return app->values.given && !app->options->values.given && !app->options->each ? &app->values : NULL;
}

static void idle(void *context, bool waits)
{
    cli_app *app = context;
    cli_keep_tick(app);
    if (waits)
        cli_progress_clear(app);
    if (waits && !cli_writer_flush(&app->writer))
        cli_source_stop();
    cli_progress_tick(app);
}

static bool done(const cli_app *app)
{
    return app->failed || app->refused || app->writer.out.closed || app->writer.out.error != NULL || cli_source_stopped();
}

/* One source to its end; `path` is what the file is known by, `from` where to go on. */
static void read_source(cli_app *app, cli_source *source, const char *path, const cli_input *from)
{
    if (from != NULL)
        cli_source_go_on(source, &from->at);
    const cli_sink sink = {.row = cli_judge_row,
                           .reject = cli_reject_row,
                           .fail = fail_file,
                           .context = app,
                           .want_rest = app->writer.form == CLI_TO_JSON || app->writer.form == CLI_TO_NDJSON,
                           .values = known_values(app, source, from),
                           .planned = cli_app_planned,
                           .note = note};
    source->idle = idle;
    source->idle_context = app;
    app->file = source->name;
    app->source = source;
    cli_keep_begin(app, source, path);
    cli_read(source, app->options, &sink);
    if (source->error != NULL)
        fail_file(app, 0, source->error);
    else if (source->bytes_read == 0 && !cli_source_stopped() && !app->options->resume)
        fail_file(app, 0, "is empty");
    cli_keep_end(app, source);
    app->ended = last_signal == SIGINT && !source->regular;
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
    const cli_input *from = cli_keep_find(app, &source, &none);
    if (from != NULL)
        read_source(app, &source, path, from);
    free(none);
    cli_source_close(&source);
}

static bool can_resume(cli_app *app, const cli_source *source)
{
    if (!app->options->resume || source->regular)
        return true;
    cli_say(app, source->name, 0, "--resume needs a regular file to read on in", NULL);
    app->refused = true;
    return false;
}

/* A file to be followed may come later: a log that is just being rotated is not there for a moment. */
static bool open_source(cli_app *app, cli_source *source, const char *path, bool follow)
{
    const struct timespec pause = {0, 200000000};
    const char *why;
    for (bool told = false; !cli_source_open(source, path, follow, &why); told = true) {
        if (!follow || errno != ENOENT || done(app)) {
            if (!cli_source_stopped())
                fail_file(app, 0, why);
            return false;
        }
        if (!told)
            cli_say(app, path, 0, "is not there: waiting for it", NULL);
        nanosleep(&pause, NULL);
    }
    return true;
}

/* Answers whether the file was replaced or cut while it was followed. `anew`: whatever is known of it, from its start. */
static bool read_once(cli_app *app, const char *path, bool follow, bool anew)
{
    cli_source source;
    char *old = NULL;
    if (!open_source(app, &source, path, follow))
        return false;
    if (can_resume(app, &source)) {
        const cli_input *from = app->options->resume && !anew ? cli_keep_find(app, &source, &old) : NULL;
        if (old != NULL)
            read_rest(app, old, path);
        source.whole_lines = app->options->resume && !follow;
        if (!done(app))
            read_source(app, &source, path, from);
    }
    enum cli_turn turn = source.turn;
    if (turn != CLI_TURN_NONE && !app->options->quiet && !done(app))
        cli_say(app, path, 0, turn == CLI_TURN_CUT ? "was cut: read from its start" : "was replaced: the new file is read",
                NULL);
    free(old);
    cli_source_close(&source);
    return turn != CLI_TURN_NONE;
}

static void read_file(cli_app *app, const char *path, bool follow)
{
    bool again = read_once(app, path, follow, false);
    while (again && !done(app)) {
        if (app->keep.on)
            cli_keep_save(app);
        again = read_once(app, path, follow, true);
    }
    app->file = path;
    cli_rejects_end(app);
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
    bool bad = app->failed || app->writer.out.error != NULL || app->interrupted;
    uint64_t anomalies = 0;
    size_t count = app->options->file_count > 0 ? app->options->file_count : 1;
    for (size_t i = 0; i < count; i++) {
        bad |= app->unreadable[i] || app->counts[i].rejected > 0;
        anomalies += app->counts[i].anomalies;
    }
    if (app->refused || app->keep.complained)
        return CLI_EXIT_USAGE;
    if (app->options->fail_on_anomaly && anomalies > 0)
        return CLI_EXIT_ANOMALY;
    return bad ? CLI_EXIT_INPUT : CLI_EXIT_OK;
}

static void catch_stop(int number)
{
    struct sigaction action;
    if (sigaction(number, NULL, &action) != 0 || action.sa_handler == SIG_IGN)
        return; /* nohup */
    action.sa_handler = stop;
    action.sa_flags = (int)SA_RESETHAND;
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

/* `saves`: whoever ends the program wants what it has. An interrupt comes from a person, who wants it always. */
static void catch_signals(bool saves)
{
    struct sigaction action = {.sa_handler = SIG_IGN};
    sigemptyset(&action.sa_mask);
    sigaction(SIGPIPE, &action, NULL); /* write(2) says so */
    last_signal = 0;
    catch_stop(SIGINT);
    if (!saves)
        return;
    catch_stop(SIGTERM);
    catch_stop(SIGHUP);
}

/* A followed file, a pipe and a terminal have no end but the one that a person makes; whatever comes behind it was not read. */
static bool was_interrupted(const cli_app *app)
{
    bool last = app->file_index + 1 >= app->options->file_count;
    return cli_source_stopped() && !app->options->follow && !app->writer.out.closed && !(app->ended && last);
}

static void finish(cli_app *app)
{
    cli_progress_clear(app);
    cli_whole_judge(app);
    bool written = cli_writer_end(&app->writer);
    if (app->keep.on && written && !app->failed && !app->refused)
        cli_keep_save(app);
    if (app->writer.out.error != NULL)
        cli_say(app, app->options->out != NULL ? app->options->out : "standard output", 0, app->writer.out.error, NULL);
    app->interrupted = was_interrupted(app);
    if (app->interrupted)
        cli_say(app, app->file, 0, "stopped by a signal before its end", NULL);
    if (!app->options->quiet && !app->writer.out.closed && !app->refused)
        cli_summary(app);
}

static void free_app(cli_app *app)
{
    cli_whole_free(app);
    cli_keep_close(app);
    cli_keys_free(&app->keys);
    cli_writer_free(&app->writer);
    cli_buffer_free(&app->key);
    cli_buffer_free(&app->text);
    cli_list_free(&app->values);
    cli_list_free(&app->others);
    free(app->understood);
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
    cli_order_start(&app->order);
    cli_source_start();
    cli_writer_init(&app->writer, app->options);
    catch_signals(app->options->follow || app->options->state != NULL);
    if (!cli_keep_open(app))
        return CLI_EXIT_USAGE;
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
