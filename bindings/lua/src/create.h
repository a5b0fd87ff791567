/* SPDX-License-Identifier: MIT
 * create.h - how detectors and pools are made, restored and closed. */
#ifndef ANOMALY_LUA_CREATE_H
#define ANOMALY_LUA_CREATE_H

#include "answers.h"
#include "arguments.h"
#include "calls.h"
#include "evictions.h"
#include "options.h"
#include "pipe.h"

#include <stdlib.h>

static int take_shape(object *o)
{
    holder *h = o->holder;
    request r;
    int status = call(o, CONFIG, &r);
    if (status != ANOMALY_OK)
        return status;
    h->features = r.config.features;
    h->timed = anomaly_needs_times(&r.config);
    if (h->features > 1 && !(h->x = malloc(h->features * sizeof *h->x)))
        return ANOMALY_E_NOMEM;
    o->ready = h->detector;
    return ANOMALY_OK;
}

/* Answers the new object on the top of the stack, with the warning of the library if there is one. */
static int answer_new(lua_State *L, object *o, int status, const anomaly_error *error)
{
    if (status == ANOMALY_E_CONFIG)
        return luaL_error(L, "%s", error->message);
    if (status == ANOMALY_OK)
        status = take_shape(o);
    if (status != ANOMALY_OK)
        return answer_reason(L, status, error);
    if (!*error->message)
        return 1;
    lua_pushstring(L, error->message);
    return 2;
}

static int is_given(lua_State *L, const char *const *names)
{
    for (; *names; names++)
        if (get_option(L, 1, *names)) {
            lua_pop(L, 1);
            return 1;
        }
    return 0;
}

/* anomaly.watch(), for who asks for nothing: about an alarm a day, and one of an incident. */
static void take_watch_defaults(lua_State *L, anomaly_config *config)
{
    static const char *const budgets[] = {"threshold", "alarm_rate", "alarms", NULL}, *const rests[] = {"rest", "confirm",
                                                                                                        NULL};
    int has_options = lua_istable(L, 1);
    if (has_options && is_given(L, budgets))
        return;
    anomaly_config_set(config, "alarms", "auto", NULL);
    if (!has_options || !is_given(L, rests))
        anomaly_config_set(config, "rest", "150", NULL);
}

/* Runs anomaly.new(kind, options), anomaly.zscore(options) and so on. */
static int module_new(lua_State *L)
{
    anomaly_config config;
    anomaly_error error = {0};
    int named = what_for(L), kind = named ? named : check_kind(L, 1);
    read_options(L, named ? 1 : 2, kind, &config);
    if (named == ANOMALY_WATCH)
        take_watch_defaults(L, &config);
    object *o = new_owner(L, UP_DETECTOR);
    int status = anomaly_create(&config, NULL, &o->holder->detector, &error);
    return answer_new(L, o, status, &error);
}

static int module_restore(lua_State *L)
{
    anomaly_error error = {0};
    size_t size;
    const char *bytes = check_string(L, 1, "snapshot", &size);
    object *o = new_owner(L, UP_DETECTOR);
    int status = anomaly_restore(bytes, size, NULL, &o->holder->detector, &error);
    return answer_new(L, o, status, &error);
}

/* Reads the limits of a pool at `arg`; puts the function for evictions into the table on the top of the stack. */
static void read_limits(lua_State *L, int arg, anomaly_pool_options *options)
{
    static const char *const names[] = {"max_keys", "max_bytes", "max_idle", "refuse",
                                        "shards",   "hash_seed", "evicted",  NULL};
    anomaly_config value;
    anomaly_pool_options_init(options, sizeof *options);
    options->locks = 0; /* a Lua state is never in two threads at once */
    if (!check_options(L, arg, "limits", names, NULL))
        return;
    options->max_keys = read_whole(L, arg, "max_keys", 0);
    options->max_bytes = read_whole(L, arg, "max_bytes", 0);
    options->hash_seed = read_whole(L, arg, "hash_seed", 0);
    uint64_t shards = read_whole(L, arg, "shards", 0);
    options->shards = shards > UINT32_MAX ? UINT32_MAX : (uint32_t)shards;
    anomaly_config_init(&value, sizeof value, ANOMALY_ZSCORE);
    read_like(L, arg, "max_idle", "max_jump", &value);
    read_like(L, arg, "refuse", "reserve", &value);
    options->max_idle_ns = value.max_jump_ns;
    options->refuse = value.reserve;
    if (!get_option(L, arg, "evicted"))
        return;
    if (!lua_isfunction(L, -1))
        luaL_error(L, "evicted takes a function, not a %s", luaL_typename(L, -1));
    lua_rawseti(L, -2, 1);
    options->evicting = note_departed;
}

