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
 *
 * In order: fields, answers, objects, evictions, the library's calls; arguments (times, values, options, verdicts); then what
 * a script calls: events and questions, rows, snapshots, making and ending, pools, visits; last the module's tables. */
#include <anomaly.h>
#include <lauxlib.h>
#include <lua.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if LUA_VERSION_NUM < 502
#define lua_rawlen       lua_objlen
#define lua_setuservalue lua_setfenv
#define lua_getuservalue lua_getfenv
#endif

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

/* ---- the fields of the library's structs ---- */

enum type {
    AS_NUMBER,  /* double */
    AS_COUNT,   /* uint64_t */
    AS_FLAGS,   /* uint32_t */
    AS_FEATURE, /* uint32_t; from 1 in Lua */
    AS_ANOMALY  /* of uint32_t flags: a boolean */
};

static const size_t size_of_type[] = {sizeof(double), sizeof(uint64_t), sizeof(uint32_t), sizeof(uint32_t),
                                      sizeof(uint32_t)};

typedef struct field {
    const char *name;
    enum type type;
    size_t offset;
    size_t column; /* verdicts: offset of the array in anomaly_verdicts */
} field;

#define VERDICT(field) offsetof(anomaly_verdict, field), offsetof(anomaly_verdicts, field)
static const field verdict_fields[] = {
    {"anomaly", AS_ANOMALY, VERDICT(flags)},      {"score", AS_NUMBER, VERDICT(score)},
    {"threshold", AS_NUMBER, VERDICT(threshold)}, {"expected", AS_NUMBER, VERDICT(expected)},
    {"lower", AS_NUMBER, VERDICT(lower)},         {"upper", AS_NUMBER, VERDICT(upper)},
    {"flags", AS_FLAGS, VERDICT(flags)},          {"feature", AS_FEATURE, VERDICT(feature)},
    {"events", AS_COUNT, VERDICT(events)},
};
enum { VERDICT_FIELDS = COUNT_OF(verdict_fields) };

#define FIELD(type, struct, name) #name, type, offsetof(struct, name), 0
static const field stats_fields[] = {
    {FIELD(AS_COUNT, anomaly_stats, count)},     {FIELD(AS_NUMBER, anomaly_stats, mean)},
    {FIELD(AS_NUMBER, anomaly_stats, variance)}, {FIELD(AS_NUMBER, anomaly_stats, stddev)},
    {FIELD(AS_NUMBER, anomaly_stats, min)},      {FIELD(AS_NUMBER, anomaly_stats, max)},
};
static const field counts_fields[] = {
    {FIELD(AS_COUNT, anomaly_counts, events)},    {FIELD(AS_COUNT, anomaly_counts, anomalies)},
    {FIELD(AS_COUNT, anomaly_counts, learned)},   {FIELD(AS_COUNT, anomaly_counts, warming_up)},
    {FIELD(AS_COUNT, anomaly_counts, missing)},   {FIELD(AS_COUNT, anomaly_counts, nonfinite)},
    {FIELD(AS_COUNT, anomaly_counts, late)},      {FIELD(AS_COUNT, anomaly_counts, jumped)},
    {FIELD(AS_COUNT, anomaly_counts, flat)},      {FIELD(AS_COUNT, anomaly_counts, skipped)},
    {FIELD(AS_COUNT, anomaly_counts, truncated)},
};
static const field usage_fields[] = {
    {FIELD(AS_COUNT, anomaly_usage, keys)},    {FIELD(AS_COUNT, anomaly_usage, bytes)},
    {FIELD(AS_COUNT, anomaly_usage, created)}, {FIELD(AS_COUNT, anomaly_usage, removed)},
    {FIELD(AS_COUNT, anomaly_usage, evicted)},
};

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

static inline void push_field(lua_State *L, enum type type, const void *at)
{
    switch (type) {
    case AS_NUMBER: lua_pushnumber(L, *(const double *)at); break;
    case AS_COUNT: push_count(L, *(const uint64_t *)at); break;
    case AS_FLAGS: push_count(L, *(const uint32_t *)at); break;
    case AS_FEATURE: push_count(L, *(const uint32_t *)at + (uint64_t)1); break;
    case AS_ANOMALY: lua_pushboolean(L, (*(const uint32_t *)at & ANOMALY_IS_ANOMALY) != 0); break;
    }
}

/* ---- objects ---- */

/* Upvalues that every function of the module has. */
enum {
    UP_DETECTOR = 1, /* the metatables of the module's types */
    UP_POOL,
    UP_VISIT,
    UP_SHOWN,                              /* ... and that of verdicts, which makes them printable */
    UP_SELF,                               /* ... and of the one whose method the function is */
    UP_VERDICT,                            /* the keys of a verdict, which are set far faster from here than by name */
    UP_WHAT = UP_VERDICT + VERDICT_FIELDS, /* which of its uses a function has been registered for */
    UPVALUES = UP_WHAT
};

/* A key that was evicted and of which the script's function has not been told yet; its bytes follow: key, snapshot. */
typedef struct departed {
    struct departed *next;
    size_t key_size, snapshot_size;
} departed;

/* A detector of its own, or a pool, which its userdata shares with those of its keys: whichever goes last frees it. */
typedef struct holder {
    anomaly_detector *detector;
    anomaly_pool *pool; /* neither: closed */
    size_t references;
    uint32_t features; /* what an event has to look like */
    int timed;         /* the window is one of time */
    double *x;         /* [features], room for an event of several */
    int busy;          /* a script's function runs inside a call */
    int telling;       /* ... of evictions */
    int failed;        /* an eviction could not be noted for want of memory */
    departed *first, **last;
} holder;

/* Userdata "anomaly.detector" (one of its own, or one key's in a pool) and "anomaly.pool". */
typedef struct object {
    anomaly_detector *ready; /* one of its own while it may be called, for anomaly_ffi.lua; else NULL */
    holder *holder;          /* NULL: closed */
    enum { OWN, KEY, POOL } is;
    uint64_t slot; /* KEY */
} object;

