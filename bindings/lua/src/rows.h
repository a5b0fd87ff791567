/* SPDX-License-Identifier: MIT
 * rows.h - rows: arrays as tables, or as strings of packed doubles. */
#ifndef ANOMALY_LUA_ROWS_H
#define ANOMALY_LUA_ROWS_H

#include "answers.h"
#include "arguments.h"
#include "calls.h"
#include "evictions.h"
#include "times.h"

#include <string.h>

/* The form in which a script gives rows. */
enum form { PACKED, PACKED_COLUMNS, NUMBERS, TABLES };

/* A call with rows. First plan_*() makes all arrays, which may run finalizers; then read_*() reads values and keys,
 * and the call uses them at once. So no script can change a table between the reading of a pointer from it and the
 * pointer's use. */
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

/* Returns the type of the first value of a table, and in `size` the bytes of that value if it is a string. */
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
            luaL_argerror(L, arg, "times: the window, or another option, needs times: give each event its seconds");
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

/* Returns the array of a field of verdicts; "flags" and "anomaly" share one array. */
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
            if (!is_text(L, -1))
                wrong_argument(L, arg, "columns: a NUL byte after '%s'", lua_tostring(L, -1));
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

/* Reads the slot of the key's detector on the top of the stack; returns 0 if that is no key's detector of this pool.
 * */
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

/* Pushes a column: a table, or a string of the C array; for "anomaly" a string of bytes 0 and 1. */
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

/* Runs detector:..._rows(values, times, columns) and pool:update_rows(keys, values, times, columns). */
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

#endif
