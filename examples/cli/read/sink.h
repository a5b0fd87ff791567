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

/** One row, its parts found. Everything is borrowed for the call. */
typedef struct cli_row {
    uint64_t line;
    const char *key; /* "" where there is no key column; with --each as a part of the whole key */
    size_t key_length;
    int64_t time; /* ANOMALY_NO_TIME where there is none */
    const double *values;
    const bool *present; /* with --each: which of the values there are */
    size_t value_count;
    const char *const *value_names;
    const char *rest; /* members to pass through, as JSON behind a comma, e.g. `,"meta":{"host":"a"}`; no NUL behind it */
    size_t rest_length;
} cli_row;

/** Where a reader's findings go. row answers false to end the reading. What is NULL is not called. */
typedef struct cli_sink {
    bool (*row)(void *context, const cli_row *row);
    void (*reject)(void *context, uint64_t line, enum cli_reason reason, const char *detail);
    void (*fail)(void *context, uint64_t line, const char *message); /* nothing more can be read from this file */
    void *context;
    bool want_rest;         /* the output has a place for members that pass through */
    const cli_list *values; /* the value columns, where they are known from an earlier reading; NULL: as the options say */
    const char *(*planned)(void *context, const cli_rows *rows); /* the columns have their parts; answers why it is not to be
                                                                        read so, NULL: it is */
    void (*note)(void *context, uint64_t line,
                 const char *message); /* nothing is lost, but somebody should know; line 0: of the whole file */
} cli_sink;

#endif
