/* SPDX-License-Identifier: MIT
 * sink.h - what a reader delivers, and to whom: the program, a test or a fuzzer.
 */
#ifndef CLI_SINK_H
#define CLI_SINK_H

#include "anomaly.h"
#include "common/list.h"
#include "read/reason.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct cli_rows cli_rows;

/** One row by its parts. Every pointer is valid during the call only. */
typedef struct cli_row {
    uint64_t line;
    const char *key; /* "" where there is no key column; with --each as a part of the whole key */
    size_t key_length;
    int64_t time;  /* ANOMALY_NO_TIME where there is none */
    bool labelled; /* an incident, as a column of labels says; false where there is none */
    const double *values;
    const bool *present; /* with --each: which values the row has */
    size_t value_count;
    const char *const *value_names;
    const char *rest; /* members to pass through, as JSON behind a comma, e.g. `,"meta":{"host":"a"}`; no NUL behind it */
    size_t rest_length;
} cli_row;

/** Where all that a reader finds goes. `row` answers false to end the reading. A function may be NULL. */
typedef struct cli_sink {
    bool (*row)(void *context, const cli_row *row);
    void (*reject)(void *context, uint64_t line, enum cli_reason reason, const char *detail);
    void (*fail)(void *context, uint64_t line, const char *message); /* nothing more can be read from this file */
    void *context;
    bool want_rest;         /* the output has a place for members that pass through */
    const cli_list *values; /* the value columns, where they are known from an earlier reading; NULL: as the options say */
    /* the columns have their parts: answers NULL to read the file, else why it cannot be read so */
    const char *(*planned)(void *context, const cli_rows *rows);
    /* something worth telling, by which nothing is lost; line 0: of the whole file */
    void (*note)(void *context, uint64_t line, const char *message);
} cli_sink;

#endif
