/* SPDX-License-Identifier: MIT
 * pipe.h - a script's function that takes or gives the pieces of a snapshot: the only Lua code that runs inside a
 * call. */
#ifndef ANOMALY_LUA_PIPE_H
#define ANOMALY_LUA_PIPE_H

#include "answers.h"

#include <string.h>

typedef struct pipe {
    lua_State *L;
    int function; /* stack index; what protects it lies above it */
    const void *bytes;
    void *room;
    size_t size;
    int failed; /* 1: an error lies on the top of the stack; -1: the function said stop, its message is there */
} pipe;

/* Calls the function of the pipe through the C function that protects it; returns non-zero if the call failed. */
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

/* Tells whether the two results on the top of the stack mean stop: nil or false, and a message, as file:write()
 * returns. */
static int said_stop(lua_State *L, pipe *p)
{
    if (!lua_toboolean(L, -2) && lua_tostring(L, -1))
        p->failed = -1;
    return p->failed;
}

/* Gives the bytes of the pipe at index 2 to the function at index 1. Runs protected. */
static int give_piece(lua_State *L)
{
    pipe *p = lua_touserdata(L, 2);
    lua_pushvalue(L, 1);
    lua_pushlstring(L, p->bytes, p->size);
    lua_call(L, 1, 2);
    said_stop(L, p);
    return 1;
}

/* Asks the function at index 1 for as many bytes at most as the pipe at index 2 has room for. Runs protected. */
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

/* Pushes the function at `arg` and the C function that protects it. */
static void open_pipe(lua_State *L, pipe *p, int arg, lua_CFunction protect)
{
    luaL_checkstack(L, 10, NULL);
    memset(p, 0, sizeof *p);
    p->L = L;
    lua_pushvalue(L, arg);
    p->function = lua_gettop(L);
    lua_pushcfunction(L, protect);
}

/* Answers for the call: with the error or the message of the script's function if there is one. */
static int close_pipe(lua_State *L, const pipe *p, int status)
{
    if (p->failed > 0)
        return lua_error(L);
    if (p->failed < 0)
        return answer_message(L, status);
    return answer(L, status);
}

#endif
