/* SPDX-License-Identifier: MIT
 * times.c - time text to nanoseconds since 1970, exactly: all in integers, no floating point on the way.
 */
#include "common/times.h"

#include "common/civil.h"
#include "common/dates.h"
#include "common/number.h"
#include "common/zone.h"

#define NS_PER_S INT64_C(1000000000)

static const char *const no_time = "not a time";
static const char *const no_digits = "not a date as YYYYMMDD, though the first number is one (--time-unit s: seconds)";
static const char *const no_range = "a time outside 1677-09-21 .. 2262-04-11";

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
        int exponent = end - s >= 1 && end - s <= 3 ? cli_fixed(s, (int)(end - s)) : -1;
        if (exponent < 0)
            return false;
        e->point += minus ? -exponent : exponent;
        return true;
    }
    return any && s == end;
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

enum reading { NO_DATE, DATE, WRONG_DATE };

/* Reads a time that has a date in it, if the text is one. */
static enum reading read_date(cli_clock *clock, const char *s, size_t length, cli_moment *m, const char **why)
{
    if (clock->format != NULL)
        return cli_read_by_format(clock, s, length, m, why) ? DATE : WRONG_DATE;
    if (length >= 10 && s[4] == s[7] && (s[4] == '-' || s[4] == '/'))
        return cli_read_iso(clock, s, length, m, why) ? DATE : WRONG_DATE;
    if (may_be_digits(clock) && cli_read_digits(s, length, m)) {
        note_form(clock, CLI_FORM_DATE);
        return DATE;
    }
    return cli_read_compact(s, length, m) || cli_read_named(clock, s, length, m) ? DATE : NO_DATE;
}

static bool place_date(cli_clock *clock, const cli_moment *m, int64_t *ns, const char **why)
{
    bool local = !m->zoned && clock->local;
    note_form(clock, local ? CLI_FORM_LOCAL : m->zoned ? CLI_FORM_ISO : CLI_FORM_UTC);
    *why = no_range;
    return combine(m->wall_seconds - (local ? cli_zone_offset(m->wall_seconds) : m->offset_seconds), m->fraction_ns, ns);
}

static bool parse_number(cli_clock *clock, const char *s, size_t length, int64_t *ns, const char **why)
{
    if (parse_whole(clock, s, length, ns))
        return true;
    *why = cli_ask_order(s, length);
    return *why == NULL && parse_epoch(clock, s, length, ns, why);
}

bool cli_parse_time(cli_clock *clock, const char *text, size_t length, int64_t *ns, const char **why)
{
    cli_moment m = {.zoned = false};
    enum reading reading = read_date(clock, text, length, &m, why);
    if (reading == DATE)
        return place_date(clock, &m, ns, why);
    if (reading == NO_DATE && clock->number == CLI_FORM_DATE && clock->unit == CLI_UNIT_AUTO)
        *why = no_digits;
    else if (reading == NO_DATE)
        return parse_number(clock, text, length, ns, why);
    return false;
}
