/* SPDX-License-Identifier: MIT
 * noted.h - anomaly backtest: what is noted of the events of a run.
 */
#ifndef CLI_NOTED_H
#define CLI_NOTED_H

#include "backtest/incidents.h"
#include "common/key_index.h"
#include "judge/session.h"

/** An alarm, by the number of its key. */
typedef struct cli_noted_alarm {
    size_t key;
    cli_when at;
} cli_noted_alarm;

/** What is known of the rows of a key. */
typedef struct cli_labelled {
    const char *file; /* of the last row, as the next; NULL: there was none */
    uint64_t row;
    uint64_t count;
    size_t running; /* the incident that the last row belongs to + 1, 0: none */
} cli_labelled;

/** What a run has shown. */
typedef struct cli_backtest {
    cli_incidents incidents;
    cli_key_index keys;   /* that events had */
    cli_labelled *of_key; /* [keys.count] */
    size_t key_room;      /* for so many there is room */
    cli_noted_alarm *alarms;
    size_t alarm_count, alarm_room;
    uint64_t events, untimed;
    int64_t first, last; /* times of events */
} cli_backtest;

/** Reads the file of intervals, where the incidents are in one; all is zero before. False after an error was told. */
bool cli_backtest_begin(cli_backtest *b, const cli_options *options);

/** Notes a verdict; `told`: it is an alarm. A cli_session's `watcher`, of which `context` is the cli_backtest. */
void cli_backtest_note(void *context, const cli_options *options, const cli_record *record, bool told);

void cli_backtest_free(cli_backtest *b);

#endif
