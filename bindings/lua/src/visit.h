/* SPDX-License-Identifier: MIT
 * visit.h - visiting a pool: a copy of its keys, taken at once, so that the loop may do with the pool what it likes.
 * */
#ifndef ANOMALY_LUA_VISIT_H
#define ANOMALY_LUA_VISIT_H

#include "object.h"
#include "times.h"

#include <stdlib.h>
#include <string.h>

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

/* Runs one step of `for key, detector in pool:each()`: the pool comes from the loop, the visit from the closure. */
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

/* Runs pool:each(), and pool:overdue(now), which goes through the keys of which an event is overdue. */
static int pool_each(lua_State *L)
{
    object *o = check_self(L);
    int64_t now = what_for(L) ? check_seconds(L, 2, "now") : 0;
    luaL_checkstack(L, UPVALUES + 4, NULL);
    for (int i = 1; i <= UPVALUES; i++)
        lua_pushvalue(L, lua_upvalueindex(i));
    visit *v = lua_newuserdata(L, sizeof *v);
    memset(v, 0, sizeof *v);
    lua_pushvalue(L, lua_upvalueindex(UP_VISIT));
    lua_setmetatable(L, -2);
    const anomaly_pool *pool = alive(L, o)->pool;
    int status = what_for(L) ? anomaly_pool_overdue(pool, now, note_key, v) : anomaly_pool_each(pool, note_key, v);
    if (status != ANOMALY_OK)
        return luaL_error(L, "%s",
                          status == ANOMALY_E_CONFIG ? "overdue: it needs the option silence"
                                                     : anomaly_status_text(ANOMALY_E_NOMEM));
    lua_pushcclosure(L, visit_next, UPVALUES + 1);
    lua_pushvalue(L, 1);
    return 2;
}

#endif
