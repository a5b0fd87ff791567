/* SPDX-License-Identifier: MIT
 * progress.c - a line on the terminal that says how far a long input has been read.
 */
#include "run/progress.h"

#include "common/uptime.h"

#include <stdio.h>
#include <unistd.h>

void cli_progress_start(cli_app *app)
{
    app->show_progress = !app->session.options->quiet && !app->session.options->follow && isatty(STDERR_FILENO) != 0;
    app->started = app->show_progress ? cli_uptime() : 0;
    app->next_progress = app->started + 1; /* what takes less needs none */
}

/* Called before each read, so once for each quarter of a megabyte. What has been found by now is shown with it. */
void cli_progress_tick(cli_app *app)
{
    double t = app->show_progress ? cli_uptime() : 0;
    if (!app->show_progress || t < app->next_progress)
        return;
    cli_terminal_clear(&app->session.terminal);
    cli_writer_flush(&app->session.writer);
    uint64_t rows = 0;
    for (size_t i = 0; i <= app->session.file_index; i++)
        rows += app->session.counts[i].rows;
    const cli_source *s = app->source;
    fprintf(stderr, "%.2f million rows, %.2f million a second", (double)rows / 1e6, (double)rows / 1e6 / (t - app->started));
    if (s->size > 0)
        fprintf(stderr, ", %.0f %% of %.40s", 100.0 * (double)s->bytes_read / (double)s->size, app->session.file);
    fflush(stderr);
    app->session.terminal.progress = true;
    app->next_progress = t + 0.25;
}
