/* SPDX-License-Identifier: MIT
 * counts.h - what happened to the events.
 */
#ifndef CLI_COUNTS_H
#define CLI_COUNTS_H

#include "read/reason.h"

#include <stdint.h>

/** What happened to the events of a file, or of all. */
typedef struct cli_counts {
    uint64_t rows;   /* read, the rejected ones included */
    uint64_t events; /* rows that were not rejected; with --each one for each value column */
    uint64_t judged;
    uint64_t anomalies;
    uint64_t warming_up;                                 /* not judged: too few events before */
    uint64_t missing;                                    /* not judged: no value */
    uint64_t untransformed;                              /* not judged: the value has no transform */
    uint64_t undefined;                                  /* not judged: no score for another reason */
    uint64_t alarms, resting, unconfirmed, small_change; /* anomalies: told, or held back, by what */
    uint64_t late, jumped, nonfinite, flat, truncated, not_learned;
    uint64_t rejected;
    uint64_t reasons[CLI_REASONS];
} cli_counts;

#endif
