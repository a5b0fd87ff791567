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
name=microbatch PORT=${PORT:-8002} EVERY=${EVERY:-5}
common=$here/common
[ -d "$common" ] || common=$here/../common
. "$common/example.sh"
DATA=$work/data
export DATA

up() {
    rm -rf "$DATA" # what came before has another history
    exec "$python" "$here/local.py" --port "$PORT" --every "$EVERY"
}
told() { # a line for each batch of the history
    tries=0
    until [ "$(grep -c '^60 s' "$work/log")" -ge 10 ]; do
        tries=$((tries + 1))
        if [ $tries -gt 600 ] || ! kill -0 "$(cat "$pid")" 2>/dev/null; then
            cat "$work/log" && return 1
        fi
        sleep 0.1
    done
    grep '^60 s' "$work/log"
}

case ${1:-} in
up | demo) environment ;;
esac
case ${1:-} in
up) up ;;
demo)
    down
    up >"$work/log" 2>&1 &
    echo $! >"$pid"
    told
    echo "The page is http://127.0.0.1:$PORT/ until $0 down"
    ;;
down) down ;;
*) usage ;;
esac
