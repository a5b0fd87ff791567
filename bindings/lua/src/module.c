/* SPDX-License-Identifier: MIT
 * The Lua module `anomaly`, for Lua 5.1 to 5.4 and LuaJIT. docs/lua.md is its manual, library/anomaly.lua its types.
 *
 * The build joins this file and the files that it includes into one, build/lua/anomaly.c, which may be dropped into
 * any build. So everything but luaopen_anomaly() is static. Each file includes only files above it in this list:
 *
 *     base.h       what differs between the versions of Lua; numbers and strings are pushed
 *     fields.h     fields of the library's structs as keys and values of Lua's tables
 *     object.h     what a script holds: a detector, a key's detector or a pool; whether it may be used now
 *     evictions.h  evicted keys are noted inside a call, and the script is told of them after the call
 *     answers.h    what a call returns: results, or nil, message, code
 *     pipe.h       a script's function that takes or gives the pieces of a snapshot inside a call
 *     calls.h      the library's calls, the same for a detector, a key's detector and a pool
 *     times.h      arguments that are times
 *     arguments.h  other arguments: values, features, numbers, strings, keys
 *     options.h    arguments that are tables of options
 *     verdict.h    the table of a verdict, its flags by name, its text
 *     detector.h   calls of a script: one event, a question
 *     rows.h       ... many events
 *     suggest.h    a configuration for data that is there
 *     snapshot.h   ... snapshots
 *     create.h     ... a detector or pool is made, restored, closed
 *     pool.h       ... the keys of a pool
 *     visit.h      ... a loop over the keys of a pool
 *     module.c     functions of the module itself; what is registered under which name
 *
 * What keeps a script from harming its host:
 *
 * - No Lua code runs while the library is inside a call, with one exception: the functions that snapshots are written
 *   to and read from. Such a function runs protected (lua_pcall), so that no error jumps across the library's frames;
 *   while it runs, its object is `busy` and refuses every call. Keys are visited from a copy, and evictions are told
 *   once the evicting call is over.
 * - Whatever makes a Lua value may run a finalizer, which may be a script's and may close the very object at hand. So
 *   a method first makes what it needs, then looks whether its object is alive, then calls the library, then answers.
 * - Userdata is filled and has its metatable before it owns anything, so that an error half way leaks nothing. */
#include "arguments.h"
#include "base.h"
#include "create.h"
#include "detector.h"
#include "fields.h"
#include "object.h"
#include "options.h"
#include "pool.h"
#include "rows.h"
#include "snapshot.h"
#include "suggest.h"
#include "verdict.h"
#include "visit.h"

#include <math.h>
#include <stdio.h>

static int module_version(lua_State *L)
{
    int version = anomaly_version();
    lua_pushfstring(L, "%d.%d.%d", version / 10000, version / 100 % 100, version % 100);
    return 1;
}

static int module_status_text(lua_State *L)
{
    double status = check_number(L, 1, "code");
    lua_pushstring(L, anomaly_status_text(status >= -1000 && status <= 1000 ? (int)status : -1000));
    return 1;
}

/* Runs anomaly.key_hash(key): 16 hexadecimal digits, since not every Lua has 64-bit integers; and
 * anomaly.key_hash(key, n): 0 to n-1. */
static int module_key_hash(lua_State *L)
{
    char text[17];
    size_t size;
    const char *key = check_key(L, 1, &size);
    uint64_t hash = anomaly_key_hash(key, size);
    if (!lua_isnoneornil(L, 2)) {
        double n = check_number(L, 2, "n");
        luaL_argcheck(L, n >= 1 && n <= 0x1p53 && n == floor(n), 2, "n: a whole number from 1 expected");
        push_count(L, hash % (uint64_t)n);
        return 1;
    }
    snprintf(text, sizeof text, "%016llx", (unsigned long long)hash);
    lua_pushstring(L, text);
    return 1;
}

typedef struct function {
    const char *name;
    lua_CFunction run;
    int what; /* which of its uses: what_for() */
} function;

static const function module_functions[] = {
    {"new", module_new, 0},
    {"restore", module_restore, 0},
    {"pool", module_pool, 0},
    {"restore_pool", module_restore_pool, 0},
    {"kinds", module_kinds, 0},
    {"options", module_options, 0},
    {"memory_needed", module_memory_needed, 0},
    {"key_hash", module_key_hash, 0},
    {"suggest", module_suggest, 0},
    {"flags", module_flags, 0},
    {"status_text", module_status_text, 0},
    {"version", module_version, 0},
    {NULL, NULL, 0},
};

