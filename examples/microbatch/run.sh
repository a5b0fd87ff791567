#!/bin/sh
# SPDX-License-Identifier: MIT
# Traffic in micro-batches on this machine: a clock that wakes the handler in a process each time, and the page.
#
#   examples/microbatch/run.sh up      until Ctrl-C: ten minutes of history, then a batch every EVERY seconds
#   examples/microbatch/run.sh demo    the same in the background; shows what the handler said of the history
#   examples/microbatch/run.sh down    ends what `demo` left in the background
#
#   BUILD  where the environment and the data are made (build)      PORT  where the page is (8002)      EVERY  seconds (5)
#   STAGE, WINDOW, WARMUP, THRESHOLD, ...: README.md
set -eu
here=$(cd "$(dirname "$0")" && pwd)
common=$here/common
[ -d "$common" ] || common=$here/../common
BUILD=${BUILD:-build} PORT=${PORT:-8002} EVERY=${EVERY:-5}
mkdir -p "$BUILD/microbatch"
BUILD=$(cd "$BUILD" && pwd)/microbatch
DATA=$BUILD/data
PYTHONPATH=$here:$(dirname "$common")
PYTHONPYCACHEPREFIX=$BUILD/pycache # nothing is written beside the sources
export DATA PYTHONPATH PYTHONPYCACHEPREFIX

up() {
    rm -rf "$DATA" # what came before has another history
    exec "$BUILD/venv/bin/python" "$here/local.py" --port "$PORT" --every "$EVERY"
}
down() {
    [ -e "$BUILD/pid" ] || return 0
    kill "$(cat "$BUILD/pid")" 2>/dev/null || true
    rm -f "$BUILD/pid"
}
told() { # a line for each batch of the history
    tries=0
    until [ "$(grep -c '^60 s' "$BUILD/log")" -ge 10 ]; do
        tries=$((tries + 1))
        if [ $tries -gt 600 ] || ! kill -0 "$(cat "$BUILD/pid")" 2>/dev/null; then
            cat "$BUILD/log" && return 1
        fi
        sleep 0.1
    done
    grep '^60 s' "$BUILD/log"
}

case ${1:-} in
up | demo) "$common/venv.sh" "$BUILD/venv" "$here/requirements.txt" >/dev/null ;;
esac
case ${1:-} in
up) up ;;
demo)
    down
    up >"$BUILD/log" 2>&1 &
    echo $! >"$BUILD/pid"
    told
    echo "The page is http://127.0.0.1:$PORT/ until $0 down"
    ;;
down) down ;;
*)
    sed -n '3,10s/^# \{0,1\}//p' "$0"
    exit 2
    ;;
esac
