/* SPDX-License-Identifier: MIT
 * test_sqlite.c - the extension as SQLite loads it, beside the C interface: the same bits, nothing lost or
 * doubled.
 */
#include "tests.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- the same bits as in C ---- */

enum { EVENTS = 1500, KEYS = 3 };

static const char *const SETTINGS[] = {
    "window=50 learn=normal:3",
    "window=60s,40 max_late=15s",
    "kind=zscore robust=1 window=41 side=upper",
    "kind=percentile window=300s",
    "kind=iforest window=128 profile=fast",
    "kind=mahalanobis window=128",
    "kind=watch window=256 alarms=1/day rest=10",
};

static double value_of(random_state *r)
{
    if (one_in(r, 30))
        return one_in(r, 4) ? (double)INFINITY : (double)NAN;
    return (double)(int64_t)random_below(r, 4096) / 256 + (one_in(r, 40) ? 120 : 40);
}

/* Rows of three keys, times in order but for some, with what C says of each. */
static void fill(sqlite3 *db, const char *options)
{
    random_state r = {7};
    anomaly_detector *detectors[KEYS];
    sqlite3_stmt *s = prepare(db, "INSERT INTO cpu VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)");
    for (int k = 0; k < KEYS; k++)
        detectors[k] = detector_with(options);
    must(db, "BEGIN");
    for (int i = 1; i <= EVENTS; i++) {
        int key = (int)random_below(&r, KEYS);
        int64_t t = i * 2 - (one_in(&r, 20) ? (int64_t)random_below(&r, 40) : 0);
        double x = value_of(&r);
        anomaly_verdict v;
        assert_int_equal(anomaly_update(detectors[key], &x, t * 1000000000, &v), ANOMALY_OK);
        sqlite3_bind_int(s, 1, i);
        sqlite3_bind_int(s, 2, key);
        sqlite3_bind_int64(s, 3, t);
        sqlite3_bind_double(s, 4, x);
        bind_verdict(s, 5, &v);
        sqlite3_step(s);
        assert_int_equal(sqlite3_reset(s), SQLITE_OK);
    }
    must(db, "COMMIT");
    sqlite3_finalize(s);
    for (int k = 0; k < KEYS; k++)
        anomaly_destroy(detectors[k]);
}

#define CPU     "CREATE TABLE cpu(id INTEGER PRIMARY KEY, host, ts, value, score, lower, upper, expected, threshold, odd)"
#define COLUMNS "score, lower, upper, expected, threshold, is_anomaly"
#define WANTED  "score, lower, upper, expected, threshold, odd"
#define SEEN    "CREATE TABLE seen(id INTEGER PRIMARY KEY, " COLUMNS ")"
#define TAKE    "INSERT INTO seen SELECT id, " COLUMNS " FROM cpu_new"
#define WRONG                                                                                                   \
    "SELECT count(*) FROM cpu LEFT JOIN seen USING (id) WHERE (cpu.score, cpu.lower, cpu.upper, cpu.expected, " \
    "cpu.threshold, cpu.odd) IS NOT (seen.score, seen.lower, seen.upper, seen.expected, seen.threshold, "       \
    "seen.is_anomaly)"

static void make_new(sqlite3 *db, const char *options)
{
    char *sql = sqlite3_mprintf("CREATE VIRTUAL TABLE cpu_new USING anomaly_new(table=cpu, id=id, key=host, time=ts, "
                                "value=value, options=%Q)",
                                options);
    must(db, sql);
    sqlite3_free(sql);
}

