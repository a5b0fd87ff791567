/* SPDX-License-Identifier: MIT
 * keep.h - --state, --resume and --out: what is kept between runs.
 */
#ifndef CLI_KEEP_H
#define CLI_KEEP_H

#include "state/atomic.h"
#include "state/state.h"

typedef struct cli_app cli_app;

typedef struct cli_keep {
    bool on;
    cli_atomic file;
    cli_state state;     /* as it was saved or loaded last */
    cli_sums before;     /* the sums of the runs before this one */
    cli_input *input;    /* the entry of the file being read */
    uint64_t saved_rows; /* rows and place at the last save: is there anything new? */
    uint64_t saved_offset;
    double next; /* when to save */
    bool complained;
} cli_keep;

/** Reads the state, if there is one, and opens --out. False after a message: the exit status is CLI_EXIT_USAGE. */
bool cli_keep_open(cli_app *app);
void cli_keep_close(cli_app *app);

/** For a file just opened: the entry to go on from, NULL to begin at its start. `*old` (the caller frees it) is another path
 *  to be read on first, where the file was renamed and `path` is a new one. */
const cli_input *cli_keep_find(cli_app *app, const cli_source *source, char **old);

/** From now on this source is being read, under the path it is known by; until it ends. */
void cli_keep_begin(cli_app *app, const cli_source *source, const char *path);
void cli_keep_end(cli_app *app, const cli_source *source);

/** The names of the value columns of the file being read. */
void cli_keep_names(cli_app *app, const char *const *names, size_t count);

/** Saves if it is time to. Called where the source's position is right. */
void cli_keep_tick(cli_app *app);

/** Saves now. False after a message. */
bool cli_keep_save(cli_app *app);

#endif
