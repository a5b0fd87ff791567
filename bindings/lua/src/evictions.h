/* SPDX-License-Identifier: MIT
 * evictions.h - evicted keys: noted inside the call that evicts, told to the script's function after that call. */
#ifndef ANOMALY_LUA_EVICTIONS_H
#define ANOMALY_LUA_EVICTIONS_H

#include "object.h"

#include <stdlib.h>
#include <string.h>

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

/* Tells the function at index 1 of each key that the holder at index 2 has noted. Runs protected. A key leaves the
 * list before the function sees the key, so that after an error the next call goes on with the next key. */
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

/* Tells the script of evictions at the end of every call that may evict; returns `results`. The object is at index 1.
 * */
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

#endif