static void test_window_function_is_the_loop(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof SETTINGS / sizeof *SETTINGS; i++) {
        sqlite3 *db = open_db(":memory:");
        must(db, CPU "; " SEEN);
        fill(db, SETTINGS[i]);
        char *sql = sqlite3_mprintf("INSERT INTO seen SELECT id, anomaly_score(v), anomaly_lower(v), anomaly_upper(v), "
                                    "anomaly_expected(v), anomaly_threshold(v), is_anomaly(v) FROM (SELECT id, "
                                    "anomaly(value, ts, %Q) OVER (PARTITION BY host ORDER BY id) AS v FROM cpu)",
                                    SETTINGS[i]);
        must(db, sql);
        sqlite3_free(sql);
        assert_int_equal(number(db, WRONG), 0);
        sqlite3_close(db);
    }
}

static void test_table_of_new_rows_is_the_loop(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof SETTINGS / sizeof *SETTINGS; i++) {
        sqlite3 *db = open_db(":memory:");
        must(db, CPU "; " SEEN);
        fill(db, SETTINGS[i]);
        must(db, "CREATE TABLE later AS SELECT * FROM cpu WHERE id > 400; DELETE FROM cpu WHERE id > 400");
        make_new(db, SETTINGS[i]);
        for (int piece = 400; piece < EVENTS + 400; piece += 400) { /* state is saved and read between the pieces */
            must(db, TAKE);
            char *sql =
                sqlite3_mprintf("INSERT INTO cpu SELECT * FROM later WHERE id > %d AND id <= %d", piece, piece + 400);
            must(db, sql);
            sqlite3_free(sql);
        }
        must(db, TAKE);
        assert_int_equal(number(db, WRONG), 0);
        assert_int_equal(number(db, "SELECT count(*) FROM seen"), EVENTS);
        assert_int_equal(number(db, "SELECT count(*) FROM cpu_new"), 0);
        sqlite3_close(db);
    }
}

/* ---- values and keys ---- */

static void test_values(void **state)
{
    sqlite3 *db = *state;
    must(db, "CREATE TABLE t(x); INSERT INTO t VALUES (1), (NULL), ('2.5'), (3), (4), (5), (6), ('99')");
    must(db, "CREATE TABLE v AS SELECT anomaly(x) OVER (ORDER BY rowid) AS v, x FROM t");
    assert_int_equal(number(db, "SELECT count(*) FROM v WHERE anomaly_score(v) IS NULL"), 3); /* too few: 1, NULL, '2.5' */
    assert_int_equal(number(db, "SELECT anomaly_flags(v) = 'missing' FROM v WHERE x IS NULL"), 1);
    assert_int_equal(number(db, "SELECT is_anomaly(v) FROM v WHERE x = '99'"), 1);
    assert_int_equal(number(db, "SELECT sum(is_anomaly(v)) FROM v"), 1);
    assert_int_equal(number(db, "SELECT anomaly_expected(v) * 6 FROM v WHERE x = '99'"), 21); /* (1+2.5+3+4+5+6) = 21.5 */
    assert_int_equal(number(db, "SELECT anomaly_score(NULL) IS NULL"), 1);
}

static void test_keys(void **state)
{
    sqlite3 *db = *state;
    must(db, "CREATE TABLE t(k, x); INSERT INTO t VALUES (1,1), (1.0,1), ('1',1), (x'31',1), (NULL,1), (NULL,1), (1.5,1), "
             "('',1), (x'',1), ('\xc3\xa9',1), (9e999,1), (zeroblob(65534),1)");
    must(db, "CREATE VIRTUAL TABLE n USING anomaly_new ( TABLE = \"t\" , key='k', value=x )");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(number(db, "SELECT count(*) FROM n"), 12);
        assert_int_equal(number(db, "SELECT count(*) FROM n_state"), 10); /* 1 and 1.0, the two NULL are one */
        assert_int_equal(number(db, "SELECT count(*) FROM (SELECT DISTINCT k FROM t)"), 10);
        must(db, "INSERT INTO t SELECT * FROM t LIMIT 12");
    }
    must(db, "INSERT INTO t VALUES (zeroblob(65535), 1)");
    refused(db, "SELECT count(*) FROM n", "a key of 65535 bytes; 65534 at most");
}

