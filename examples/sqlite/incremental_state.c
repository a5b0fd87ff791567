/* SPDX-License-Identifier: MIT
 * incremental_state.c - the state of a table of anomaly_new: NAME_state has a detector for each key, NAME_last the id
 * of the last row that was judged. Both are ordinary tables, so a rollback, a crash, a dump keep them in step with all
 * other tables.
 */
#include "incremental.h"

#include <string.h>

/** Runs the statement that `format` makes with schema and name (and name again). */
static int run(incremental *t, const char *format)
{
    char *sql = sqlite3_mprintf(format, t->schema, t->name, t->schema, t->name);
    int rc = sql ? sqlite3_exec(t->db, sql, NULL, NULL, NULL) : SQLITE_NOMEM;
    sqlite3_free(sql);
    return rc;
}

int state_create(incremental *t)
{
    return run(t, "CREATE TABLE \"%w\".\"%w_state\"(key UNIQUE, detector BLOB);"
                  "CREATE TABLE \"%w\".\"%w_last\"(id INTEGER)");
}

int state_drop(incremental *t)
{
    return run(t, "DROP TABLE IF EXISTS \"%w\".\"%w_state\"; DROP TABLE IF EXISTS \"%w\".\"%w_last\"");
}

int state_rename(incremental *t, const char *name)
{
    char *sql = sqlite3_mprintf("ALTER TABLE \"%w\".\"%w_state\" RENAME TO \"%w_state\";"
                                "ALTER TABLE \"%w\".\"%w_last\" RENAME TO \"%w_last\"",
                                t->schema, t->name, name, t->schema, t->name, name);
    int rc = sql ? sqlite3_exec(t->db, sql, NULL, NULL, NULL) : SQLITE_NOMEM;
    sqlite3_free(sql);
    return rc;
}

int state_last(incremental *t, bool *found, sqlite3_int64 *id)
{
    sqlite3_stmt *s;
    int rc = incremental_prepare(t, &s, "SELECT max(id) FROM \"%w\".\"%w_last\"");
    if (rc != SQLITE_OK)
        return rc;
    if (sqlite3_step(s) == SQLITE_ROW && sqlite3_column_type(s, 0) == SQLITE_INTEGER) {
        *found = true;
        *id = sqlite3_column_int64(s, 0);
    }
    return sqlite3_finalize(s);
}

/* ---- keys: a letter for the type, then the bytes; 1 and 1.0 are one key, as they are to PARTITION BY ---- */

static int bind_key(sqlite3_stmt *s, const char *key, int size)
{
    sqlite3_int64 integer;
    double real;
    switch (key[0]) {
    case 'i': memcpy(&integer, key + 1, sizeof integer); return sqlite3_bind_int64(s, 1, integer);
    case 'r': memcpy(&real, key + 1, sizeof real); return sqlite3_bind_double(s, 1, real);
    case 't': return sqlite3_bind_text(s, 1, key + 1, size - 1, SQLITE_TRANSIENT);
    case 'b':
        return size > 1 ? sqlite3_bind_blob(s, 1, key + 1, size - 1, SQLITE_TRANSIENT) : sqlite3_bind_zeroblob(s, 1, 0);
    default: return sqlite3_bind_null(s, 1);
    }
}

static int import(incremental *t, pass *p, sqlite3_stmt *saved)
{
    anomaly_error error = {0};
    const void *bytes = sqlite3_column_blob(saved, 0);
    int size = sqlite3_column_bytes(saved, 0);
    int status = anomaly_pool_import(p->pool, p->key, (size_t)p->key_size, bytes ? bytes : "", (size_t)size, &error);
    if (status == ANOMALY_OK)
        return SQLITE_OK;
    char *why = host_message(status, &error);
    char *message = why ? sqlite3_mprintf("id %lld: the state of its key cannot be used: %s", p->id, why) : NULL;
    sqlite3_free(why);
    return incremental_refuse(t, message);
}

