/* SPDX-License-Identifier: MIT
 * tests.h - databases with the extension loaded, statements that must work or must be refused, memory that runs out.
 */
#ifndef SQLITE_TESTS_H
#define SQLITE_TESTS_H

#include "common/sql.h"
#include "random.h"

#include <math.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static inline void must(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s\n%s", sqlite3_errmsg(db), sql);
}

static inline sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *s = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) != SQLITE_OK)
        fail_msg("%s\n%s", sqlite3_errmsg(db), sql);
    return s;
}

/** The first column of the first row, which must be there. */
static inline int64_t number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *s = prepare(db, sql);
    if (sqlite3_step(s) != SQLITE_ROW)
        fail_msg("%s\n%s", sqlite3_errmsg(db), sql);
    int64_t n = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    return n;
}

static inline void refused(sqlite3 *db, const char *sql, const char *message)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK)
        fail_msg("not refused: %s", sql);
    if (!strstr(sqlite3_errmsg(db), message))
        fail_msg("\"%s\" does not say \"%s\"\n%s", sqlite3_errmsg(db), message, sql);
}

static inline sqlite3 *open_db(const char *path)
{
    sqlite3 *db = NULL;
    char *error = NULL, extension[256];
    snprintf(extension, sizeof extension, "%s/sqlite/anomaly", getenv("BUILD") ? getenv("BUILD") : "build");
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 1, NULL);
    if (sqlite3_load_extension(db, extension, NULL, &error) != SQLITE_OK)
        fail_msg("%s", error);
    return db;
}

static inline int open_memory(void **state)
{
    *state = open_db(":memory:");
    return 0;
}

static inline int close_memory(void **state)
{
    return sqlite3_close(*state);
}

static inline anomaly_detector *detector_with(const char *options)
{
    anomaly_config config;
    anomaly_error error;
    anomaly_detector *d = NULL;
    if (sql_configure(options, strlen(options), &config, &error) != ANOMALY_OK)
        fail_msg("%s", error.message);
    assert_int_equal(anomaly_create(&config, NULL, &d, NULL), ANOMALY_OK);
    return d;
}

static inline void bind_verdict(sqlite3_stmt *s, int first, const anomaly_verdict *v)
{
    const double columns[] = {v->score, v->lower, v->upper, v->expected, v->threshold};
    for (int i = 0; i < 5; i++)
        sqlite3_bind_double(s, first + i, columns[i]); /* NaN is NULL */
    sqlite3_bind_int(s, first + 5, (v->flags & ANOMALY_IS_ANOMALY) != 0);
}

/* ---- SQLite's memory, which fails on request ---- */

static sqlite3_mem_methods plain_memory;
static int memory_left = -1; /* allocations until they fail; -1: they do not */

static inline bool runs_out(void)
{
    return memory_left >= 0 && memory_left-- == 0;
}

static inline void *failing_malloc(int size)
{
    bool out = runs_out();
    memory_left += out; /* from then on all fail */
    return out ? NULL : plain_memory.xMalloc(size);
}

static inline void *failing_realloc(void *memory, int size)
{
    bool out = runs_out();
    memory_left += out;
    return out ? NULL : plain_memory.xRealloc(memory, size);
}

static inline void memory_fails_after(int allocations)
{
    memory_left = allocations;
}

static inline void memory_under_control(void)
{
    sqlite3_mem_methods failing;
    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &plain_memory);
    failing = plain_memory;
    failing.xMalloc = failing_malloc;
    failing.xRealloc = failing_realloc;
    sqlite3_config(SQLITE_CONFIG_MALLOC, &failing);
}

#endif
