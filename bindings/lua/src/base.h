/* SPDX-License-Identifier: MIT
 * base.h - the Lua module under every Lua: what 5.1 calls otherwise, and how numbers and strings are pushed. */
#ifndef ANOMALY_LUA_BASE_H
#define ANOMALY_LUA_BASE_H

#include <anomaly.h>
#include <lauxlib.h>
#include <lua.h>
#include <stdint.h>

#if LUA_VERSION_NUM < 502
#define lua_rawlen       lua_objlen
#define lua_setuservalue lua_setfenv
#define lua_getuservalue lua_getfenv
#endif

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

/* Pushes an integer where this Lua has integers, else a number. */
static void push_integer(lua_State *L, int64_t value)
{
#if LUA_VERSION_NUM >= 503
    lua_pushinteger(L, value);
#else
    lua_pushnumber(L, (lua_Number)value);
#endif
}

static void push_count(lua_State *L, uint64_t value)
{
    push_integer(L, (int64_t)value);
}

static void set_string(lua_State *L, const char *name, const char *value)
{
    lua_pushstring(L, value);
    lua_setfield(L, -2, name);
}

#endif
