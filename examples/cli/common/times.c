/* SPDX-License-Identifier: MIT
 * times.c - time text to nanoseconds since 1970 and back, exactly: all in integers, no floating point on the way.
 */
#include "common/times.h"

#include "common/number.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define NS_PER_S INT64_C(1000000000)

static const char *const no_time = "not a time";
static const char *const no_date = "no such date or time";
static const char *const no_digits = "not a date as YYYYMMDD, though the first number is one (--time-unit s: seconds)";
static const char *const no_range = "a time outside 1677-09-21 .. 2262-04-11";

/* `count` digits at s as a number, -1 if they are not all digits. */
static int fixed(const char *s, int count)
{
    int value = 0;
    for (int i = 0; i < count; i++) {
        if (!cli_is_digit(s[i]))
            return -1;
        value = value * 10 + (s[i] - '0');
    }
    return value;
}

/* The same for two digits, which most of a time is made of. */
static int two(const char *s)
{
    unsigned tens = (unsigned char)s[0] - (unsigned)'0', ones = (unsigned char)s[1] - (unsigned)'0';
    return tens <= 9 && ones <= 9 ? (int)(tens * 10 + ones) : -1;
}

/* Counts days from 1970-01-01 (proleptic Gregorian; Hinnant, "chrono-compatible low-level date algorithms"). */
static int64_t days_from_civil(int year, int month, int day)
{
    int y = month <= 2 ? year - 1 : year;
    int era = (y >= 0 ? y : y - 399) / 400;
    int of_era = y - era * 400;
    int of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int day_of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    return (int64_t)era * 146097 + day_of_era - 719468;
}

static void civil_from_days(int64_t days, int *year, int *month, int *day)
{
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int of_era = (int)(z - era * 146097);
    int year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int mp = (5 * of_year + 2) / 153;
    *day = of_year - (153 * mp + 2) / 5 + 1;
    *month = mp < 10 ? mp + 3 : mp - 9;
    *year = (int)(era * 400) + year_of_era + (*month <= 2);
}

static bool date_exists(int year, int month, int day)
{
    static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (year < 0 || month < 1 || month > 12 || day < 1 || day > days[month - 1])
        return false;
    return month != 2 || day < 29 || leap;
}

static bool parse_date(cli_clock *clock, const char *s)
{
    if (clock->date[0] != '\0' && memcmp(clock->date, s, sizeof clock->date) == 0)
        return true;
    int year = fixed(s, 4), month = two(s + 5), day = two(s + 8);
    if (s[4] != '-' || s[7] != '-' || !date_exists(year, month, day))
        return false;
    clock->day_seconds = days_from_civil(year, month, day) * 86400;
    memcpy(clock->date, s, sizeof clock->date);
    return true;
}

/* HH:MM[:SS[.fraction]] at *s; moves *s behind it. A leap second (60) counts as the next minute's first. */
static bool parse_clock(const char **s, const char *end, int64_t *seconds, int64_t *ns)
{
    const char *p = *s;
    if (end - p < 5 || p[2] != ':')
        return false;
    int hour = two(p), minute = two(p + 3), second = 0;
    p += 5;
    if (p < end && *p == ':') {
        if (end - p < 3)
            return false;
        second = two(p + 1);
        p += 3;
        if (p + 1 < end && (*p == '.' || *p == ',') && cli_is_digit(p[1])) {
            int64_t unit = NS_PER_S;
            for (p++; p < end && cli_is_digit(*p); p++)
                *ns += (*p - '0') * (unit /= 10);
        }
    }
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60)
        return false;
    *seconds = hour * 3600 + minute * 60 + second;
    *s = p;
    return true;
}

/* Z, nothing, +HH, +HHMM or +HH:MM, to the end. */
static bool parse_offset(const char *s, const char *end, int64_t *seconds)
{
    *seconds = 0;
    if (s == end || (end - s == 1 && (*s == 'Z' || *s == 'z')))
        return true;
    if ((*s != '+' && *s != '-') || end - s < 3)
        return false;
    int hour = two(s + 1), minute = 0;
    const char *m = s + 3;
    m += m < end && *m == ':';
    if (m != end) {
        if (end - m != 2)
            return false;
        minute = two(m);
    }
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59)
        return false;
    *seconds = (hour * 60 + minute) * (*s == '-' ? -60 : 60);
    return true;
}

