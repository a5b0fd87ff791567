/* SPDX-License-Identifier: MIT
 * session.h - what the judging of a run's events needs, from the first row to the last.
 */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include "anomaly.h"
#include "common/list.h"
#include "common/say.h"
#include "common/text.h"
#include "judge/counts.h"
#include "judge/episodes.h"
#include "judge/found.h"
#include "judge/keys.h"
#include "judge/order.h"
#include "judge/rejects.h"
#include "options/method.h"
#include "options/options.h"
#include "write/charts.h"
#include "write/writer.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct cli_whole cli_whole;

/** A value that has made its window wide, so that others could hide behind it. */
typedef struct cli_blinding {
    size_t file_index;
    uint64_t line; /* 0: there was none */
    double times;  /* as wide as before */
} cli_blinding;

/** Gets a verdict; `told`: it is one to tell. */
typedef void cli_watcher(void *context, const cli_options *options, const cli_record *record, bool told);

typedef struct cli_session {
    const cli_options *options;
    anomaly_config config;
    char warning[160];  /* the last one that a create gave, not to repeat it */
    bool decided;       /* the configuration is final, since the first file has shown what it depends on, */
    cli_shown shown;    /* ... this */
    bool whole_rows;    /* each row is judged against all others */
    uint32_t told;      /* the flags that make a verdict one to tell: IS_ANOMALY, or ALARM where there is a decision */
    uint32_t printed;   /* ... and one that is printed without --all */
    bool needs_time;    /* the window, or another option */
    size_t value_count; /* of the first file; every detector has as many features, with --each one */
    cli_list values;    /* their names, which further files have too, unless --each */
    cli_list others;    /* the other columns that there were */

    cli_keys keys;
    cli_order order;
    cli_blinding blinding; /* the first */
    cli_whole *whole;      /* --whole: the rows that are held, NULL: none */
    cli_writer writer;
    cli_terminal terminal;
    cli_buffer key; /* --each */
    cli_found found;
    cli_episodes episodes; /* --explain */
    cli_buffer sentence;
    cli_charts charts; /* --html, --sparkline */

    const char *file; /* being read */
    size_t file_index;
    cli_counts *counts; /* of each file */
    cli_rejects rejects;
    cli_watcher *watcher; /* gets every verdict in the place of the writer, NULL: none */
    void *watcher_context;
    bool failed; /* an error that ends the run was told */
} cli_session;

/** Settles the configuration with the command line's options and tells what the library has to say about it. */
bool cli_session_configure(cli_session *session);

/** Completes the configuration once the first file has shown what it depends on, and how many values a row has. */
void cli_session_decide(cli_session *session, const cli_shown *shown, size_t values);

/** Decides, and makes the detectors' pool. False after an error was told. */
bool cli_session_begin(cli_session *session, const cli_shown *shown, size_t values);

/** Makes a detector, NULL after an error was told. */
anomaly_detector *cli_session_detector(cli_session *session, const anomaly_config *config);

/** Frees all but `whole`. */
void cli_session_free(cli_session *session);

/** How many files are read, standard input being one, and what the index-th is called. */
size_t cli_session_files(const cli_session *session);
const char *cli_session_file(const cli_session *session, size_t index);

#endif
