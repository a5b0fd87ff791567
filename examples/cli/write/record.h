/* SPDX-License-Identifier: MIT
 * record.h - one judged event, and the text of its fields where all forms of output have the same.
 */
#ifndef CLI_RECORD_H
#define CLI_RECORD_H

#include "anomaly.h"
#include "common/fields.h"
#include "common/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

/** The double that a field holds, false if it holds something else. */
bool cli_field_number(const cli_record *record, enum cli_field field, double *number);

/** Appends `flags` by their names, lower case, with a bar between. */
void cli_add_flags(cli_buffer *buffer, uint32_t flags);

/** Appends the number, or `none` where it is not finite. */
void cli_add_number(cli_buffer *buffer, double number, const char *none);

/** Appends the time, nothing where there is none. */
void cli_add_time(cli_buffer *buffer, int64_t time);

#endif
