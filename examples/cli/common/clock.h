/* SPDX-License-Identifier: MIT
 * clock.h - how times are read, and what is remembered from one to the next.
 */
#ifndef CLI_CLOCK_H
#define CLI_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/** What a bare number means. AUTO: below 1e11 seconds, below 1e14 ms, below 1e17 us, else ns. ISO: no bare numbers. */
enum cli_time_unit { CLI_UNIT_AUTO, CLI_UNIT_S, CLI_UNIT_MS, CLI_UNIT_US, CLI_UNIT_NS, CLI_UNIT_ISO };

/** How a time was understood: as a date with an offset; without one, in UTC or in the zone of --tz; or a number. */
enum cli_time_form {
    CLI_FORM_NONE,
    CLI_FORM_ISO,
    CLI_FORM_UTC,
    CLI_FORM_LOCAL,
    CLI_FORM_DATE,
    CLI_FORM_S,
    CLI_FORM_MS,
    CLI_FORM_US,
    CLI_FORM_NS
};

/** A reader of times; keeps the last date, since the next is mostly the same. Zero it, then set how to read. */
typedef struct cli_clock {
    enum cli_time_unit unit;
    const char *format;        /* all times are of this form, in strptime's letters; NULL: of those below. Borrowed */
    bool local;                /* a time without an offset is of the zone that zone.h knows; else of UTC */
    enum cli_time_form first;  /* how the first time was understood, ... */
    enum cli_time_form number; /* ... and the first that is a number: the others are read as it was, dates or none */
    char date[10];
    int64_t day_seconds;  /* of `date` at midnight; valid once date[0] is set */
    bool yearless;        /* a time came that names no year, */
    int year;             /* ... the first such time was given this one, */
    int64_t last_seconds; /* ... and the last one was this, as dates.h has it */
} cli_clock;

#endif
