/* SPDX-License-Identifier: MIT
 * The Lua module `anomaly`, for Lua 5.1 to 5.4 and LuaJIT. docs/lua.md is its manual, library/anomaly.lua its types.
 *
 * One file, so that it can be dropped into any build. What keeps a script from harming its host:
 *
 * - No Lua code runs while the library is inside a call, with one exception: the functions that snapshots are written to and
 *   read from. These run protected (lua_pcall), so no error jumps across the library's frames, and while they run their
 *   object is `busy` and refuses every call. Keys are visited from a copy, evictions told once the evicting call is over.
 * - Whatever makes a Lua value may run a finalizer, which may be a script's and may close the very object at hand. So a
 *   method first makes what it needs, then looks whether its object is alive, then calls the library, and then answers.
 * - Userdata is filled and has its metatable before it owns anything, so that an error half way leaks nothing.
 */
#include <anomaly.h>
#include <lauxlib.h>
#include <lua.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if LUA_VERSION_NUM < 502
#define lua_rawlen       lua_objlen
#define lua_setuservalue lua_setfenv
#define lua_getuservalue lua_getfenv
#endif

/* Upvalues that every function of the module has: the metatables of its types, and the keys of a verdict, which are set far
 * faster from here than by name. */
enum {
    UP_DETECTOR = 1,
    UP_POOL,
    UP_VISIT,
    UP_ANOMALY,
    UP_SCORE,
    UP_THRESHOLD,
    UP_EXPECTED,
    UP_LOWER,
    UP_UPPER,
    UP_FLAGS,
    UP_FEATURE,
    UP_EVENTS,
    UPVALUES = UP_EVENTS
};

static const char *const verdict_keys[] = {"anomaly", "score", "threshold", "expected", "lower",
                                           "upper",   "flags", "feature",   "events"};

/* What an event has to look like, and room for its values. */
typedef struct layout {
    uint32_t features;
    int timed; /* the window is one of time */
    double *x; /* [features], where there are several */
} layout;

/* A key that was evicted and of which the script's function has not been told yet; its bytes follow: key, snapshot. */
typedef struct departed {
    struct departed *next;
    size_t key_size, snapshot_size;
} departed;

/* A pool, shared by its userdata and those of its keys: whichever goes last frees it. */
typedef struct holder {
    anomaly_pool *pool; /* NULL: closed */
    layout shape;
    size_t references;
    int busy;    /* a script's function runs inside a call */
    int telling; /* ... of evictions */
    int failed;  /* an eviction could not be noted for want of memory */
    departed *first, **last;
} holder;

/* Userdata "anomaly.detector": a detector of its own, or one key's in a pool. Neither: closed. */
typedef struct object {
    anomaly_detector *ready; /* `detector` while it may be called, for anomaly_ffi.lua; else NULL */
    anomaly_detector *detector;
    holder *holder;
    uint64_t slot;
    layout shape; /* of `detector` */
    int busy;
} object;

/* Userdata "anomaly.pool". */
typedef struct pool_object {
    holder *holder;
} pool_object;

/* ---- answers ---- */

/* A wrong argument raises; what may also happen to a correct script is answered. */
static int answer_error(lua_State *L, int status, const char *message)
{
    if (status == ANOMALY_E_ARG)
        return luaL_error(L, "%s", message);
    lua_pushnil(L);
    lua_pushstring(L, message);
    lua_pushinteger(L, status);
    return 3;
}

/* For calls that have nothing to say but that it worked. */
static int answer(lua_State *L, int status)
{
    if (status != ANOMALY_OK)
        return answer_error(L, status, anomaly_status_text(status));
    lua_pushboolean(L, 1);
    return 1;
}

static int bad_argument(lua_State *L, int arg, const char *name, const char *expected)
{
    return luaL_argerror(L, arg, lua_pushfstring(L, "%s: %s expected, got %s", name, expected, luaL_typename(L, arg)));
}

static void set_number(lua_State *L, const char *key, double value)
{
    lua_pushnumber(L, value);
    lua_setfield(L, -2, key);
}

/* As integers where Lua has them. */
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

static void set_count(lua_State *L, const char *key, uint64_t value)
{
    push_count(L, value);
    lua_setfield(L, -2, key);
}

/* ---- objects ---- */

static void *check_self(lua_State *L, int metatable, const char *name)
{
    if (lua_type(L, 1) == LUA_TUSERDATA && lua_getmetatable(L, 1)) {
        int same = lua_rawequal(L, -1, lua_upvalueindex(metatable));
        lua_pop(L, 1);
        if (same)
            return lua_touserdata(L, 1);
    }
    bad_argument(L, 1, "self", name);
    return NULL;
}

static object *check_detector(lua_State *L)
{
    return check_self(L, UP_DETECTOR, "anomaly.detector");
}

static pool_object *check_pool(lua_State *L)
{
    return check_self(L, UP_POOL, "anomaly.pool");
}

static void check_idle(lua_State *L, int busy)
{
    if (busy)
        luaL_error(L, "no call from inside the function that the snapshot goes to");
}

static anomaly_pool *alive_pool(lua_State *L, const holder *h)
{
    if (!h || !h->pool) {
        luaL_error(L, "the pool is closed");
        return NULL;
    }
    check_idle(L, h->busy);
    return h->pool;
}

static void alive(lua_State *L, const object *o)
{
    if (o->holder)
        alive_pool(L, o->holder);
    else if (!o->detector)
        luaL_error(L, "the detector is closed");
    else
        check_idle(L, o->busy);
}

static const layout *shape_of(const object *o)
{
    return o->holder ? &o->holder->shape : &o->shape;
}

static int shape_from(layout *shape, const anomaly_config *config)
{
    shape->features = config->features;
    shape->timed = config->window_ns > 0;
    if (config->features > 1)
        shape->x = malloc(config->features * sizeof *shape->x);
    return config->features == 1 || shape->x ? ANOMALY_OK : ANOMALY_E_NOMEM;
}

static void free_departed(holder *h)
{
    while (h->first) {
        departed *gone = h->first;
        h->first = gone->next;
        free(gone);
    }
    h->last = &h->first;
}

static void release(holder *h)
{
    if (--h->references > 0)
        return;
    anomaly_pool_destroy(h->pool);
    free_departed(h);
    free(h->shape.x);
    free(h);
}

/* Around a call that runs a script's function: the pool takes no other call, and stays. */
static void hold(holder *h)
{
    h->busy = 1;
    h->references++;
}

static void let_go(holder *h)
{
    h->busy = 0;
    release(h);
}

static object *new_object(lua_State *L)
{
    object *o = lua_newuserdata(L, sizeof *o);
    memset(o, 0, sizeof *o);
    lua_pushvalue(L, lua_upvalueindex(UP_DETECTOR));
    lua_setmetatable(L, -2);
    return o;
}

/* The userdata of a pool; its own value is {function to be told of evictions}. */
static holder *new_holder(lua_State *L)
{
    pool_object *self = lua_newuserdata(L, sizeof *self);
    self->holder = NULL;
    lua_pushvalue(L, lua_upvalueindex(UP_POOL));
    lua_setmetatable(L, -2);
    lua_newtable(L);
    lua_setuservalue(L, -2);
    self->holder = calloc(1, sizeof *self->holder);
    if (!self->holder)
        luaL_error(L, "%s", anomaly_status_text(ANOMALY_E_NOMEM));
    self->holder->references = 1;
    self->holder->last = &self->holder->first;
    return self->holder;
}

/* Pushes what will be a key's detector, for the pool at index 1, whose value it shares. */
static object *new_key(lua_State *L)
{
    object *o = new_object(L);
    lua_getuservalue(L, 1);
    if (lua_istable(L, -1))
        lua_setuservalue(L, -2);
    else
        lua_pop(L, 1);
    return o;
}

static void set_key(object *o, holder *h, uint64_t slot)
{
    o->holder = h;
    o->slot = slot;
    h->references++;
}

/* ---- evictions, told when the call that evicts is over ---- */

static void note_departed(void *ctx, const void *key, size_t key_size, const anomaly_detector *detector)
{
    holder *h = ctx;
    size_t size = 0;
    (void)anomaly_snapshot_size(detector, &size); /* stays 0 for a kind without snapshots */
    departed *gone = malloc(sizeof *gone + key_size + size);
    if (!gone) {
        h->failed = 1;
        return;
    }
    gone->next = NULL;
    gone->key_size = key_size;
    gone->snapshot_size = 0;
    memcpy(gone + 1, key, key_size);
    (void)anomaly_snapshot(detector, (char *)(gone + 1) + key_size, size, &gone->snapshot_size);
    *h->last = gone;
    h->last = &gone->next;
}

/* Protected: function, holder. Each key leaves the list before the function sees it, so that an error loses none. */
static int tell_each(lua_State *L)
{
    holder *h = lua_touserdata(L, 2);
    while (h->first) {
        departed *gone = h->first;
        const char *key = (const char *)(gone + 1);
        lua_pushvalue(L, 1);
        lua_pushlstring(L, key, gone->key_size);
        if (gone->snapshot_size > 0)
            lua_pushlstring(L, key + gone->key_size, gone->snapshot_size);
        else
            lua_pushnil(L);
        h->first = gone->next;
        h->last = h->first ? h->last : &h->first;
        free(gone);
        lua_call(L, 2, 0);
    }
    return 0;
}

