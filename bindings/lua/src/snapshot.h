/* SPDX-License-Identifier: MIT
 * snapshot.h - snapshots of a detector, a pool or one key, as a string or piece by piece. */
#ifndef ANOMALY_LUA_SNAPSHOT_H
#define ANOMALY_LUA_SNAPSHOT_H

#include "answers.h"
#include "arguments.h"
#include "calls.h"
#include "evictions.h"
#include "pipe.h"

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

/* Answers a snapshot as a string. Making the buffer, a Lua value, may run a script's finalizer that feeds the
 * detector, and the snapshot may grow beyond the buffer: then a larger buffer is made. */
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

#endif
