/* SPDX-License-Identifier: MIT
 * arguments.h - arguments: an event's values, features, numbers, strings, keys. */
#ifndef ANOMALY_LUA_ARGUMENTS_H
#define ANOMALY_LUA_ARGUMENTS_H

#include "object.h"

#include <math.h>
#include <string.h>

/* Copies the numbers of the table on the top of the stack to `to`; returns 0 if they are not exactly `count` numbers.
 * */
static int numbers_from_top(lua_State *L, double *to, uint32_t count)
{
    if (!lua_istable(L, -1) || lua_rawlen(L, -1) != count)
        return 0;
    for (uint32_t i = 0; i < count; i++) {
        lua_rawgeti(L, -1, (int)i + 1);
        int is_number = lua_type(L, -1) == LUA_TNUMBER;
        to[i] = lua_tonumber(L, -1);
        lua_pop(L, 1);
        if (!is_number)
            return 0;
    }
    return 1;
}

/* Returns the values of one event. Makes no Lua value, so that no finalizer runs. */
static const double *check_x(lua_State *L, int arg, const holder *h, double *single)
{
    if (h->features == 1 && lua_type(L, arg) == LUA_TNUMBER) {
        *single = lua_tonumber(L, arg);
        return single;
    }
    double *x = h->features == 1 ? single : h->x;
    lua_pushvalue(L, arg);
    int good = numbers_from_top(L, x, h->features);
    lua_pop(L, 1);
    if (!good && h->features == 1)
        bad_argument(L, arg, "x", "number");
    else if (!good)
        wrong_argument(L, arg, "x: a table of %d numbers expected", (int)h->features);
    return x;
}

static uint32_t check_feature(lua_State *L, int arg, const holder *h)
{
    double feature = lua_isnoneornil(L, arg) ? 1 : luaL_checknumber(L, arg);
    if (!(feature >= 1 && feature <= h->features) || feature != floor(feature))
        wrong_argument(L, arg, "feature: 1 to %d expected", (int)h->features);
    return (uint32_t)feature - 1;
}

static double check_number(lua_State *L, int arg, const char *name)
{
    if (lua_type(L, arg) != LUA_TNUMBER)
        bad_argument(L, arg, name, "number");
    return lua_tonumber(L, arg);
}

static const char *check_string(lua_State *L, int arg, const char *name, size_t *size)
{
    if (lua_type(L, arg) != LUA_TSTRING)
        bad_argument(L, arg, name, "string");
    return lua_tolstring(L, arg, size);
}

/* Tells whether the string at `index` is the same text in C, which ends at the first NUL byte. */
static int is_text(lua_State *L, int index)
{
    return strlen(lua_tostring(L, index)) == lua_rawlen(L, index);
}

static const char *check_text(lua_State *L, int arg, const char *name)
{
    const char *text = check_string(L, arg, name, NULL);
    if (!is_text(L, arg))
        wrong_argument(L, arg, "%s: a NUL byte after '%s'", name, text);
    return text;
}

#define MOST_KEY_BYTES 65535

/* Returns the key at `index`, or NULL if the value there cannot be a key. */
static const char *to_key(lua_State *L, int index, size_t *size)
{
    const char *key = lua_type(L, index) == LUA_TSTRING ? lua_tolstring(L, index, size) : NULL;
    return key && *size >= 1 && *size <= MOST_KEY_BYTES ? key : NULL;
}

static const char *check_key(lua_State *L, int arg, size_t *size)
{
    check_string(L, arg, "key", size);
    if (!to_key(L, arg, size))
        luaL_argerror(L, arg, "key: 1 to 65535 bytes expected");
    return lua_tostring(L, arg);
}

#endif