/* Ends every call that may evict; returns `results`. The pool (or key) is at index 1. */
static int tell_evicted(lua_State *L, holder *h, int results)
{
    if (!h)
        return results;
    if (h->failed) {
        h->failed = 0;
        return luaL_error(L, "out of memory: the pool's function was not told of a key that was evicted");
    }
    if (!h->first || h->telling)
        return results;
    luaL_checkstack(L, 8, NULL);
    lua_pushcfunction(L, tell_each);
    lua_getuservalue(L, 1);
    lua_rawgeti(L, -1, 1);
    lua_remove(L, -2);
    lua_pushlightuserdata(L, h);
    h->telling = 1;
    h->references++; /* the function may close whatever it likes */
    int failed = lua_pcall(L, 2, 0, 0);
    h->telling = 0;
    release(h);
    return failed ? lua_error(L) : results;
}

static int finish(lua_State *L, const object *o, int results)
{
    return tell_evicted(L, o->holder, results);
}

/* ---- times: seconds, as a number or, to the nanosecond, as decimal text ---- */

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

/* Up to nine decimals, so that every time of the library can be written. */
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

/* NULL, or what is wrong with the value at `index`. */
static const char *to_ns(lua_State *L, int index, int64_t *ns)
{
    size_t size;
    switch (lua_type(L, index)) {
    case LUA_TNUMBER:
        return number_to_ns(lua_tonumber(L, index), ns) ? NULL : "seconds between the years 1678 and 2262 expected";
    case LUA_TSTRING: {
        const char *text = lua_tolstring(L, index, &size);
        return text_to_ns(text, size, ns) ? NULL : "decimal seconds with at most 9 decimals, up to the year 2262, expected";
    }
    default: return "seconds expected, as a number or decimal text";
    }
}

static int64_t check_seconds(lua_State *L, int arg, const char *name)
{
    int64_t ns = 0;
    const char *wrong = to_ns(L, arg, &ns);
    if (wrong)
        luaL_argerror(L, arg, lua_pushfstring(L, "%s: %s", name, wrong));
    return ns;
}

static int64_t check_time(lua_State *L, int arg, const layout *shape)
{
    if (!lua_isnoneornil(L, arg))
        return check_seconds(L, arg, "t");
    if (shape->timed)
        luaL_argerror(L, arg, "t: the window is one of time, so each event needs its seconds");
    return ANOMALY_NO_TIME;
}

/* ---- values ---- */

/* The table on the top of the stack holds exactly `count` numbers: into `to`; else 0. */
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

/* One event's values. Makes no Lua value. */
static const double *check_x(lua_State *L, int arg, const layout *shape, double *single)
{
    if (shape->features == 1 && lua_type(L, arg) == LUA_TNUMBER) {
        *single = lua_tonumber(L, arg);
        return single;
    }
    double *x = shape->features == 1 ? single : shape->x;
    lua_pushvalue(L, arg);
    int good = numbers_from_top(L, x, shape->features);
    lua_pop(L, 1);
    if (!good && shape->features == 1)
        bad_argument(L, arg, "x", "number");
    else if (!good)
        luaL_argerror(L, arg, lua_pushfstring(L, "x: a table of %d numbers expected", (int)shape->features));
    return x;
}

