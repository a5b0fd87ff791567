/* SPDX-License-Identifier: MIT
 * options.h - tables of options: each value goes as text to the library, whose own table names the options. */
#ifndef ANOMALY_LUA_OPTIONS_H
#define ANOMALY_LUA_OPTIONS_H

#include "answers.h"
#include "arguments.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPTION_TEXT 64

/* Writes the shortest text that reads back as the same number, with a decimal point in every locale. */
static const char *number_to_text(double value, char text[OPTION_TEXT])
{
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, OPTION_TEXT, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    char *comma = text + strspn(text, "0123456789+-einfa.");
    if (*comma)
        *comma = '.';
    return text;
}

/* Returns the value on the top of the stack as text; raises an error for a value that no option takes. Makes no Lua
 * value. */
static const char *top_to_text(lua_State *L, const char *name, char text[OPTION_TEXT])
{
    int type = lua_type(L, -1);
    if (type == LUA_TBOOLEAN)
        return lua_toboolean(L, -1) ? "1" : "0";
#if LUA_VERSION_NUM >= 503
    if (lua_isinteger(L, -1)) {
        snprintf(text, OPTION_TEXT, "%lld", (long long)lua_tointeger(L, -1));
        return text;
    }
#endif
    if (type == LUA_TNUMBER)
        return number_to_text(lua_tonumber(L, -1), text);
    if (type != LUA_TSTRING)
        luaL_error(L, "option '%s': a string, number or boolean expected, got %s", name, luaL_typename(L, -1));
    if (!is_text(L, -1))
        luaL_error(L, "option '%s': a NUL byte after '%s'", name, lua_tostring(L, -1));
    return lua_tostring(L, -1);
}

static const anomaly_option *option_named(const char *name)
{
    const anomaly_option *option;
    for (size_t i = 0; (option = anomaly_option_at(i)); i++)
        if (strcmp(option->name, name) == 0)
            break;
    return option;
}

/* Returns the next option of the kind of `config`, and the text of its value; NULL after the last option. */
static const anomaly_option *next_option(size_t *i, const anomaly_config *config, char text[OPTION_TEXT])
{
    const anomaly_option *option;
    while ((option = anomaly_option_at((*i)++)))
        if (option->kinds >> config->kind & 1 && anomaly_config_get(config, option->name, text, OPTION_TEXT) == ANOMALY_OK)
            break;
    return option;
}

