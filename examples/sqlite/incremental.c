/* SPDX-License-Identifier: MIT
 * incremental.c - CREATE VIRTUAL TABLE cpu_new USING anomaly_new(table=cpu, id=id, key=host, time=ts, value=cpu,
 * options='window=1h'): its rows are the rows of cpu that it has not given before, each with its verdict.
 *
 * A row counts as given when a statement has read the table to its end: only then is the state saved, in the
 * transaction of that statement. So INSERT INTO alarms SELECT ... FROM cpu_new gives each row once, whatever happens.
 */
#include "incremental.h"

#include "common/sql.h"

#include <math.h>
#include <string.h>

enum { FIRST_VERDICT_COLUMN = 4, MOST_KEY = 65535 };

static const char *const declaration = "CREATE TABLE x(id INTEGER, key, time, value, score REAL, lower REAL, upper REAL, "
                                       "expected REAL, threshold REAL, is_anomaly INTEGER, flags TEXT)";

int incremental_refuse(incremental *t, char *message)
{
    sqlite3_free(t->base.zErrMsg);
    t->base.zErrMsg = message ? sqlite3_mprintf("%s: %s", t->name, message) : NULL;
    sqlite3_free(message);
    return t->base.zErrMsg ? SQLITE_ERROR : SQLITE_NOMEM;
}

int incremental_prepare(incremental *t, sqlite3_stmt **statement, const char *format)
{
    char *sql = sqlite3_mprintf(format, t->schema, t->name);
    *statement = NULL;
    int rc = sql ? sqlite3_prepare_v2(t->db, sql, -1, statement, NULL) : SQLITE_NOMEM;
    sqlite3_free(sql);
    if (rc != SQLITE_OK && rc != SQLITE_NOMEM)
        incremental_refuse(t, sqlite3_mprintf("%s", sqlite3_errmsg(t->db)));
    return rc;
}

/* ---- what stands between the brackets of CREATE VIRTUAL TABLE ---- */

static const char *skip_blanks(const char *text)
{
    return text + strspn(text, " \t\r\n");
}

/** The text without its quotes, if it has some, and without blanks round it. */
static char *unquoted(const char *text)
{
    size_t length = strlen(text), n = 0;
    while (length && strchr(" \t\r\n", text[length - 1]))
        length--;
    char quote = length >= 2 && strchr("'\"`", text[0]) && text[length - 1] == text[0] ? text[0] : '\0';
    char *copy = sqlite3_malloc64(length + 1);
    if (!copy)
        return NULL;
    for (size_t i = quote != '\0'; i < length - (quote != '\0'); i++) {
        copy[n++] = text[i];
        i += quote && text[i] == quote && text[i + 1] == quote; /* a doubled quote is one */
    }
    copy[n] = '\0';
    return copy;
}

static int take_argument(incremental *t, const char *text)
{
    const struct {
        const char *name;
        char **place;
    } known[] = {{"table", &t->table}, {"id", &t->id},       {"key", &t->key},
                 {"time", &t->time},   {"value", &t->value}, {"options", &t->options}};
    const char *from = skip_blanks(text), *sign = strchr(from, '=');
    size_t length = strcspn(from, " \t\r\n=");
    for (size_t i = 0; sign && i < sizeof known / sizeof *known; i++) {
        if (strlen(known[i].name) != length || sqlite3_strnicmp(from, known[i].name, (int)length) != 0)
            continue;
        if (*known[i].place)
            return incremental_refuse(t, sqlite3_mprintf("%s is given twice", known[i].name));
        *known[i].place = unquoted(skip_blanks(sign + 1));
        return *known[i].place ? SQLITE_OK : SQLITE_NOMEM;
    }
    return incremental_refuse(t, sqlite3_mprintf("'%!.40s' is none of table=, id=, key=, time=, value=, options=", from));
}

static int configure(incremental *t)
{
    anomaly_error error = {0};
    const char *options = t->options ? t->options : "";
    int status = sql_configure(options, strlen(options), &t->config, &error);
    size_t bytes;
    if (status == ANOMALY_OK) { /* every combination of options is looked at here */
        anomaly_detector *detector = NULL;
        status = anomaly_memory_needed(&t->config, &bytes);
        if (status == ANOMALY_OK || status == ANOMALY_E_CONFIG)
            status = anomaly_create(&t->config, &host_allocator, &detector, &error);
        anomaly_destroy(detector);
    }
    if (status != ANOMALY_OK)
        return incremental_refuse(t, host_message(status, &error));
    if (t->config.population || t->config.calibrate_by == ANOMALY_BY_POOL)
        return incremental_refuse(t, sqlite3_mprintf("population and calibrate=pool: state is kept by key here"));
    if (anomaly_needs_times(&t->config) && !t->time)
        return incremental_refuse(t, sqlite3_mprintf("these options need a time for each row: time=COLUMN"));
    return SQLITE_OK;
}

