/* SPDX-License-Identifier: MIT
 * answers.h - what a call answers: results, or nil, message, code. */
#ifndef ANOMALY_LUA_ANSWERS_H
#define ANOMALY_LUA_ANSWERS_H

#include "fields.h"
#include "object.h"

/* Answers nil, the message on the top of the stack, and the status. */
static int answer_message(lua_State *L, int status)
{
    lua_pushnil(L);
    lua_insert(L, -2);
    lua_pushinteger(L, status);
    return 3;
}

/* Raises an error for a wrong argument; answers what may also happen to a correct script. */
static int answer_error(lua_State *L, int status, const char *message)
{
    if (status == ANOMALY_E_ARG)
        return luaL_error(L, "%s", message);
    lua_pushstring(L, message);
    return answer_message(L, status);
}

static int answer_reason(lua_State *L, int status, const anomaly_error *error)
{
    return answer_error(L, status, *error->message ? error->message : anomaly_status_text(status));
}

/* Answers true if the call worked, else nil, message, code. */
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

/* Fills the table on the top of the stack with the verdict and answers the table. */
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

#endif