static const function detector_functions[] = {
    {"__gc", object_gc, 0},
    {"__close", object_close, 0},
    {"__tostring", object_tostring, 0},
    {"update", object_update, 0},
    {"score", detector_score, 0},
    {"learn", detector_learn, 0},
    {"advance", object_advance, 0},
    {"update_rows", object_rows, UPDATE_ROWS},
    {"score_rows", object_rows, SCORE_ROWS},
    {"learn_rows", object_rows, LEARN_ROWS},
    {"rebuild", detector_simply, REBUILD},
    {"reserve", detector_simply, RESERVE},
    {"reset", detector_simply, RESET},
    {"set_threshold", object_set_threshold, 0},
    {"stats", detector_stats, 0},
    {"quantile", detector_quantile, 0},
    {"explain", detector_explain, 0},
    {"overdue", detector_overdue, 0},
    {"counters", object_counters, 0},
    {"config", object_config, 0},
    {"snapshot", object_snapshot, 0},
    {"close", object_close, 0},
    {"address", detector_address, 0},
    {NULL, NULL, 0},
};

static const function pool_functions[] = {
    {"__gc", object_gc, 0},
    {"__close", object_close, 0},
    {"__tostring", object_tostring, 0},
    {"__len", pool_count, 0},
    {"update", object_update, 0},
    {"update_rows", object_rows, UPDATE_ROWS},
    {"slot", pool_slot, 1},
    {"find", pool_slot, 0},
    {"each", pool_each, 0},
    {"overdue", pool_each, 1},
    {"remove", pool_remove, 0},
    {"evict", pool_evict, 0},
    {"advance", object_advance, 0},
    {"set_threshold", object_set_threshold, 0},
    {"config", object_config, 0},
    {"count", pool_count, 0},
    {"usage", pool_usage, 0},
    {"counters", object_counters, 0},
    {"snapshot", object_snapshot, 0},
    {"export", pool_export, 0},
    {"import", pool_import, 0},
    {"close", object_close, 0},
    {NULL, NULL, 0},
};

static const function visit_functions[] = {{"__gc", visit_gc, 0}, {NULL, NULL, 0}};
static const function verdict_functions[] = {{"__tostring", verdict_tostring, 0}, {NULL, NULL, 0}};

/* Sets a field of the table at the index `table` to a function with the upvalues at `base`. */
static void set_function(lua_State *L, int base, int table, const char *name, lua_CFunction run, int what)
{
    for (int i = 1; i < UP_WHAT; i++)
        lua_pushvalue(L, base + i - 1);
    lua_pushinteger(L, what);
    lua_pushcclosure(L, run, UPVALUES);
    lua_setfield(L, table, name);
}

/* anomaly.zscore(options) and the others: anomaly.new() of each kind by its name. */
static void set_kinds(lua_State *L, int base)
{
    const anomaly_kind_info *kind;
    for (size_t i = 0; (kind = anomaly_kind_at(i)); i++)
        set_function(L, base, -2, kind->name, module_new, kind->kind);
}

/* Puts functions into the table on the top of the stack; a name that begins with __ goes into the metatable below that
 * table. The upvalues lie at `base`. */
static void set_functions(lua_State *L, int base, const function *functions)
{
    for (; functions->name; functions++)
        set_function(L, base, functions->name[0] == '_' ? -3 : -2, functions->name, functions->run, functions->what);
}

static void set_type(lua_State *L, int base, int upvalue, const char *name, const function *functions)
{
    lua_pushvalue(L, base + upvalue - 1);
    lua_pushvalue(L, -1);
    lua_replace(L, base + UP_SELF - 1);
    set_string(L, "__name", name);
    lua_pushboolean(L, 0); /* getmetatable() shows no more than that */
    lua_setfield(L, -2, "__metatable");
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "__index");
    set_functions(L, base, functions);
    lua_pop(L, 2);
}

#if defined(__GNUC__)
__attribute__((visibility("default")))
#endif
int luaopen_anomaly(lua_State *L);

int luaopen_anomaly(lua_State *L)
{
    int base = lua_gettop(L) + 1;
    luaL_checkstack(L, 2 * UPVALUES + 8, NULL);
    for (int i = UP_DETECTOR; i <= UP_SELF; i++)
        lua_newtable(L);
    for (int i = 0; i < VERDICT_FIELDS; i++)
        lua_pushstring(L, verdict_fields[i].name);
    set_type(L, base, UP_DETECTOR, "anomaly.detector", detector_functions);
    set_type(L, base, UP_POOL, "anomaly.pool", pool_functions);
    set_type(L, base, UP_VISIT, "anomaly.visit", visit_functions);
    lua_pushvalue(L, base + UP_SHOWN - 1);
    lua_newtable(L);
    set_functions(L, base, verdict_functions);
    lua_pop(L, 2);
    lua_newtable(L);
    set_functions(L, base, module_functions);
    set_kinds(L, base);
    for (size_t i = 0; i < COUNT_OF(constants); i++) {
        lua_pushinteger(L, constants[i].value);
        lua_setfield(L, -2, constants[i].name);
    }
    return 1;
}
