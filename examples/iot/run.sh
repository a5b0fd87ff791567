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
name=iot PORT=${PORT:-8501}
common=$here/common
[ -d "$common" ] || common=$here/../common
. "$common/example.sh"
DATABASE_URL=${DATABASE_URL:-sqlite:///$work/iot.sqlite}
DASHBOARD_DATABASE_URL=${DASHBOARD_DATABASE_URL:-$DATABASE_URL}
export DATABASE_URL DASHBOARD_DATABASE_URL

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

case ${1:-} in
up | demo) environment ;;
esac
case ${1:-} in
up)
    [ "${2:-}" != all ] || { cd "$here" && exec "$python" -m pipeline.everything --port "$PORT"; }
    up
    ;;
demo)
    down
    (up) >"$work/log" 2>&1 & # a function by itself would keep the output of this script open
    echo $! >"$pid"
    "$python" -m pipeline.shown || { cat "$work/log" && exit 1; }
    echo "The page is http://127.0.0.1:$PORT/ until $0 down"
    ;;
down) down ;;
*) usage ;;
esac