int state_load(incremental *t, pass *p)
{
    int rc =
        p->saved ? SQLITE_OK : incremental_prepare(t, &p->saved, "SELECT detector FROM \"%w\".\"%w_state\" WHERE key IS ?1");
    rc = rc != SQLITE_OK ? rc : bind_key(p->saved, p->key, p->key_size);
    if (rc == SQLITE_OK && sqlite3_step(p->saved) == SQLITE_ROW)
        rc = import(t, p, p->saved);
    int ended = sqlite3_reset(p->saved);
    return rc != SQLITE_OK ? rc : ended;
}

/* ---- saving ---- */

typedef struct saving {
    sqlite3_stmt *forget, *keep;
    int rc;
} saving;

static int done(sqlite3_stmt *s)
{
    sqlite3_step(s);
    return sqlite3_reset(s);
}

static int put(saving *v, const char *key, int size, void *snapshot, size_t bytes)
{
    int rc = bind_key(v->forget, key, size);
    rc = rc != SQLITE_OK ? rc : done(v->forget);
    rc = rc != SQLITE_OK ? rc : bind_key(v->keep, key, size);
    rc = rc != SQLITE_OK ? rc : sqlite3_bind_blob64(v->keep, 2, snapshot, bytes, SQLITE_STATIC);
    return rc != SQLITE_OK ? rc : done(v->keep);
}

static int save_detector(void *ctx, uint64_t slot, const void *key, size_t key_size, const anomaly_detector *detector)
{
    saving *v = ctx;
    size_t size = 0;
    (void)slot;
    void *snapshot = anomaly_snapshot_size(detector, &size) == ANOMALY_OK ? sqlite3_malloc64(size) : NULL;
    if (!snapshot || anomaly_snapshot(detector, snapshot, size, &size) != ANOMALY_OK)
        v->rc = SQLITE_NOMEM;
    else
        v->rc = put(v, key, (int)key_size, snapshot, size);
    sqlite3_free(snapshot);
    return v->rc != SQLITE_OK;
}

static int save_detectors(incremental *t, pass *p)
{
    saving v = {0};
    int rc = incremental_prepare(t, &v.forget, "DELETE FROM \"%w\".\"%w_state\" WHERE key IS ?1");
    if (rc == SQLITE_OK)
        rc = incremental_prepare(t, &v.keep, "INSERT INTO \"%w\".\"%w_state\" VALUES (?1, ?2)");
    if (rc == SQLITE_OK) {
        anomaly_pool_each(p->pool, save_detector, &v);
        rc = v.rc;
    }
    sqlite3_finalize(v.forget);
    sqlite3_finalize(v.keep);
    return rc;
}

static int save_last(incremental *t, pass *p)
{
    sqlite3_stmt *s = NULL;
    int rc = run(t, "DELETE FROM \"%w\".\"%w_last\"");
    rc = rc != SQLITE_OK ? rc : incremental_prepare(t, &s, "INSERT INTO \"%w\".\"%w_last\" VALUES (?1)");
    rc = rc != SQLITE_OK ? rc : sqlite3_bind_int64(s, 1, p->id);
    rc = rc != SQLITE_OK ? rc : done(s);
    sqlite3_finalize(s);
    return rc;
}

/* Several statements, so they are bracketed. Where no savepoint can be opened, a writing statement reads the pass, and
 * that statement takes back what was written here when it fails. */
int state_save(incremental *t, pass *p)
{
    bool alone = sqlite3_get_autocommit(t->db);
    bool bracketed = sqlite3_exec(t->db, "SAVEPOINT anomaly_new", NULL, NULL, NULL) == SQLITE_OK;
    int rc = save_detectors(t, p);
    rc = rc != SQLITE_OK ? rc : save_last(t, p);
    if (bracketed && rc == SQLITE_OK)
        rc = sqlite3_exec(t->db, "RELEASE anomaly_new", NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        return SQLITE_OK;
    char *message = rc == SQLITE_NOMEM ? NULL : sqlite3_mprintf("the state is not saved: %s", sqlite3_errmsg(t->db));
    if (bracketed)
        sqlite3_exec(t->db, alone ? "ROLLBACK" : "ROLLBACK TO anomaly_new; RELEASE anomaly_new", NULL, NULL, NULL);
    incremental_refuse(t, message);
    return rc;
}