static int read_arguments(incremental *t, int count, const char *const *arguments)
{
    int rc = SQLITE_OK;
    for (int i = 3; rc == SQLITE_OK && i < count; i++)
        rc = take_argument(t, arguments[i]);
    if (rc != SQLITE_OK)
        return rc;
    if (!t->table || !t->value)
        return incremental_refuse(t, sqlite3_mprintf("table= and value= are needed"));
    if (!t->id)
        t->id = sqlite3_mprintf("rowid");
    return t->id ? configure(t) : SQLITE_NOMEM;
}

/* ---- the table's life ---- */

static int disconnect(sqlite3_vtab *base)
{
    incremental *t = (incremental *)base;
    char *texts[] = {t->schema, t->name, t->table, t->id, t->key, t->time, t->value, t->options};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        sqlite3_free(texts[i]);
    sqlite3_free(t);
    return SQLITE_OK;
}

/* Columns are named with their table: a name in quotes alone would be a text where there is no such column. */
static int prepare_rows(incremental *t, sqlite3_stmt **rows)
{
    char *key = sqlite3_mprintf(t->key ? "t.\"%w\"" : "NULL", t->key);
    char *time = sqlite3_mprintf(t->time ? "t.\"%w\"" : "NULL", t->time);
    char *sql = key && time ? sqlite3_mprintf("SELECT t.\"%w\", %s, %s, t.\"%w\" FROM \"%w\".\"%w\" AS t "
                                              "WHERE t.\"%w\" > ?1 ORDER BY t.\"%w\"",
                                              t->id, key, time, t->value, t->schema, t->table, t->id, t->id)
                            : NULL;
    int rc = sql ? sqlite3_prepare_v2(t->db, sql, -1, rows, NULL) : SQLITE_NOMEM;
    sqlite3_free(key);
    sqlite3_free(time);
    sqlite3_free(sql);
    if (rc != SQLITE_OK && rc != SQLITE_NOMEM)
        incremental_refuse(t, sqlite3_mprintf("%s", sqlite3_errmsg(t->db)));
    return rc;
}

static int create_state(incremental *t)
{
    sqlite3_stmt *rows = NULL;
    int rc = prepare_rows(t, &rows);
    sqlite3_finalize(rows);
    if (rc != SQLITE_OK)
        return rc;
    if (sqlite3_stricmp(t->id, "rowid") == 0 &&
        sqlite3_table_column_metadata(t->db, t->schema, t->table, NULL, NULL, NULL, NULL, NULL, NULL) != SQLITE_OK)
        return incremental_refuse(t,
                                  sqlite3_mprintf("%s is a view, which has no rowid: id=COLUMN tells rows apart", t->table));
    rc = state_create(t);
    return rc == SQLITE_OK || rc == SQLITE_NOMEM ? rc : incremental_refuse(t, sqlite3_mprintf("%s", sqlite3_errmsg(t->db)));
}

static int open_table(sqlite3 *db, int count, const char *const *arguments, sqlite3_vtab **table, char **error, bool create)
{
    incremental *t = sqlite3_malloc64(sizeof *t);
    if (!t)
        return SQLITE_NOMEM;
    memset(t, 0, sizeof *t);
    t->db = db;
    t->schema = sqlite3_mprintf("%s", arguments[1]);
    t->name = sqlite3_mprintf("%s", arguments[2]);
    int rc = t->schema && t->name ? read_arguments(t, count, arguments) : SQLITE_NOMEM;
    rc = rc != SQLITE_OK ? rc : sqlite3_declare_vtab(db, declaration);
    rc = rc != SQLITE_OK ? rc : sqlite3_vtab_config(db, SQLITE_VTAB_DIRECTONLY); /* reading it has an effect */
    rc = rc != SQLITE_OK || !create ? rc : create_state(t);
    if (rc == SQLITE_OK) {
        *table = &t->base;
        return SQLITE_OK;
    }
    *error = t->base.zErrMsg;
    t->base.zErrMsg = NULL;
    disconnect(&t->base);
    return rc;
}

static int create(sqlite3 *db, void *aux, int count, const char *const *arguments, sqlite3_vtab **table, char **error)
{
    (void)aux;
    return open_table(db, count, arguments, table, error, true);
}

static int connect(sqlite3 *db, void *aux, int count, const char *const *arguments, sqlite3_vtab **table, char **error)
{
    (void)aux;
    return open_table(db, count, arguments, table, error, false);
}

static int destroy(sqlite3_vtab *base)
{
    int rc = state_drop((incremental *)base);
    return rc == SQLITE_OK ? disconnect(base) : rc;
}