static uint32_t check_feature(lua_State *L, int arg, const layout *shape)
{
    double feature = lua_isnoneornil(L, arg) ? 1 : luaL_checknumber(L, arg);
    if (!(feature >= 1 && feature <= shape->features) || feature != floor(feature))
        luaL_argerror(L, arg, lua_pushfstring(L, "feature: 1 to %d expected", (int)shape->features));
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

#define MOST_KEY_BYTES 65535

static int is_key_size(size_t size)
{
    return size >= 1 && size <= MOST_KEY_BYTES;
}

static const char *check_key(lua_State *L, int arg, size_t *size)
{
    const char *key = check_string(L, arg, "key", size);
    if (!is_key_size(*size))
        luaL_argerror(L, arg, "key: 1 to 65535 bytes expected");
    return key;
}

/* ---- options: as text, through the library's own table ---- */

#define OPTION_TEXT 64

/* The shortest text that reads back as the same number, with a point whatever the locale. */
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

/* The option's value on the top of the stack as text; raises for what is none. Makes no Lua value. */
static const char *top_to_text(lua_State *L, const char *name, char text[OPTION_TEXT])
{
    size_t size;
    switch (lua_type(L, -1)) {
    case LUA_TBOOLEAN: return lua_toboolean(L, -1) ? "1" : "0";
    case LUA_TNUMBER:
#if LUA_VERSION_NUM >= 503
        if (lua_isinteger(L, -1)) {
            snprintf(text, OPTION_TEXT, "%lld", (long long)lua_tointeger(L, -1));
            return text;
        }
#endif
        return number_to_text(lua_tonumber(L, -1), text);
    case LUA_TSTRING: {
        const char *value = lua_tolstring(L, -1, &size);
        if (strlen(value) == size)
            return value;
        break;
    }
    default: break;
    }
    luaL_error(L, "option '%s': a string, number or boolean expected, got %s", name, luaL_typename(L, -1));
    return NULL;
}

static int is_option(const char *name)
{
    for (size_t i = 0; anomaly_option_at(i); i++)
        if (strcmp(anomaly_option_at(i)->name, name) == 0)
            return 1;
    return 0;
}

/* Every key of the table at `arg` must be known. */
static void check_names(lua_State *L, int arg, int (*known)(const char *name))
{
    lua_pushnil(L);
    while (lua_next(L, arg)) {
        lua_pop(L, 1);
        if (lua_type(L, -1) != LUA_TSTRING)
            luaL_error(L, "options go by name: {name = value}, not by %s", luaL_typename(L, -1));
        if (!known(lua_tostring(L, -1)))
            luaL_error(L, "unknown option '%s'", lua_tostring(L, -1));
    }
}

/* 1, with a table of options at `arg`; 0 where it was left out. */
static int check_options(lua_State *L, int arg, const char *name, int (*known)(const char *name))
{
    if (lua_isnoneornil(L, arg))
        return 0;
    if (!lua_istable(L, arg))
        bad_argument(L, arg, name, "table");
    check_names(L, arg, known);
    return 1;
}

/* Pushes the option's value; 0 (and nothing pushed) where it is not given. */
static int get_option(lua_State *L, int arg, const char *name)
{
    lua_pushstring(L, name);
    lua_rawget(L, arg);
    if (!lua_isnil(L, -1))
        return 1;
    lua_pop(L, 1);
    return 0;
}

/* In the order of the library's table: some options set others. */
static void read_options(lua_State *L, int arg, int kind, anomaly_config *config)
{
    char text[OPTION_TEXT];
    anomaly_error error;
    anomaly_config_init(config, sizeof *config, kind);
    if (!check_options(L, arg, "options", is_option))
        return;
    for (size_t i = 0; anomaly_option_at(i); i++) {
        const char *name = anomaly_option_at(i)->name;
        if (!get_option(L, arg, name))
            continue;
        if (anomaly_config_set(config, name, top_to_text(L, name, text), &error) != ANOMALY_OK)
            luaL_error(L, "%s", error.message);
        lua_pop(L, 1);
    }
}

static const char *const kind_names[] = {NULL, "zscore", "percentile", "iforest"};
#define KINDS (sizeof kind_names / sizeof *kind_names)

static int check_kind(lua_State *L, int arg)
{
    const char *name = check_string(L, arg, "kind", NULL);
    for (size_t kind = 1; kind < KINDS; kind++)
        if (strcmp(kind_names[kind], name) == 0)
            return (int)kind;
    return luaL_argerror(L, arg, lua_pushfstring(L, "kind: zscore, percentile or iforest expected, got '%s'", name));
}

/* As a number where the number says all of it, so that 3 is 3 and "300s" is "300s". */
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

static int push_config(lua_State *L, const anomaly_config *config)
{
    char text[OPTION_TEXT];
    lua_newtable(L);
    for (size_t i = 0; anomaly_option_at(i); i++) {
        const anomaly_option *option = anomaly_option_at(i);
        if (!(option->kinds >> config->kind & 1) ||
            anomaly_config_get(config, option->name, text, sizeof text) != ANOMALY_OK)
            continue;
        push_option(L, text);
        lua_setfield(L, -2, option->name);
    }
    lua_pushstring(L, kind_names[config->kind]);
    return 2;
}

/* ---- one verdict ---- */

/* The table at `arg`, or a new one there, as the top of the stack. */
static void verdict_table(lua_State *L, int arg)
{
    lua_settop(L, arg);
    if (lua_istable(L, arg))
        return;
    if (!lua_isnil(L, arg))
        bad_argument(L, arg, "verdict", "table");
    lua_pop(L, 1);
    lua_createtable(L, 0, sizeof verdict_keys / sizeof *verdict_keys);
}

static void set_double(lua_State *L, int key, double value)
{
    lua_pushvalue(L, lua_upvalueindex(key));
    lua_pushnumber(L, value);
    lua_rawset(L, -3);
}

static void set_integer(lua_State *L, int key, uint64_t value)
{
    lua_pushvalue(L, lua_upvalueindex(key));
    push_count(L, value);
    lua_rawset(L, -3);
}

/* Into the table on the top of the stack, which is the answer. */
static int answer_verdict(lua_State *L, int status, const anomaly_verdict *v)
{
    if (status != ANOMALY_OK)
        return answer_error(L, status, anomaly_status_text(status));
    lua_pushvalue(L, lua_upvalueindex(UP_ANOMALY));
    lua_pushboolean(L, (v->flags & ANOMALY_IS_ANOMALY) != 0);
    lua_rawset(L, -3);
    set_double(L, UP_SCORE, v->score);
    set_double(L, UP_THRESHOLD, v->threshold);
    set_double(L, UP_EXPECTED, v->expected);
    set_double(L, UP_LOWER, v->lower);
    set_double(L, UP_UPPER, v->upper);
    set_integer(L, UP_FLAGS, v->flags);
    set_integer(L, UP_FEATURE, (uint64_t)v->feature + 1);
    set_integer(L, UP_EVENTS, v->events);
    return 1;
}

/* ---- the library's calls, on a detector of its own or on a key's ---- */

typedef struct request {
    const double *x;
    int64_t t;
    anomaly_verdict *verdict;
    const anomaly_rows *rows;
    const anomaly_verdicts *verdicts;
    size_t done;
    uint32_t feature;
    double number;
    double *shares;
    anomaly_stats *stats;
    anomaly_counts *counts;
    anomaly_config *config;
    void *bytes;
    size_t size;
    anomaly_sink sink;
    void *ctx;
} request;

static int use_score(void *ctx, anomaly_detector *d)
{
    request *r = ctx;
    return anomaly_score(d, r->x, r->t, r->verdict);
}

static int use_learn(void *ctx, anomaly_detector *d)
{
    request *r = ctx;
    return anomaly_learn(d, r->x, r->t);
}

static int use_advance(void *ctx, anomaly_detector *d)
{
    request *r = ctx;
    return anomaly_advance(d, r->t);
}

static int use_rebuild(void *ctx, anomaly_detector *d)
{
    (void)ctx;
    return anomaly_rebuild(d);
}

static int use_reserve(void *ctx, anomaly_detector *d)
{
    (void)ctx;
    return anomaly_reserve(d);
}

static int use_reset(void *ctx, anomaly_detector *d)
{
    (void)ctx;
    anomaly_reset(d);
    return ANOMALY_OK;
}

static int use_set_threshold(void *ctx, anomaly_detector *d)
{
    request *r = ctx;
    return anomaly_set_threshold(d, r->number);
}

static int use_stats(void *ctx, anomaly_detector *d)
{
    request *r = ctx;
    return anomaly_window_stats(d, r->feature, r->stats);
}

static int use_quantile(void *ctx, anomaly_detector *d)
{
    request *r = ctx;
    return anomaly_quantile(d, r->feature, r->number, &r->number);
}

static int use_explain(void *ctx, anomaly_detector *d)
{
    request *r = ctx;
    return anomaly_explain(d, r->x, r->shares);
}

static int use_counters(void *ctx, anomaly_detector *d)
{
    request *r = ctx;
    return anomaly_counters(d, r->counts);
}

static int use_get_config(void *ctx, anomaly_detector *d)
{
    request *r = ctx;
    return anomaly_get_config(d, r->config, sizeof *r->config);
}

static int use_snapshot_size(void *ctx, anomaly_detector *d)
{
    request *r = ctx;
    return anomaly_snapshot_size(d, &r->size);
}

static int use_snapshot(void *ctx, anomaly_detector *d)
{
    request *r = ctx;
    return anomaly_snapshot(d, r->bytes, r->size, &r->size);
}

static int use_snapshot_write(void *ctx, anomaly_detector *d)
{
    request *r = ctx;
    return anomaly_snapshot_write(d, r->sink, r->ctx);
}

static int use_update_rows(void *ctx, anomaly_detector *d)
{
    request *r = ctx;
    return anomaly_update_rows(d, r->rows, r->verdicts, &r->done);
}

static int use_score_rows(void *ctx, anomaly_detector *d)
{
    request *r = ctx;
    return anomaly_score_rows(d, r->rows, r->verdicts, &r->done);
}

static int use_learn_rows(void *ctx, anomaly_detector *d)
{
    request *r = ctx;
    return anomaly_learn_rows(d, r->rows, &r->done);
}

static int call(const object *o, anomaly_use use, request *r)
{
    return o->holder ? anomaly_pool_with(o->holder->pool, o->slot, use, r) : use(r, o->detector);
}

/* A call without arguments or results. */
static int simply(lua_State *L, anomaly_use use)
{
    object *o = check_detector(L);
    request r;
    alive(L, o);
    return finish(L, o, answer(L, call(o, use, &r)));
}

/* ---- detectors: events ---- */

static int detector_update(lua_State *L)
{
    object *o = check_detector(L);
    anomaly_verdict verdict;
    double single;
    verdict_table(L, 4);
    alive(L, o);
    const layout *shape = shape_of(o);
    const double *x = check_x(L, 2, shape, &single);
    int64_t t = check_time(L, 3, shape);
    if (!o->holder)
        return answer_verdict(L, anomaly_update(o->detector, x, t, &verdict), &verdict);
    int status = anomaly_pool_update_at(o->holder->pool, o->slot, x, t, &verdict);
    return tell_evicted(L, o->holder, answer_verdict(L, status, &verdict));
}

static int detector_score(lua_State *L)
{
    object *o = check_detector(L);
    anomaly_verdict verdict;
    double single;
    request r;
    verdict_table(L, 4);
    alive(L, o);
    r.x = check_x(L, 2, shape_of(o), &single);
    r.t = check_time(L, 3, shape_of(o));
    r.verdict = &verdict;
    return answer_verdict(L, call(o, use_score, &r), &verdict);
}

static int detector_learn(lua_State *L)
{
    object *o = check_detector(L);
    double single;
    request r;
    alive(L, o);
    r.x = check_x(L, 2, shape_of(o), &single);
    r.t = check_time(L, 3, shape_of(o));
    return finish(L, o, answer(L, call(o, use_learn, &r)));
}

static int detector_advance(lua_State *L)
{
    object *o = check_detector(L);
    request r;
    alive(L, o);
    r.t = check_seconds(L, 2, "t");
    return finish(L, o, answer(L, call(o, use_advance, &r)));
}

static int detector_rebuild(lua_State *L)
{
    return simply(L, use_rebuild);
}

static int detector_reserve(lua_State *L)
{
    return simply(L, use_reserve);
}

static int detector_reset(lua_State *L)
{
    return simply(L, use_reset);
}

static double check_threshold(lua_State *L)
{
    double threshold = check_number(L, 2, "threshold");
    luaL_argcheck(L, isfinite(threshold), 2, "threshold: a finite number expected");
    return threshold;
}

static int detector_set_threshold(lua_State *L)
{
    object *o = check_detector(L);
    request r;
    alive(L, o);
    r.number = check_threshold(L);
    return finish(L, o, answer(L, call(o, use_set_threshold, &r)));
}

/* ---- detectors: questions ---- */

static int detector_stats(lua_State *L)
{
    object *o = check_detector(L);
    anomaly_stats stats;
    request r;
    alive(L, o);
    r.feature = check_feature(L, 2, shape_of(o));
    r.stats = &stats;
    int status = call(o, use_stats, &r);
    if (status != ANOMALY_OK)
        return answer_error(L, status, anomaly_status_text(status));
    lua_createtable(L, 0, 6);
    set_count(L, "count", stats.count);
    set_number(L, "mean", stats.mean);
    set_number(L, "variance", stats.variance);
    set_number(L, "stddev", stats.stddev);
    set_number(L, "min", stats.min);
    set_number(L, "max", stats.max);
    return 1;
}

static int detector_quantile(lua_State *L)
{
    object *o = check_detector(L);
    request r;
    alive(L, o);
    r.number = check_number(L, 2, "q");
    luaL_argcheck(L, r.number >= 0 && r.number <= 1, 2, "q: a number from 0 to 1 expected");
    r.feature = check_feature(L, 3, shape_of(o));
    int status = call(o, use_quantile, &r);
    if (status != ANOMALY_OK)
        return answer_error(L, status, anomaly_status_text(status));
    lua_pushnumber(L, r.number);
    return 1;
}

static int detector_explain(lua_State *L)
{
    object *o = check_detector(L);
    double single;
    request r;
    alive(L, o);
    uint32_t features = shape_of(o)->features;
    r.shares = lua_newuserdata(L, features * sizeof *r.shares);
    alive(L, o);
    r.x = check_x(L, 2, shape_of(o), &single);
    int status = call(o, use_explain, &r);
    if (status != ANOMALY_OK)
        return answer_error(L, status, anomaly_status_text(status));
    lua_createtable(L, (int)features, 0);
    for (uint32_t i = 0; i < features; i++) {
        lua_pushnumber(L, r.shares[i]);
        lua_rawseti(L, -2, (int)i + 1);
    }
    return 1;
}

static int push_counters(lua_State *L, const anomaly_counts *c)
{
    lua_createtable(L, 0, 11);
    set_count(L, "events", c->events);
    set_count(L, "anomalies", c->anomalies);
    set_count(L, "learned", c->learned);
    set_count(L, "warming_up", c->warming_up);
    set_count(L, "missing", c->missing);
    set_count(L, "nonfinite", c->nonfinite);
    set_count(L, "late", c->late);
    set_count(L, "jumped", c->jumped);
    set_count(L, "flat", c->flat);
    set_count(L, "skipped", c->skipped);
    set_count(L, "truncated", c->truncated);
    return 1;
}

static int detector_counters(lua_State *L)
{
    object *o = check_detector(L);
    anomaly_counts counts;
    request r;
    alive(L, o);
    r.counts = &counts;
    int status = call(o, use_counters, &r);
    return status == ANOMALY_OK ? push_counters(L, &counts) : answer_error(L, status, anomaly_status_text(status));
}

static int detector_config(lua_State *L)
{
    object *o = check_detector(L);
    anomaly_config config;
    request r;
    alive(L, o);
    r.config = &config;
    int status = call(o, use_get_config, &r);
    return status == ANOMALY_OK ? push_config(L, &config) : answer_error(L, status, anomaly_status_text(status));
}

/* ---- snapshots in pieces: the only Lua code that runs inside a call of the library ---- */

typedef struct pipe {
    lua_State *L;
    int function; /* stack index; `protect` lies above it */
    const void *bytes;
    void *room;
    size_t size;
    int failed; /* 1: an error lies on the top of the stack; -1: the function said stop, its message is there */
} pipe;

/* Calls the pipe's function with what `protect` pushes, and leaves one value. */
static int run_protected(pipe *p)
{
    lua_State *L = p->L;
    lua_pushvalue(L, p->function + 1);
    lua_pushvalue(L, p->function);
    lua_pushlightuserdata(L, p);
    if (lua_pcall(L, 2, 1, 0) != 0)
        p->failed = 1;
    return p->failed;
}

/* Protected: function, pipe. A function says stop as Lua's own do, file:write among them: nil or false, and a message. */
static int give_piece(lua_State *L)
{
    pipe *p = lua_touserdata(L, 2);
    lua_pushvalue(L, 1);
    lua_pushlstring(L, p->bytes, p->size);
    lua_call(L, 1, 2);
    if (!lua_toboolean(L, -2) && lua_isstring(L, -1))
        p->failed = -1;
    return 1;
}

static int sink(void *ctx, const void *bytes, size_t size)
{
    pipe *p = ctx;
    p->bytes = bytes;
    p->size = size;
    if (run_protected(p))
        return 1;
    lua_pop(p->L, 1);
    return 0;
}

/* Protected: function, pipe. The function is asked for so many bytes at most, as file:read is. */
static int take_piece(lua_State *L)
{
    pipe *p = lua_touserdata(L, 2);
    size_t size = 0;
    lua_pushvalue(L, 1);
    push_count(L, p->size);
    lua_call(L, 1, 2);
    if (!lua_toboolean(L, -2) && lua_isstring(L, -1)) {
        p->failed = -1;
        return 1;
    }
    lua_pop(L, 1);
    if (!lua_isnil(L, -1)) {
        if (lua_type(L, -1) != LUA_TSTRING)
            return luaL_error(L, "the snapshot's function returned a %s, not a string", luaL_typename(L, -1));
        const char *bytes = lua_tolstring(L, -1, &size);
        if (size > p->size)
            return luaL_error(L, "the snapshot's function returned more bytes than it was asked for");
        memcpy(p->room, bytes, size);
    }
    p->size = size;
    return 1;
}

static int source(void *ctx, void *bytes, size_t size, size_t *got)
{
    pipe *p = ctx;
    p->room = bytes;
    p->size = size;
    if (run_protected(p))
        return 1;
    lua_pop(p->L, 1);
    *got = p->size;
    return 0;
}

/* Takes the function at `arg` to the top of the stack, with what protects it. */
static void open_pipe(lua_State *L, pipe *p, int arg, lua_CFunction protect)
{
    luaL_checkstack(L, 10, NULL);
    memset(p, 0, sizeof *p);
    p->L = L;
    lua_pushvalue(L, arg);
    p->function = lua_gettop(L);
    lua_pushcfunction(L, protect);
}

/* What the script's function has brought about. */
static int close_pipe(lua_State *L, const pipe *p, int status)
{
    if (p->failed > 0)
        return lua_error(L);
    if (p->failed < 0)
        return answer_error(L, status, lua_tostring(L, -1));
    return answer(L, status);
}

static int write_detector(lua_State *L, object *o)
{
    pipe p;
    request r;
    int status;
    open_pipe(L, &p, 2, give_piece);
    alive(L, o);
    r.sink = sink;
    r.ctx = &p;
    holder *h = o->holder;
    if (!h) {
        o->ready = NULL;
        o->busy = 1;
        status = use_snapshot_write(&r, o->detector);
        o->busy = 0;
        o->ready = o->detector;
    } else {
        hold(h);
        status = anomaly_pool_with(h->pool, o->slot, use_snapshot_write, &r);
        let_go(h);
    }
    return close_pipe(L, &p, status);
}

/* The buffer is a Lua value, so making it may run a script's finalizer, which may feed the detector: hence the loop. */
static int detector_snapshot(lua_State *L)
{
    object *o = check_detector(L);
    request r;
    int status;
    alive(L, o);
    if (lua_isfunction(L, 2))
        return write_detector(L, o);
    if (!lua_isnoneornil(L, 2))
        bad_argument(L, 2, "write", "function");
    do {
        lua_settop(L, 1);
        status = call(o, use_snapshot_size, &r);
        if (status != ANOMALY_OK)
            return answer_error(L, status, anomaly_status_text(status));
        r.bytes = lua_newuserdata(L, r.size);
        alive(L, o);
        status = call(o, use_snapshot, &r);
    } while (status == ANOMALY_E_SPACE);
    if (status != ANOMALY_OK)
        return answer_error(L, status, anomaly_status_text(status));
    lua_pushlstring(L, r.bytes, r.size);
    return 1;
}

/* ---- rows: arrays as tables, or as strings of packed doubles ---- */

/* One field of anomaly_verdicts. */
typedef struct field {
    const char *name;
    size_t offset, size;
} field;

static const field columns[] = {
    {"score", offsetof(anomaly_verdicts, score), sizeof(double)},
    {"threshold", offsetof(anomaly_verdicts, threshold), sizeof(double)},
    {"expected", offsetof(anomaly_verdicts, expected), sizeof(double)},
    {"lower", offsetof(anomaly_verdicts, lower), sizeof(double)},
    {"upper", offsetof(anomaly_verdicts, upper), sizeof(double)},
    {"flags", offsetof(anomaly_verdicts, flags), sizeof(uint32_t)},
    {"feature", offsetof(anomaly_verdicts, feature), sizeof(uint32_t)},
    {"events", offsetof(anomaly_verdicts, events), sizeof(uint64_t)},
};
#define COLUMNS (sizeof columns / sizeof *columns)
#define FLAGS   5 /* its index */

/* What rows are given as. */
enum form { PACKED, PACKED_COLUMNS, NUMBERS, TABLES };

/* A rows call. Everything is made in plan_*(), which may run finalizers; only then are values and keys read, and they are used at
 * once, so that no pointer into a script's table outlives a chance to change that table. */
typedef struct batch {
    enum form form;
    size_t count;
    uint32_t features;
    anomaly_rows rows;
    anomaly_verdicts verdicts;
    double *values;
    const double **starts;
    int64_t *times;
    void *out[COLUMNS];
    int anomalies; /* the column "anomaly" is wanted, which is made from the flags */
    int wanted;    /* bits: columns */
    anomaly_keys keys;
    const char **key;
    size_t *key_size;
    uint64_t *slot;
} batch;

static void *new_array(lua_State *L, size_t count, size_t size)
{
    luaL_checkstack(L, 4, NULL);
    if (size && count > (SIZE_MAX / 2) / size)
        luaL_error(L, "%s", anomaly_status_text(ANOMALY_E_NOMEM));
    return lua_newuserdata(L, count * size + 1);
}

static size_t table_count(lua_State *L, int arg, const char *name)
{
    size_t count = lua_rawlen(L, arg);
    if (count > INT32_MAX)
        luaL_argerror(L, arg, lua_pushfstring(L, "%s: too long a table", name));
    return count;
}

static int type_of_first(lua_State *L, int arg)
{
    lua_rawgeti(L, arg, 1);
    int type = lua_type(L, -1);
    lua_pop(L, 1);
    return type;
}

static size_t packed_count(lua_State *L, int arg, const char *name, size_t size, size_t each)
{
    if (size % each != 0)
        luaL_argerror(L, arg,
                      lua_pushfstring(L, "%s: %d bytes are no whole number of rows of %d", name, (int)size, (int)each));
    return size / each;
}

static void plan_columns_in(lua_State *L, int arg, batch *b)
{
    size_t size;
    if (lua_rawlen(L, arg) != b->features)
        luaL_argerror(L, arg, lua_pushfstring(L, "values: %d columns expected", (int)b->features));
    lua_rawgeti(L, arg, 1);
    lua_tolstring(L, -1, &size);
    lua_pop(L, 1);
    b->form = PACKED_COLUMNS;
    b->count = packed_count(L, arg, "values[1]", size, sizeof(double));
    b->starts = new_array(L, b->features, sizeof *b->starts);
}

static void plan_values(lua_State *L, int arg, batch *b)
{
    if (lua_type(L, arg) == LUA_TSTRING) {
        b->form = PACKED;
        b->count = packed_count(L, arg, "values", lua_rawlen(L, arg), b->features * sizeof(double));
        return;
    }
    if (!lua_istable(L, arg))
        bad_argument(L, arg, "values", "table or string of packed doubles");
    int type = type_of_first(L, arg);
    if (type == LUA_TSTRING) {
        plan_columns_in(L, arg, b);
        return;
    }
    b->form = type == LUA_TTABLE ? TABLES : NUMBERS;
    b->count = table_count(L, arg, "values");
    if (b->form == NUMBERS && b->features > 1 && b->count > 0)
        luaL_argerror(L, arg, lua_pushfstring(L, "values: tables of %d numbers expected", (int)b->features));
    b->values = new_array(L, b->count, b->features * sizeof *b->values);
}

static void plan_times(lua_State *L, int arg, batch *b, int timed)
{
    if (lua_isnoneornil(L, arg)) {
        if (timed)
            luaL_argerror(L, arg, "times: the window is one of time, so each event needs its seconds");
        return;
    }
    size_t count;
    if (lua_type(L, arg) == LUA_TSTRING)
        count = packed_count(L, arg, "times", lua_rawlen(L, arg), sizeof(int64_t));
    else if (lua_istable(L, arg))
        count = lua_rawlen(L, arg);
    else
        count = (size_t)bad_argument(L, arg, "times", "table or string of packed int64 nanoseconds");
    if (count != b->count)
        luaL_argerror(L, arg, lua_pushfstring(L, "times: %d of them for %d rows", (int)count, (int)b->count));
    if (lua_istable(L, arg))
        b->times = new_array(L, count, sizeof *b->times);
}

static void want_column(lua_State *L, int arg, batch *b, const char *name)
{
    if (strcmp(name, "anomaly") == 0) {
        b->anomalies = 1;
        return;
    }
    for (size_t i = 0; i < COLUMNS; i++)
        if (strcmp(columns[i].name, name) == 0) {
            b->wanted |= 1 << i;
            return;
        }
    luaL_argerror(L, arg, lua_pushfstring(L, "columns: a verdict has no '%s'", name));
}

static void plan_columns_out(lua_State *L, int arg, batch *b)
{
    if (lua_isnoneornil(L, arg)) {
        want_column(L, arg, b, "anomaly");
        want_column(L, arg, b, "score");
    } else if (!lua_istable(L, arg)) {
        bad_argument(L, arg, "columns", "table of names");
    } else {
        for (size_t i = 1; i <= lua_rawlen(L, arg) && i <= 99; i++) {
            lua_rawgeti(L, arg, (int)i);
            if (lua_type(L, -1) != LUA_TSTRING)
                bad_argument(L, arg, "columns", "table of names");
            want_column(L, arg, b, lua_tostring(L, -1));
            lua_pop(L, 1);
        }
    }
    for (size_t i = 0; i < COLUMNS; i++)
        if (b->wanted >> i & 1 || (i == FLAGS && b->anomalies)) {
            b->out[i] = new_array(L, b->count, columns[i].size);
            memcpy((char *)&b->verdicts + columns[i].offset, &b->out[i], sizeof b->out[i]);
        }
}

static void read_columns_in(lua_State *L, int arg, batch *b)
{
    for (uint32_t f = 0; f < b->features; f++) {
        size_t size = 0;
        lua_rawgeti(L, arg, (int)f + 1);
        const char *bytes = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &size) : NULL;
        lua_pop(L, 1);
        if (!bytes || size != b->count * sizeof(double))
            luaL_argerror(L, arg, lua_pushfstring(L, "values[%d]: a string as long as the first expected", (int)f + 1));
        b->starts[f] = (const double *)(const void *)bytes;
    }
    b->rows.columns = b->starts;
}

