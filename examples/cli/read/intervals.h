/* SPDX-License-Identifier: MIT
 * intervals.h - requests counted by intervals of time, and within these by groups.
 */
#ifndef CLI_INTERVALS_H
#define CLI_INTERVALS_H

#include "common/text.h"
#include "read/layout.h"

/** What a request says; a number that is not there is NaN. */
typedef struct cli_request {
    cli_span group; /* length 0: all are one */
    double bytes, seconds;
    unsigned status; /* 0: unknown */
} cli_request;

/** The requests of a group within an interval. */
typedef struct cli_sums {
    char *group;
    size_t group_length;
    uint64_t requests, client_errors, server_errors, sized, timed;
    double bytes, seconds;
} cli_sums;

/** An interval that is open: requests are counted in it. All zero to begin. */
typedef struct cli_interval {
    bool open;
    int64_t begin_ns;
    int64_t covered_ns; /* of it, by the log */
    uint64_t line;      /* of the first request */
    cli_sums *sums;
    size_t count;
    size_t *table; /* places in sums, by hash; 0 is free, else one more */
    size_t table_size;
} cli_interval;

enum { CLI_GROUPS = 10000 }; /* of an interval */

/** Opens an interval, with no group in it. */
void cli_interval_open(cli_interval *interval, int64_t begin_ns, int64_t covered_ns, uint64_t line);

/** Counts a request; false if its group is one too many, so that it is counted in the group "(others)". */
bool cli_interval_count(cli_interval *interval, const cli_request *request);
void cli_interval_free(cli_interval *interval);

#endif