static void test_views(void **state)
{
    sqlite3 *db = *state;
    must(db, "CREATE TABLE t(at TEXT, x); INSERT INTO t VALUES ('2025-01-01', 1), ('2025-01-02 00:00:01.5', 2)");
    must(db, "CREATE VIEW v AS SELECT rowid AS id, julianday(at) * 86400 - 210866760000 AS s, x * 2 AS x FROM t");
    must(db, "CREATE VIRTUAL TABLE n USING anomaly_new(table=v, id=id, time=s, value=x, options='window=1d')");
    assert_int_equal(number(db, "SELECT sum(value) FROM n"), 6);
    refused(db, "CREATE VIRTUAL TABLE rowless USING anomaly_new(table=v, value=x)", "v is a view, which has no rowid");
    must(db, "CREATE TABLE u(id INT, x); INSERT INTO u VALUES (1, 1), (NULL, 2)");
    must(db, "CREATE VIRTUAL TABLE w USING anomaly_new(table=u, id=id, value=x)");
    refused(db, "SELECT * FROM w", "w: a row without id");
}

/* ---- what is refused ---- */

#define FROM_T " OVER (ORDER BY id) FROM t"

static const struct {
    const char *sql, *message;
} REFUSED[] = {
    {"SELECT anomaly(x) FROM t", "write OVER (... ORDER BY ... ROWS UNBOUNDED PRECEDING)"},
    {"SELECT anomaly(x) OVER () FROM t", "write OVER"},
    {"SELECT anomaly(x) OVER (ORDER BY k) FROM t", "write OVER"}, /* several rows have the same place */
    {"SELECT anomaly(x) OVER (ORDER BY id ROWS 1 PRECEDING) FROM t", "write OVER"},
    {"SELECT anomaly(x) OVER (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) FROM t", "write OVER"},
    {"SELECT anomaly(x) OVER (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 FOLLOWING) FROM t", "write OVER"},
    {"SELECT anomaly(x) OVER (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) FROM t", "write OVER"},
    {"SELECT anomaly(x) OVER (ORDER BY id ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) FROM t", "write OVER"},
    {"SELECT anomaly(x) OVER (ORDER BY id ROWS UNBOUNDED PRECEDING EXCLUDE CURRENT ROW) FROM t", "write OVER"},
    {"SELECT anomaly(x) FILTER (WHERE id > 2)" FROM_T, "write OVER"},
    {"SELECT anomaly(x) FILTER (WHERE id < 2)" FROM_T, "write OVER"},
    {"SELECT anomaly(x, 'windw=5')" FROM_T, "unknown option 'windw'; did you mean 'window'?"},
    {"SELECT anomaly(x, 'window=x')" FROM_T, "window takes"},
    {"SELECT anomaly(x, 'kind=z-score')" FROM_T, "kind takes zscore, percentile, "},
    {"SELECT anomaly(x, 'kind=watch window=5')" FROM_T, "window"},
    {"SELECT anomaly(x, 'features=2')" FROM_T, "features is 1 here"},
    {"SELECT anomaly(x, id, 'robust')" FROM_T, "options are name=value with blanks between, not 'robust'"},
    {"SELECT anomaly(x, 'window=1 hour')" FROM_T, "not 'hour'"},
    {"SELECT anomaly(x, 'window=' || printf('%0900d', 1))" FROM_T, "no option is as long as 'window=0"},
    {"SELECT anomaly(x, printf('%0900d', 1) || '=1')" FROM_T, "no option is as long as '000"},
    {"SELECT anomaly(x, 'window=' || (id + 2))" FROM_T, "not 'window=4', then 'window=3'"},
    {"SELECT anomaly(x, 'window=60s')" FROM_T, "need a time for each row"},
    {"SELECT anomaly(x, NULL, 'window=60s')" FROM_T, "need a time for each row"},
    {"SELECT anomaly(x, '2025-01-01')" FROM_T, "unixepoch(time) tells them, not '2025-01-01'"},
    {"SELECT anomaly(x, x'00')" FROM_T, "not a blob"},
    {"SELECT anomaly(x, 1760000000000)" FROM_T, "milliseconds / 1000.0"},
    {"SELECT anomaly(x, -9e999)" FROM_T, "from 1677 to 2262"},
    {"SELECT anomaly('')" FROM_T, "'' is not a number; what is to count as missing is NULL"},
    {"SELECT anomaly('12 apples')" FROM_T, "'12 apples' is not a number"},
    {"SELECT anomaly(x'31')" FROM_T, "a blob is not a number"},
    {"SELECT anomaly()" FROM_T, "wrong number of arguments"},
    {"SELECT anomaly_score(1)", "anomaly_score() takes what anomaly() OVER (...) gave"},
    {"SELECT is_anomaly(zeroblob(80))", "is_anomaly() takes what"},
    {"SELECT * FROM anomaly_new", ""},
    {"CREATE VIRTUAL TABLE n USING anomaly_new", "table= and value= are needed"},
    {"CREATE VIRTUAL TABLE n USING anomaly_new(t)", "'t' is none of table=, id=, key=, time=, value=, options="},
    {"CREATE VIRTUAL TABLE n USING anomaly_new(table=t, table=t)", "table is given twice"},
    {"CREATE VIRTUAL TABLE n USING anomaly_new(table=t, value=y)", "no such column: t.y"},
    {"CREATE VIRTUAL TABLE n USING anomaly_new(table=t, value=x, key=\"x\"\"\")", "no such column: t.x\""},
    {"CREATE VIRTUAL TABLE n USING anomaly_new(table=u, value=x)", "no such table: main.u"},
    {"CREATE VIRTUAL TABLE n USING anomaly_new(table=t, value=x, options='windw=5')", "did you mean 'window'?"},
    {"CREATE VIRTUAL TABLE n USING anomaly_new(table=t, value=x, options='window=5s')", "time=COLUMN"},
    {"CREATE VIRTUAL TABLE n USING anomaly_new(table=t, value=x, options='kind=watch window=9')", "window"},
    {"CREATE VIRTUAL TABLE n USING anomaly_new(table=t, value=x, options='population=1')", "population"},
    {"CREATE VIRTUAL TABLE taken USING anomaly_new(table=t, value=x)", "taken_last"},
};