static void read_table(lua_State *L, int arg, batch *b)
{
    for (size_t i = 0; i < b->count; i++) {
        double *x = b->values + i * b->features;
        lua_rawgeti(L, arg, (int)i + 1);
        int good = b->form == TABLES ? numbers_from_top(L, x, b->features) : lua_type(L, -1) == LUA_TNUMBER;
        if (b->form == NUMBERS)
            *x = lua_tonumber(L, -1);
        lua_pop(L, 1);
        if (!good && b->form == TABLES)
            luaL_argerror(L, arg, lua_pushfstring(L, "values[%d]: %d numbers expected", (int)i + 1, (int)b->features));
        if (!good)
            luaL_argerror(L, arg, lua_pushfstring(L, "values[%d]: number expected", (int)i + 1));
    }
    b->rows.values = b->values;
}

static void read_values(lua_State *L, int arg, batch *b)
{
    b->rows.count = b->count;
    if (b->form == PACKED)
        b->rows.values = (const double *)(const void *)lua_tostring(L, arg);
    else if (b->form == PACKED_COLUMNS)
        read_columns_in(L, arg, b);
    else
        read_table(L, arg, b);
}

static void read_times(lua_State *L, int arg, batch *b)
{
    if (lua_type(L, arg) == LUA_TSTRING)
        b->rows.times = (const int64_t *)(const void *)lua_tostring(L, arg);
    if (!b->times)
        return;
    for (size_t i = 0; i < b->count; i++) {
        lua_rawgeti(L, arg, (int)i + 1);
        const char *wrong = to_ns(L, lua_gettop(L), &b->times[i]);
        lua_pop(L, 1);
        if (wrong)
            luaL_argerror(L, arg, lua_pushfstring(L, "times[%d]: %s", (int)i + 1, wrong));
    }
    b->rows.times = b->times;
}

