/* SPDX-License-Identifier: MIT
 * dates.c - the forms of a time that has a date in it.
 */
#define _GNU_SOURCE /* strptime, tm_gmtoff */
#include "common/dates.h"

#include "common/civil.h"
#include "common/number.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define NS_PER_S    INT64_C(1000000000)
#define DAY_SECONDS 86400

/* ---- the time of day and the offset, which most forms share ---- */

/* Reads a fraction of a second behind a point or a comma, if there is one; moves *s behind it. */
static int64_t read_fraction(const char **s, const char *end)
{
    int64_t ns = 0, unit = NS_PER_S;
    const char *p = *s;
    if (p + 1 >= end || (*p != '.' && *p != ',') || !cli_is_digit(p[1]))
        return 0;
    for (p++; p < end && cli_is_digit(*p); p++)
        ns += (*p - '0') * (unit /= 10);
    *s = p;
    return ns;
}

/* HH:MM[:SS[.fraction]] at *s, without the colons where `colon` is 0; moves *s behind it. A leap second (60) counts as
 * the next minute's first. */
static bool read_clock(const char **s, const char *end, int colon, cli_moment *m)
{
    const char *p = *s;
    if (end - p < 4 + colon || (colon && p[2] != ':'))
        return false;
    int hour = cli_two(p), minute = cli_two(p + 2 + colon), second = 0;
    p += 4 + colon;
    bool has_seconds = p < end && (colon ? *p == ':' : cli_is_digit(*p));
    if (has_seconds) {
        if (end - p < 2 + colon)
            return false;
        second = cli_two(p + colon);
        p += 2 + colon;
        m->fraction_ns = read_fraction(&p, end);
    }
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60)
        return false;
    m->wall_seconds += hour * 3600 + minute * 60 + second;
    *s = p;
    return true;
}

static bool is_utc(const char *s, const char *end)
{
    return (end - s == 1 && (*s == 'Z' || *s == 'z')) ||
           (end - s == 3 && (strncasecmp(s, "UTC", 3) == 0 || strncasecmp(s, "GMT", 3) == 0));
}

/* Z, UTC, GMT, nothing, +HH, +HHMM or +HH:MM, to the end; a blank may stand before it. */
static bool read_offset(const char *s, const char *end, cli_moment *m)
{
    m->zoned = s < end;
    s += s < end && *s == ' ';
    if (!m->zoned || is_utc(s, end))
        return true;
    if (end - s < 3 || (*s != '+' && *s != '-'))
        return false;
    int hour = cli_two(s + 1), minute = 0;
    const char *minutes = s + 3;
    minutes += minutes < end && *minutes == ':';
    if (minutes != end) {
        if (end - minutes != 2)
            return false;
        minute = cli_two(minutes);
    }
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59)
        return false;
    m->offset_seconds = (hour * 60 + minute) * (*s == '-' ? -60 : 60);
    return true;
}

static int64_t seconds_of(int year, int month, int day)
{
    return cli_days_from_civil(year, month, day) * DAY_SECONDS;
}

/* ---- ISO-8601 ---- */

/* The date, which mostly is that of the time before. */
static bool read_iso_date(cli_clock *clock, const char *s)
{
    if (clock->date[0] != '\0' && memcmp(clock->date, s, sizeof clock->date) == 0)
        return true;
    int year = cli_fixed(s, 4), month = cli_two(s + 5), day = cli_two(s + 8);
    if (!cli_date_exists(year, month, day))
        return false;
    clock->day_seconds = seconds_of(year, month, day);
    memcpy(clock->date, s, sizeof clock->date);
    return true;
}

bool cli_read_iso(cli_clock *clock, const char *s, size_t length, cli_moment *m, const char **why)
{
    const char *end = s + length;
    *why = "no such date or time";
    if (!read_iso_date(clock, s))
        return false;
    m->wall_seconds = clock->day_seconds;
    s += sizeof clock->date;
    if (s == end)
        return true;
    if (*s != 'T' && *s != 't' && *s != ' ') {
        *why = "not a time";
        return false;
    }
    s++;
    return read_clock(&s, end, 1, m) && read_offset(s, end, m);
}

/* Eight digits that are a date of the years in which people keep records. */
static bool read_eight(const char *s, cli_moment *m)
{
    int year = cli_fixed(s, 4), month = cli_two(s + 4), day = cli_two(s + 6);
    if (year < 1900 || year > 2099 || !cli_date_exists(year, month, day))
        return false;
    m->wall_seconds = seconds_of(year, month, day);
    return true;
}

