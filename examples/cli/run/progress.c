/* SPDX-License-Identifier: MIT
 * progress.c - a line on the terminal that says how far a long input has been read.
 */
#include "run/app.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void cli_progress_start(cli_app *app)
{
    app->show_progress = !app->options->quiet && !app->options->follow && isatty(STDERR_FILENO) != 0;
    app->started = app->show_progress ? now() : 0;
    app->next_progress = app->started + 1; /* what takes less needs none */
}

void cli_progress_clear(cli_app *app)
{
    if (app->progress_shown)
        fputs("\r\033[K", stderr);
    app->progress_shown = false;
}

/* Called before each read, so once for each quarter of a megabyte. What has been found by now is shown with it. */
void cli_progress_tick(cli_app *app)
{
    double t = app->show_progress ? now() : 0;
    if (!app->show_progress || t < app->next_progress)
        return;
    cli_progress_clear(app);
    cli_writer_flush(&app->writer);
    uint64_t rows = 0;
    for (size_t i = 0; i <= app->file_index; i++)
        rows += app->counts[i].rows;
    const cli_source *s = app->source;
    fprintf(stderr, "%.2f million rows, %.2f million a second", (double)rows / 1e6, (double)rows / 1e6 / (t - app->started));
    if (s->size > 0)
        fprintf(stderr, ", %.0f %% of %.40s", 100.0 * (double)s->bytes_read / (double)s->size, app->file);
    fflush(stderr);
    app->progress_shown = true;
    app->next_progress = t + 0.25;
}