static void push_value(lua_State *L, const batch *b, size_t column, size_t row)
{
    const void *at = (const char *)b->out[column] + row * columns[column].size;
    if (column < FLAGS)
        lua_pushnumber(L, *(const double *)at);
    else if (columns[column].size == sizeof(uint64_t))
        push_count(L, *(const uint64_t *)at);
    else
        push_count(L, (uint64_t) * (const uint32_t *)at + (column != FLAGS));
}

static void push_column(lua_State *L, const batch *b, size_t column)
{
    if (b->form == PACKED || b->form == PACKED_COLUMNS) {
        lua_pushlstring(L, b->out[column], b->count * columns[column].size);
        return;
    }
    lua_createtable(L, (int)b->count, 0);
    for (size_t i = 0; i < b->count; i++) {
        push_value(L, b, column, i);
        lua_rawseti(L, -2, (int)i + 1);
    }
}

/* A string of bytes 0 and 1, or a table of booleans. */
static void push_anomalies(lua_State *L, const batch *b)
{
    uint32_t *flags = b->out[FLAGS];
    if (b->form == PACKED || b->form == PACKED_COLUMNS) {
        char *bytes =
            b->out[FLAGS]; /* over the flags, which have been pushed: a byte never overtakes the flag it comes from */
        for (size_t i = 0; i < b->count; i++)
            bytes[i] = (flags[i] & ANOMALY_IS_ANOMALY) != 0;
        lua_pushlstring(L, bytes, b->count);
        return;
    }
    lua_createtable(L, (int)b->count, 0);
    for (size_t i = 0; i < b->count; i++) {
        lua_pushboolean(L, (flags[i] & ANOMALY_IS_ANOMALY) != 0);
        lua_rawseti(L, -2, (int)i + 1);
    }
}

static int answer_batch(lua_State *L, const batch *b, int status, size_t done)
{
    if (status != ANOMALY_OK) {
        if (status == ANOMALY_E_ARG)
            return luaL_error(L, "row %d: %s", (int)done + 1, anomaly_status_text(status));
        int results = answer_error(L, status, anomaly_status_text(status));
        push_count(L, done);
        return results + 1;
    }
    lua_createtable(L, 0, (int)COLUMNS + 1);
    for (size_t i = 0; i < COLUMNS; i++)
        if (b->wanted >> i & 1) {
            push_column(L, b, i);
            lua_setfield(L, -2, columns[i].name);
        }
    if (b->anomalies) {
        push_anomalies(L, b);
        lua_setfield(L, -2, "anomaly");
    }
    return 1;
}

/* Values, times (and columns, where verdicts are wanted) from index `arg` on. */
static void plan(lua_State *L, int arg, int verdicts, batch *b, const layout *shape)
{
    lua_settop(L, arg + 2);
    memset(b, 0, sizeof *b);
    b->features = shape->features;
    int timed = shape->timed;
    plan_values(L, arg, b);
    plan_times(L, arg + 1, b, timed);
    if (verdicts)
        plan_columns_out(L, arg + 2, b);
}

static int detector_rows(lua_State *L, anomaly_use use, int verdicts)
{
    object *o = check_detector(L);
    batch b;
    request r;
    alive(L, o);
    plan(L, 2, verdicts, &b, shape_of(o));
    alive(L, o);
    read_values(L, 2, &b);
    read_times(L, 3, &b);
    r.rows = &b.rows;
    r.verdicts = &b.verdicts;
    r.done = 0;
    int status = call(o, use, &r);
    if (status == ANOMALY_OK && !verdicts)
        return finish(L, o, answer(L, status));
    return finish(L, o, answer_batch(L, &b, status, r.done));
}

static int detector_update_rows(lua_State *L)
{
    return detector_rows(L, use_update_rows, 1);
}

static int detector_score_rows(lua_State *L)
{
    return detector_rows(L, use_score_rows, 1);
}

static int detector_learn_rows(lua_State *L)
{
    return detector_rows(L, use_learn_rows, 0);
}

/* ---- detectors: life ---- */

static void drop(object *o)
{
    anomaly_destroy(o->detector);
    free(o->shape.x);
    if (o->holder)
        release(o->holder);
    memset(o, 0, sizeof *o);
}

static int detector_close(lua_State *L)
{
    object *o = check_detector(L);
    check_idle(L, o->holder ? o->holder->busy : o->busy);
    drop(o);
    return 0;
}

/* A script can call this as well: nothing happens then to a detector that is in use. */
static int detector_gc(lua_State *L)
{
    object *o = check_detector(L);
    if (!o->busy)
        drop(o);
    return 0;
}

/* For anomaly_ffi.lua: where to read the detector's address before each call, how many features, whether it needs times. */
static int detector_address(lua_State *L)
{
    object *o = check_detector(L);
    alive(L, o);
    if (o->holder)
        return luaL_error(L, "a key's detector has no address of its own");
    lua_pushlightuserdata(L, &o->ready);
    push_integer(L, o->shape.features);
    lua_pushboolean(L, o->shape.timed);
    return 3;
}

static int push_description(lua_State *L, const char *what, const anomaly_config *config)
{
    char window[OPTION_TEXT] = "", threshold[OPTION_TEXT] = "";
    anomaly_config_get(config, "window", window, sizeof window);
    anomaly_config_get(config, "threshold", threshold, sizeof threshold);
    lua_pushfstring(L, "%s: %s, window=%s, threshold=%s", what, kind_names[config->kind], window, threshold);
    return 1;
}

