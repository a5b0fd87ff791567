/* SPDX-License-Identifier: MIT
 * state.h - the file of --state: what a later run needs to go on. docs/program.md describes it.
 */
#ifndef CLI_STATE_H
#define CLI_STATE_H

#include "anomaly.h"
#include "options/method.h"
#include "options/options.h"
#include "state/mark.h"

#include <stdio.h>

/** A file that was read, and up to where. */
typedef struct cli_input {
    char *path;
    cli_mark mark;
    cli_position at;
    cli_list values; /* the names of its value columns; `given` once they are known */
} cli_input;

/** Sums over all runs. */
typedef struct cli_sums {
    uint64_t rows, events, judged, anomalies, rejected;
} cli_sums;

/** All but the pool. Zero it to begin. */
typedef struct cli_state {
    char *settings;  /* a JSON object: what must be the same for the state to mean the same */
    char *output;    /* the same for --out */
    bool decided;    /* the columns have shown: */
    cli_shown shown; /* ... this, but for is_short and features, ... */
    cli_list values; /* ... which columns are the values, ... */
    cli_list others; /* ... and which others there are */
    cli_input *inputs;
    size_t input_count;
    bool has_out;
    uint64_t out_length;
    cli_sums sums;
} cli_state;

void cli_state_free(cli_state *state);
void cli_input_free(cli_input *input);

/** Forgets the inputs and the output, as a run without --resume begins. */
void cli_state_forget(cli_state *state);

/** Reads a file's head; the pool's snapshot follows if `decided`. On false *why says what is wrong; *state is
 *  zeroed. */
bool cli_state_read(FILE *file, cli_state *state, const char **why);

/** The bytes of a head. The caller frees them. */
char *cli_state_head(const cli_state *state, size_t *size);

/** The settings of these options, as in cli_state.settings and .output. The caller frees them. */
char *cli_state_settings(const cli_options *options, const anomaly_config *config);
char *cli_state_output(const cli_options *options);

/** Where two objects of settings differ; false if they do not. */
bool cli_state_differ(const char *saved, const char *now, char *text, size_t size);

#endif
