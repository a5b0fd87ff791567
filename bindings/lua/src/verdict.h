/* SPDX-License-Identifier: MIT
 * verdict.h - verdicts: the table that is filled, its flags by name, and how it is printed. */
#ifndef ANOMALY_LUA_VERDICT_H
#define ANOMALY_LUA_VERDICT_H

#include "arguments.h"

#include <stdio.h>

/* Names of the flags of a verdict, whose values are positive, and of the codes of calls, which are zero or negative.
 * */
#define CONSTANT(name) #name, ANOMALY_##name
static const struct constant {
    const char *name;
    int value;
} constants[] = {
    {CONSTANT(IS_ANOMALY)},     {CONSTANT(WARMING_UP)},
    {CONSTANT(MISSING)},        {CONSTANT(NONFINITE)},
    {CONSTANT(LATE)},           {CONSTANT(TRUNCATED)},
    {CONSTANT(FLAT)},           {CONSTANT(ABOVE)},
    {CONSTANT(BELOW)},          {CONSTANT(JUMPED)},
    {CONSTANT(NOT_LEARNED)},    {CONSTANT(ALARM)},
    {CONSTANT(EPISODE)},        {CONSTANT(EPISODE_END)},
    {CONSTANT(HELD)},           {CONSTANT(UNTRANSFORMED)},
    {CONSTANT(TAIL_ESTIMATED)}, {CONSTANT(BY_POPULATION)},
    {CONSTANT(SPIKE)},          {CONSTANT(SHIFT)},
    {CONSTANT(NOISIER)},        {CONSTANT(QUIETER)},
    {CONSTANT(STUCK)},          {CONSTANT(UNCONFIRMED)},
    {CONSTANT(SMALL_CHANGE)},   {CONSTANT(OK)},
    {CONSTANT(E_ARG)},          {CONSTANT(E_NOMEM)},
    {CONSTANT(E_CONFIG)},       {CONSTANT(E_KIND)},
    {CONSTANT(E_SPACE)},        {CONSTANT(E_CORRUPT)},
    {CONSTANT(E_VERSION)},      {CONSTANT(E_FULL)},
    {CONSTANT(E_NOTFOUND)},     {CONSTANT(E_EMPTY)},
    {CONSTANT(E_STOPPED)},
};

/* Pushes `name` in lower case. */
static void push_lower(lua_State *L, const char *name)
{
    char lower[16];
    size_t i;
    for (i = 0; name[i] && i + 1 < sizeof lower; i++)
        lower[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] - 'A' + 'a' : name[i]);
    lua_pushlstring(L, lower, i);
}

/* Runs anomaly.flags(v.flags): {"flat", "above", flat = true, above = true}. */
static int module_flags(lua_State *L)
{
    double value = check_number(L, 1, "flags");
    luaL_argcheck(L, value >= 0 && value <= UINT32_MAX, 1, "flags: those of a verdict expected");
    int count = 0;
    lua_newtable(L);
    for (size_t i = 0; i < COUNT_OF(constants); i++) {
        if (constants[i].value <= 0 || !((uint32_t)value & (uint32_t)constants[i].value))
            continue;
        push_lower(L, constants[i].name);
        lua_pushvalue(L, -1);
        lua_rawseti(L, -3, ++count);
        lua_pushboolean(L, 1);
        lua_rawset(L, -3);
    }
    return 1;
}

static double field_of(lua_State *L, const char *name)
{
    lua_pushstring(L, name);
    lua_rawget(L, 1);
    double value = lua_tonumber(L, -1);
    lua_pop(L, 1);
    return value;
}

/* Pushes the names of flags as "is_anomaly|above"; a number that cannot be flags has none. */
static void push_flags(lua_State *L, double flags)
{
    int found = 0;
    uint32_t set = flags >= 0 && flags <= UINT32_MAX ? (uint32_t)flags : 0;
    for (size_t i = 0; i < COUNT_OF(constants); i++) {
        if (constants[i].value <= 0 || !(set & (uint32_t)constants[i].value))
            continue;
        if (found++)
            lua_pushliteral(L, "|");
        push_lower(L, constants[i].name);
        if (found > 1)
            lua_concat(L, 3);
    }
    if (!found)
        lua_pushliteral(L, "usual");
}

/* Makes the text of a verdict: "anomaly.verdict: is_anomaly|above, score 29.6357, usual is 47.6471 to 56.3529". */
static int verdict_tostring(lua_State *L)
{
    char number[40] = "nan", bounds[100] = "", chance[40] = "";
    luaL_checktype(L, 1, LUA_TTABLE);
    double score = field_of(L, "score"), lower = field_of(L, "lower"), upper = field_of(L, "upper");
    double tail = field_of(L, "tail");
    if (score == score) /* C prints a sign where there is one */
        snprintf(number, sizeof number, "%.6g", score);
    if (lower == lower)
        snprintf(bounds, sizeof bounds, ", usual is %.6g to %.6g", lower, upper);
    if (tail == tail)
        snprintf(chance, sizeof chance, ", tail %.6g", tail);
    push_flags(L, field_of(L, "flags"));
    lua_pushfstring(L, "anomaly.verdict: %s, score %s%s%s", lua_tostring(L, -1), number, bounds, chance);
    return 1;
}

static void make_printable(lua_State *L, int index)
{
    lua_pushvalue(L, lua_upvalueindex(UP_SHOWN));
    lua_setmetatable(L, index);
}

/* Makes the table at `arg`, or a new table there, the top of the stack; gives the table the metatable that prints
 * verdicts unless it has a metatable already. */
static void verdict_table(lua_State *L, int arg)
{
    if (lua_istable(L, arg)) {
        if (!lua_getmetatable(L, arg))
            make_printable(L, arg);
        lua_settop(L, arg);
        return;
    }
    lua_settop(L, arg);
    if (!lua_isnil(L, arg))
        bad_argument(L, arg, "verdict", "table");
    lua_pop(L, 1);
    lua_createtable(L, 0, VERDICT_FIELDS);
    make_printable(L, arg);
}

#endif
