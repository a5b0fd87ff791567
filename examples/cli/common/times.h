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

/** How a time was understood; CLI_FORM_UTC: ISO-8601 without an offset. */
enum cli_time_form {
    CLI_FORM_NONE,
    CLI_FORM_ISO,
    CLI_FORM_UTC,
    CLI_FORM_DATE,
    CLI_FORM_S,
    CLI_FORM_MS,
    CLI_FORM_US,
    CLI_FORM_NS
};

/** A reader of times; keeps the last date, since the next is mostly the same. Zero it, then set `unit`. */
typedef struct cli_clock {
    enum cli_time_unit unit;
    enum cli_time_form first;  /* how the first time was understood, ... */
    enum cli_time_form number; /* ... and the first that is a number: the others are read as it was, dates or none */
    char date[10];
    int64_t day_seconds; /* of `date` at midnight; valid once date[0] is set */
} cli_clock;

/** Reads ISO-8601 (2025-01-21T12:00:00.5+01:00; `Z`, no offset = UTC, a blank for the T, no seconds, a date alone), an
 *  epoch number, or digits that are a date (20250121, 202501211200, 20250121120000), if the first number is one.
 *  Digits past the nanosecond are dropped. On false *why says what is wrong. */
bool cli_parse_time(cli_clock *clock, const char *text, size_t length, int64_t *ns, const char **why);

#define CLI_TIME_SIZE 40 /* bytes that any time fits in, with its NUL */

/** Writes RFC 3339 in UTC, 2025-01-21T12:00:00Z, with 0, 3, 6 or 9 digits of fraction. Answers the length. */
size_t cli_format_time(char text[CLI_TIME_SIZE], int64_t ns);

/** Writes a span as people say it: 90s, 5m, 1.5h. */
void cli_format_span(char text[CLI_TIME_SIZE], double ns);

#endif