static int rename_table(sqlite3_vtab *base, const char *name)
{
    incremental *t = (incremental *)base;
    char *copy = sqlite3_mprintf("%s", name);
    int rc = copy ? state_rename(t, name) : SQLITE_NOMEM;
    if (rc != SQLITE_OK) {
        sqlite3_free(copy);
        return rc;
    }
    sqlite3_free(t->name);
    t->name = copy;
    return SQLITE_OK;
}

static int is_shadow(const char *name)
{
    return sqlite3_stricmp(name, "state") == 0 || sqlite3_stricmp(name, "last") == 0;
}

/* ---- one pass ---- */

/* Rows without an id would be left out unseen. Where the id is a key, SQLite need not look for them. */
static int refuse_rows_without_id(incremental *t)
{
    sqlite3_stmt *s = NULL;
    char *sql = sqlite3_mprintf("SELECT 1 FROM \"%w\".\"%w\" AS t WHERE t.\"%w\" IS NULL", t->schema, t->table, t->id);
    int rc = sql ? sqlite3_prepare_v2(t->db, sql, -1, &s, NULL) : SQLITE_NOMEM;
    sqlite3_free(sql);
    if (rc == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW)
        rc = incremental_refuse(t, sqlite3_mprintf("a row without %s: rows are told apart by it", t->id));
    int ended = sqlite3_finalize(s);
    return rc != SQLITE_OK ? rc : ended;
}

static int best_index(sqlite3_vtab *base, sqlite3_index_info *info)
{
    (void)base;
    info->estimatedCost = 1e9; /* the outermost loop of any join: a second pass finds nothing new */
    return SQLITE_OK;
}

static int open_pass(sqlite3_vtab *base, sqlite3_vtab_cursor **cursor)
{
    pass *p = sqlite3_malloc64(sizeof *p);
    (void)base;
    if (!p)
        return SQLITE_NOMEM;
    memset(p, 0, sizeof *p);
    *cursor = &p->base;
    return SQLITE_OK;
}

static void end_pass(pass *p)
{
    sqlite3_finalize(p->rows);
    sqlite3_finalize(p->saved);
    anomaly_pool_destroy(p->pool);
    p->rows = p->saved = NULL;
    p->pool = NULL;
    p->any = false;
}

static int close_pass(sqlite3_vtab_cursor *cursor)
{
    pass *p = (pass *)cursor;
    end_pass(p);
    sqlite3_free(p->key);
    sqlite3_free(p);
    return SQLITE_OK;
}

static int add_key(pass *p, char type, const void *bytes, int size)
{
    if (p->key_room < size + 1) {
        char *larger = sqlite3_realloc(p->key, size + 1);
        if (!larger)
            return SQLITE_NOMEM;
        p->key = larger;
        p->key_room = size + 1;
    }
    p->key[0] = type;
    if (size)
        memcpy(p->key + 1, bytes, (size_t)size);
    p->key_size = size + 1;
    return SQLITE_OK;
}

static int read_key(incremental *t, pass *p)
{
    sqlite3_int64 integer = sqlite3_column_int64(p->rows, 1);
    double real = sqlite3_column_double(p->rows, 1);
    int type = sqlite3_column_type(p->rows, 1);
    if (type == SQLITE_NULL)
        return add_key(p, 'n', NULL, 0);
    if (type == SQLITE_INTEGER || (type == SQLITE_FLOAT && fabs(real) < 9e18 && real == (double)integer))
        return add_key(p, 'i', &integer, sizeof integer);
    if (type == SQLITE_FLOAT)
        return add_key(p, 'r', &real, sizeof real);
    const void *bytes =
        type == SQLITE_TEXT ? (const void *)sqlite3_column_text(p->rows, 1) : sqlite3_column_blob(p->rows, 1);
    int size = sqlite3_column_bytes(p->rows, 1);
    if (size && !bytes)
        return SQLITE_NOMEM;
    if (size >= MOST_KEY)
        return incremental_refuse(t, sqlite3_mprintf("id %lld: a key of %d bytes; %d at most", p->id, size, MOST_KEY - 1));
    return add_key(p, type == SQLITE_TEXT ? 't' : 'b', bytes, size);
}

static int read_id(incremental *t, pass *p)
{
    sqlite3_int64 id = sqlite3_column_int64(p->rows, 0);
    if (sqlite3_column_type(p->rows, 0) != SQLITE_INTEGER)
        return incremental_refuse(
            t, sqlite3_mprintf("%s '%s' is no integer: rows are told apart by it", t->id, sqlite3_column_text(p->rows, 0)));
    if (p->any && id <= p->id)
        return incremental_refuse(t, sqlite3_mprintf("%s %lld is there twice: rows are told apart by it", t->id, id));
    p->id = id;
    return SQLITE_OK;
}

