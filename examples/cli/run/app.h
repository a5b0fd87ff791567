/* SPDX-License-Identifier: MIT
 * app.h - one run of the program: rows in, verdicts out, and what is said about it.
 */
#ifndef CLI_APP_H
#define CLI_APP_H

#include "judge/keys.h"
#include "options/options.h"
#include "read/rows.h"
#include "read/source.h"
#include "run/keep.h"
#include "run/order.h"
#include "write/writer.h"

/** What happened to the events of a file, or of all. */
typedef struct cli_counts {
    uint64_t rows;   /* read, the rejected ones included */
    uint64_t events; /* rows that were not rejected; with --each one for each value column */
    uint64_t judged;
    uint64_t anomalies;
    uint64_t warming_up; /* not judged: too few events before */
    uint64_t missing;    /* not judged: no value */
    uint64_t undefined;  /* not judged: no score for another reason */
    uint64_t late, jumped, nonfinite, flat, truncated, not_learned;
    uint64_t rejected;
    uint64_t reasons[CLI_REASONS];
} cli_counts;

enum { CLI_TOLD = 20 }; /* rejected rows of a file that are told */

/** Rejected rows of one kind. */
typedef struct cli_alike {
    uint64_t kind; /* a hash of what they have in common */
    uint64_t line; /* of the last that was told */
    unsigned told;
    uint64_t more;
} cli_alike;

/** Those of the file being read. */
typedef struct cli_rejects {
    cli_alike kinds[CLI_TOLD];
    size_t kind_count;
    unsigned told;
    uint64_t others; /* for which there was no line left */
} cli_rejects;

typedef struct cli_whole cli_whole;

struct cli_app {
    const cli_options *options;
    anomaly_config config;
    bool decided;       /* the window is final, since the first file's columns have shown whether there are times */
    bool has_time;      /* they have */
    bool needs_time;    /* the window is one of time */
    size_t value_count; /* of the first file; every detector has as many features, with --each one */
    cli_list values;    /* their names, which further files have too, unless --each */
    cli_list others;    /* the other columns that there were */
    char *understood;   /* what was told last */
    char warning[160];  /* the last one that a create gave, not to repeat it */

    cli_writer writer;
    cli_keys keys;
    cli_order order;
    cli_buffer key;  /* --each */
    cli_buffer text; /* understood.c's */
    cli_whole *whole;

    const char *file; /* being read */
    size_t file_index;
    cli_counts *counts; /* of each file */
    cli_rejects rejects;
    bool *unreadable; /* which could not be read, or not to their end */
    bool failed;      /* an error that ends the run was told */
    bool refused;     /* the same, and it was the command line's fault */
    bool ended;       /* by an interrupt, where the input has no other end */
    bool interrupted; /* by a signal, before the input's end */

    bool show_progress, progress_shown;
    double next_progress, started;
    const cli_source *source;
    cli_keep keep;
};

/** The whole program. `argv` as main has it; answers the exit status. */
int cli_run(int argc, char **argv);

/** Settles the configuration with the command line's options and tells what the library has to say about it. */
bool cli_app_configure(cli_app *app);

/** The configuration once it is known whether there are times and how many values. */
void cli_app_decide(cli_app *app, bool has_time, size_t values);

/** The same, and the detectors' pool; false after an error was told. */
bool cli_app_begin(cli_app *app, bool has_time, size_t values);

/** The columns of a file have their parts, a cli_sink's function: begins, and tells what was understood. */
const char *cli_app_planned(void *context, const cli_rows *rows);

/** A detector, NULL after an error was told. */
anomaly_detector *cli_app_detector(cli_app *app, const anomaly_config *config);

/** The key of a row's `index`-th value (of all values without --each), valid until the next call. Answers its length. */
size_t cli_app_key(cli_app *app, const cli_row *row, size_t index, const char **key);

/** Judges a row; a cli_sink's row function. */
bool cli_judge_row(void *context, const cli_row *row);

/** Counts and prints one verdict. False to end the reading. */
bool cli_tell_verdict(cli_app *app, cli_counts *counts, const cli_record *record);

/** Rejects the row with a message, a cli_sink's function. */
void cli_reject_row(void *context, uint64_t line, enum cli_reason reason, const char *detail);

/** The same for an event of a row that has been counted. */
void cli_reject_event(cli_app *app, uint64_t line, enum cli_reason reason, const char *detail);

/** At the end of a file: how many more were rejected than were told. */
void cli_rejects_end(cli_app *app);

/** Holds rows; then judges each against the others. */
bool cli_whole_row(void *context, const cli_row *row);
void cli_whole_judge(cli_app *app);
void cli_whole_free(cli_app *app);

/** What a file is called in messages. */
const char *cli_shown_name(const char *file);

/** "FILE:LINE: ..." on standard error. LINE 0: none. */
void cli_say(cli_app *app, const char *file, uint64_t line, const char *text, const char *detail);

void cli_progress_start(cli_app *app);
void cli_progress_tick(cli_app *app);
void cli_progress_clear(cli_app *app);

void cli_summary(cli_app *app);

#endif
