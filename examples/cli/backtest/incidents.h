/* SPDX-License-Identifier: MIT
 * incidents.h - anomaly backtest: the incidents that people know of, and a file of them.
 */
#ifndef CLI_INCIDENTS_H
#define CLI_INCIDENTS_H

#include "common/say.h"
#include "options/options.h"

/** When an event came: its time, and its number among the rows of its key, from 1 on. */
typedef struct cli_when {
    int64_t time;
    uint64_t event; /* 0 in a file of intervals, which has times only */
} cli_when;

/** One incident: both ends belong to it. */
typedef struct cli_incident {
    char *key; /* NULL: of every key */
    size_t key_length;
    cli_when start, end;
    uint64_t line; /* of its first labelled row, or in the file of intervals */
    bool found;
    cli_when alarm; /* its first */
} cli_incident;

typedef struct cli_incidents {
    cli_incident *items;
    size_t count, capacity;
} cli_incidents;

void cli_incidents_add(cli_incidents *incidents, const cli_incident *incident);
void cli_incidents_free(cli_incidents *incidents);

/** Reads the intervals: start,end or start,end,key in each line, behind a header or none. False after an error
 *  was told. */
bool cli_incidents_of_file(cli_incidents *incidents, const cli_options *options);

#endif
