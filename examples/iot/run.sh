#!/bin/sh
# SPDX-License-Identifier: MIT
# Readings of sensors, judged as they come, with a page: one process without Kafka and a SQLite file. `make iot` installs what
# it needs and shows it.
#
#   examples/iot/run.sh up      until Ctrl-C; settings come from the environment or .env (see .env.example)
#   examples/iot/run.sh up all  the same with a Kafka and a PostgreSQL of its own, two consumers and the sender of alerts
#   examples/iot/run.sh demo    starts it in the background, and shows what it has found
#   examples/iot/run.sh down    ends what `demo` left in the background
#
#   BUILD  where the environment and the database are made (build)      PORT  where the page is (8501)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
common=$here/common
[ -d "$common" ] || common=$here/../common
BUILD=${BUILD:-build} PORT=${PORT:-8501}
mkdir -p "$BUILD/iot"
BUILD=$(cd "$BUILD" && pwd)
pid=$BUILD/iot/pid
PYTHONPATH=$here:$(dirname "$common")
PYTHONPYCACHEPREFIX=$BUILD/iot/pycache # nothing is written beside the sources
DATABASE_URL=${DATABASE_URL:-sqlite:///$BUILD/iot/iot.sqlite}
DASHBOARD_DATABASE_URL=${DASHBOARD_DATABASE_URL:-$DATABASE_URL}
export BUILD PYTHONPATH PYTHONPYCACHEPREFIX DATABASE_URL DASHBOARD_DATABASE_URL

python=$BUILD/iot/venv/bin/python
up() { # both end with this shell
    cd "$here"
    "$python" -m pipeline.local &
    parts=$!
    if [ -e dashboard/app.py ]; then
        "$python" -m streamlit run dashboard/app.py --server.address 127.0.0.1 --server.port "$PORT" --server.headless true \
            --browser.gatherUsageStats false --client.toolbarMode minimal &
        parts="$parts $!"
    fi
    # shellcheck disable=SC2086
    trap 'kill $parts 2>/dev/null; wait; exit 0' INT TERM
    wait
}
down() {
    [ -e "$pid" ] || return 0
    kill "$(cat "$pid")" 2>/dev/null || true
    rm -f "$pid"
}

case ${1:-} in
up | demo) "$common/venv.sh" "$BUILD/iot/venv" "$here/requirements.txt" >/dev/null ;;
esac
case ${1:-} in
up)
    [ "${2:-}" != all ] || { cd "$here" && exec "$python" -m pipeline.everything --port "$PORT"; }
    up
    ;;
demo)
    down
    (up) >"$BUILD/iot/log" 2>&1 & # a function by itself would keep the output of this script open
    echo $! >"$pid"
    "$python" -m pipeline.shown || { cat "$BUILD/iot/log" && exit 1; }
    echo "The page is http://127.0.0.1:$PORT/ until $0 down"
    ;;
down) down ;;
*)
    sed -n '3,11s/^# \{0,1\}//p' "$0"
    exit 2
    ;;
esac