/* Looks `name` up in `names`, which end with NULL. */
static int is_among(const char *const *names, const char *name)
{
    while (*names && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

/* Raises the error for an unknown option; the text of the library names a similar option, if there is one. */
static void unknown_option(lua_State *L, const char *name, const anomaly_config *config)
{
    anomaly_error error;
    anomaly_config like;
    if (!config)
        luaL_error(L, "unknown option '%s'", name);
    like = *config;
    anomaly_config_set(&like, name, "", &error);
    luaL_error(L, "%s", error.message);
}

/* Checks that the keys of the table at `arg` are among `names`, or, if `names` is NULL, among the options of the
 * library. Returns 0 where the table was left out, else 1. */
static int check_options(lua_State *L, int arg, const char *what, const char *const *names, const anomaly_config *config)
{
    if (lua_isnoneornil(L, arg))
        return 0;
    if (!lua_istable(L, arg))
        bad_argument(L, arg, what, "table");
    lua_pushnil(L);
    while (lua_next(L, arg)) {
        lua_pop(L, 1);
        if (lua_type(L, -1) != LUA_TSTRING)
            luaL_error(L, "options go by name: {name = value}, not by %s", luaL_typename(L, -1));
        const char *name = lua_tostring(L, -1);
        if (!is_text(L, -1))
            luaL_error(L, "option name: a NUL byte after '%s'", name);
        if (names ? !is_among(names, name) : !option_named(name))
            unknown_option(L, name, config);
    }
    return 1;
}

/* Pushes the value of the option; returns 0 and pushes nothing where the option is not given. */
static int get_option(lua_State *L, int arg, const char *name)
{
    lua_pushstring(L, name);
    lua_rawget(L, arg);
    if (!lua_isnil(L, -1))
        return 1;
    lua_pop(L, 1);
    return 0;
}

/* Reads the options at `arg` into `config`, in the order of the library's table, since some options set others. */
static void read_options(lua_State *L, int arg, int kind, anomaly_config *config)
{
    char text[OPTION_TEXT];
    anomaly_error error;
    const anomaly_option *option;
    anomaly_config_init(config, sizeof *config, kind);
    if (!check_options(L, arg, "options", NULL, config))
        return;
    for (size_t i = 0; (option = anomaly_option_at(i)); i++) {
        if (!get_option(L, arg, option->name))
            continue;
        if (anomaly_config_set(config, option->name, top_to_text(L, option->name, text), &error) != ANOMALY_OK)
            luaL_error(L, "%s", error.message);
        lua_pop(L, 1);
    }
}

/* Pushes "zscore, percentile or iforest": the names of all kinds. */
static const char *push_kind_names(lua_State *L)
{
    const anomaly_kind_info *kind;
    lua_pushliteral(L, "");
    for (size_t i = 0; (kind = anomaly_kind_at(i)); i++) {
        lua_pushfstring(L, "%s%s", i == 0 ? "" : anomaly_kind_at(i + 1) ? ", " : " or ", kind->name);
        lua_concat(L, 2);
    }
    return lua_tostring(L, -1);
}

static int check_kind(lua_State *L, int arg)
{
    const anomaly_kind_info *kind;
    const char *name = check_text(L, arg, "kind");
    for (size_t i = 0; (kind = anomaly_kind_at(i)); i++)
        if (strcmp(kind->name, name) == 0)
            return kind->kind;
    lua_pushfstring(L, "kind: %s expected, got '%s'", push_kind_names(L), name);
    return wrong_argument(L, arg, "%s", lua_tostring(L, -1));
}

static const char *kind_name(int kind)
{
    size_t i = 0;
    while (anomaly_kind_at(i)->kind != kind)
        i++;
    return anomaly_kind_at(i)->name;
}

/* Pushes the value of an option as a number if the text is that number and no more ("3", not "300s"), else as text. */
static void push_option(lua_State *L, const char *text)
{
    char again[OPTION_TEXT];
    anomaly_config reader; /* reads a number whatever the locale */
    anomaly_config_init(&reader, sizeof reader, ANOMALY_ZSCORE);
    if (anomaly_config_set(&reader, "threshold", text, NULL) != ANOMALY_OK ||
        strcmp(number_to_text(reader.threshold, again), text) != 0)
        lua_pushstring(L, text);
    else if (reader.threshold == floor(reader.threshold) && fabs(reader.threshold) < 0x1p53)
        push_integer(L, (int64_t)reader.threshold);
    else
        lua_pushnumber(L, reader.threshold);
}

static int answer_config(lua_State *L, int status, const anomaly_config *config)
{
    char text[OPTION_TEXT];
    const anomaly_option *option;
    if (status != ANOMALY_OK)
        return answer(L, status);
    lua_newtable(L);
    for (size_t i = 0; (option = next_option(&i, config, text));) {
        push_option(L, text);
        lua_setfield(L, -2, option->name);
    }
    lua_pushstring(L, kind_name(config->kind));
    return 2;
}

/* Reads the limit `name` of a pool as the library reads the option `like` of a detector, since the library has no
 * table of limits: a whole number is read as `seed`, a time as `max_jump`, a switch as `reserve`. */
static void read_like(lua_State *L, int arg, const char *name, const char *like, anomaly_config *value)
{
    char text[OPTION_TEXT];
    if (!get_option(L, arg, name))
        return;
    const char *given = top_to_text(L, name, text);
    if (anomaly_config_set(value, like, given, NULL) != ANOMALY_OK)
        luaL_error(L, "%s takes %s, not '%s'", name, option_named(like)->values, given);
    lua_pop(L, 1);
}

static uint64_t read_whole(lua_State *L, int arg, const char *name, uint64_t otherwise)
{
    anomaly_config value;
    anomaly_config_init(&value, sizeof value, ANOMALY_IFOREST);
    value.seed = otherwise;
    read_like(L, arg, name, "seed", &value);
    return value.seed;
}

/* Runs anomaly.kinds(): {{name =, help =, offers = {whole = true, ...}}, ...} */
static int module_kinds(lua_State *L)
{
    static const struct {
        uint32_t bit;
        const char *name;
    } offers[] = {{ANOMALY_OFFERS_WHOLE, "whole"},
                  {ANOMALY_OFFERS_TIME, "time"},
                  {ANOMALY_OFFERS_QUANTILE, "quantile"},
                  {ANOMALY_OFFERS_EXPLAIN, "explain"},
                  {ANOMALY_OFFERS_REBUILD, "rebuild"}};
    const anomaly_kind_info *kind;
    lua_newtable(L);
    for (int i = 0; (kind = anomaly_kind_at((size_t)i)); i++) {
        lua_createtable(L, 0, 3);
        set_string(L, "name", kind->name);
        set_string(L, "help", kind->help);
        lua_createtable(L, 0, COUNT_OF(offers));
        for (size_t k = 0; k < COUNT_OF(offers); k++) {
            lua_pushboolean(L, (kind->offers & offers[k].bit) != 0);
            lua_setfield(L, -2, offers[k].name);
        }
        lua_setfield(L, -2, "offers");
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

/* Runs anomaly.options(kind): {{name =, values =, help =, default =}, ...}. */
static int module_options(lua_State *L)
{
    char text[OPTION_TEXT];
    anomaly_config config;
    const anomaly_option *option;
    int count = 0;
    anomaly_config_init(&config, sizeof config, check_kind(L, 1));
    lua_newtable(L);
    for (size_t i = 0; (option = next_option(&i, &config, text));) {
        lua_createtable(L, 0, 4);
        set_string(L, "name", option->name);
        set_string(L, "values", option->values);
        set_string(L, "help", option->help);
        push_option(L, text);
        lua_setfield(L, -2, "default");
        lua_rawseti(L, -2, ++count);
    }
    return 1;
}

/* Runs anomaly.memory_needed(kind, options). */
static int module_memory_needed(lua_State *L)
{
    anomaly_config config;
    size_t bytes;
    read_options(L, 2, check_kind(L, 1), &config);
    int status = anomaly_memory_needed(&config, &bytes);
    if (status != ANOMALY_OK)
        return answer(L, status);
    push_count(L, bytes);
    return 1;
}

#endif
