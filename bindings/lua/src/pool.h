/* SPDX-License-Identifier: MIT
 * pool.h - the keys of a pool: made, found, removed, counted, evicted. */
#ifndef ANOMALY_LUA_POOL_H
#define ANOMALY_LUA_POOL_H

#include "answers.h"
#include "arguments.h"
#include "evictions.h"
#include "options.h"
#include "times.h"

/* Runs pool:slot(key), which makes a missing key, and pool:find(key), which does not. */
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

/* Runs pool:evict{before = seconds, keep_keys = n, keep_bytes = n}. */
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

#endif