static int detector_tostring(lua_State *L)
{
    object *o = check_detector(L);
    anomaly_config config;
    request r;
    r.config = &config;
    if (!o->detector && !(o->holder && o->holder->pool))
        lua_pushliteral(L, "anomaly.detector: closed");
    else if ((o->holder ? o->holder->busy : o->busy) || call(o, use_get_config, &r) != ANOMALY_OK)
        lua_pushfstring(L, "anomaly.detector: a key's, %s", o->busy ? "in use" : "gone");
    else
        push_description(L, "anomaly.detector", &config);
    return 1;
}

/* detector, warning (nil: none) */
static int answer_new(lua_State *L, int status, const anomaly_error *error)
{
    if (status == ANOMALY_E_CONFIG)
        return luaL_error(L, "%s", error->message);
    if (status != ANOMALY_OK)
        return answer_error(L, status, *error->message ? error->message : anomaly_status_text(status));
    if (!*error->message)
        return 1;
    lua_pushstring(L, error->message);
    return 2;
}

static int make_detector(lua_State *L, int kind, int options)
{
    anomaly_config config;
    anomaly_error error = {0};
    read_options(L, options, kind, &config);
    object *o = new_object(L);
    int status = shape_from(&o->shape, &config);
    if (status == ANOMALY_OK)
        status = anomaly_create(&config, NULL, &o->detector, &error);
    o->ready = o->detector;
    return answer_new(L, status, &error);
}

static int module_new(lua_State *L)
{
    return make_detector(L, check_kind(L, 1), 2);
}

static int module_zscore(lua_State *L)
{
    return make_detector(L, ANOMALY_ZSCORE, 1);
}

static int module_percentile(lua_State *L)
{
    return make_detector(L, ANOMALY_PERCENTILE, 1);
}

static int module_iforest(lua_State *L)
{
    return make_detector(L, ANOMALY_IFOREST, 1);
}

static int module_restore(lua_State *L)
{
    anomaly_config config;
    anomaly_error error = {0};
    size_t size;
    const char *bytes = check_string(L, 1, "snapshot", &size);
    object *o = new_object(L);
    int status = anomaly_restore(bytes, size, NULL, &o->detector, &error);
    if (status == ANOMALY_OK)
        status = anomaly_get_config(o->detector, &config, sizeof config);
    if (status == ANOMALY_OK)
        status = shape_from(&o->shape, &config);
    o->ready = status == ANOMALY_OK ? o->detector : NULL;
    return answer_new(L, status, &error);
}

/* ---- pools ---- */

static int is_limit(const char *name)
{
    static const char *const names[] = {"max_keys", "max_bytes", "max_idle", "refuse", "shards", "hash_seed", "evicted"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0)
            return 1;
    return 0;
}

/* The options of a pool have no table in the library, but kinds of values that those of a detector have: a whole number is what
 * `seed` takes, a time what `max_jump` takes, a switch what `reserve` takes. */