static void test_refused(void **state)
{
    sqlite3 *db = *state;
    must(db, "CREATE TABLE t(id INTEGER PRIMARY KEY, k, x); INSERT INTO t(k, x) VALUES (1, 1), (1, 2), (1, 3)");
    must(db, "CREATE TABLE taken_last(x)");
    for (size_t i = 0; i < sizeof REFUSED / sizeof *REFUSED; i++)
        refused(db, REFUSED[i].sql, REFUSED[i].message);
    assert_int_equal(number(db, "SELECT count(*) FROM sqlite_schema"), 2); /* nothing is left of a table that was refused */
}

static void test_refused_rows_name_the_row(void **state)
{
    sqlite3 *db = *state;
    must(db, "CREATE TABLE t(id, x); INSERT INTO t VALUES (1, 1), (2, 'two')");
    must(db, "CREATE VIRTUAL TABLE n USING anomaly_new(table=t, id=id, value=x)");
    refused(db, "SELECT * FROM n", "n: id 2: 'two' is not a number");
    must(db, "UPDATE t SET x = 2 WHERE id = 2; INSERT INTO t VALUES (2, 3)");
    refused(db, "SELECT * FROM n", "n: id 2 is there twice");
    must(db, "DELETE FROM t WHERE x = 3; INSERT INTO t VALUES ('a', 3)");
    refused(db, "SELECT * FROM n", "n: id 'a' is no integer");
    must(db, "DELETE FROM t WHERE x = 3");
    assert_int_equal(number(db, "SELECT count(*) FROM n"), 2); /* what was refused has moved nothing */
    must(db, "CREATE VIEW hidden AS SELECT * FROM n");
    refused(db, "SELECT * FROM hidden", "unsafe use of virtual table"); /* somebody else's view does not use rows up */
}

