/* SPDX-License-Identifier: MIT
 * suggest.h - anomaly.suggest(): a configuration for data that is there. */
#ifndef ANOMALY_LUA_SUGGEST_H
#define ANOMALY_LUA_SUGGEST_H

#include "options.h"
#include "rows.h"

/* How many values a row has, as the first shows; packed doubles are one series. */
static uint32_t features_shown(lua_State *L, int arg)
{
    size_t size = 0, count = 1;
    if (!lua_istable(L, arg))
        return 1;
    int type = type_of_first(L, arg, &size);
    if (type == LUA_TSTRING)
        count = lua_rawlen(L, arg);
    if (type == LUA_TTABLE) {
        lua_rawgeti(L, arg, 1);
        count = lua_rawlen(L, -1);
        lua_pop(L, 1);
    }
    if (count < 1 || count > 4096)
        luaL_argerror(L, arg, "values: 1 to 4096 values a row expected");
    return (uint32_t)count;
}

/* The options that are not as they are by default. */
static void push_chosen(lua_State *L, const anomaly_config *config)
{
    char text[OPTION_TEXT], usual_text[OPTION_TEXT];
    anomaly_config usual;
    const anomaly_option *option;
    anomaly_config_init(&usual, sizeof usual, config->kind);
    lua_newtable(L);
    for (size_t i = 0; (option = next_option(&i, config, text));) {
        if (anomaly_config_get(&usual, option->name, usual_text, sizeof usual_text) == ANOMALY_OK &&
            strcmp(text, usual_text) == 0)
            continue;
        push_option(L, text);
        lua_setfield(L, -2, option->name);
    }
}

static void push_reasons(lua_State *L, const anomaly_suggestion *said)
{
    lua_newtable(L);
    for (uint32_t i = 0; i < said->reason_count; i++)
        set_string(L, said->reasons[i].option, said->reasons[i].text);
}

static void push_strongest(lua_State *L, const anomaly_suggestion *said)
{
    lua_newtable(L);
    for (uint32_t i = 0; i < said->strongest_count; i++) {
        lua_createtable(L, 0, 2);
        push_count(L, said->strongest[i] + 1);
        lua_setfield(L, -2, "row");
        lua_pushnumber(L, said->scores[i]);
        lua_setfield(L, -2, "score");
        lua_rawseti(L, -2, (int)i + 1);
    }
}

static int answer_suggestion(lua_State *L, const anomaly_config *config, const anomaly_suggestion *said)
{
    lua_newtable(L);
    set_string(L, "kind", kind_name(config->kind));
    push_chosen(L, config);
    lua_setfield(L, -2, "options");
    push_reasons(L, said);
    lua_setfield(L, -2, "reasons");
    push_strongest(L, said);
    lua_setfield(L, -2, "strongest");
    lua_pushboolean(L, said->whole);
    lua_setfield(L, -2, "whole");
    push_count(L, said->keys);
    lua_setfield(L, -2, "keys");
    push_count(L, said->first + 1);
    lua_setfield(L, -2, "first");
    push_count(L, said->alarms);
    lua_setfield(L, -2, "alarms");
    lua_pushnumber(L, said->alarms_a_day);
    lua_setfield(L, -2, "alarms_a_day");
    return 1;
}

/* Runs anomaly.suggest(values, times, keys). */
static int module_suggest(lua_State *L)
{
    batch b;
    anomaly_config config;
    anomaly_error error = {0};
    anomaly_suggestion said = {.struct_size = sizeof said};
    lua_settop(L, 3);
    memset(&b, 0, sizeof b);
    b.features = features_shown(L, 1);
    plan_values(L, 1, &b);
    plan_times(L, 2, &b, 0);
    int keyed = !lua_isnil(L, 3);
    if (keyed)
        plan_keys(L, 3, &b);
    read_values(L, 1, &b);
    read_times(L, 2, &b);
    if (keyed)
        read_keys(L, 3, &b, NULL);
    anomaly_config_init(&config, sizeof config, ANOMALY_ZSCORE);
    config.features = b.features;
    int status = anomaly_suggest(&b.rows, keyed ? &b.keys : NULL, NULL, &config, &said, &error);
    return status == ANOMALY_OK ? answer_suggestion(L, &config, &said) : answer_reason(L, status, &error);
}

#endif
