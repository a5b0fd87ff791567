/* SPDX-License-Identifier: MIT
 * times.h - time text to nanoseconds since 1970 and back, exactly.
 */
#ifndef CLI_TIMES_H
#define CLI_TIMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What a bare number means. AUTO: below 1e11 seconds, below 1e14 ms, below 1e17 us, else ns. ISO: no bare numbers. */
enum cli_time_unit { CLI_UNIT_AUTO, CLI_UNIT_S, CLI_UNIT_MS, CLI_UNIT_US, CLI_UNIT_NS, CLI_UNIT_ISO };

/** A reader of times; keeps the last date, since the next is mostly the same. Zero it, then set `unit`. */
typedef struct cli_clock {
    enum cli_time_unit unit;
    char date[10];
    int64_t day_seconds; /* of `date` at midnight; valid once date[0] is set */
} cli_clock;

/** Reads ISO-8601 (2025-01-21T12:00:00.5+01:00; `Z`, no offset = UTC, a blank for the T, no seconds, a date alone) or an
 *  epoch number. Digits past the nanosecond are dropped. On false *why says what is wrong. */
bool cli_parse_time(cli_clock *clock, const char *text, size_t length, int64_t *ns, const char **why);

#define CLI_TIME_SIZE 40 /* bytes that any time fits in, with its NUL */

/** Writes RFC 3339 in UTC: 2025-01-21T12:00:00Z, with 3, 6 or 9 digits of fraction if it has one. Answers the length. */
size_t cli_format_time(char text[CLI_TIME_SIZE], int64_t ns);

/** Writes a span as people say it: 90s, 5m, 1.5h. */
void cli_format_span(char text[CLI_TIME_SIZE], double ns);

#endif
