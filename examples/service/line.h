/* SPDX-License-Identifier: MIT
 * line.h - what a client may say: one line, as text or as a JSON object.
 */
#ifndef SERVICE_LINE_H
#define SERVICE_LINE_H

#include "common/times.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum line_kind {
    LINE_BAD,
    LINE_EVENT,  /* metric value [time] */
    LINE_SOURCE, /* !source NAME: who is speaking, so that its lines are numbered across connections */
    LINE_SAVE,   /* !save: save now, then say so */
    LINE_STATS,  /* !stats METRIC [TIME]: the window of a metric, moved on to that time first */
    LINE_QUIET,  /* !quiet: from now on answer anomalies, errors and commands only */
    LINE_SILENT, /* !silent: from now on tell of metrics that are silent for too long */
    LINE_PING    /* !ping: I am still here */
};

/** What is wrong with a line; the label `reason` of the metric that counts them. */
enum line_reason {
    REASON_FIELDS,
    REASON_METRIC,
    REASON_VALUE,
    REASON_TIME,
    REASON_JSON,
    REASON_COMMAND,
    REASON_LENGTH,
    REASON_FULL, /* the pool's limits or memory */
    REASON_REFUSED /* a command that cannot be obeyed */,
    LINE_REASONS
};

enum { LINE_METRIC_MAX = 255, LINE_SOURCE_MAX = 64, LINE_MESSAGE = 160 };

typedef struct line {
    enum line_kind kind;
    bool json;                      /* it is answered in the same way */
    char name[LINE_METRIC_MAX + 1]; /* the metric or the source, with a NUL */
    size_t name_size;
    double value;
    int64_t time_ns; /* ANOMALY_NO_TIME if it has none */
    enum line_reason reason;
    char message[LINE_MESSAGE]; /* LINE_BAD: printable ASCII */
} line;

const char *line_reason_name(enum line_reason reason);

/** Makes `l` a bad one for that reason. Answers false, so that a caller can return it. */
bool line_refuse(line *l, enum line_reason reason, const char *format, ...)
#ifdef __GNUC__
    __attribute__((format(printf, 3, 4)))
#endif
    ;

/** Reads the `size` bytes at `text`, any bytes at all, without their line end. text[size] must be readable (the line
 * end). */
void line_read(cli_clock *clock, const char *text, size_t size, line *l);

#endif
