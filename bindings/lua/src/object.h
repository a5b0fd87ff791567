/* SPDX-License-Identifier: MIT
 * object.h - the userdata that a script holds: a detector, a key's detector or a pool; whether it may be used now. */
#ifndef ANOMALY_LUA_OBJECT_H
#define ANOMALY_LUA_OBJECT_H

#include "base.h"
#include "fields.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Upvalues that every function of the module has. */
enum {
    UP_DETECTOR = 1, /* the metatables of the module's types */
    UP_POOL,
    UP_VISIT,
    UP_SHOWN,                              /* ... and that of verdicts, which makes them printable */
    UP_SELF,                               /* ... and of the one whose method the function is */
    UP_VERDICT,                            /* the keys of a verdict, which are set far faster from here than by name */
    UP_WHAT = UP_VERDICT + VERDICT_FIELDS, /* which use of a function this registration is for */
    UPVALUES = UP_WHAT
};

/* An evicted key of which the script's function has not been told yet. The bytes of key and snapshot follow the
 * struct. */
typedef struct departed {
    struct departed *next;
    size_t key_size, snapshot_size;
} departed;

/* A detector or a pool. The userdata of a pool and of its keys share one holder; the last of them frees the holder. */
typedef struct holder {
    anomaly_detector *detector;
    anomaly_pool *pool; /* closed if there is neither detector nor pool */
    size_t references;
    uint32_t features; /* how many numbers an event has */
    int timed;         /* events need times */
    double *x;         /* [features], room for an event of several numbers */
    int busy;          /* a script's function runs inside a call */
    int telling;       /* ... that is told of evictions */
    int failed;        /* an eviction could not be noted for want of memory */
    departed *first, **last;
} holder;

/* Userdata "anomaly.detector" (which owns a detector, or is a key's in a pool) and "anomaly.pool". */
typedef struct object {
    anomaly_detector *ready; /* for anomaly_ffi.lua: OWN, while it may be called; else NULL */
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

/* Tells whether the userdata at `index` has the metatable that is the upvalue `metatable`. */
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

/* Begins a call that runs a script's function: until let_go() the object refuses other calls and its holder stays. */
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

/* Pushes userdata that is to own a detector or a pool. */
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

/* Pushes userdata that is to be a key of the pool at index 1; the key shares the pool's function for evictions. */
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

#endif