static bool combine(int64_t seconds, int64_t fraction, int64_t *ns)
{
    /* one second of room on both sides: the limits themselves stay out, INT64_MIN means "no time" */
    if (seconds >= INT64_MAX / NS_PER_S || seconds <= INT64_MIN / NS_PER_S)
        return false;
    *ns = seconds * NS_PER_S + fraction;
    return true;
}

static void note_form(cli_clock *clock, enum cli_time_form form)
{
    if (clock->first == CLI_FORM_NONE)
        clock->first = form;
    if (form >= CLI_FORM_DATE && clock->number == CLI_FORM_NONE)
        clock->number = form;
}

static bool parse_iso(cli_clock *clock, const char *s, size_t length, int64_t *ns, const char **why)
{
    const char *end = s + length;
    int64_t of_day = 0, fraction = 0, offset = 0;
    bool utc = true;
    *why = no_date;
    if (!parse_date(clock, s))
        return false;
    s += 10;
    if (s < end) {
        *why = no_time;
        if (*s != 'T' && *s != 't' && *s != ' ')
            return false;
        *why = no_date;
        s++;
        if (!parse_clock(&s, end, &of_day, &fraction))
            return false;
        s += s < end && *s == ' ' ? 1 : 0;
        utc = s == end;
        if (!parse_offset(s, end, &offset))
            return false;
    }
    note_form(clock, utc ? CLI_FORM_UTC : CLI_FORM_ISO);
    *why = no_range;
    return combine(clock->day_seconds + of_day - offset, fraction, ns);
}

/* A decimal number as digits and the place of its point: 1737460800.5 is "17374608005", point 10. */
typedef struct epoch {
    char digits[40];
    int count;
    int point;
    bool minus;
} epoch;

static void add_digit(epoch *e, char c, bool whole)
{
    if (e->count == 0 && c == '0') {
        e->point -= !whole;
        return;
    }
    if (e->count < (int)sizeof e->digits)
        e->digits[e->count++] = c;
    e->point += whole;
}

static bool read_epoch(const char *s, const char *end, epoch *e)
{
    bool any = false, whole = true;
    e->minus = s < end && *s == '-';
    s += s < end && (*s == '-' || *s == '+');
    for (; s < end && (cli_is_digit(*s) || (whole && *s == '.')); s++) {
        if (*s == '.') {
            whole = false;
            continue;
        }
        any = true;
        add_digit(e, *s, whole);
    }
    if (any && s + 1 < end && (*s == 'e' || *s == 'E')) {
        bool minus = s[1] == '-';
        s += s[1] == '-' || s[1] == '+' ? 2 : 1;
        int exponent = end - s >= 1 && end - s <= 3 ? fixed(s, (int)(end - s)) : -1;
        if (exponent < 0)
            return false;
        e->point += minus ? -exponent : exponent;
        return true;
    }
    return any && s == end;
}

/* Reads YYYYMMDD, YYYYMMDDHHMM or YYYYMMDDHHMMSS of the years in which people keep records; any other number counts
 * from 1970. */
static bool parse_digits(const char *s, size_t length, int64_t *ns)
{
    if (length != 8 && length != 12 && length != 14)
        return false;
    for (size_t i = 0; i < length; i++)
        if (!cli_is_digit(s[i]))
            return false;
    int year = fixed(s, 4), month = two(s + 4), day = two(s + 6);
    int hour = length > 8 ? two(s + 8) : 0, minute = length > 8 ? two(s + 10) : 0, second = length > 12 ? two(s + 12) : 0;
    if (year < 1900 || year > 2099 || !date_exists(year, month, day) || hour > 23 || minute > 59 || second > 60)
        return false;
    return combine(days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second, 0, ns);
}

/* The first number says whether numbers are dates: 20240101 were the 23rd of August 1970 otherwise. */
static bool may_be_digits(const cli_clock *clock)
{
    return clock->unit == CLI_UNIT_ISO ||
           (clock->unit == CLI_UNIT_AUTO && (clock->number == CLI_FORM_NONE || clock->number == CLI_FORM_DATE));
}

static enum cli_time_form form_of(int shift)
{
    return shift == 9 ? CLI_FORM_S : shift == 6 ? CLI_FORM_MS : shift == 3 ? CLI_FORM_US : CLI_FORM_NS;
}

static int shift_of(enum cli_time_unit unit, int point)
{
    switch (unit) {
    case CLI_UNIT_S: return 9;
    case CLI_UNIT_MS: return 6;
    case CLI_UNIT_US: return 3;
    case CLI_UNIT_NS: return 0;
    default: return point <= 11 ? 9 : point <= 14 ? 6 : point <= 17 ? 3 : 0;
    }
}

