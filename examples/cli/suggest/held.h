/* SPDX-License-Identifier: MIT
 * held.h - all rows of a run, held to be looked at as a whole.
 */
#ifndef CLI_HELD_H
#define CLI_HELD_H

#include "common/key_index.h"
#include "judge/session.h"
#include "read/sink.h"

/** The events, in the order in which they came; all zero is none. */
typedef struct cli_held {
    cli_key_index keys;
    size_t features;  /* of an event */
    double *values;   /* [count * features] */
    int64_t *times;   /* ANOMALY_NO_TIME: none */
    uint64_t *lines;  /* in its file */
    uint64_t *key_of; /* the number of its key */
    size_t count, capacity;
    bool timed; /* an event has a time */
} cli_held;

/** Holds the events of a row: one, with --each one for each value. */
void cli_held_add(cli_held *held, cli_session *session, const cli_row *row);
void cli_held_free(cli_held *held);

/** Copies the events of one key, in order; `times` of the answer is NULL where none has a time. cli_held_free() is not
 *  for it: cli_part_free() is. */
typedef struct cli_part {
    anomaly_rows rows;
    double *values;
    int64_t *times;
    size_t *events; /* their places in the whole */
} cli_part;

void cli_part_make(cli_part *part, const cli_held *held, size_t key);
void cli_part_free(cli_part *part);

/** All events, as the library takes them. */
anomaly_rows cli_held_rows(const cli_held *held);

#endif
