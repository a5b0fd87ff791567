/* SPDX-License-Identifier: MIT
 * civil.h - days and dates, and the digits that they are made of.
 */
#ifndef CLI_CIVIL_H
#define CLI_CIVIL_H

#include <stdbool.h>
#include <stdint.h>

/** Reads `count` digits at s; -1 if they are not all digits. */
int cli_fixed(const char *s, int count);

/** The same for two digits, which most of a time is made of. */
static inline int cli_two(const char *s)
{
    unsigned tens = (unsigned char)s[0] - (unsigned)'0', ones = (unsigned char)s[1] - (unsigned)'0';
    return tens <= 9 && ones <= 9 ? (int)(tens * 10 + ones) : -1;
}

bool cli_date_exists(int year, int month, int day);

/** Counts the days from 1970-01-01 to a date, and back. */
int64_t cli_days_from_civil(int year, int month, int day);
void cli_civil_from_days(int64_t days, int *year, int *month, int *day);

/** Reads a month's English name, whole or its first three letters, in any case. Answers 1 .. 12, or 0. */
int cli_month_name(const char *s, const char *end, int *length);

#endif
