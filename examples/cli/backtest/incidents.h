/* SPDX-License-Identifier: MIT
 * incidents.h - anomaly backtest: the incidents that people know of, from a column of labels or a file of intervals.
 */
#ifndef CLI_INCIDENTS_H
#define CLI_INCIDENTS_H

#include "common/say.h"
#include "options/options.h"
#include "suggest/held.h"

/** One incident: both ends belong to it. */
typedef struct cli_incident {
    char *key; /* NULL: of every key */
    size_t key_length;
    int64_t start, end;
    uint64_t line; /* of its first labelled row, or in the file of intervals */
    bool found;
    int64_t alarm; /* the time of its first alarm */
} cli_incident;

typedef struct cli_incidents {
    cli_incident *items;
    size_t count, capacity;
} cli_incidents;

/** Takes labelled rows, whose value is 0 or 1: those of a key one after the other are one incident. False
 *  after an error was told. */
bool cli_incidents_of_rows(cli_incidents *incidents, const cli_held *held, const cli_options *options);

/** Reads the intervals: start,end or start,end,key in each line, behind a header or none. False after an error
 *  was told. */
bool cli_incidents_of_file(cli_incidents *incidents, const cli_options *options);
void cli_incidents_free(cli_incidents *incidents);

#endif