/* ---- nothing lost, nothing doubled ---- */

static sqlite3 *filled(const char *path)
{
    sqlite3 *db = open_db(path);
    must(db, CPU "; " SEEN);
    fill(db, SETTINGS[0]);
    make_new(db, SETTINGS[0]);
    return db;
}

static void test_rollback_rolls_the_windows_back(void **state)
{
    (void)state;
    sqlite3 *db = filled(":memory:");
    must(db, "CREATE TABLE kept AS SELECT * FROM cpu WHERE id > 700; DELETE FROM cpu WHERE id > 700");
    must(db, TAKE "; INSERT INTO cpu SELECT * FROM kept");
    int64_t before = number(db, "SELECT total(length(detector)) + max(id) FROM cpu_new_state, cpu_new_last");
    must(db, "BEGIN; " TAKE "; ROLLBACK");
    must(db, "BEGIN; SAVEPOINT s; " TAKE "; ROLLBACK TO s; COMMIT");
    must(db, "CREATE TABLE narrow(id CHECK (id <> 1400))");
    for (int i = 0; i < 2; i++) { /* a statement that fails takes back its state, alone or within a transaction */
        must(db, i ? "BEGIN" : "SELECT 1");
        refused(db, "INSERT INTO narrow SELECT id FROM cpu_new", "CHECK constraint failed");
        must(db, i ? "COMMIT" : "SELECT 1");
    }
    assert_int_equal(number(db, "SELECT 1 FROM cpu_new LIMIT 1"), 1); /* not read to its end */
    assert_int_equal(number(db, "SELECT total(length(detector)) + max(id) FROM cpu_new_state, cpu_new_last"), before);
    must(db, TAKE);
    assert_int_equal(number(db, WRONG), 0);
    sqlite3_close(db);
}

/* A failure after the state was written: here a trigger on the last of all rows, which a sorter keeps back. */
static void test_failure_after_the_end(void **state)
{
    (void)state;
    sqlite3 *db = filled(":memory:");
    must(db, "CREATE TABLE narrow(id CHECK (id <> 3))");
    must(db, "BEGIN");
    refused(db, "INSERT INTO narrow SELECT id FROM cpu_new ORDER BY id DESC", "CHECK constraint failed");
    must(db, "COMMIT");
    assert_int_equal(number(db, "SELECT count(*) FROM cpu_new_state"), 0);
    must(db, TAKE);
    assert_int_equal(number(db, WRONG), 0);
    sqlite3_close(db);
}

static void path_in(char *path, size_t size, const char *name)
{
    snprintf(path, size, "%s/sqlite/%s", getenv("BUILD") ? getenv("BUILD") : "build", name);
    const char *const ends[] = {"", "-journal", "-wal", "-shm"};
    for (size_t i = 0; i < 4; i++) {
        char file[300];
        snprintf(file, sizeof file, "%s%s", path, ends[i]);
        remove(file);
    }
}

static void test_two_sessions(void **state)
{
    (void)state;
    for (int wal = 0; wal < 2; wal++) {
        char path[256];
        path_in(path, sizeof path, "sessions.db");
        sqlite3 *a = filled(path), *b = open_db(path);
        must(a, wal ? "PRAGMA journal_mode=wal" : "PRAGMA journal_mode=delete");
        sqlite3_stmt *reading = prepare(a, "SELECT id FROM cpu_new");
        assert_int_equal(sqlite3_step(reading), SQLITE_ROW);
        int other = sqlite3_exec(b, TAKE, NULL, NULL, NULL); /* a reader keeps a writer out unless there is a WAL */
        assert_int_equal(other, wal ? SQLITE_OK : SQLITE_BUSY);
        int rc;
        while ((rc = sqlite3_step(reading)) == SQLITE_ROW) {
        }
        sqlite3_finalize(reading);
        assert_int_equal(rc == SQLITE_DONE, !wal); /* of two that read the same rows, one is refused */
        if (!wal)
            must(a, "DELETE FROM cpu_new_state; DELETE FROM cpu_new_last; " TAKE);
        must(b, "INSERT OR FAIL INTO seen SELECT id, " COLUMNS " FROM cpu_new");
        assert_int_equal(number(b, WRONG), 0);
        sqlite3_close(a);
        sqlite3_close(b);
    }
}