/* The usual number, a few digits and nothing else, without the way over the digits' places. */
static bool parse_whole(cli_clock *clock, const char *s, size_t length, int64_t *ns)
{
    static const int64_t scales[] = {1, 1000, 1000000, NS_PER_S};
    int64_t value = 0;
    if (length == 0 || length > 18 || s[0] == '0' || clock->unit == CLI_UNIT_ISO)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!cli_is_digit(s[i]))
            return false;
        value = value * 10 + (s[i] - '0');
    }
    int shift = shift_of(clock->unit, (int)length);
    int64_t scale = scales[shift / 3];
    if (value > INT64_MAX / scale)
        return false;
    *ns = value * scale;
    note_form(clock, form_of(shift));
    return true;
}

static bool parse_epoch(cli_clock *clock, const char *s, size_t length, int64_t *ns, const char **why)
{
    epoch e = {.count = 0};
    *why = no_time;
    if (!read_epoch(s, s + length, &e) || clock->unit == CLI_UNIT_ISO)
        return false;
    int shift = shift_of(clock->unit, e.point), whole = e.count == 0 ? 0 : e.point + shift;
    *why = no_range;
    if (whole > 19)
        return false;
    uint64_t value = 0;
    for (int i = 0; i < whole; i++)
        value = value * 10 + (i < e.count ? (uint64_t)(e.digits[i] - '0') : 0);
    if (value > INT64_MAX)
        return false;
    *ns = e.minus ? -(int64_t)value : (int64_t)value;
    note_form(clock, form_of(shift));
    return true;
}

bool cli_parse_time(cli_clock *clock, const char *text, size_t length, int64_t *ns, const char **why)
{
    if (length >= 10 && text[4] == '-' && text[7] == '-')
        return parse_iso(clock, text, length, ns, why);
    if (may_be_digits(clock) && parse_digits(text, length, ns)) {
        note_form(clock, CLI_FORM_DATE);
        return true;
    }
    if (clock->number == CLI_FORM_DATE && clock->unit == CLI_UNIT_AUTO) {
        *why = no_digits;
        return false;
    }
    if (parse_whole(clock, text, length, ns))
        return true;
    return parse_epoch(clock, text, length, ns, why);
}

static char *put_padded(char *out, int value, int width)
{
    for (int i = width - 1; i >= 0; i--, value /= 10)
        out[i] = (char)('0' + value % 10);
    return out + width;
}

size_t cli_format_time(char text[CLI_TIME_SIZE], int64_t ns)
{
    int64_t seconds = ns / NS_PER_S, fraction = ns % NS_PER_S;
    if (fraction < 0) {
        fraction += NS_PER_S;
        seconds--;
    }
    int64_t days = seconds / 86400 - (seconds % 86400 < 0);
    int of_day = (int)(seconds - days * 86400);
    int year, month, day;
    civil_from_days(days, &year, &month, &day);
    char *o = put_padded(text, year, 4);
    *o++ = '-';
    o = put_padded(o, month, 2);
    *o++ = '-';
    o = put_padded(o, day, 2);
    *o++ = 'T';
    o = put_padded(o, of_day / 3600, 2);
    *o++ = ':';
    o = put_padded(o, of_day / 60 % 60, 2);
    *o++ = ':';
    o = put_padded(o, of_day % 60, 2);
    if (fraction != 0) {
        *o++ = '.';
        if (fraction % 1000000 == 0)
            o = put_padded(o, (int)(fraction / 1000000), 3);
        else if (fraction % 1000 == 0)
            o = put_padded(o, (int)(fraction / 1000), 6);
        else
            o = put_padded(o, (int)fraction, 9);
    }
    *o++ = 'Z';
    *o = '\0';
    return (size_t)(o - text);
}

void cli_format_span(char text[CLI_TIME_SIZE], double ns)
{
    static const struct {
        double ns;
        const char *name;
    } units[] = {{86400e9, "d"}, {3600e9, "h"}, {60e9, "m"}, {1e9, "s"}, {1e6, "ms"}, {1e3, "us"}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        /* 300 s reads better as 300s than as 5m where the program says 300s everywhere */
        if (ns >= units[i].ns * (units[i].ns > 1e9 ? 10 : 1)) {
            snprintf(text, CLI_TIME_SIZE, "%.3g%s", ns / units[i].ns, units[i].name);
            return;
        }
    snprintf(text, CLI_TIME_SIZE, "%.0fns", ns);
}