/* Pushes a pool that is still empty, with limits from `arg`; the user value of the pool is {function for evictions}.
 * */
static object *prepare_pool(lua_State *L, int arg, anomaly_pool_options *options)
{
    lua_settop(L, arg);
    object *o = new_owner(L, UP_POOL);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_setuservalue(L, -3);
    read_limits(L, arg, options);
    lua_pop(L, 1);
    options->evicting_ctx = o->holder;
    return o;
}

/* Runs anomaly.pool(kind, options, limits). */
static int module_pool(lua_State *L)
{
    anomaly_config config;
    anomaly_pool_options options;
    anomaly_error error = {0};
    read_options(L, 2, check_kind(L, 1), &config);
    object *o = prepare_pool(L, 3, &options);
    int status = anomaly_pool_create(&config, &options, NULL, &o->holder->pool, &error);
    return answer_new(L, o, status, &error);
}

/* Runs anomaly.restore_pool(snapshot or function, kind, options, limits); a kind of nil means the saved configuration,
 * limits of nil mean the saved limits. */
static int module_restore_pool(lua_State *L)
{
    anomaly_config config, *wanted = NULL;
    anomaly_pool_options options, *limits = lua_isnoneornil(L, 4) ? NULL : &options;
    anomaly_error error = {0};
    int status;
    if (!lua_isnoneornil(L, 2)) {
        wanted = &config;
        read_options(L, 3, check_kind(L, 2), wanted);
    }
    object *o = prepare_pool(L, 4, &options);
    lua_insert(L, 1); /* the arguments are now one further up */
    if (lua_isfunction(L, 2)) {
        pipe p;
        open_pipe(L, &p, 2, take_piece);
        holder *h = hold(o);
        status = anomaly_pool_restore_read(source, &p, wanted, limits, NULL, &h->pool, &error);
        let_go(o, h);
        if (p.failed)
            return close_pipe(L, &p, status);
    } else {
        size_t size;
        const char *bytes = check_string(L, 2, "snapshot", &size);
        status = anomaly_pool_restore(bytes, size, wanted, limits, NULL, &o->holder->pool, &error);
    }
    if (status == ANOMALY_E_CONFIG)
        return answer_reason(L, status, &error);
    lua_settop(L, 1);
    return tell_evicted(L, o, answer_new(L, o, status, &error));
}

static int object_close(lua_State *L)
{
    object *o = check_self(L);
    holder *h = o->holder;
    if (!h)
        return 0;
    check_idle(L, h);
    if (o->is == POOL) {
        anomaly_pool_destroy(h->pool); /* for its keys as well */
        h->pool = NULL;
    } else {
        drop(o);
    }
    return 0;
}

static int object_gc(lua_State *L)
{
    drop(check_self(L));
    return 0;
}

/* Tells anomaly_ffi.lua where to read the detector's address before each call, how many features an event has, and
 * whether events need times. */
static int detector_address(lua_State *L)
{
    object *o = check_alive(L);
    if (o->is == KEY)
        return luaL_error(L, "a key's detector has no address of its own");
    lua_pushlightuserdata(L, &o->ready);
    push_integer(L, o->holder->features);
    lua_pushboolean(L, o->holder->timed);
    return 3;
}

#endif