bool cli_read_digits(const char *s, size_t length, cli_moment *m)
{
    const char *end = s + length;
    if ((length != 8 && length != 12 && length != 14) || !read_eight(s, m))
        return false;
    s += 8;
    return s == end || (read_clock(&s, end, 0, m) && s == end);
}

bool cli_read_compact(const char *s, size_t length, cli_moment *m)
{
    const char *end = s + length;
    if (length < 13 || (s[8] != 'T' && s[8] != 't') || !read_eight(s, m))
        return false;
    s += 9;
    return read_clock(&s, end, 0, m) && read_offset(s, end, m);
}

/* ---- months by name ---- */

static int64_t distance(int64_t a, int64_t b)
{
    return a > b ? a - b : b - a;
}

/* Gives a time the year that it does not say; `within` are the seconds since its day began. */
static bool find_year(cli_clock *clock, int month, int day, int64_t within, int64_t *wall_seconds)
{
    int this_year, unused_month, unused_day;
    bool first = !clock->yearless, found = false;
    int64_t near = first ? (int64_t)time(NULL) + DAY_SECONDS : clock->last_seconds;
    cli_civil_from_days(near / DAY_SECONDS, &this_year, &unused_month, &unused_day);
    for (int year = this_year - (first ? 8 : 1); year <= this_year + 1; year++) {
        if (!cli_date_exists(year, month, day))
            continue;
        int64_t seconds = seconds_of(year, month, day) + within;
        if ((first && seconds > near) || (found && distance(seconds, near) >= distance(*wall_seconds, near)))
            continue;
        *wall_seconds = seconds;
        clock->year = first ? year : clock->year;
        found = true;
    }
    clock->yearless |= found;
    clock->last_seconds = found ? *wall_seconds : clock->last_seconds;
    return found;
}

static const char *skip_blanks(const char *s, const char *end)
{
    while (s < end && *s == ' ')
        s++;
    return s;
}

/* One or two digits of a day at *s; -1 if there are none. */
static int read_day(const char **s, const char *end)
{
    const char *p = *s;
    int day = p < end && cli_is_digit(*p) ? *p++ - '0' : -1;
    if (day >= 0 && p < end && cli_is_digit(*p))
        day = day * 10 + (*p++ - '0');
    *s = p;
    return day;
}

static int read_month(const char **s, const char *end)
{
    int length, month = cli_month_name(*s, end, &length);
    *s += month > 0 ? length : 0;
    return month;
}

/* 21/Jan/2025:12:00:00 +0100, 21 Jan 2025 12:00:00, 21-Jan-2025 */
static bool read_day_first(const char *s, const char *end, cli_moment *m)
{
    int day = read_day(&s, end);
    char mark = s < end ? *s : '\0';
    s += s < end;
    int month = strchr("/- ", mark) != NULL ? read_month(&s, end) : 0;
    if (month == 0 || end - s < 5 || *s != mark)
        return false;
    int year = cli_fixed(s + 1, 4);
    if (!cli_date_exists(year, month, day))
        return false;
    m->wall_seconds = seconds_of(year, month, day);
    s += 5;
    if (s == end)
        return true;
    if (strchr(": T", *s) == NULL)
        return false;
    s++;
    return read_clock(&s, end, 1, m) && read_offset(s, end, m);
}

/* Jan 21 12:00:00, Jan 21 12:00:00 2025, Jan 21 2025 12:00:00 */
static bool read_month_first(cli_clock *clock, const char *s, const char *end, cli_moment *m)
{
    int month = read_month(&s, end), year = -1;
    s = skip_blanks(s, end);
    int day = read_day(&s, end);
    if (month == 0 || day < 0 || s == end || *s != ' ')
        return false;
    s = skip_blanks(s, end);
    if (end - s > 5 && s[4] == ' ') {
        year = cli_fixed(s, 4);
        s += 5;
    }
    if (!read_clock(&s, end, 1, m))
        return false;
    if (year < 0 && end - s == 5 && *s == ' ') {
        year = cli_fixed(s + 1, 4);
        s = end;
    }
    if (!read_offset(s, end, m))
        return false;
    if (year < 0)
        return cli_date_exists(2000, month, day) && find_year(clock, month, day, m->wall_seconds, &m->wall_seconds);
    if (!cli_date_exists(year, month, day))
        return false;
    m->wall_seconds += seconds_of(year, month, day);
    return true;
}

