#!/bin/sh
# SPDX-License-Identifier: MIT
# The extension in a real PostgreSQL, which this script starts for itself, from links to the installed one, so that nothing
# is put into the system: `make installcheck`, then what pg_regress cannot do. The last line is `N passed, N failed`.
set -u
cd "$(dirname "$0")/../../.." || exit 2
BUILD=${BUILD:-build}
tests/setup.sh postgres || exit 2
. tests/check.sh
"${MAKE:-make}" --no-print-directory BUILD="$BUILD" lib || exit 2

. examples/postgres/tests/server.sh

installcheck() {
    pgxs installcheck || { cat "$tmp/src/regression.diffs" && false; }
}
# The same bits as in C, of every golden series of one value.
golden() {
    sql -c 'CREATE EXTENSION anomaly' -f examples/postgres/tests/golden.sql || return 1
    python3 -B examples/postgres/tests/golden.py tests/golden/verdicts/*.txt >"$tmp/golden.sql"
    sql -f "$tmp/golden.sql" >"$tmp/golden"
    cat "$tmp/golden"
    [ "$(grep -c '|0|0$' "$tmp/golden")" -ge 7 ] && ! grep -qv '|0|0$' "$tmp/golden"
}

watched() {
    sql -c 'CREATE TABLE cpu(id int PRIMARY KEY, host text, value float8)' \
        -c "SELECT anomaly_watch('cpu', 'value', 'host', options => 'window=100')" \
        -c "INSERT INTO cpu SELECT i, 'a', 50 + i * 7919 % 13 FROM generate_series(1, 100) AS i"
}
state() { sql -c "SELECT md5(string_agg(state, '' ORDER BY key)) FROM cpu_value_state"; }

# A backend that is killed in its transaction: after the recovery the windows are as they were, and go on.
killed() {
    before=$(state)
    sql -c 'BEGIN' -c "INSERT INTO cpu SELECT i, 'a', 1e9 FROM generate_series(101, 110) AS i" \
        -c 'SELECT pg_backend_pid()' -c 'SELECT pg_sleep(60)' >"$tmp/pid" 2>&1 &
    until grep -q '^[0-9]' "$tmp/pid"; do sleep 0.1; done
    as_user kill -9 "$(grep '^[0-9]' "$tmp/pid")"
    wait $!
    until [ "$(state 2>/dev/null)" ]; do sleep 0.1; done
    [ "$(state)" = "$before" ]
}

# Sessions that write one key take turns: the state has seen each row once.
sessions() {
    for n in 1 2 3 4; do
        sql -c "INSERT INTO cpu SELECT i, 'b', i FROM generate_series(${n}001, ${n}100) AS i" &
        eval "session$n=$!"
    done
    wait "$session1" "$session2" "$session3" "$session4"
    sql -c "SELECT setting FROM pg_settings WHERE name = 'port'" >/dev/null
    # Rows of one statement are judged together, so the last window is that of one session, whose verdict is known.
    sql -c "SELECT count(*) FROM cpu WHERE host = 'b'" | grep -qx 400 &&
        sql -c "INSERT INTO cpu VALUES (9000, 'b', 1e6)" &&
        sql -c "SELECT count(*) FROM cpu_value_anomalies WHERE value = 1e6 AND key = 'b'" | grep -qx 1 &&
        sql -c "SELECT expected IN (1050.5, 2050.5, 3050.5, 4050.5) FROM cpu_value_anomalies WHERE value = 1e6" | grep -qx t
}

# Damaged states are refused, or judged; the backend stays.
hostile() {
    sql -c "DO \$\$
DECLARE good bytea; bad bytea; refused int := 0;
BEGIN
    PERFORM setseed(0.5);
    SELECT state INTO good FROM cpu_value_state WHERE key = 'a';
    FOR i IN 1 .. 3000 LOOP
        bad := good;
        FOR k IN 0 .. i % 4 LOOP
            bad := set_byte(bad, (random() * (length(bad) - 1))::int, (random() * 255)::int);
        END LOOP;
        IF i % 3 = 0 THEN bad := substr(bad, 1, (random() * length(bad))::int); END IF;
        BEGIN
            PERFORM anomaly_step(bad, 1, NULL, 'window=100');
        EXCEPTION WHEN OTHERS THEN refused := refused + 1;
        END;
    END LOOP;
    ASSERT refused > 2900, refused;
END \$\$"
}

# A dump, restored, goes on with the same verdicts as the database that it was taken from.
dumped() {
    sql -c 'CREATE DATABASE restored' && "$bin/pg_dump" -f "$tmp/dump.sql" && sql -d restored -f "$tmp/dump.sql" || return 1
    for database in postgres restored; do
        sql -d "$database" -c "INSERT INTO cpu SELECT 10000 + i, 'a', 50 + i * 7919 % 17 FROM generate_series(1, 200) AS i" \
            -c "INSERT INTO cpu VALUES (11000, 'a', 1e4)" -c 'SELECT * FROM cpu_value_state ORDER BY key' \
            -c 'SELECT * FROM cpu_value_anomalies ORDER BY key, value' >"$tmp/$database.rows" || return 1
    done
    cmp "$tmp/postgres.rows" "$tmp/restored.rows" && grep -q '^a||10000|' "$tmp/restored.rows"
}

no_memory() { # the server may take 3 GB: the error is one, and the same session goes on
    sql -v ON_ERROR_STOP=0 -c "SELECT anomaly(1, options => 'window=1000000000 reserve=1') OVER ()" -c 'SELECT 41 + 1' >"$tmp/oom" 2>&1
    grep -q 'ERROR:  anomaly: out of memory' "$tmp/oom" && grep -qx 42 "$tmp/oom"
}

check 'a PostgreSQL of links' links
check 'PGXS builds and installs it without a warning' build
check 'the server starts' start
check 'make installcheck' installcheck
check 'the same bits as in C' golden
check 'a table is watched' watched
check 'a killed backend loses and doubles nothing' killed
check 'sessions take turns' sessions
check 'a dump goes on with the same verdicts' dumped
check 'damaged states' hostile
check 'out of memory' no_memory
finish
