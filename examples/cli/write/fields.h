/* SPDX-License-Identifier: MIT
 * fields.h - the fields of the output, in their order, and what a line of output is made from.
 */
#ifndef CLI_FIELDS_H
#define CLI_FIELDS_H

#include "anomaly.h"
#include "common/text.h"
#include "options/options.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cli_field {
    CLI_FILE,
    CLI_LINE,
    CLI_KEY,
    CLI_TIME,
    CLI_FEATURE,
    CLI_VALUE,
    CLI_SCORE,
    CLI_THRESHOLD,
    CLI_EXPECTED,
    CLI_LOWER,
    CLI_UPPER,
    CLI_EVENTS,
    CLI_FLAGS,
    CLI_ANOMALY,
    CLI_FIELDS, /* number of fields that every output has */
    CLI_REST = CLI_FIELDS
};

/** One judged event. */
typedef struct cli_record {
    const char *file;
    uint64_t line;
    const char *key;
    size_t key_length;
    int64_t time;
    const char *feature;
    double value;
    anomaly_verdict verdict;
    const char *rest; /* members to pass through, as in cli_row */
    size_t rest_length;
} cli_record;

/** The fields to print, in order. */
typedef struct cli_field_list {
    enum cli_field fields[2 * CLI_FIELDS];
    size_t count;
} cli_field_list;

const char *cli_field_name(enum cli_field field);

/** The field of that name, CLI_FIELDS if there is none. */
enum cli_field cli_field_find(const char *name);

/** The fields that --fields names, or the output's own choice. Several files: the table says which. Says what is wrong and
 *  answers false for an unknown name. */
bool cli_fields_choose(cli_field_list *list, const cli_options *options);

/** Before the first record, if it turns out that several columns are judged together: the table names the odd one. */
void cli_fields_together(cli_field_list *list, const cli_options *options);

/** The double that a field holds, false if it holds something else. */
bool cli_field_number(const cli_record *record, enum cli_field field, double *number);

/** Appends `flags` by their names, lower case, with a bar between. */
void cli_add_flags(cli_buffer *buffer, uint32_t flags);

#endif