/* Passes over "Tue, " and "Tue ". */
static const char *skip_weekday(const char *s, const char *end)
{
    static const char days[] = "sunmontuewedthufrisat";
    for (size_t i = 0; i < sizeof days - 1 && end - s > 4; i += 3)
        if (strncasecmp(s, days + i, 3) == 0 && (s[3] == ',' || s[3] == ' '))
            return skip_blanks(s + 4, end);
    return s;
}

bool cli_read_named(cli_clock *clock, const char *s, size_t length, cli_moment *m)
{
    const char *end = s + length;
    if (length > 2 && *s == '[' && end[-1] == ']') { /* as access logs have it */
        s++;
        end--;
    }
    if (s < end && !cli_is_digit(*s))
        s = skip_weekday(s, end);
    return s < end && cli_is_digit(*s) ? read_day_first(s, end, m) : read_month_first(clock, s, end, m);
}

/* ---- a form that the user gives ---- */

#define NO_YEAR INT_MIN / 2 /* far from every year, and no sum of it overflows */

static bool take_parts(cli_clock *clock, const struct tm *parts, cli_moment *m)
{
    int month = parts->tm_mon + 1, day = parts->tm_mday == 0 ? 1 : parts->tm_mday;
    m->zoned = parts->tm_gmtoff != LONG_MIN;
    m->offset_seconds = m->zoned ? parts->tm_gmtoff : 0;
    m->wall_seconds = parts->tm_hour * 3600 + parts->tm_min * 60 + parts->tm_sec;
    if (parts->tm_year == NO_YEAR)
        return cli_date_exists(2000, month, day) && find_year(clock, month, day, m->wall_seconds, &m->wall_seconds);
    if (!cli_date_exists(parts->tm_year + 1900, month, day))
        return false;
    m->wall_seconds += seconds_of(parts->tm_year + 1900, month, day);
    return true;
}

bool cli_read_by_format(cli_clock *clock, const char *s, size_t length, cli_moment *m, const char **why)
{
    char copy[128];
    struct tm parts = {.tm_year = NO_YEAR, .tm_mon = -1, .tm_gmtoff = LONG_MIN};
    *why = "not a time as --time-format says";
    if (length >= sizeof copy || memchr(s, '\0', length) != NULL)
        return false;
    memcpy(copy, s, length);
    copy[length] = '\0';
    const char *rest = strptime(copy, clock->format, &parts);
    if (rest == NULL)
        return false;
    m->fraction_ns = read_fraction(&rest, copy + length);
    if (*rest != '\0')
        return false;
    *why = parts.tm_mon < 0 ? "--time-format has no month and day" : "no such date or time";
    return take_parts(clock, &parts, m);
}

/* ---- the day first, or the month? ---- */

#define ASK(sep, year, time) \
    "the day first, or the month? Say it: --time-format '%d" sep "%m" sep year time "' or '%m" sep "%d" sep year time "'"
#define ASK_BY_TIME(sep, year)                                                                                  \
    {                                                                                                           \
        ASK(sep, year, ""), ASK(sep, year, " %H:%M"), ASK(sep, year, " %H:%M:%S"), ASK(sep, year, " %I:%M %p"), \
            ASK(sep, year, " %I:%M:%S %p")                                                                      \
    }

/* Finds which of the five times above stands behind the date: none, two or three numbers, and AM or PM. */
static int form_of_time(const char *s, const char *end)
{
    int colons = 0;
    bool half = end - s > 2 && strncasecmp(end - 1, "M", 1) == 0;
    for (; s < end; s++)
        colons += *s == ':';
    return colons == 0 ? 0 : (colons == 1 ? 1 : 2) + (half ? 2 : 0);
}

const char *cli_ask_order(const char *s, size_t length)
{
    static const char separators[] = "/.-";
    static const char *const questions[][2][5] = {{ASK_BY_TIME("/", "%y"), ASK_BY_TIME("/", "%Y")},
                                                  {ASK_BY_TIME(".", "%y"), ASK_BY_TIME(".", "%Y")},
                                                  {ASK_BY_TIME("-", "%y"), ASK_BY_TIME("-", "%Y")}};
    const char *end = s + length, *separator = NULL;
    for (int part = 0; part < 2; part++) {
        int number = read_day(&s, end);
        separator = s < end ? memchr(separators, *s, sizeof separators - 1) : NULL;
        if (number < 1 || number > 31 || separator == NULL)
            return NULL;
        s++;
    }
    if (end - s < 2 || cli_two(s) < 0)
        return NULL;
    bool full = end - s >= 4 && cli_two(s + 2) >= 0;
    return questions[separator - separators][full][form_of_time(s, end)];
}
