/* SPDX-License-Identifier: MIT
 * streams.h - what is noted of a key's events: which rows are its own (--whole), and how often they come.
 */
#ifndef CLI_STREAMS_H
#define CLI_STREAMS_H

#include "anomaly.h"
#include "common/key_index.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct cli_stream {
    const char *key; /* the index's */
    size_t key_length;
    uint64_t events;
    uint64_t fullest; /* most events a verdict rested on */
    int64_t first, last;
    size_t *rows; /* --whole: which of the held rows are this stream's */
    size_t row_count;
    size_t row_capacity;
} cli_stream;

/** All streams by key; all zero is none. */
typedef struct cli_streams {
    cli_key_index keys;
    cli_stream **items; /* by a key's number */
    size_t count;
    size_t capacity;
} cli_streams;

/** The stream of a key, made if there is none yet; NULL if there are `most` others. */
cli_stream *cli_streams_get(cli_streams *streams, const char *key, size_t length, size_t most);
void cli_streams_free(cli_streams *streams);

#endif
