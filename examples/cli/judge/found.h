/* SPDX-License-Identifier: MIT
 * found.h - what a run has told, noted for the summary: of which keys, the strongest, and how large the scores were.
 */
#ifndef CLI_FOUND_H
#define CLI_FOUND_H

#include "common/key_index.h"
#include "common/text.h"
#include "write/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Thresholds that people write: two digits, from 0.0010 to 9.9e8. */
enum { CLI_STEPS = 90, CLI_DECADES = 12, CLI_EDGES = CLI_STEPS * CLI_DECADES };

/** The event of the largest score. */
typedef struct cli_strongest {
    bool any;
    double score;
    int64_t time;
    cli_buffer sentence;
} cli_strongest;

/** All zero is nothing. */
typedef struct cli_found {
    uint64_t told;
    cli_key_index keys; /* of the first CLI_NOTED that something was told of */
    uint64_t *counts;   /* by a key's number */
    size_t capacity;
    cli_strongest strongest;     /* of those told, */
    cli_strongest held;          /* ... and of those held back since their episode has had its alarm */
    uint64_t reached[CLI_EDGES]; /* events told whose score reaches this edge and not the next */
    uint64_t reached_none;
} cli_found;

/** Note an event that was told; an anomaly that was not. */
void cli_found_hold(cli_found *found, const anomaly_config *config, const cli_record *record);
void cli_found_note(cli_found *found, const anomaly_config *config, const cli_record *record);
void cli_found_free(cli_found *found);

/** The index-th edge, the double that its text is read as. */
double cli_found_edge(size_t index);

/** Finds the lowest edge above `least` that at most `most` of the noted scores reach; *count: how many do. False:
 *  there is none that any score reaches. */
bool cli_found_threshold(const cli_found *found, double least, uint64_t most, double *edge, uint64_t *count);

#endif