static int refuse_row(incremental *t, pass *p, char *why)
{
    char *message = why ? sqlite3_mprintf("id %lld: %s", p->id, why) : NULL;
    sqlite3_free(why);
    return incremental_refuse(t, message);
}

static int judge(incremental *t, pass *p)
{
    int64_t time = ANOMALY_NO_TIME;
    uint64_t slot;
    double x;
    char *why = NULL;
    if (!host_time(sqlite3_column_value(p->rows, 2), &time, &why) ||
        !host_number(sqlite3_column_value(p->rows, 3), &x, &why))
        return refuse_row(t, p, why);
    if (time == ANOMALY_NO_TIME && anomaly_needs_times(&t->config))
        return refuse_row(t, p, sqlite3_mprintf("these options need a time for each row"));
    int rc = SQLITE_OK;
    if (anomaly_pool_find(p->pool, p->key, (size_t)p->key_size, &slot) != ANOMALY_OK)
        rc = state_load(t, p);
    if (rc != SQLITE_OK)
        return rc;
    int status = anomaly_pool_update(p->pool, p->key, (size_t)p->key_size, &x, time, &p->verdict);
    return status == ANOMALY_OK ? SQLITE_OK : refuse_row(t, p, host_message(status, NULL));
}

static int next(sqlite3_vtab_cursor *cursor)
{
    pass *p = (pass *)cursor;
    incremental *t = (incremental *)cursor->pVtab;
    int rc = sqlite3_step(p->rows);
    if (rc == SQLITE_DONE) {
        rc = p->any ? state_save(t, p) : SQLITE_OK;
        end_pass(p);
        return rc;
    }
    if (rc != SQLITE_ROW)
        return rc == SQLITE_NOMEM ? rc : incremental_refuse(t, sqlite3_mprintf("%s", sqlite3_errmsg(t->db)));
    rc = read_id(t, p);
    rc = rc != SQLITE_OK ? rc : read_key(t, p);
    rc = rc != SQLITE_OK ? rc : judge(t, p);
    p->any = true;
    return rc;
}

static int start(sqlite3_vtab_cursor *cursor, int number, const char *text, int count, sqlite3_value **values)
{
    pass *p = (pass *)cursor;
    incremental *t = (incremental *)cursor->pVtab;
    bool found = false;
    anomaly_pool_options options;
    (void)number;
    (void)text;
    (void)count;
    (void)values;
    end_pass(p);
    anomaly_pool_options_init(&options, sizeof options);
    options.locks = 0;
    int rc = state_last(t, &found, &p->id);
    rc = rc != SQLITE_OK ? rc : prepare_rows(t, &p->rows);
    rc = rc != SQLITE_OK ? rc : refuse_rows_without_id(t);
    if (rc == SQLITE_OK)
        rc = found ? sqlite3_bind_int64(p->rows, 1, p->id) : sqlite3_bind_double(p->rows, 1, (double)-INFINITY);
    if (rc != SQLITE_OK)
        return rc;
    int status = anomaly_pool_create(&t->config, &options, &host_allocator, &p->pool, NULL);
    return status == ANOMALY_OK ? next(cursor) : incremental_refuse(t, host_message(status, NULL));
}

static int at_end(sqlite3_vtab_cursor *cursor)
{
    return ((pass *)cursor)->rows == NULL;
}

static int column(sqlite3_vtab_cursor *cursor, sqlite3_context *context, int number)
{
    pass *p = (pass *)cursor;
    if (number < FIRST_VERDICT_COLUMN)
        sqlite3_result_value(context, sqlite3_column_value(p->rows, number));
    else
        verdict_column_result(context, &p->verdict, (enum verdict_column)(number - FIRST_VERDICT_COLUMN));
    return SQLITE_OK;
}

static int rowid(sqlite3_vtab_cursor *cursor, sqlite3_int64 *id)
{
    *id = ((pass *)cursor)->id;
    return SQLITE_OK;
}

int incremental_register(sqlite3 *db)
{
    static const sqlite3_module module = {
        .iVersion = 3,
        .xCreate = create,
        .xConnect = connect,
        .xBestIndex = best_index,
        .xDisconnect = disconnect,
        .xDestroy = destroy,
        .xOpen = open_pass,
        .xClose = close_pass,
        .xFilter = start,
        .xNext = next,
        .xEof = at_end,
        .xColumn = column,
        .xRowid = rowid,
        .xRename = rename_table,
        .xShadowName = is_shadow,
    };
    return sqlite3_create_module_v2(db, "anomaly_new", &module, NULL, NULL);
}
