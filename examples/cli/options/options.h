/* SPDX-License-Identifier: MIT
 * options.h - what the command line says.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "anomaly.h"
#include "common/list.h"
#include "common/times.h"

#include <stdbool.h>
#include <stddef.h>

enum cli_format {
    CLI_AUTO,
    CLI_CSV,
    CLI_JSON,
    CLI_NDJSON,
    CLI_TXT,
    CLI_PROMETHEUS,
    CLI_INFLUX,
    CLI_ACCESS,
    CLI_BLANKS,
    CLI_LOGFMT,
    CLI_PING
};
enum cli_header { CLI_HEADER_AUTO, CLI_HEADER_YES, CLI_HEADER_NO };
enum cli_command { CLI_JUDGE, CLI_SUGGEST, CLI_BACKTEST };
enum cli_output { CLI_TO_TABLE, CLI_TO_CSV, CLI_TO_JSON, CLI_TO_NDJSON };

/** Exit statuses. */
enum { CLI_EXIT_OK = 0, CLI_EXIT_INPUT = 1, CLI_EXIT_USAGE = 2, CLI_EXIT_ANOMALY = 3 };

typedef struct cli_options {
    enum cli_command command;
    char **arguments; /* what stands behind the command */
    size_t argument_count;
    int kind;
    anomaly_config config; /* as the options say; with window_given false the window follows from the input */
    bool window_given, warmup_given;
    bool open;                   /* nothing says how events are judged: the input does */
    const char **settings;       /* the detector's options: name, value, name, value, ... */
    size_t setting_count;        /* names and values */
    cli_list keys, values, time; /* column names; time has at most one */
    cli_clock clock;             /* how times are to be read: --time-unit, --time-format, --tz */
    const char *zone;            /* --tz, NULL: UTC */
    bool each;
    enum cli_format input;
    const char *encoding;   /* NULL: the input shows it. Borrowed */
    const char *rows;       /* --rows, NULL: objects are rows where they are in no other, or the input shows it */
    const char *log_format; /* --format, NULL: the input shows it */
    int64_t interval_ns;    /* 0: as the reader of access logs has it */
    char delimiter;         /* 0: the input shows it */
    enum cli_header header;
    char decimal;   /* '.' or ',', 0: the input shows it */
    char thousands; /* what stands between thousands: , . ' or a blank; 0: nothing */
    cli_list na;    /* further words for a missing value; given and empty: not even the usual words */
    enum cli_output output;
    cli_list fields;
    uint64_t max_keys, max_memory;  /* 0: any number */
    int64_t forget_after;           /* 0: never */
    const char *state, *out, *html; /* files, NULL: none */
    const char *labels;             /* backtest: a column, or a file of intervals; NULL: not given */
    int64_t grace_ns;               /* ... after an incident */
    uint64_t grace_events;          /* ... the same, where the events have no times */
    bool resume;
    int64_t save_every; /* 0: only at the end */
    bool all, explain, sparkline, follow, quiet, fail_on_anomaly, whole;
    char **files;
    size_t file_count;
} cli_options;

/** Frees what the options hold of their own. */
void cli_options_free(cli_options *options);

#endif
