/* SPDX-License-Identifier: MIT
 * backtest.h - anomaly backtest: the alarms of a run beside the incidents that people know of.
 */
#ifndef CLI_BACKTEST_H
#define CLI_BACKTEST_H

#include "backtest/incidents.h"
#include "judge/session.h"

/** All zero is the beginning. */
typedef struct cli_backtest {
    cli_incidents incidents;
    cli_key_index keys; /* that events had */
    uint64_t events, false_alarms, untimed;
    int64_t first, last; /* times of events */
} cli_backtest;

/** Notes a verdict; `told`: it is an alarm. A cli_session's `watcher`, of which `context` is the cli_backtest. */
void cli_backtest_note(void *context, const cli_options *options, const cli_record *record, bool told);

/** Writes what was found to standard output. False after an error was told. */
bool cli_backtest_say(cli_backtest *b, cli_session *session);
void cli_backtest_free(cli_backtest *b);

#endif
