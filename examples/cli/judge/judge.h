/* SPDX-License-Identifier: MIT
 * judge.h - from a row to its verdict.
 */
#ifndef CLI_JUDGE_H
#define CLI_JUDGE_H

#include "judge/session.h"
#include "read/sink.h"

/** Judges the events of a row, or holds it for --whole. False to end the reading. */
bool cli_judge_row(cli_session *session, const cli_row *row);

#endif
