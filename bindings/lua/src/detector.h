/* SPDX-License-Identifier: MIT
 * detector.h - calls of a script for one event, and questions; functions of both detectors and pools are object_... */
#ifndef ANOMALY_LUA_DETECTOR_H
#define ANOMALY_LUA_DETECTOR_H

#include "answers.h"
#include "arguments.h"
#include "calls.h"
#include "evictions.h"
#include "options.h"
#include "times.h"
#include "verdict.h"

#include <math.h>

/* Runs detector:update(x, t, v) and pool:update(key, x, t, v); without call(), since no function is called as often.
 * */
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

/* Runs a call that has neither arguments nor results. */
static int detector_simply(lua_State *L)
{
    object *o = check_alive(L);
    request r;
    return tell_evicted(L, o, answer(L, call(o, what_for(L), &r)));
}

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

/* Runs detector:overdue(now): a table where an event is overdue, false where none is or too few have come to tell. */
static int detector_overdue(lua_State *L)
{
    object *o = check_alive(L);
    request r = {.t = check_seconds(L, 2, "now")};
    int status = call(o, OVERDUE, &r);
    if (status == ANOMALY_E_EMPTY || (status == ANOMALY_OK && r.silence.overdue_ns == 0)) {
        lua_pushboolean(L, 0);
        return 1;
    }
    return answer_fields(L, status, silence_fields, COUNT_OF(silence_fields), &r.silence);
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
        lua_pushfstring(L, "%s: %s, window=%s, threshold=%s", type, kind_name(r.config.kind), window, threshold);
    }
    return 1;
}

#endif
