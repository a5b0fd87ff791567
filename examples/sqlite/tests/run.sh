#!/bin/sh
# SPDX-License-Identifier: MIT
# The extension in SQLite, by a program in C and by the sqlite3 shell. The last line is `N passed, N failed`.
set -u
cd "$(dirname "$0")/../../.." || exit 2
BUILD=${BUILD:-build}
export BUILD
tests/setup.sh sqlite || exit 2
. tests/check.sh
"${MAKE:-make}" --no-print-directory BUILD="$BUILD" CC="${CC:-cc}" sqlite-tests || exit 2

sql() { # DATABASE SQL: in the shell, with the extension
    sqlite3 -batch -cmd ".load $BUILD/sqlite/anomaly" "$@" 2>&1
}

demo() {
    examples/sqlite/run.sh >"$tmp/demo" && cat "$tmp/demo"
    [ "$(grep -c '00Z' "$tmp/demo")" -ge 4 ] # alarms of both forms
}

# A dump goes on with the same verdicts as the database that it was taken from.
dump_and_restore() {
    sql "$tmp/a.db" "CREATE TABLE t(id INTEGER PRIMARY KEY, k, x);
        INSERT INTO t SELECT value, value % 2, value * 7919 % 101 FROM generate_series(1, 500);
        CREATE VIRTUAL TABLE n USING anomaly_new(table=t, id=id, key=k, value=x, options='window=100');
        SELECT count(*) FROM n" || return 1
    sql "$tmp/a.db" .dump >"$tmp/dump.sql" && sql "$tmp/b.db" ".read $tmp/dump.sql" || return 1
    for db in a b; do
        sql "$tmp/$db.db" "INSERT INTO t SELECT value, value % 2, value * 7919 % 103 FROM generate_series(501, 900);
            SELECT * FROM n" >"$tmp/$db.rows" || return 1
    done
    cmp "$tmp/a.rows" "$tmp/b.rows" && [ "$(wc -l <"$tmp/a.rows")" -eq 400 ]
}

# As somebody copies it: the files in a folder of their own, the library installed, one line.
copied() {
    "${MAKE:-make}" --no-print-directory BUILD="$BUILD" CC="${CC:-cc}" PREFIX="$tmp/usr" install >/dev/null || return 1
    mkdir -p "$tmp/copy/common" && cp examples/sqlite/*.[ch] "$tmp/copy" || return 1
    cp examples/common/sql.[ch] examples/cli/common/flags.[ch] "$tmp/copy/common" || return 1
    # shellcheck disable=SC2046 # several words
    (cd "$tmp/copy" && export PKG_CONFIG_PATH="$tmp/usr/lib/pkgconfig" &&
        "${CC:-cc}" -O2 -Wall -Werror -shared -fPIC -I. -o anomaly.so ./*.c common/*.c $(pkg-config --cflags --libs libanomaly)) || return 1
    LD_LIBRARY_PATH="$tmp/usr/lib" sqlite3 :memory: ".load $tmp/copy/anomaly" "SELECT count(v) FROM (SELECT anomaly(1) OVER () AS v)"
}

check 'the demonstration shows alarms' demo
check 'a dump restored goes on with the same verdicts' dump_and_restore
check 'a copy builds with the installed library' copied
"$BUILD/examples/sqlite/tests/test_sqlite" >"$tmp/c" 2>&1
cat "$tmp/c"
passed=$((passed + $(grep -c '^\[       OK' "$tmp/c")))
failed=$((failed + $(grep -c '^\[  FAILED  \] test_.*[a-z]$' "$tmp/c") / 2))
grep -q '^\[  PASSED  \] 14 test' "$tmp/c" || failed=$((failed + 1))
finish
