/* SPDX-License-Identifier: MIT
 * samples.h - lines without columns of their own, as monitoring tools write them: each gives values of metrics, and
 * each value becomes a row with the columns metric, value and timestamp.
 */
#ifndef CLI_SAMPLES_H
#define CLI_SAMPLES_H

#include "read/layout.h"
#include "read/rows.h"
#include "read/source.h"

/** One value of a metric, as it is written. The bytes behind value and time must be readable. */
typedef struct cli_sample {
    uint64_t line;
    cli_span key, value, time; /* time.length 0: it has none */
} cli_sample;

typedef struct cli_samples {
    cli_rows rows;
    cli_source *source;
    bool looking; /* at the lines in memory: nothing goes to the sink */
    bool planned;
    bool on; /* false: the sink has had enough, or the columns cannot be used */
} cli_samples;

/** What a format does with a line, without blanks at its ends; when the reading begins, at another place perhaps; and
 *  at the end of the lines. The last two may be NULL. */
typedef struct cli_line_format {
    void (*take)(void *context, const cli_line *line);
    void (*begin)(void *context);
    void (*end)(void *context);
    void *context;
} cli_line_format;

void cli_samples_init(cli_samples *samples, cli_source *source, const cli_options *options, const cli_sink *sink);
void cli_samples_free(cli_samples *samples);

/** Gives all lines of the source to the format: first those in memory, which show how values and times look; then each
 *  line once. Blank lines are left out, and lines of bad bytes are rejected. */
void cli_samples_read(cli_samples *samples, const cli_line_format *format);

/** Tells whether the samples that were looked at have times. */
bool cli_samples_have_times(const cli_samples *samples);

/** Called by the format: hands a value on; rejects a line; says something of the file. */
void cli_samples_add(cli_samples *samples, const cli_sample *sample);
void cli_samples_reject(cli_samples *samples, uint64_t line, enum cli_reason reason, const char *detail);
void cli_samples_note(cli_samples *samples, uint64_t line, const char *text);

#endif