static int what_for(lua_State *L)
{
    return (int)lua_tointeger(L, lua_upvalueindex(UP_WHAT));
}

static int wrong_argument(lua_State *L, int arg, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    const char *message = lua_pushvfstring(L, format, values);
    va_end(values);
    return luaL_argerror(L, arg, message);
}

static int bad_argument(lua_State *L, int arg, const char *name, const char *expected)
{
    return wrong_argument(L, arg, "%s: %s expected, got %s", name, expected, luaL_typename(L, arg));
}

/* The userdata at `index` is of the type whose metatable that upvalue is. */
static int is_type(lua_State *L, int index, int metatable)
{
    if (lua_type(L, index) != LUA_TUSERDATA || !lua_getmetatable(L, index))
        return 0;
    int same = lua_rawequal(L, -1, lua_upvalueindex(metatable));
    lua_pop(L, 1);
    return same;
}

static void *check_self(lua_State *L)
{
    if (!is_type(L, 1, UP_SELF)) {
        const char *given = luaL_typename(L, 1); /* asked first: the name may come to lie there */
        lua_getfield(L, lua_upvalueindex(UP_SELF), "__name");
        wrong_argument(L, 1, "self: %s expected, got %s", lua_tostring(L, -1), given);
    }
    return lua_touserdata(L, 1);
}

static void check_idle(lua_State *L, const holder *h)
{
    if (h->busy)
        luaL_error(L, "no call from inside the function that the snapshot goes to");
}

static holder *alive(lua_State *L, const object *o)
{
    holder *h = o->holder;
    if (!h || !(h->detector || h->pool))
        luaL_error(L, "the %s is closed", h || o->is == POOL ? "pool" : "detector");
    check_idle(L, h);
    return h;
}

static object *check_alive(lua_State *L)
{
    object *o = check_self(L);
    alive(L, o);
    return o;
}

static void release(holder *h)
{
    if (--h->references > 0)
        return;
    anomaly_destroy(h->detector);
    anomaly_pool_destroy(h->pool);
    while (h->first) {
        departed *gone = h->first;
        h->first = gone->next;
        free(gone);
    }
    free(h->x);
    free(h);
}

static void drop(object *o)
{
    holder *h = o->holder;
    o->ready = NULL;
    o->holder = NULL;
    if (h)
        release(h);
}

/* Around a call that runs a script's function: the object takes no other call, and what it holds stays. */
static holder *hold(object *o)
{
    o->ready = NULL;
    o->holder->busy = 1;
    o->holder->references++;
    return o->holder;
}

static void let_go(object *o, holder *h)
{
    h->busy = 0;
    o->ready = o->holder ? h->detector : NULL;
    release(h);
}

/* Pushes userdata that holds nothing yet. */
static object *new_object(lua_State *L, int metatable)
{
    object *o = lua_newuserdata(L, sizeof *o);
    memset(o, 0, sizeof *o);
    lua_pushvalue(L, lua_upvalueindex(metatable));
    lua_setmetatable(L, -2);
    return o;
}

/* ... that is to have a detector or pool of its own. */
static object *new_owner(lua_State *L, int metatable)
{
    object *o = new_object(L, metatable);
    o->is = metatable == UP_POOL ? POOL : OWN;
    o->holder = calloc(1, sizeof *o->holder);
    if (!o->holder)
        luaL_error(L, "%s", anomaly_status_text(ANOMALY_E_NOMEM));
    o->holder->references = 1;
    o->holder->last = &o->holder->first;
    return o;
}

