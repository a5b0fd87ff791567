#!/bin/sh
# SPDX-License-Identifier: MIT
# Live metrics on 127.0.0.1: the service in memory, with its page. `make live` installs what it needs and shows it.
#
#   examples/live/run.sh up [PARTS]    until Ctrl-C; settings come from the environment or .env (see .env.example)
#   examples/live/run.sh demo          starts it, sends a minute of metrics with an anomaly, and shows what came of them
#   examples/live/run.sh down          ends what `up` or `demo` left in the background
#
#   BUILD  where the environment is made (build)      PORT  where the page is (8000)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
common=$here/common
[ -d "$common" ] || common=$here/../common
BUILD=${BUILD:-build} PORT=${PORT:-8000}
mkdir -p "$BUILD/live"
BUILD=$(cd "$BUILD" && pwd)
pid=$BUILD/live/pid
PYTHONPATH=$here:$(dirname "$common")
PYTHONPYCACHEPREFIX=$BUILD/live/pycache # nothing is written beside the sources
export PYTHONPATH PYTHONPYCACHEPREFIX PORT

python() { "$BUILD/live/venv/bin/python" "$@"; }
up() { cd "$here" && exec "$BUILD/live/venv/bin/python" -m anomaly.main "${@:-all}"; }
down() {
    [ -e "$pid" ] || return 0
    kill "$(cat "$pid")" 2>/dev/null || true
    rm -f "$pid"
}

case ${1:-} in
up | demo) "$common/venv.sh" "$BUILD/live/venv" "$here/requirements.txt" >/dev/null ;;
esac
case ${1:-} in
up)
    shift
    up "$@"
    ;;
demo)
    down
    up all >"$BUILD/live/log" 2>&1 &
    echo $! >"$pid"
    python "$here/client.py" --url "http://127.0.0.1:$PORT" || { cat "$BUILD/live/log" && exit 1; }
    echo "The page is http://127.0.0.1:$PORT/ until $0 down"
    ;;
down) down ;;
*)
    sed -n '3,11s/^# \{0,1\}//p' "$0"
    exit 2
    ;;
esac
