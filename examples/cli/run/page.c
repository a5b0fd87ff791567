/* SPDX-License-Identifier: MIT
 * page.c - --html: the page that a run leaves behind.
 */
#include "run/page.h"

#include "common/files.h"
#include "common/uptime.h"
#include "run/summary.h"
#include "write/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool refuse_page(cli_app *app, const char *why, const char *detail)
{
    cli_say(&app->session.terminal, app->session.options->html, 0, why, detail);
    return false;
}

/* The page would take its place. */
static bool is_needed(const cli_app *app, const char *path)
{
    const cli_options *o = app->session.options;
    bool needed = (o->out != NULL && cli_same_file(path, o->out)) || (o->state != NULL && cli_same_file(path, o->state)) ||
                  (app->keep.file.beside != NULL && cli_same_file(path, app->keep.file.beside));
    for (size_t i = 0; i < o->file_count; i++)
        needed |= cli_same_file(path, o->files[i]);
    return needed;
}

/* A forgotten name makes the input that of the page: `--html data.csv`. */
static bool is_page_or_empty(int fd)
{
    static const char start[] = "<!doctype html>";
    char found[sizeof start - 1];
    ssize_t n = pread(fd, found, sizeof found, 0);
    return n == 0 || (n == (ssize_t)sizeof found && memcmp(found, start, sizeof found) == 0);
}

static void wait_for_next(cli_app *app)
{
    app->next_page = cli_uptime() + (double)app->session.options->save_every / 1e9;
}

bool cli_page_open(cli_app *app)
{
    const cli_options *o = app->session.options;
    if (o->html == NULL)
        return true;
    wait_for_next(app);
    if (strcmp(o->html, "-") == 0)
        return refuse_page(app, "a page is a file: give its name to --html", NULL);
    if (is_needed(app, o->html))
        return refuse_page(app, "it is to be read, or written to otherwise: give another --html", NULL);
    if (!cli_atomic_open(&app->page, o->html, 0666) || !cli_atomic_can_make(&app->page))
        return refuse_page(app, "the page cannot be written", app->page.error);
    if (app->page.locked >= 0 && !is_page_or_empty(app->page.locked))
        return refuse_page(app, "it is there, and is no page: move it away, or give another --html", NULL);
    return !is_needed(app, app->page.beside) ||
           refuse_page(app, "the page is first written with .new behind its name: give another --html", NULL);
}

void cli_page_close(cli_app *app)
{
    cli_atomic_close(&app->page);
    cli_buffer_free(&app->page_notes);
}

void cli_page_understood(cli_app *app)
{
    cli_buffer *notes = &app->page_notes;
    if (app->session.options->html == NULL)
        return;
    const char *file = cli_shown_name(app->session.file);
    cli_add_printable(notes, file, strlen(file));
    cli_buffer_text(notes, ": ");
    cli_buffer_text(notes, app->understood);
    cli_buffer_char(notes, '\n');
}

/* What the summary would say, whether it is said or not. */
static char *summary_of(const cli_app *app)
{
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    if (to == NULL)
        return cli_copy("", 0);
    cli_summary(to, app);
    return fclose(to) == 0 ? text : (free(text), cli_copy("", 0));
}

static void add_title(cli_buffer *b, const cli_session *session)
{
    size_t files = cli_session_files(session);
    const char *name = cli_shown_name(cli_session_file(session, 0)), *slash = strrchr(name, '/');
    cli_add_printable(b, slash != NULL ? slash + 1 : name, strlen(slash != NULL ? slash + 1 : name));
    if (files > 1) {
        cli_buffer_text(b, " and ");
        cli_buffer_uint(b, files - 1);
        cli_buffer_text(b, files > 2 ? " other files" : " other file");
    }
    cli_buffer_char(b, '\0');
}

static void add_page(cli_buffer *page, cli_app *app)
{
    const cli_session *session = &app->session;
    cli_buffer title = {0}, method = {0};
    char *summary = summary_of(app);
    char *notes = cli_copy(app->page_notes.length > 0 ? app->page_notes.data : "", app->page_notes.length);
    add_title(&title, session);
    if (session->decided)
        cli_method_add(&method, &session->config, session->whole_rows);
    cli_buffer_char(&method, '\0');
    const cli_report report = {.charts = &session->charts,
                               .title = title.data,
                               .method = method.data,
                               .understood = notes,
                               .summary = summary,
                               .decided = session->told == ANOMALY_ALARM,
                               .together = session->config.features > 1};
    cli_add_report(page, &report);
    free(notes);
    free(summary);
    cli_buffer_free(&method);
    cli_buffer_free(&title);
}

void cli_page_write(cli_app *app)
{
    if (app->page.path == NULL)
        return;
    cli_buffer page = {0};
    add_page(&page, app);
    bool good =
        cli_atomic_begin(&app->page) && cli_atomic_write(&app->page, page.data, page.length) && cli_atomic_end(&app->page);
    cli_buffer_free(&page);
    if (!good && !app->page_failed)
        refuse_page(app, "the page cannot be written", app->page.error);
    app->page_failed = !good;
    wait_for_next(app);
}

void cli_page_tick(cli_app *app)
{
    const cli_options *o = app->session.options;
    if (app->page.path != NULL && o->follow && o->save_every > 0 && cli_uptime() >= app->next_page)
        cli_page_write(app);
}
