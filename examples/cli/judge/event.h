/* SPDX-License-Identifier: MIT
 * event.h - what every event has: a key, and an end as a verdict or as a reject.
 */
#ifndef CLI_EVENT_H
#define CLI_EVENT_H

#include "judge/session.h"
#include "read/sink.h"

/** Finds the key of a row's `index`-th value (without --each, of all values); valid until the next call. Answers its
 *  length. */
size_t cli_event_key(cli_session *session, const cli_row *row, size_t index, const char **key);

/** Counts, explains where that is wanted, and prints one verdict of the file with that index. False to end the
 *  reading. */
bool cli_event_verdict(cli_session *session, size_t file_index, cli_record *record);

/** Rejects an event of a row that has been counted, with a message. */
void cli_event_reject(cli_session *session, uint64_t line, enum cli_reason reason, const char *detail);

/** Counts a row and rejects it, with a message. */
void cli_row_reject(cli_session *session, uint64_t line, enum cli_reason reason, const char *detail);

#endif