static void take_bit_by_bit(const char *path)
{
    sqlite3 *db = open_db(path);
    sqlite3_busy_timeout(db, 60000);
    must(db, "PRAGMA synchronous=off"); /* the machine is not to fail, only the process */
    for (int i = 0; i < EVENTS; i += 5)
        must(db, "BEGIN IMMEDIATE; INSERT INTO cpu SELECT * FROM later WHERE id > (SELECT max(id) FROM cpu) ORDER BY id "
                 "LIMIT 5; " TAKE "; COMMIT");
    sqlite3_close(db);
}

static void test_kill(void **state)
{
    (void)state;
    char path[256];
    path_in(path, sizeof path, "kill.db");
    sqlite3 *db = filled(path);
    must(db, "PRAGMA journal_mode=wal; CREATE TABLE later AS SELECT * FROM cpu; DELETE FROM cpu WHERE id > 5");
    sqlite3_close(db);
    for (int i = 0; i < 25; i++) {
        pid_t child = fork();
        if (child == 0) {
            take_bit_by_bit(path);
            _exit(0);
        }
        nanosleep(&(struct timespec){0, (2 + i) * 1500000}, NULL);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    take_bit_by_bit(path);
    db = open_db(path);
    assert_int_equal(number(db, "SELECT count(*) FROM seen"), EVENTS);
    assert_int_equal(number(db, WRONG), 0);
    sqlite3_close(db);
}

/* ---- hostile bytes, no memory ---- */

static void test_hostile_state(void **state)
{
    (void)state;
    sqlite3 *db = filled(":memory:");
    random_state r = {3};
    must(db,
         TAKE "; CREATE TABLE good AS SELECT * FROM cpu_new_state; INSERT INTO cpu(id, host, value) VALUES (5000, 1, 5)");
    sqlite3_stmt *read = prepare(db, "SELECT detector FROM good WHERE key = 1"),
                 *one = prepare(db, "SELECT score FROM cpu_new");
    sqlite3_stmt *write = prepare(db, "UPDATE cpu_new_state SET detector = ?1 WHERE key = 1");
    assert_int_equal(sqlite3_step(read), SQLITE_ROW);
    int size = sqlite3_column_bytes(read, 0), refusals = 0;
    char *bytes = malloc((size_t)size);
    for (int i = 0; i < (getenv("TEST_QUICK") ? 1000 : 5000); i++) {
        memcpy(bytes, sqlite3_column_blob(read, 0), (size_t)size);
        for (uint64_t n = 1 + random_below(&r, 4); n > 0; n--)
            bytes[random_below(&r, (uint64_t)size)] = (char)random_below(&r, 256);
        sqlite3_bind_blob(write, 1, bytes, one_in(&r, 4) ? (int)random_below(&r, (uint64_t)size) : size, SQLITE_STATIC);
        sqlite3_step(write);
        assert_int_equal(sqlite3_reset(write), SQLITE_OK);
        sqlite3_step(one); /* not to its end: nothing is saved */
        refusals += sqlite3_reset(one) != SQLITE_OK;
    }
    assert_true(refusals > 900);
    must(db, "UPDATE cpu_new_state SET detector = NULL WHERE key = 1");
    refused(db, "SELECT * FROM cpu_new", "id 5000: the state of its key cannot be used");
    must(db, "UPDATE cpu_new_state SET detector = 'text' WHERE key = 1");
    refused(db, "SELECT * FROM cpu_new", "id 5000: the state of its key cannot be used");
    must(db, "UPDATE cpu_new_state SET detector = (SELECT detector FROM good WHERE key = 1) WHERE key = 1");
    assert_int_equal(number(db, "SELECT count(*) FROM cpu_new"), 1);
    free(bytes);
    sqlite3_finalize(read);
    sqlite3_finalize(one);
    sqlite3_finalize(write);
    sqlite3_close(db);
}

/* Each allocation fails in turn: the answer is "out of memory", and what comes next is as if nothing had been. */
static void test_out_of_memory(void **state)
{
    (void)state;
    static const char *const statements[] = {
        "SELECT count(is_anomaly(v)) FROM (SELECT anomaly(value, ts, 'kind=watch') OVER (PARTITION BY host ORDER BY id) AS "
        "v "
        "FROM cpu WHERE id < 40)",
        "SELECT count(*) FROM cpu_new",
        "INSERT INTO seen SELECT id, " COLUMNS " FROM cpu_new",
    };
    sqlite3 *db = open_db(":memory:");
    must(db, CPU "; " SEEN);
    fill(db, SETTINGS[0]);
    must(db, "DELETE FROM cpu WHERE id > 200");
    make_new(db, SETTINGS[0]);
    for (size_t i = 0; i < 3; i++) {
        int n = 0, rc = SQLITE_NOMEM;
        for (; rc != SQLITE_OK; n += getenv("TEST_QUICK") ? 7 : 1) {
            must(db, "BEGIN");
            memory_fails_after(n);
            rc = sqlite3_exec(db, statements[i], NULL, NULL, NULL);
            memory_fails_after(-1);
            if (!sqlite3_get_autocommit(db)) /* SQLite may have done it */
                must(db, "ROLLBACK");
            assert_true(rc == SQLITE_OK || rc == SQLITE_NOMEM);
            assert_true(n < 100000);
        }
        assert_true(n > 50);
    }
    must(db, TAKE);
    assert_int_equal(number(db, WRONG), 0);
    sqlite3_close(db);
    assert_int_equal(sqlite3_memory_used(), 0);
}

static void test_memory_limit(void **state)
{
    sqlite3 *db = *state;
    must(db, "CREATE TABLE t(x); INSERT INTO t VALUES (1), (2)");
    sqlite3_hard_heap_limit64(16 << 20);
    refused(db, "SELECT anomaly(x, 'window=100000000 reserve=1') OVER (ORDER BY rowid) FROM t", "out of memory");
    sqlite3_hard_heap_limit64(0);
    assert_int_equal(number(db, "SELECT count(v) FROM (SELECT anomaly(x) OVER (ORDER BY rowid) AS v FROM t)"), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_window_function_is_the_loop),
        cmocka_unit_test(test_table_of_new_rows_is_the_loop),
        cmocka_unit_test_setup_teardown(test_values, open_memory, close_memory),
        cmocka_unit_test_setup_teardown(test_keys, open_memory, close_memory),
        cmocka_unit_test_setup_teardown(test_views, open_memory, close_memory),
        cmocka_unit_test_setup_teardown(test_refused, open_memory, close_memory),
        cmocka_unit_test_setup_teardown(test_refused_rows_name_the_row, open_memory, close_memory),
        cmocka_unit_test(test_rollback_rolls_the_windows_back),
        cmocka_unit_test(test_failure_after_the_end),
        cmocka_unit_test(test_two_sessions),
        cmocka_unit_test(test_kill),
        cmocka_unit_test(test_hostile_state),
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test_setup_teardown(test_memory_limit, open_memory, close_memory),
    };
    memory_under_control();
    cmocka_set_test_filter(getenv("ONLY"));
    return cmocka_run_group_tests_name("sqlite", tests, NULL, NULL);
}