/* ... that is to be a key of the pool at index 1, with whose function it tells of evictions. */
static object *new_key(lua_State *L)
{
    object *o = new_object(L, UP_DETECTOR);
    o->is = KEY;
    lua_getuservalue(L, 1);
    lua_setuservalue(L, -2);
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

/* Ends every call that may evict; returns `results`. The object is at index 1. */
static int tell_evicted(lua_State *L, const object *o, int results)
{
    holder *h = o->holder;
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

static int answer_reason(lua_State *L, int status, const anomaly_error *error)
{
    return answer_error(L, status, *error->message ? error->message : anomaly_status_text(status));
}

/* For calls that have nothing to say but that it worked, or where it has not. */
static int answer(lua_State *L, int status)
{
    if (status != ANOMALY_OK)
        return answer_error(L, status, anomaly_status_text(status));
    lua_pushboolean(L, 1);
    return 1;
}

static int answer_fields(lua_State *L, int status, const field *fields, size_t count, const void *values)
{
    if (status != ANOMALY_OK)
        return answer(L, status);
    lua_createtable(L, 0, (int)count);
    for (size_t i = 0; i < count; i++) {
        push_field(L, fields[i].type, (const char *)values + fields[i].offset);
        lua_setfield(L, -2, fields[i].name);
    }
    return 1;
}

/* Into the table on the top of the stack, which is the answer. */
static int answer_verdict(lua_State *L, int status, const anomaly_verdict *v)
{
    if (status != ANOMALY_OK)
        return answer(L, status);
#pragma GCC unroll 9 /* so that no field is asked for its type */
    for (int i = 0; i < VERDICT_FIELDS; i++) {
        lua_pushvalue(L, lua_upvalueindex(UP_VERDICT + i));
        push_field(L, verdict_fields[i].type, (const char *)v + verdict_fields[i].offset);
        lua_rawset(L, -3);
    }
    return 1;
}

/* ---- a script's function inside a call: the only Lua code that runs there ---- */

typedef struct pipe {
    lua_State *L;
    int function; /* stack index; what protects it lies above it */
    const void *bytes;
    void *room;
    size_t size;
    int failed; /* 1: an error lies on the top of the stack; -1: the function said stop, its message is there */
} pipe;

/* Calls the pipe's function through what protects it; non-zero if it failed. */
static int run_protected(pipe *p)
{
    lua_State *L = p->L;
    lua_pushvalue(L, p->function + 1);
    lua_pushvalue(L, p->function);
    lua_pushlightuserdata(L, p);
    if (lua_pcall(L, 2, 1, 0) != 0)
        p->failed = 1;
    if (!p->failed)
        lua_pop(L, 1);
    return p->failed;
}

/* The function's two results are on the top of the stack: did it say stop, as Lua's own do, file:write among them, with nil or
 * false, and a message? */
static int said_stop(lua_State *L, pipe *p)
{
    if (!lua_toboolean(L, -2) && lua_isstring(L, -1))
        p->failed = -1;
    return p->failed;
}

/* Protected: function, pipe. */
static int give_piece(lua_State *L)
{
    pipe *p = lua_touserdata(L, 2);
    lua_pushvalue(L, 1);
    lua_pushlstring(L, p->bytes, p->size);
    lua_call(L, 1, 2);
    said_stop(L, p);
    return 1;
}

/* Protected: function, pipe. The function is asked for so many bytes at most, as file:read is. */
static int take_piece(lua_State *L)
{
    pipe *p = lua_touserdata(L, 2);
    size_t size = 0;
    lua_pushvalue(L, 1);
    push_count(L, p->size);
    lua_call(L, 1, 2);
    if (said_stop(L, p))
        return 1;
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

static int sink(void *ctx, const void *bytes, size_t size)
{
    pipe *p = ctx;
    p->bytes = bytes;
    p->size = size;
    return run_protected(p);
}

static int source(void *ctx, void *bytes, size_t size, size_t *got)
{
    pipe *p = ctx;
    p->room = bytes;
    p->size = size;
    if (run_protected(p))
        return 1;
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

/* ---- the library's calls, on a detector of its own, on a key's, or on a pool ---- */

enum use {
    SCORE,
    LEARN,
    ADVANCE,
    REBUILD,
    RESERVE,
    RESET,
    SET_THRESHOLD,
    STATS,
    QUANTILE,
    EXPLAIN,
    COUNTERS,
    CONFIG,
    SNAPSHOT, /* with `bytes` NULL: how many there will be */
    SNAPSHOT_WRITE,
    EXPORT,
    UPDATE_ROWS,
    SCORE_ROWS,
    LEARN_ROWS
};

typedef struct request {
    int what;
    const char *key;
    size_t key_size;
    const double *x;
    int64_t t;
    uint32_t feature;
    double number;
    double *shares;
    pipe *pipe;
    void *bytes;
    size_t size;
    const anomaly_keys *keys;
    const anomaly_rows *rows;
    const anomaly_verdicts *verdicts;
    size_t done;
    union {
        anomaly_verdict verdict;
        anomaly_stats stats;
        anomaly_counts counts;
        anomaly_config config;
    };
} request;

static int use_detector(void *ctx, anomaly_detector *d)
{
    request *r = ctx;
    switch (r->what) {
    case SCORE: return anomaly_score(d, r->x, r->t, &r->verdict);
    case LEARN: return anomaly_learn(d, r->x, r->t);
    case ADVANCE: return anomaly_advance(d, r->t);
    case REBUILD: return anomaly_rebuild(d);
    case RESERVE: return anomaly_reserve(d);
    case RESET: anomaly_reset(d); return ANOMALY_OK;
    case SET_THRESHOLD: return anomaly_set_threshold(d, r->number);
    case STATS: return anomaly_window_stats(d, r->feature, &r->stats);
    case QUANTILE: return anomaly_quantile(d, r->feature, r->number, &r->number);
    case EXPLAIN: return anomaly_explain(d, r->x, r->shares);
    case COUNTERS: return anomaly_counters(d, &r->counts);
    case CONFIG: return anomaly_get_config(d, &r->config, sizeof r->config);
    case SNAPSHOT: return r->bytes ? anomaly_snapshot(d, r->bytes, r->size, &r->size) : anomaly_snapshot_size(d, &r->size);
    case SNAPSHOT_WRITE: return anomaly_snapshot_write(d, sink, r->pipe);
    case UPDATE_ROWS: return anomaly_update_rows(d, r->rows, r->verdicts, &r->done);
    case SCORE_ROWS: return anomaly_score_rows(d, r->rows, r->verdicts, &r->done);
    case LEARN_ROWS: return anomaly_learn_rows(d, r->rows, &r->done);
    default: return ANOMALY_E_KIND;
    }
}

static int use_pool(request *r, anomaly_pool *p)
{
    switch (r->what) {
    case ADVANCE: return anomaly_pool_advance(p, r->t);
    case SET_THRESHOLD: return anomaly_pool_set_threshold(p, r->number);
    case COUNTERS: return anomaly_pool_counters(p, &r->counts);
    case CONFIG: return anomaly_pool_get_config(p, &r->config, sizeof r->config);
    case SNAPSHOT:
        return r->bytes ? anomaly_pool_snapshot(p, r->bytes, r->size, &r->size) : anomaly_pool_snapshot_size(p, &r->size);
    case SNAPSHOT_WRITE: return anomaly_pool_snapshot_write(p, sink, r->pipe);
    case EXPORT: return anomaly_pool_export(p, r->key, r->key_size, r->bytes, r->size, &r->size);
    case UPDATE_ROWS: return anomaly_pool_update_rows(p, r->keys, r->rows, r->verdicts, &r->done);
    default: return ANOMALY_E_KIND;
    }
}

static int call(const object *o, int what, request *r)
{
    holder *h = o->holder;
    r->what = what;
    if (o->is == KEY)
        return anomaly_pool_with(h->pool, o->slot, use_detector, r);
    return o->is == POOL ? use_pool(r, h->pool) : use_detector(r, h->detector);
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

#define MOST_KEY_BYTES 65535

/* NULL: none. */
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
    if (type != LUA_TSTRING || strlen(lua_tostring(L, -1)) != lua_rawlen(L, -1))
        luaL_error(L, "option '%s': a string, number or boolean expected, got %s", name, luaL_typename(L, -1));
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

/* Those of the kind, with the text of their values; NULL past the last. */
static const anomaly_option *next_option(size_t *i, const anomaly_config *config, char text[OPTION_TEXT])
{
    const anomaly_option *option;
    while ((option = anomaly_option_at((*i)++)))
        if (option->kinds >> config->kind & 1 && anomaly_config_get(config, option->name, text, OPTION_TEXT) == ANOMALY_OK)
            break;
    return option;
}

/* The last is NULL. */
static int is_among(const char *const *names, const char *name)
{
    while (*names && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

/* The library knows which of its options is meant. */
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

/* 1, with a table at `arg` whose keys are all known: `names`, or (NULL) the options of `config`; 0 where it was left out. */
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
        if (names ? !is_among(names, name) : !option_named(name))
            unknown_option(L, name, config);
    }
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

static const char *const kind_names[] = {NULL, "zscore", "percentile", "iforest"};

static int check_kind(lua_State *L, int arg)
{
    const char *name = check_string(L, arg, "kind", NULL);
    for (size_t kind = 1; kind < COUNT_OF(kind_names); kind++)
        if (strcmp(kind_names[kind], name) == 0)
            return (int)kind;
    return wrong_argument(L, arg, "kind: zscore, percentile or iforest expected, got '%s'", name);
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
    lua_pushstring(L, kind_names[config->kind]);
    return 2;
}

/* ---- events; what is registered for both detectors and pools is called object_... ---- */

static void make_printable(lua_State *L, int index)
{
    lua_pushvalue(L, lua_upvalueindex(UP_SHOWN));
    lua_setmetatable(L, index);
}

/* The table at `arg`, or a new one there, as the top of the stack; it can be printed, unless the script sees to that. */
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

/* detector:update(x, t, v), pool:update(key, x, t, v); not by way of call(), since nothing is called as often. */
static int object_update(lua_State *L)
{
    object *o = check_self(L);
    int status, arg = o->is == POOL ? 3 : 2;
    size_t size = 0;
    double single;
    anomaly_verdict v;
    const char *key = o->is == POOL ? check_key(L, 2, &size) : NULL;
    verdict_table(L, arg + 2);
    const holder *h = alive(L, o);
    const double *x = check_x(L, arg, h, &single);
    int64_t t = check_time(L, arg + 1, h);
    if (o->is == OWN) /* which evicts nothing */
        return answer_verdict(L, anomaly_update(h->detector, x, t, &v), &v);
    if (o->is == KEY)
        status = anomaly_pool_update_at(h->pool, o->slot, x, t, &v);
    else
        status = anomaly_pool_update(h->pool, key, size, x, t, &v);
    return tell_evicted(L, o, answer_verdict(L, status, &v));
}

static int detector_score(lua_State *L)
{
    object *o = check_self(L);
    double single;
    request r;
    verdict_table(L, 4);
    const holder *h = alive(L, o);
    r.x = check_x(L, 2, h, &single);
    r.t = check_time(L, 3, h);
    int status = call(o, SCORE, &r);
    return answer_verdict(L, status, &r.verdict);
}

static int detector_learn(lua_State *L)
{
    object *o = check_alive(L);
    double single;
    request r;
    r.x = check_x(L, 2, o->holder, &single);
    r.t = check_time(L, 3, o->holder);
    return tell_evicted(L, o, answer(L, call(o, LEARN, &r)));
}

static int object_advance(lua_State *L)
{
    object *o = check_alive(L);
    request r;
    r.t = check_seconds(L, 2, "t");
    return tell_evicted(L, o, answer(L, call(o, ADVANCE, &r)));
}

static int object_set_threshold(lua_State *L)
{
    object *o = check_alive(L);
    request r;
    r.number = check_number(L, 2, "threshold");
    luaL_argcheck(L, isfinite(r.number), 2, "threshold: a finite number expected");
    int status = call(o, SET_THRESHOLD, &r);
    luaL_argcheck(L, status != ANOMALY_E_ARG, 2, "threshold: a forest's is not 0");
    return tell_evicted(L, o, answer(L, status));
}

/* A call without arguments or results. */
static int detector_simply(lua_State *L)
{
    object *o = check_alive(L);
    request r;
    return tell_evicted(L, o, answer(L, call(o, what_for(L), &r)));
}

/* ---- questions ---- */

static int detector_stats(lua_State *L)
{
    object *o = check_alive(L);
    request r;
    r.feature = check_feature(L, 2, o->holder);
    int status = call(o, STATS, &r);
    return answer_fields(L, status, stats_fields, COUNT_OF(stats_fields), &r.stats);
}

static int detector_quantile(lua_State *L)
{
    object *o = check_alive(L);
    request r;
    r.number = check_number(L, 2, "q");
    luaL_argcheck(L, r.number >= 0 && r.number <= 1, 2, "q: a number from 0 to 1 expected");
    r.feature = check_feature(L, 3, o->holder);
    int status = call(o, QUANTILE, &r);
    if (status != ANOMALY_OK)
        return answer(L, status);
    lua_pushnumber(L, r.number);
    return 1;
}

static int detector_explain(lua_State *L)
{
    object *o = check_alive(L);
    double single;
    request r;
    uint32_t features = o->holder->features;
    r.shares = lua_newuserdata(L, features * sizeof *r.shares);
    r.x = check_x(L, 2, alive(L, o), &single);
    int status = call(o, EXPLAIN, &r);
    if (status != ANOMALY_OK)
        return answer(L, status);
    lua_createtable(L, (int)features, 0);
    for (uint32_t i = 0; i < features; i++) {
        lua_pushnumber(L, r.shares[i]);
        lua_rawseti(L, -2, (int)i + 1);
    }
    return 1;
}

static int object_counters(lua_State *L)
{
    object *o = check_alive(L);
    request r;
    int status = call(o, COUNTERS, &r);
    return answer_fields(L, status, counts_fields, COUNT_OF(counts_fields), &r.counts);
}

static int object_config(lua_State *L)
{
    object *o = check_alive(L);
    request r;
    int status = call(o, CONFIG, &r);
    return answer_config(L, status, &r.config);
}

static int object_tostring(lua_State *L)
{
    object *o = check_self(L);
    const holder *h = o->holder;
    char window[OPTION_TEXT] = "", threshold[OPTION_TEXT] = "";
    request r;
    const char *type = o->is == POOL ? "anomaly.pool" : "anomaly.detector";
    if (!h || !(h->detector || h->pool)) {
        lua_pushfstring(L, "%s: closed", type);
    } else if (h->busy) {
        lua_pushfstring(L, "%s: in use", type);
    } else if (call(o, CONFIG, &r) != ANOMALY_OK) {
        lua_pushfstring(L, "%s: a key's, gone", type);
    } else {
        anomaly_config_get(&r.config, "window", window, sizeof window);
        anomaly_config_get(&r.config, "threshold", threshold, sizeof threshold);
        lua_pushfstring(L, "%s: %s, window=%s, threshold=%s", type, kind_names[r.config.kind], window, threshold);
    }
    return 1;
}

/* ---- rows: arrays as tables, or as strings of packed doubles ---- */

/* What rows are given as; strings first. */
enum form { PACKED, PACKED_COLUMNS, NUMBERS, TABLES };

/* A rows call. Everything is made in plan_*(), which may run finalizers; only then are values and keys read, and they are used at
 * once, so that no pointer into a script's table outlives a chance to change that table. */
typedef struct batch {
    enum form form;
    uint32_t features;
    int wanted; /* bits: verdict_fields */
    anomaly_rows rows;
    anomaly_verdicts verdicts;
    anomaly_keys keys;
    double *values;
    const double **starts;
    int64_t *times;
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

static size_t packed_count(lua_State *L, int arg, const char *name, size_t size, size_t each)
{
    if (size % each != 0)
        wrong_argument(L, arg, "%s: %d bytes are no whole number of rows of %d", name, (int)size, (int)each);
    return size / each;
}

/* The type of a table's first value, whose bytes, if it is a string, are so many. */
static int type_of_first(lua_State *L, int arg, size_t *size)
{
    lua_rawgeti(L, arg, 1);
    int type = lua_type(L, -1);
    if (type == LUA_TSTRING)
        *size = lua_rawlen(L, -1);
    lua_pop(L, 1);
    return type;
}

static void plan_values(lua_State *L, int arg, batch *b)
{
    size_t size = 0;
    if (lua_type(L, arg) == LUA_TSTRING) {
        b->form = PACKED;
        b->rows.count = packed_count(L, arg, "values", lua_rawlen(L, arg), b->features * sizeof(double));
        return;
    }
    if (!lua_istable(L, arg))
        bad_argument(L, arg, "values", "table or string of packed doubles");
    int type = type_of_first(L, arg, &size);
    if (type == LUA_TSTRING) {
        if (lua_rawlen(L, arg) != b->features)
            wrong_argument(L, arg, "values: %d columns expected", (int)b->features);
        b->form = PACKED_COLUMNS;
        b->rows.count = packed_count(L, arg, "values[1]", size, sizeof(double));
        b->starts = new_array(L, b->features, sizeof *b->starts);
        return;
    }
    b->form = type == LUA_TTABLE ? TABLES : NUMBERS;
    b->rows.count = lua_rawlen(L, arg);
    if (b->rows.count > INT32_MAX)
        luaL_argerror(L, arg, "values: too long a table");
    if (b->form == NUMBERS && b->features > 1 && b->rows.count > 0)
        wrong_argument(L, arg, "values: tables of %d numbers expected", (int)b->features);
    b->values = new_array(L, b->rows.count, b->features * sizeof *b->values);
}

static void plan_times(lua_State *L, int arg, batch *b, int timed)
{
    size_t count = 0;
    if (lua_isnoneornil(L, arg)) {
        if (timed)
            luaL_argerror(L, arg, "times: the window is one of time, so each event needs its seconds");
        return;
    }
    if (lua_type(L, arg) == LUA_TSTRING)
        count = packed_count(L, arg, "times", lua_rawlen(L, arg), sizeof(int64_t));
    else if (lua_istable(L, arg))
        count = lua_rawlen(L, arg);
    else
        bad_argument(L, arg, "times", "table or string of packed int64 nanoseconds");
    if (count != b->rows.count)
        wrong_argument(L, arg, "times: %d of them for %d rows", (int)count, (int)b->rows.count);
    if (lua_istable(L, arg))
        b->times = new_array(L, count, sizeof *b->times);
}

static void want_column(lua_State *L, int arg, batch *b, const char *name)
{
    int i = 0;
    while (i < VERDICT_FIELDS && strcmp(verdict_fields[i].name, name) != 0)
        i++;
    if (i == VERDICT_FIELDS)
        wrong_argument(L, arg, "columns: a verdict has no '%s'", name);
    b->wanted |= 1 << i;
}

/* The array of a field of verdicts; "flags" and "anomaly" share theirs. */
static void *column_of(const batch *b, int i)
{
    void *column;
    memcpy(&column, (const char *)&b->verdicts + verdict_fields[i].column, sizeof column);
    return column;
}

static void plan_columns(lua_State *L, int arg, batch *b)
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
    for (int i = 0; i < VERDICT_FIELDS; i++)
        if (b->wanted >> i & 1 && !column_of(b, i)) {
            void *column = new_array(L, b->rows.count, size_of_type[verdict_fields[i].type]);
            memcpy((char *)&b->verdicts + verdict_fields[i].column, &column, sizeof column);
        }
}

static void plan_keys(lua_State *L, int arg, batch *b)
{
    size_t count = b->rows.count, size;
    if (!lua_istable(L, arg))
        bad_argument(L, arg, "keys", "table of strings or of keys' detectors");
    if (lua_rawlen(L, arg) != count)
        wrong_argument(L, arg, "keys: %d of them for %d rows", (int)lua_rawlen(L, arg), (int)count);
    if (type_of_first(L, arg, &size) == LUA_TUSERDATA) {
        b->slot = new_array(L, count, sizeof *b->slot);
    } else {
        b->key = new_array(L, count, sizeof *b->key);
        b->key_size = new_array(L, count, sizeof *b->key_size);
    }
}

static void read_columns(lua_State *L, int arg, batch *b)
{
    for (uint32_t f = 0; f < b->features; f++) {
        size_t size = 0;
        lua_rawgeti(L, arg, (int)f + 1);
        const char *bytes = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &size) : NULL;
        lua_pop(L, 1);
        if (!bytes || size != b->rows.count * sizeof(double))
            wrong_argument(L, arg, "values[%d]: a string as long as the first expected", (int)f + 1);
        b->starts[f] = (const double *)(const void *)bytes;
    }
    b->rows.columns = b->starts;
}

static void read_table(lua_State *L, int arg, batch *b)
{
    for (size_t i = 0; i < b->rows.count; i++) {
        double *x = b->values + i * b->features;
        lua_rawgeti(L, arg, (int)i + 1);
        int good = b->form == TABLES ? numbers_from_top(L, x, b->features) : lua_type(L, -1) == LUA_TNUMBER;
        if (b->form == NUMBERS)
            *x = lua_tonumber(L, -1);
        lua_pop(L, 1);
        if (!good && b->form == TABLES)
            wrong_argument(L, arg, "values[%d]: %d numbers expected", (int)i + 1, (int)b->features);
        if (!good)
            wrong_argument(L, arg, "values[%d]: number expected", (int)i + 1);
    }
    b->rows.values = b->values;
}

static void read_values(lua_State *L, int arg, batch *b)
{
    if (b->form == PACKED)
        b->rows.values = (const double *)(const void *)lua_tostring(L, arg);
    else if (b->form == PACKED_COLUMNS)
        read_columns(L, arg, b);
    else
        read_table(L, arg, b);
}

static void read_times(lua_State *L, int arg, batch *b)
{
    if (lua_type(L, arg) == LUA_TSTRING)
        b->rows.times = (const int64_t *)(const void *)lua_tostring(L, arg);
    if (!b->times)
        return;
    for (size_t i = 0; i < b->rows.count; i++) {
        lua_rawgeti(L, arg, (int)i + 1);
        const char *wrong = to_ns(L, lua_gettop(L), &b->times[i]);
        lua_pop(L, 1);
        if (wrong)
            wrong_argument(L, arg, "times[%d]: %s", (int)i + 1, wrong);
    }
    b->rows.times = b->times;
}

/* The key's detector on the top of the stack as its slot; 0 where it is none of this pool's. */
static int top_to_slot(lua_State *L, const holder *h, uint64_t *slot)
{
    const object *o = is_type(L, -1, UP_DETECTOR) ? lua_touserdata(L, -1) : NULL;
    *slot = o ? o->slot : 0;
    return o && o->holder == h;
}

static void read_keys(lua_State *L, int arg, batch *b, const holder *h)
{
    for (size_t i = 0; i < b->rows.count; i++) {
        lua_rawgeti(L, arg, (int)i + 1);
        int good = b->slot ? top_to_slot(L, h, &b->slot[i]) : (b->key[i] = to_key(L, -1, &b->key_size[i])) != NULL;
        lua_pop(L, 1);
        if (!good)
            wrong_argument(L, arg, "keys[%d]: %s expected", (int)i + 1,
                           b->slot ? "a key's detector of this pool" : "a string of 1 to 65535 bytes");
    }
    b->keys.slots = b->slot;
    b->keys.keys = b->key;
    b->keys.sizes = b->key_size;
}

/* A table, or a string of what C has; of "anomaly" one of bytes 0 and 1. */
static void push_column(lua_State *L, const batch *b, int i)
{
    enum type type = verdict_fields[i].type;
    size_t count = b->rows.count, size = size_of_type[type];
    char *column = column_of(b, i);
    if (b->form == NUMBERS || b->form == TABLES) {
        lua_createtable(L, (int)count, 0);
        for (size_t k = 0; k < count; k++) {
            push_field(L, type, column + k * size);
            lua_rawseti(L, -2, (int)k + 1);
        }
        return;
    }
    if (type == AS_ANOMALY) {
        const uint32_t *flags = b->verdicts.flags;
        for (size_t k = 0; k < count; k++) /* no byte overtakes the flag it is from */
            column[k] = (flags[k] & ANOMALY_IS_ANOMALY) != 0;
        size = 1;
    }
    lua_pushlstring(L, column, count * size);
}

static int answer_batch(lua_State *L, const batch *b, int status, size_t done)
{
    if (status == ANOMALY_E_ARG)
        return luaL_error(L, "row %d: %s", (int)done + 1, anomaly_status_text(status));
    if (status != ANOMALY_OK) {
        int results = answer(L, status);
        push_count(L, done);
        return results + 1;
    }
    lua_createtable(L, 0, VERDICT_FIELDS);
    for (int i = VERDICT_FIELDS - 1; i >= 0; i--) /* "anomaly" last: its bytes may be written over the flags */
        if (b->wanted >> i & 1) {
            push_column(L, b, i);
            lua_setfield(L, -2, verdict_fields[i].name);
        }
    return 1;
}

/* detector:..._rows(values, times, columns), pool:update_rows(keys, values, times, columns) */
static int object_rows(lua_State *L)
{
    object *o = check_alive(L);
    int what = what_for(L), keyed = o->is == POOL, arg = keyed ? 3 : 2, timed = o->holder->timed;
    batch b;
    request r;
    lua_settop(L, arg + 2);
    memset(&b, 0, sizeof b);
    b.features = o->holder->features;
    plan_values(L, arg, &b);
    plan_times(L, arg + 1, &b, timed);
    if (what != LEARN_ROWS)
        plan_columns(L, arg + 2, &b);
    if (keyed)
        plan_keys(L, 2, &b);
    const holder *h = alive(L, o);
    read_values(L, arg, &b);
    read_times(L, arg + 1, &b);
    if (keyed)
        read_keys(L, 2, &b, h);
    r.keys = &b.keys;
    r.rows = &b.rows;
    r.verdicts = &b.verdicts;
    r.done = 0;
    int status = call(o, what, &r);
    int plain = status == ANOMALY_OK && what == LEARN_ROWS;
    return tell_evicted(L, o, plain ? answer(L, status) : answer_batch(L, &b, status, r.done));
}

/* ---- snapshots ---- */

static int write_snapshot(lua_State *L, object *o)
{
    pipe p;
    request r;
    open_pipe(L, &p, 2, give_piece);
    alive(L, o);
    r.pipe = &p;
    holder *h = hold(o);
    int status = call(o, SNAPSHOT_WRITE, &r);
    let_go(o, h);
    return close_pipe(L, &p, status);
}

/* The buffer is a Lua value, so making it may run a script's finalizer, which may feed the detector: hence the loop. */
static int answer_bytes(lua_State *L, const object *o, int what, request *r)
{
    int top = lua_gettop(L), status;
    do {
        lua_settop(L, top);
        r->bytes = NULL;
        r->size = 0;
        status = call(o, what, r);
        if (status != ANOMALY_OK)
            return answer(L, status);
        r->bytes = lua_newuserdata(L, r->size);
        alive(L, o);
        status = call(o, what, r);
    } while (status == ANOMALY_E_SPACE);
    if (status != ANOMALY_OK)
        return answer(L, status);
    lua_pushlstring(L, r->bytes, r->size);
    return 1;
}

static int object_snapshot(lua_State *L)
{
    object *o = check_alive(L);
    request r;
    if (lua_isfunction(L, 2))
        return write_snapshot(L, o);
    if (!lua_isnoneornil(L, 2))
        bad_argument(L, 2, "write", "function");
    return answer_bytes(L, o, SNAPSHOT, &r);
}

static int pool_export(lua_State *L)
{
    object *o = check_alive(L);
    request r;
    r.key = check_key(L, 2, &r.key_size);
    return answer_bytes(L, o, EXPORT, &r);
}

static int pool_import(lua_State *L)
{
    object *o = check_alive(L);
    anomaly_error error = {0};
    size_t key_size, size;
    const char *key = check_key(L, 2, &key_size), *bytes = check_string(L, 3, "snapshot", &size);
    int status = anomaly_pool_import(o->holder->pool, key, key_size, bytes, size, &error);
    return tell_evicted(L, o, status == ANOMALY_OK ? answer(L, status) : answer_reason(L, status, &error));
}

/* ---- making and ending ---- */

static int take_shape(object *o)
{
    holder *h = o->holder;
    request r;
    int status = call(o, CONFIG, &r);
    if (status != ANOMALY_OK)
        return status;
    h->features = r.config.features;
    h->timed = r.config.window_ns > 0;
    if (h->features > 1 && !(h->x = malloc(h->features * sizeof *h->x)))
        return ANOMALY_E_NOMEM;
    o->ready = h->detector;
    return ANOMALY_OK;
}

/* What is new, on the top of the stack, with its warning, if there is one. */
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

/* anomaly.new(kind, options); anomaly.zscore(options) and so on */
static int module_new(lua_State *L)
{
    anomaly_config config;
    anomaly_error error = {0};
    int named = what_for(L), kind = named ? named : check_kind(L, 1);
    read_options(L, named ? 1 : 2, kind, &config);
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

/* The options of a pool have no table in the library, but kinds of values that those of a detector have: a whole number is what
 * `seed` takes, a time what `max_jump` takes, a switch what `reserve` takes. */
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

/* The options of a pool at `arg`; its function for evictions goes into the table on the top of the stack. */
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

/* Pushes a pool that is still empty, with limits from `arg`; its own value is {function to be told of evictions}. */
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

/* anomaly.pool(kind, options, limits) */
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

/* anomaly.restore_pool(snapshot or function, kind, options, limits); kind nil: as saved, limits nil: as saved */
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

/* For anomaly_ffi.lua: where to read the detector's address before each call, how many features, whether it needs times. */
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

/* ---- pools ---- */

/* pool:slot(key) makes what is not there, pool:find(key) does not. */
static int pool_slot(lua_State *L)
{
    object *o = check_self(L);
    size_t size;
    uint64_t slot;
    const char *key = check_key(L, 2, &size);
    object *found = new_key(L);
    holder *h = alive(L, o);
    int status = what_for(L) ? anomaly_pool_slot(h->pool, key, size, &slot) : anomaly_pool_find(h->pool, key, size, &slot);
    if (status != ANOMALY_OK)
        return tell_evicted(L, o, answer(L, status));
    set_key(found, h, slot);
    return tell_evicted(L, o, 1);
}

static int pool_remove(lua_State *L)
{
    object *o = check_alive(L);
    size_t size;
    const char *key = check_key(L, 2, &size);
    return answer(L, anomaly_pool_remove(o->holder->pool, key, size));
}

static int pool_count(lua_State *L)
{
    push_count(L, anomaly_pool_count(check_alive(L)->holder->pool));
    return 1;
}

static int pool_usage(lua_State *L)
{
    anomaly_usage usage;
    int status = anomaly_pool_usage(check_alive(L)->holder->pool, &usage);
    return answer_fields(L, status, usage_fields, COUNT_OF(usage_fields), &usage);
}

/* pool:evict{before = seconds, keep_keys = n, keep_bytes = n} */
static int pool_evict(lua_State *L)
{
    static const char *const names[] = {"before", "keep_keys", "keep_bytes", NULL};
    object *o = check_self(L);
    int64_t before = ANOMALY_NO_TIME;
    uint64_t evicted;
    if (!check_options(L, 2, "bounds", names, NULL))
        bad_argument(L, 2, "bounds", "table");
    uint64_t keys = read_whole(L, 2, "keep_keys", UINT64_MAX);
    uint64_t bytes = read_whole(L, 2, "keep_bytes", UINT64_MAX);
    if (get_option(L, 2, "before")) {
        const char *wrong = to_ns(L, lua_gettop(L), &before);
        if (wrong)
            return luaL_error(L, "before: %s", wrong);
    }
    int status = anomaly_pool_evict(alive(L, o)->pool, before, keys, bytes, &evicted);
    if (status != ANOMALY_OK)
        return answer(L, status);
    push_count(L, evicted);
    return tell_evicted(L, o, 1);
}

/* ---- visiting a pool: a copy of its keys, taken at once, so that the loop may do with the pool what it likes ---- */

typedef struct visit {
    char *bytes; /* entry, key; entry, key ... */
    size_t used, room, at;
} visit;

typedef struct entry {
    uint64_t slot;
    size_t size;
} entry;

static int note_key(void *ctx, uint64_t slot, const void *key, size_t key_size, const anomaly_detector *detector)
{
    visit *v = ctx;
    entry e = {slot, key_size};
    size_t need = v->used + sizeof e + key_size;
    (void)detector;
    if (need > v->room) {
        char *bytes = realloc(v->bytes, need * 2);
        if (!bytes)
            return 1;
        v->bytes = bytes;
        v->room = need * 2;
    }
    memcpy(v->bytes + v->used, &e, sizeof e);
    memcpy(v->bytes + v->used + sizeof e, key, key_size);
    v->used = need;
    return 0;
}

static int visit_gc(lua_State *L)
{
    visit *v = check_self(L);
    free(v->bytes);
    memset(v, 0, sizeof *v);
    return 0;
}

/* for key, detector in pool:each(): the pool comes from the loop, the visit from the closure. */
static int visit_next(lua_State *L)
{
    object *o = check_alive(L);
    visit *v = lua_touserdata(L, lua_upvalueindex(UPVALUES + 1));
    entry e;
    if (v->at >= v->used)
        return 0;
    memcpy(&e, v->bytes + v->at, sizeof e);
    const char *name = v->bytes + v->at + sizeof e;
    v->at += sizeof e + e.size;
    lua_pushlstring(L, name, e.size);
    object *key = new_key(L);
    set_key(key, alive(L, o), e.slot);
    return 2;
}

static int pool_each(lua_State *L)
{
    object *o = check_self(L);
    luaL_checkstack(L, UPVALUES + 4, NULL);
    for (int i = 1; i <= UPVALUES; i++)
        lua_pushvalue(L, lua_upvalueindex(i));
    visit *v = lua_newuserdata(L, sizeof *v);
    memset(v, 0, sizeof *v);
    lua_pushvalue(L, lua_upvalueindex(UP_VISIT));
    lua_setmetatable(L, -2);
    if (anomaly_pool_each(alive(L, o)->pool, note_key, v) != ANOMALY_OK)
        return luaL_error(L, "%s", anomaly_status_text(ANOMALY_E_NOMEM));
    lua_pushcclosure(L, visit_next, UPVALUES + 1);
    lua_pushvalue(L, 1);
    return 2;
}

/* ---- the module ---- */

/* The flags of a verdict, which are positive, and what calls answer, which is not. */
#define CONSTANT(name) #name, ANOMALY_##name
static const struct constant {
    const char *name;
    int value;
} constants[] = {
    {CONSTANT(IS_ANOMALY)},  {CONSTANT(WARMING_UP)}, {CONSTANT(MISSING)},   {CONSTANT(NONFINITE)}, {CONSTANT(LATE)},
    {CONSTANT(TRUNCATED)},   {CONSTANT(FLAT)},       {CONSTANT(ABOVE)},     {CONSTANT(BELOW)},     {CONSTANT(JUMPED)},
    {CONSTANT(NOT_LEARNED)}, {CONSTANT(OK)},         {CONSTANT(E_ARG)},     {CONSTANT(E_NOMEM)},   {CONSTANT(E_CONFIG)},
    {CONSTANT(E_KIND)},      {CONSTANT(E_SPACE)},    {CONSTANT(E_CORRUPT)}, {CONSTANT(E_VERSION)}, {CONSTANT(E_FULL)},
    {CONSTANT(E_NOTFOUND)},  {CONSTANT(E_EMPTY)},    {CONSTANT(E_STOPPED)},
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

/* is_anomaly|above; what the script has made of the field counts as none. */
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

/* anomaly.verdict: is_anomaly|above, score 29.6357, usual is 47.6471 to 56.3529 */
static int verdict_tostring(lua_State *L)
{
    char number[40] = "nan", bounds[100] = "";
    luaL_checktype(L, 1, LUA_TTABLE);
    double score = field_of(L, "score"), lower = field_of(L, "lower"), upper = field_of(L, "upper");
    if (score == score) /* C prints a sign where there is one */
        snprintf(number, sizeof number, "%.6g", score);
    if (lower == lower)
        snprintf(bounds, sizeof bounds, ", usual is %.6g to %.6g", lower, upper);
    push_flags(L, field_of(L, "flags"));
    lua_pushfstring(L, "anomaly.verdict: %s, score %s%s", lua_tostring(L, -1), number, bounds);
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

static void set_string(lua_State *L, const char *name, const char *value)
{
    lua_pushstring(L, value);
    lua_setfield(L, -2, name);
}

/* anomaly.options(kind): {{name =, values =, help =, default =}, ...} */
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

/* anomaly.memory_needed(kind, options) */
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

typedef struct function {
    const char *name;
    lua_CFunction run;
    int what; /* which of its uses: what_for() */
} function;

static const function module_functions[] = {
    {"new", module_new, 0},
    {"zscore", module_new, ANOMALY_ZSCORE},
    {"percentile", module_new, ANOMALY_PERCENTILE},
    {"iforest", module_new, ANOMALY_IFOREST},
    {"restore", module_restore, 0},
    {"pool", module_pool, 0},
    {"restore_pool", module_restore_pool, 0},
    {"options", module_options, 0},
    {"memory_needed", module_memory_needed, 0},
    {"key_hash", module_key_hash, 0},
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

/* Into the table on the top of the stack, those whose names begin with __ into the one below it; the upvalues lie at `base`. */
static void set_functions(lua_State *L, int base, const function *functions)
{
    for (; functions->name; functions++) {
        for (int i = 1; i < UP_WHAT; i++)
            lua_pushvalue(L, base + i - 1);
        lua_pushinteger(L, functions->what);
        lua_pushcclosure(L, functions->run, UPVALUES);
        lua_setfield(L, functions->name[0] == '_' ? -3 : -2, functions->name);
    }
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
    for (size_t i = 0; i < COUNT_OF(constants); i++) {
        lua_pushinteger(L, constants[i].value);
        lua_setfield(L, -2, constants[i].name);
    }
    return 1;
}
