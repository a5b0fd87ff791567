/* SPDX-License-Identifier: MIT
 * record.h - one judged event, and the text of its fields where all forms of output have the same.
 */
#ifndef CLI_RECORD_H
#define CLI_RECORD_H

#include "anomaly.h"
#include "common/fields.h"
#include "common/number.h"
#include "common/text.h"
#include "common/times.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** An episode of odd events, as far as it has come. */
typedef struct cli_episode {
    int64_t since, last; /* the first and the last odd event */
    uint64_t odd;        /* how many there were; 0: the beginning is not known */
} cli_episode;

/** One judged event. */
typedef struct cli_record {
    const char *file;
    uint64_t line;
    uint64_t row; /* its number in its file; with --each several events are of one row */
    bool labelled;
    const char *key;
    size_t key_length;
    int64_t time;
    const char *feature;
    double value;
    anomaly_verdict verdict;
    const char *rest; /* members to pass through, as in cli_row */
    size_t rest_length;
    const cli_episode *episode; /* the one that it ends, or belongs to; NULL: none, or not known */
    const char *explanation;    /* the verdict as a sentence, "" unless it is wanted */
    size_t explanation_length;
} cli_record;

/** The double that a field holds, false if it holds something else. */
bool cli_field_number(const cli_record *record, enum cli_field field, double *number);

/** Appends `flags` by their names, lower case, with a bar between. */
void cli_add_flags(cli_buffer *buffer, uint32_t flags);

/** Appends the number, or `none` where it is not finite. */
static inline void cli_add_number(cli_buffer *buffer, double number, const char *none)
{
    if (isfinite(number))
        buffer->length += cli_format_number(cli_buffer_room(buffer, CLI_NUMBER_SIZE), number);
    else
        cli_buffer_text(buffer, none);
}

/** Appends the time, nothing where there is none. */
static inline void cli_add_time(cli_buffer *buffer, int64_t time)
{
    if (time != ANOMALY_NO_TIME)
        buffer->length += cli_format_time(cli_buffer_room(buffer, CLI_TIME_SIZE), time);
}

#endif
