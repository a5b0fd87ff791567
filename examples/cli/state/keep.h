/* SPDX-License-Identifier: MIT
 * keep.h - --state, --resume and --out: what is kept between runs.
 */
#ifndef CLI_KEEP_H
#define CLI_KEEP_H

#include "judge/session.h"
#include "state/atomic.h"
#include "state/inputs.h"
#include "state/state.h"

/** Begins with the session alone, all else zero. */
typedef struct cli_keep {
    cli_session *session;
    bool on;
    cli_atomic file;
    cli_state state;          /* as it was saved or loaded last */
    cli_sums before;          /* the sums of the runs before this one */
    const cli_source *source; /* being read, NULL between files, ... */
    cli_input *input;         /* ... and its entry */
    uint64_t saved_rows;      /* rows and place at the last save: is there anything new? */
    uint64_t saved_offset;
    double next; /* when to save */
    bool complained;
} cli_keep;

/** Reads the state, if there is one, and opens --out. False after a message: the exit status is CLI_EXIT_USAGE. */
bool cli_keep_open(cli_keep *keep);
void cli_keep_close(cli_keep *keep);

/** Notes that this source is being read from now on, under the path it is known by; until it ends. */
void cli_keep_begin(cli_keep *keep, const cli_source *source, const char *path);
void cli_keep_end(cli_keep *keep);

/** Notes the names of the value columns of the file being read, once. */
void cli_keep_names(cli_keep *keep, const char *const *names, size_t count);

/** Saves if it is time to. Called where the source's position is right. */
void cli_keep_tick(cli_keep *keep);

/** Saves now. False after a message. */
bool cli_keep_save(cli_keep *keep);

#endif
