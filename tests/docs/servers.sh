#!/bin/sh
# SPDX-License-Identifier: MIT
# docs/cookbook-servers.md against real servers, which this script starts for itself and ends: PostgreSQL on a socket in its
# own folder, Kafka on loopback; the page starts uvicorn. Run by `make test-examples`.
set -u
. tests/check.sh
tests/setup.sh servers || exit 2
. tests/docs/lib.sh

stop() {
    cat "$tmp/kafka.pid" "$tmp/here/pids" 2>/dev/null | xargs -r kill 2>/dev/null
    as_user "$postgres/pg_ctl" -D "$PGHOST/data" -m immediate stop >/dev/null 2>&1
    rm -rf "$tmp"
}
trap stop EXIT

# PostgreSQL does not run as root.
as_user() {
    if [ "$(id -u)" -eq 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}
PGHOST=$tmp/postgres PGDATABASE=postgres PGUSER=reader PGTZ=UTC
export PGHOST PGDATABASE PGUSER PGTZ
postgres=$(dirname "$(find /usr/lib/postgresql -name initdb | sort -V | tail -n 1)")
start_postgres() {
    chmod 755 "$tmp" && mkdir "$PGHOST" && { [ "$(id -u)" -ne 0 ] || chown postgres "$PGHOST"; } &&
        as_user "$postgres/initdb" -A trust -U "$PGUSER" -D "$PGHOST/data" &&
        as_user "$postgres/pg_ctl" -w -D "$PGHOST/data" -l "$PGHOST/log" -o "-k $PGHOST -c listen_addresses= -c fsync=off" start
}

BROKER=127.0.0.1:19092
export BROKER
start_kafka() {
    mkdir "$tmp/kafka"
    examples/common/kafka.sh "$tmp/kafka" "${BROKER#*:}" 19093 >"$tmp/kafka.log" 2>&1 &
    echo $! >"$tmp/kafka.pid"
    for _ in $(seq 60); do
        kcat -b $BROKER -L -m 2 >/dev/null 2>&1 && return
        sleep 1
    done
    cat "$tmp/kafka.log"
    return 1
}
python_packages() {
    python -c 'import fastapi, httpx, streamlit, uvicorn' 2>/dev/null ||
        "$venv/bin/pip" install -q --disable-pip-version-check fastapi httpx streamlit uvicorn
}

check 'PostgreSQL starts' start_postgres
check 'Maven brings Kafka' examples/common/kafka.sh
check 'Kafka starts' start_kafka
check 'pip brings FastAPI and Streamlit' python_packages
page docs/cookbook-servers.md
finish
