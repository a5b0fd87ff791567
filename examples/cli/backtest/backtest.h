/* SPDX-License-Identifier: MIT
 * backtest.h - anomaly backtest: the alarms of a run beside the incidents that people know of.
 */
#ifndef CLI_BACKTEST_H
#define CLI_BACKTEST_H

#include "backtest/noted.h"

/** Writes what was found to standard output. False after an error was told. */
bool cli_backtest_say(cli_backtest *b, cli_session *session);

#endif
