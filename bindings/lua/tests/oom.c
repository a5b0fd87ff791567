/* SPDX-License-Identifier: MIT The module in a Lua that runs out of memory: the n-th allocation and all after it fail,
 * for every n that the script gets to. Every failure must come out as Lua's own error; what was made by then is
 * collected, so a checker for leaks sees none.
 *
 *   oom SCRIPT */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int luaopen_anomaly(lua_State *L);

typedef struct memory {
    size_t bytes, calls, fail_from; /* 0: never */
} memory;

static void *allocate(void *ctx, void *old, size_t old_size, size_t size)
{
    memory *m = ctx;
    if (size == 0) {
        m->bytes -= old ? old_size : 0;
        free(old);
        return NULL;
    }
    if (!old || size > old_size)
        if (++m->calls, m->fail_from && m->calls >= m->fail_from)
            return NULL;
    void *new = realloc(old, size);
    if (new)
        m->bytes += size - (old ? old_size : 0);
    return new;
}

static int script(lua_State *L)
{
    lua_pushcfunction(L, luaopen_anomaly);
    lua_call(L, 0, 1);
    lua_setglobal(L, "anomaly");
    if (luaL_loadfile(L, lua_touserdata(L, 1)) != 0)
        return lua_error(L);
    lua_call(L, 0, 0);
    return 0;
}

/* 1: it got to its end, 0: it failed as it should, -1: otherwise. */
static int run(const char *path, size_t fail_from)
{
    memory m = {0, 0, 0};
    lua_State *L = lua_newstate(allocate, &m);
    if (!L)
        return -1;
    luaL_openlibs(L);
    lua_pushcfunction(L, script);
    lua_pushlightuserdata(L, (void *)path);
    m.calls = 0;
    m.fail_from = fail_from;
    int status = lua_pcall(L, 1, 0, 0);
    m.fail_from = 0;
    const char *message = status ? lua_tostring(L, -1) : "";
    int expected = status == 0 || status == LUA_ERRMEM || (message && strstr(message, "memory"));
    if (!expected)
        fprintf(stderr, "allocation %zu: status %d: %s\n", fail_from, status, message ? message : "(no message)");
    lua_close(L);
    if (m.bytes != 0)
        fprintf(stderr, "allocation %zu: %zu bytes left\n", fail_from, m.bytes);
    return !expected || m.bytes ? -1 : status == 0;
}

int main(int argc, char **argv)
{
    size_t n = 1;
    int result = 0;
    if (argc != 2)
        return 2;
    while (result == 0)
        result = run(argv[1], n++);
    printf("%zu allocations failed in turn\n", n - 2);
    return result == 1 && n > 100 ? 0 : 1;
}