static void read_like(lua_State *L, int arg, const char *name, const char *like, anomaly_config *value)
{
    char text[OPTION_TEXT];
    if (!get_option(L, arg, name))
        return;
    const char *given = top_to_text(L, name, text);
    if (anomaly_config_set(value, like, given, NULL) != ANOMALY_OK)
        for (size_t i = 0; anomaly_option_at(i); i++)
            if (strcmp(anomaly_option_at(i)->name, like) == 0)
                luaL_error(L, "%s takes %s, not '%s'", name, anomaly_option_at(i)->values, given);
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

/* The options of a pool at `arg`; its function for evictions goes into the table on the top of the stack. */
static void read_limits(lua_State *L, int arg, anomaly_pool_options *options)
{
    anomaly_config value;
    anomaly_pool_options_init(options, sizeof *options);
    options->locks = 0; /* a Lua state is never in two threads at once */
    if (!check_options(L, arg, "limits", is_limit))
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

/* Pushes an empty pool's userdata, for limits at `arg`. */
static holder *prepare_pool(lua_State *L, int arg, anomaly_pool_options *options)
{
    lua_settop(L, arg);
    holder *h = new_holder(L);
    lua_getuservalue(L, -1);
    read_limits(L, arg, options);
    lua_pop(L, 1);
    options->evicting_ctx = h;
    return h;
}

/* anomaly.pool(kind, options, limits) */
static int module_pool(lua_State *L)
{
    anomaly_config config;
    anomaly_pool_options options;
    anomaly_error error = {0};
    read_options(L, 2, check_kind(L, 1), &config);
    holder *h = prepare_pool(L, 3, &options);
    int status = shape_from(&h->shape, &config);
    if (status == ANOMALY_OK)
        status = anomaly_pool_create(&config, &options, NULL, &h->pool, &error);
    return answer_new(L, status, &error);
}

/* The empty pool at index 1 has been filled, or not. */
static int finish_restore(lua_State *L, holder *h, int status, const anomaly_error *error)
{
    anomaly_config config;
    if (status == ANOMALY_OK)
        status = anomaly_pool_get_config(h->pool, &config, sizeof config);
    if (status == ANOMALY_OK)
        status = shape_from(&h->shape, &config);
    if (status != ANOMALY_OK)
        return answer_error(L, status, *error->message ? error->message : anomaly_status_text(status));
    lua_pushvalue(L, 1);
    return tell_evicted(L, h, answer_new(L, status, error));
}

/* anomaly.restore_pool(snapshot or function, kind, options, limits); kind nil: as saved, limits nil: as saved */
static int module_restore_pool(lua_State *L)
{
    anomaly_config config;
    anomaly_pool_options options;
    anomaly_error error = {0};
    pipe p;
    int has_kind = !lua_isnoneornil(L, 2), has_limits = !lua_isnoneornil(L, 4);
    if (has_kind)
        read_options(L, 3, check_kind(L, 2), &config);
    holder *h = prepare_pool(L, 4, &options);
    lua_insert(L, 1); /* the arguments are now one further up */
    const anomaly_config *wanted = has_kind ? &config : NULL;
    const anomaly_pool_options *limits = has_limits ? &options : NULL;
    if (!lua_isfunction(L, 2)) {
        size_t size;
        const char *bytes = check_string(L, 2, "snapshot", &size);
        int status = anomaly_pool_restore(bytes, size, wanted, limits, NULL, &h->pool, &error);
        return finish_restore(L, h, status, &error);
    }
    open_pipe(L, &p, 2, take_piece);
    hold(h);
    int status = anomaly_pool_restore_read(source, &p, wanted, limits, NULL, &h->pool, &error);
    let_go(h);
    return p.failed ? close_pipe(L, &p, status) : finish_restore(L, h, status, &error);
}

static int pool_update(lua_State *L)
{
    pool_object *self = check_pool(L);
    anomaly_verdict verdict;
    double single;
    size_t size;
    const char *key = check_key(L, 2, &size);
    verdict_table(L, 5);
    anomaly_pool *pool = alive_pool(L, self->holder);
    const layout *shape = &self->holder->shape;
    const double *x = check_x(L, 3, shape, &single);
    int64_t t = check_time(L, 4, shape);
    int status = anomaly_pool_update(pool, key, size, x, t, &verdict);
    return tell_evicted(L, self->holder, answer_verdict(L, status, &verdict));
}

static void plan_keys(lua_State *L, int arg, batch *b)
{
    if (!lua_istable(L, arg))
        bad_argument(L, arg, "keys", "table of strings or of keys' detectors");
    if (lua_rawlen(L, arg) != b->count)
        luaL_argerror(L, arg, lua_pushfstring(L, "keys: %d of them for %d rows", (int)lua_rawlen(L, arg), (int)b->count));
    if (type_of_first(L, arg) == LUA_TUSERDATA) {
        b->slot = new_array(L, b->count, sizeof *b->slot);
    } else {
        b->key = new_array(L, b->count, sizeof *b->key);
        b->key_size = new_array(L, b->count, sizeof *b->key_size);
    }
}

/* The key's detector on the top of the stack as its slot; 0 where it is none of this pool's. */
static int top_to_slot(lua_State *L, const holder *h, uint64_t *slot)
{
    if (lua_type(L, -1) != LUA_TUSERDATA || !lua_getmetatable(L, -1))
        return 0;
    int is_object = lua_rawequal(L, -1, lua_upvalueindex(UP_DETECTOR));
    lua_pop(L, 1);
    const object *o = lua_touserdata(L, -1);
    if (!is_object || o->holder != h)
        return 0;
    *slot = o->slot;
    return 1;
}

static int top_to_key(lua_State *L, const char **key, size_t *size)
{
    if (lua_type(L, -1) != LUA_TSTRING)
        return 0;
    *key = lua_tolstring(L, -1, size);
    return is_key_size(*size);
}

static void read_keys(lua_State *L, int arg, batch *b, const holder *h)
{
    for (size_t i = 0; i < b->count; i++) {
        lua_rawgeti(L, arg, (int)i + 1);
        int good = b->slot ? top_to_slot(L, h, &b->slot[i]) : top_to_key(L, &b->key[i], &b->key_size[i]);
        lua_pop(L, 1);
        if (!good)
            luaL_argerror(L, arg,
                          lua_pushfstring(L, "keys[%d]: %s expected", (int)i + 1,
                                          b->slot ? "a key's detector of this pool" : "a string of 1 to 65535 bytes"));
    }
    b->keys.slots = b->slot;
    b->keys.keys = b->key;
    b->keys.sizes = b->key_size;
}

/* pool:update_rows(keys, values, times, columns) */
static int pool_update_rows(lua_State *L)
{
    pool_object *self = check_pool(L);
    batch b;
    size_t done = 0;
    alive_pool(L, self->holder);
    plan(L, 3, 1, &b, &self->holder->shape);
    plan_keys(L, 2, &b);
    anomaly_pool *pool = alive_pool(L, self->holder);
    read_values(L, 3, &b);
    read_times(L, 4, &b);
    read_keys(L, 2, &b, self->holder);
    int status = anomaly_pool_update_rows(pool, &b.keys, &b.rows, &b.verdicts, &done);
    return tell_evicted(L, self->holder, answer_batch(L, &b, status, done));
}

typedef int (*slot_call)(anomaly_pool *pool, const void *key, size_t size, uint64_t *slot);

static int answer_slot(lua_State *L, slot_call slot_of)
{
    pool_object *self = check_pool(L);
    size_t size;
    uint64_t slot;
    const char *key = check_key(L, 2, &size);
    object *o = new_key(L);
    int status = slot_of(alive_pool(L, self->holder), key, size, &slot);
    if (status != ANOMALY_OK)
        return tell_evicted(L, self->holder, answer(L, status));
    set_key(o, self->holder, slot);
    return tell_evicted(L, self->holder, 1);
}

static int find_slot(anomaly_pool *pool, const void *key, size_t size, uint64_t *slot)
{
    return anomaly_pool_find(pool, key, size, slot);
}

static int pool_slot(lua_State *L)
{
    return answer_slot(L, anomaly_pool_slot);
}

static int pool_find(lua_State *L)
{
    return answer_slot(L, find_slot);
}

static int pool_remove(lua_State *L)
{
    pool_object *self = check_pool(L);
    size_t size;
    const char *key = check_key(L, 2, &size);
    return answer(L, anomaly_pool_remove(alive_pool(L, self->holder), key, size));
}

static int pool_advance(lua_State *L)
{
    pool_object *self = check_pool(L);
    int64_t t = check_seconds(L, 2, "t");
    return answer(L, anomaly_pool_advance(alive_pool(L, self->holder), t));
}

static int pool_set_threshold(lua_State *L)
{
    pool_object *self = check_pool(L);
    double threshold = check_threshold(L);
    return answer(L, anomaly_pool_set_threshold(alive_pool(L, self->holder), threshold));
}

static int pool_config(lua_State *L)
{
    pool_object *self = check_pool(L);
    anomaly_config config;
    int status = anomaly_pool_get_config(alive_pool(L, self->holder), &config, sizeof config);
    return status == ANOMALY_OK ? push_config(L, &config) : answer(L, status);
}

static int pool_count(lua_State *L)
{
    pool_object *self = check_pool(L);
    push_count(L, anomaly_pool_count(alive_pool(L, self->holder)));
    return 1;
}

static int pool_usage(lua_State *L)
{
    pool_object *self = check_pool(L);
    anomaly_usage usage;
    int status = anomaly_pool_usage(alive_pool(L, self->holder), &usage);
    if (status != ANOMALY_OK)
        return answer(L, status);
    lua_createtable(L, 0, 5);
    set_count(L, "keys", usage.keys);
    set_count(L, "bytes", usage.bytes);
    set_count(L, "created", usage.created);
    set_count(L, "removed", usage.removed);
    set_count(L, "evicted", usage.evicted);
    return 1;
}

static int pool_counters(lua_State *L)
{
    pool_object *self = check_pool(L);
    anomaly_counts counts;
    int status = anomaly_pool_counters(alive_pool(L, self->holder), &counts);
    return status == ANOMALY_OK ? push_counters(L, &counts) : answer(L, status);
}

static int is_bound(const char *name)
{
    return strcmp(name, "before") == 0 || strcmp(name, "keep_keys") == 0 || strcmp(name, "keep_bytes") == 0;
}

/* pool:evict{before = seconds, keep_keys = n, keep_bytes = n} */
static int pool_evict(lua_State *L)
{
    pool_object *self = check_pool(L);
    int64_t before = ANOMALY_NO_TIME;
    uint64_t evicted;
    if (!check_options(L, 2, "bounds", is_bound))
        bad_argument(L, 2, "bounds", "table");
    uint64_t keys = read_whole(L, 2, "keep_keys", UINT64_MAX);
    uint64_t bytes = read_whole(L, 2, "keep_bytes", UINT64_MAX);
    if (get_option(L, 2, "before")) {
        const char *wrong = to_ns(L, lua_gettop(L), &before);
        if (wrong)
            return luaL_error(L, "before: %s", wrong);
    }
    int status = anomaly_pool_evict(alive_pool(L, self->holder), before, keys, bytes, &evicted);
    if (status != ANOMALY_OK)
        return answer(L, status);
    push_count(L, evicted);
    return tell_evicted(L, self->holder, 1);
}

static int pool_snapshot(lua_State *L)
{
    pool_object *self = check_pool(L);
    size_t size;
    char *bytes;
    int status;
    alive_pool(L, self->holder);
    if (lua_isfunction(L, 2)) {
        pipe p;
        open_pipe(L, &p, 2, give_piece);
        anomaly_pool *pool = alive_pool(L, self->holder);
        holder *h = self->holder;
        hold(h);
        status = anomaly_pool_snapshot_write(pool, sink, &p);
        let_go(h);
        return close_pipe(L, &p, status);
    }
    if (!lua_isnoneornil(L, 2))
        bad_argument(L, 2, "write", "function");
    do { /* as in detector_snapshot() */
        lua_settop(L, 1);
        status = anomaly_pool_snapshot_size(alive_pool(L, self->holder), &size);
        if (status != ANOMALY_OK)
            return answer(L, status);
        bytes = lua_newuserdata(L, size);
        status = anomaly_pool_snapshot(alive_pool(L, self->holder), bytes, size, &size);
    } while (status == ANOMALY_E_SPACE);
    if (status != ANOMALY_OK)
        return answer(L, status);
    lua_pushlstring(L, bytes, size);
    return 1;
}

static int pool_export(lua_State *L)
{
    pool_object *self = check_pool(L);
    size_t key_size, size;
    char *bytes;
    int status;
    const char *key = check_key(L, 2, &key_size);
    do {
        lua_settop(L, 2);
        status = anomaly_pool_export(alive_pool(L, self->holder), key, key_size, NULL, 0, &size);
        if (status != ANOMALY_OK)
            return answer(L, status);
        bytes = lua_newuserdata(L, size);
        status = anomaly_pool_export(alive_pool(L, self->holder), key, key_size, bytes, size, &size);
    } while (status == ANOMALY_E_SPACE);
    if (status != ANOMALY_OK)
        return answer(L, status);
    lua_pushlstring(L, bytes, size);
    return 1;
}

static int pool_import(lua_State *L)
{
    pool_object *self = check_pool(L);
    anomaly_error error = {0};
    size_t key_size, size;
    const char *key = check_key(L, 2, &key_size);
    const char *bytes = check_string(L, 3, "snapshot", &size);
    int status = anomaly_pool_import(alive_pool(L, self->holder), key, key_size, bytes, size, &error);
    if (status != ANOMALY_OK && *error.message)
        return tell_evicted(L, self->holder, answer_error(L, status, error.message));
    return tell_evicted(L, self->holder, answer(L, status));
}

/* ---- visiting a pool: a copy of its keys, taken at once, so that the loop may do with the pool what it likes ---- */

typedef struct visit {
    char *bytes; /* slot, size, key; slot, size, key ... */
    size_t used, room, at;
} visit;

static int note_key(void *ctx, uint64_t slot, const void *key, size_t key_size, const anomaly_detector *detector)
{
    visit *v = ctx;
    size_t need = v->used + sizeof slot + sizeof key_size + key_size;
    (void)detector;
    if (need > v->room) {
        size_t room = need * 2;
        char *bytes = realloc(v->bytes, room);
        if (!bytes)
            return 1;
        v->bytes = bytes;
        v->room = room;
    }
    memcpy(v->bytes + v->used, &slot, sizeof slot);
    memcpy(v->bytes + v->used + sizeof slot, &key_size, sizeof key_size);
    memcpy(v->bytes + need - key_size, key, key_size);
    v->used = need;
    return 0;
}

static int visit_gc(lua_State *L)
{
    visit *v = check_self(L, UP_VISIT, "anomaly.visit");
    free(v->bytes);
    memset(v, 0, sizeof *v);
    return 0;
}

/* for key, detector in pool:each(): the pool comes from the loop, the visit from the closure. */
static int visit_next(lua_State *L)
{
    pool_object *self = check_pool(L);
    visit *v = lua_touserdata(L, lua_upvalueindex(UPVALUES + 1));
    uint64_t slot;
    size_t size;
    alive_pool(L, self->holder);
    if (v->at >= v->used)
        return 0;
    const char *entry = v->bytes + v->at;
    memcpy(&slot, entry, sizeof slot);
    memcpy(&size, entry + sizeof slot, sizeof size);
    v->at += sizeof slot + sizeof size + size;
    lua_pushlstring(L, entry + sizeof slot + sizeof size, size);
    object *o = new_key(L);
    alive_pool(L, self->holder);
    set_key(o, self->holder, slot);
    return 2;
}

static void push_upvalues(lua_State *L)
{
    luaL_checkstack(L, UPVALUES + 4, NULL);
    for (int i = 1; i <= UPVALUES; i++)
        lua_pushvalue(L, lua_upvalueindex(i));
}

static int pool_each(lua_State *L)
{
    pool_object *self = check_pool(L);
    push_upvalues(L);
    visit *v = lua_newuserdata(L, sizeof *v);
    memset(v, 0, sizeof *v);
    lua_pushvalue(L, lua_upvalueindex(UP_VISIT));
    lua_setmetatable(L, -2);
    if (anomaly_pool_each(alive_pool(L, self->holder), note_key, v) != ANOMALY_OK)
        return luaL_error(L, "%s", anomaly_status_text(ANOMALY_E_NOMEM));
    lua_pushcclosure(L, visit_next, UPVALUES + 1);
    lua_pushvalue(L, 1);
    return 2;
}

static int pool_close(lua_State *L)
{
    holder *h = check_pool(L)->holder;
    if (!h)
        return 0;
    check_idle(L, h->busy);
    anomaly_pool_destroy(h->pool);
    h->pool = NULL;
    return 0;
}

static int pool_gc(lua_State *L)
{
    pool_object *self = check_pool(L);
    holder *h = self->holder;
    self->holder = NULL;
    if (h)
        release(h);
    return 0;
}

static int pool_tostring(lua_State *L)
{
    const holder *h = check_pool(L)->holder;
    anomaly_config config;
    if (!h || !h->pool)
        lua_pushliteral(L, "anomaly.pool: closed");
    else if (h->busy || anomaly_pool_get_config(h->pool, &config, sizeof config) != ANOMALY_OK)
        lua_pushliteral(L, "anomaly.pool: in use");
    else
        push_description(L, "anomaly.pool", &config);
    return 1;
}

/* ---- the module ---- */

typedef struct constant {
    const char *name;
    int value;
} constant;

static const constant flags[] = {
    {"IS_ANOMALY", ANOMALY_IS_ANOMALY},
    {"WARMING_UP", ANOMALY_WARMING_UP},
    {"MISSING", ANOMALY_MISSING},
    {"NONFINITE", ANOMALY_NONFINITE},
    {"LATE", ANOMALY_LATE},
    {"TRUNCATED", ANOMALY_TRUNCATED},
    {"FLAT", ANOMALY_FLAT},
    {"ABOVE", ANOMALY_ABOVE},
    {"BELOW", ANOMALY_BELOW},
    {"JUMPED", ANOMALY_JUMPED},
    {"NOT_LEARNED", ANOMALY_NOT_LEARNED},
    {NULL, 0},
};

static const constant statuses[] = {
    {"OK", ANOMALY_OK},
    {"E_ARG", ANOMALY_E_ARG},
    {"E_NOMEM", ANOMALY_E_NOMEM},
    {"E_CONFIG", ANOMALY_E_CONFIG},
    {"E_KIND", ANOMALY_E_KIND},
    {"E_SPACE", ANOMALY_E_SPACE},
    {"E_CORRUPT", ANOMALY_E_CORRUPT},
    {"E_VERSION", ANOMALY_E_VERSION},
    {"E_FULL", ANOMALY_E_FULL},
    {"E_NOTFOUND", ANOMALY_E_NOTFOUND},
    {"E_EMPTY", ANOMALY_E_EMPTY},
    {"E_STOPPED", ANOMALY_E_STOPPED},
    {NULL, 0},
};

/* Pushes the name in lower case. */
static void push_lower(lua_State *L, const char *name)
{
    char lower[16];
    size_t i;
    for (i = 0; name[i] && i + 1 < sizeof lower; i++)
        lower[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] - 'A' + 'a' : name[i]);
    lua_pushlstring(L, lower, i);
}

/* anomaly.flags(v.flags): {"flat", "above", flat = true, above = true} */
static int module_flags(lua_State *L)
{
    double value = check_number(L, 1, "flags");
    luaL_argcheck(L, value >= 0 && value <= UINT32_MAX, 1, "flags: those of a verdict expected");
    int count = 0;
    lua_newtable(L);
    for (const constant *flag = flags; flag->name; flag++) {
        if (!((uint32_t)value & (uint32_t)flag->value))
            continue;
        push_lower(L, flag->name);
        lua_pushvalue(L, -1);
        lua_rawseti(L, -3, ++count);
        lua_pushboolean(L, 1);
        lua_rawset(L, -3);
    }
    return 1;
}

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

/* anomaly.options(kind): {{name =, values =, help =, default =}, ...} */
static int module_options(lua_State *L)
{
    char text[OPTION_TEXT];
    anomaly_config config;
    int kind = check_kind(L, 1), count = 0;
    anomaly_config_init(&config, sizeof config, kind);
    lua_newtable(L);
    for (size_t i = 0; anomaly_option_at(i); i++) {
        const anomaly_option *option = anomaly_option_at(i);
        if (!(option->kinds >> kind & 1) || anomaly_config_get(&config, option->name, text, sizeof text) != ANOMALY_OK)
            continue;
        lua_createtable(L, 0, 4);
        lua_pushstring(L, option->name);
        lua_setfield(L, -2, "name");
        lua_pushstring(L, option->values);
        lua_setfield(L, -2, "values");
        lua_pushstring(L, option->help);
        lua_setfield(L, -2, "help");
        push_option(L, text);
        lua_setfield(L, -2, "default");
        lua_rawseti(L, -2, ++count);
    }
    return 1;
}

/* anomaly.memory_needed(kind, options) */
static int module_memory_needed(lua_State *L)
{
    anomaly_config config;
    size_t bytes;
    read_options(L, 2, check_kind(L, 1), &config);
    int status = anomaly_memory_needed(&config, &bytes);
    if (status != ANOMALY_OK)
        return answer_error(L, status, anomaly_status_text(status));
    push_count(L, bytes);
    return 1;
}

/* anomaly.key_hash(key): 16 hexadecimal digits, since not every Lua has such integers; (key, n): 0 .. n-1 */
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

static const luaL_Reg module_functions[] = {
    {"new", module_new},
    {"zscore", module_zscore},
    {"percentile", module_percentile},
    {"iforest", module_iforest},
    {"restore", module_restore},
    {"pool", module_pool},
    {"restore_pool", module_restore_pool},
    {"options", module_options},
    {"memory_needed", module_memory_needed},
    {"key_hash", module_key_hash},
    {"flags", module_flags},
    {"status_text", module_status_text},
    {"version", module_version},
    {NULL, NULL},
};

static const luaL_Reg detector_methods[] = {
    {"update", detector_update},
    {"score", detector_score},
    {"learn", detector_learn},
    {"advance", detector_advance},
    {"update_rows", detector_update_rows},
    {"score_rows", detector_score_rows},
    {"learn_rows", detector_learn_rows},
    {"rebuild", detector_rebuild},
    {"reserve", detector_reserve},
    {"reset", detector_reset},
    {"set_threshold", detector_set_threshold},
    {"stats", detector_stats},
    {"quantile", detector_quantile},
    {"explain", detector_explain},
    {"counters", detector_counters},
    {"config", detector_config},
    {"snapshot", detector_snapshot},
    {"close", detector_close},
    {"address", detector_address},
    {NULL, NULL},
};

static const luaL_Reg detector_events[] = {
    {"__gc", detector_gc}, {"__close", detector_close}, {"__tostring", detector_tostring}, {NULL, NULL}};

static const luaL_Reg pool_methods[] = {
    {"update", pool_update},
    {"update_rows", pool_update_rows},
    {"slot", pool_slot},
    {"find", pool_find},
    {"each", pool_each},
    {"remove", pool_remove},
    {"evict", pool_evict},
    {"advance", pool_advance},
    {"set_threshold", pool_set_threshold},
    {"config", pool_config},
    {"count", pool_count},
    {"usage", pool_usage},
    {"counters", pool_counters},
    {"snapshot", pool_snapshot},
    {"export", pool_export},
    {"import", pool_import},
    {"close", pool_close},
    {NULL, NULL},
};

static const luaL_Reg pool_events[] = {
    {"__gc", pool_gc}, {"__close", pool_close}, {"__tostring", pool_tostring}, {"__len", pool_count}, {NULL, NULL}};

static const luaL_Reg visit_events[] = {{"__gc", visit_gc}, {NULL, NULL}};

/* Into the table on the top of the stack; the upvalues lie at `base`. */
static void set_functions(lua_State *L, int base, const luaL_Reg *functions)
{
    for (; functions->name; functions++) {
        for (int i = 0; i < UPVALUES; i++)
            lua_pushvalue(L, base + i);
        lua_pushcclosure(L, functions->func, UPVALUES);
        lua_setfield(L, -2, functions->name);
    }
}

static void set_type(lua_State *L, int base, int upvalue, const char *name, const luaL_Reg *events, const luaL_Reg *methods)
{
    lua_pushvalue(L, base + upvalue - 1);
    set_functions(L, base, events);
    lua_pushstring(L, name);
    lua_setfield(L, -2, "__name");
    lua_pushboolean(L, 0); /* getmetatable() shows no more than that */
    lua_setfield(L, -2, "__metatable");
    lua_newtable(L);
    if (methods)
        set_functions(L, base, methods);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}

static void set_constants(lua_State *L, const constant *constants)
{
    for (; constants->name; constants++) {
        lua_pushinteger(L, constants->value);
        lua_setfield(L, -2, constants->name);
    }
}

#if defined(__GNUC__)
__attribute__((visibility("default")))
#endif
int luaopen_anomaly(lua_State *L);

int luaopen_anomaly(lua_State *L)
{
    int base = lua_gettop(L) + 1;
    luaL_checkstack(L, 2 * UPVALUES + 8, NULL);
    for (int i = UP_DETECTOR; i <= UP_VISIT; i++)
        lua_newtable(L);
    for (int i = UP_ANOMALY; i <= UP_EVENTS; i++)
        lua_pushstring(L, verdict_keys[i - UP_ANOMALY]);
    set_type(L, base, UP_DETECTOR, "anomaly.detector", detector_events, detector_methods);
    set_type(L, base, UP_POOL, "anomaly.pool", pool_events, pool_methods);
    set_type(L, base, UP_VISIT, "anomaly.visit", visit_events, NULL);
    lua_newtable(L);
    set_functions(L, base, module_functions);
    set_constants(L, flags);
    set_constants(L, statuses);
    return 1;
}
