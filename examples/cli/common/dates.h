/* SPDX-License-Identifier: MIT
 * dates.h - the forms of a time that has a date in it.
 */
#ifndef CLI_DATES_H
#define CLI_DATES_H

#include "common/clock.h"

#include <stddef.h>

/** A time as it is written: what the clocks on the wall show, and how far they are ahead of UTC, if it says that. */
typedef struct cli_moment {
    int64_t wall_seconds; /* since 1970, as if the clocks showed UTC */
    int64_t fraction_ns;
    int64_t offset_seconds;
    bool zoned;
} cli_moment;

/** Read 2025-01-21T12:00:00.5+01:00 and its like; *why is set on false. The text has ten characters or more. */
bool cli_read_iso(cli_clock *clock, const char *s, size_t length, cli_moment *moment, const char **why);

/** Read digits: 20250121, 202501211200, 20250121120000; and compact ISO-8601: 20250121T120000.5Z. Only of the years in
 *  which people keep records, since any other number counts from 1970. */
bool cli_read_digits(const char *s, size_t length, cli_moment *moment);
bool cli_read_compact(const char *s, size_t length, cli_moment *moment);

/** Read dates with the month's name: 21/Jan/2025:12:00:00 +0100 (access logs), Tue, 21 Jan 2025 12:00:00 GMT (mail),
 *  Jan 21 12:00:00 2025, and Jan 21 12:00:00 (syslog), whose year is the one that brings it closest to the time
 *  before, or for the first the latest that does not lie in the future. */
bool cli_read_named(cli_clock *clock, const char *s, size_t length, cli_moment *moment);

/** Read a time by --time-format, in strptime's letters; behind it a fraction of a second may stand. */
bool cli_read_by_format(cli_clock *clock, const char *s, size_t length, cli_moment *moment, const char **why);

/** Tells dates as 4/3/2025, which have the day first or the month: asks which, with the two formats that fit to the
 *  text. NULL: the text begins with no such date. */
const char *cli_ask_order(const char *s, size_t length);

#endif
