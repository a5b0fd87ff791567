/* SPDX-License-Identifier: MIT
 * whole.h - --whole: hold all rows, then judge each against the others of its stream.
 */
#ifndef CLI_WHOLE_H
#define CLI_WHOLE_H

#include "judge/session.h"
#include "read/sink.h"

/** Holds a row. Answers true: more may come. */
bool cli_whole_row(cli_session *session, const cli_row *row);

/** Judges the rows that are held, and tells the verdicts in their order. */
void cli_whole_judge(cli_session *session);
void cli_whole_free(cli_session *session);

#endif
