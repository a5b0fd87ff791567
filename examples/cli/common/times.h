/* SPDX-License-Identifier: MIT
 * times.h - time text to nanoseconds since 1970 and back, exactly.
 */
#ifndef CLI_TIMES_H
#define CLI_TIMES_H

#include "common/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Reads a time: ISO-8601 (2025-01-21T12:00:00.5+01:00; `Z`, UTC, GMT or no offset, a blank for the T, no seconds, a
 *  date alone, slashes in the date, 20250121T120000Z), a date with the month's name (dates.h), an epoch number, or
 *  digits that are a date (20250121, 202501211200, 20250121120000), if the first number is one. Digits past the
 *  nanosecond are dropped. On false *why says what is wrong. */
bool cli_parse_time(cli_clock *clock, const char *text, size_t length, int64_t *ns, const char **why);

#define CLI_TIME_SIZE 40 /* bytes that any time fits in, with its NUL */

/** Writes RFC 3339 in UTC, 2025-01-21T12:00:00Z, with 0, 3, 6 or 9 digits of fraction. Answers the length. */
size_t cli_format_time(char text[CLI_TIME_SIZE], int64_t ns);

/** Writes a span as people say it: 90s, 5m, 1.5h. */
void cli_format_span(char text[CLI_TIME_SIZE], double ns);

#endif
