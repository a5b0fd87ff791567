/* SPDX-License-Identifier: MIT
 * times.h - times: seconds, as a number or, to the nanosecond, as decimal text. */
#ifndef ANOMALY_LUA_TIMES_H
#define ANOMALY_LUA_TIMES_H

#include "object.h"

#define NS_PER_S     1000000000
#define MOST_SECONDS 9223372036.0

static int number_to_ns(double seconds, int64_t *ns)
{
    if (!(seconds > -MOST_SECONDS && seconds < MOST_SECONDS))
        return 0;
    int64_t whole = (int64_t)seconds;
    double rest = (seconds - (double)whole) * NS_PER_S;
    *ns = whole * NS_PER_S + (int64_t)(rest < 0 ? rest - .5 : rest + .5);
    return 1;
}

/* Reads decimal seconds with up to nine decimals: every time of the library can be written so. Returns 0 for other
 * text. */
static int text_to_ns(const char *text, size_t size, int64_t *ns)
{
    const char *p = text, *end = text + size;
    int negative = p < end && *p == '-';
    uint64_t value = 0;
    int decimals = -1, digits = 0;
    for (p += negative; p < end; p++) {
        if (*p == '.' && decimals < 0) {
            decimals = 0;
            continue;
        }
        if (*p < '0' || *p > '9' || value > INT64_MAX / 10 || decimals == 9)
            return 0;
        value = value * 10 + (uint64_t)(*p - '0');
        decimals += decimals >= 0;
        digits++;
    }
    for (int i = decimals < 0 ? 0 : decimals; i < 9; i++) {
        if (value > INT64_MAX / 10)
            return 0;
        value *= 10;
    }
    if (digits == 0 || value > INT64_MAX)
        return 0;
    *ns = negative ? -(int64_t)value : (int64_t)value;
    return 1;
}

/* Reads the time at `index`; returns NULL, or what is wrong with the value. */
static const char *to_ns(lua_State *L, int index, int64_t *ns)
{
    int type = lua_type(L, index);
    if (type == LUA_TNUMBER)
        return number_to_ns(lua_tonumber(L, index), ns) ? NULL : "seconds between the years 1678 and 2262 expected";
    if (type != LUA_TSTRING)
        return "seconds expected, as a number or decimal text";
    return text_to_ns(lua_tostring(L, index), lua_rawlen(L, index), ns)
               ? NULL
               : "decimal seconds with at most 9 decimals, up to the year 2262, expected";
}

static int64_t check_seconds(lua_State *L, int arg, const char *name)
{
    int64_t ns = 0;
    const char *wrong = to_ns(L, arg, &ns);
    if (wrong)
        wrong_argument(L, arg, "%s: %s", name, wrong);
    return ns;
}

static int64_t check_time(lua_State *L, int arg, const holder *h)
{
    if (!lua_isnoneornil(L, arg))
        return check_seconds(L, arg, "t");
    if (h->timed)
        luaL_argerror(L, arg, "t: the window, or another option, needs times: give each event its seconds");
    return ANOMALY_NO_TIME;
}

#endif
