#!/bin/sh
# SPDX-License-Identifier: MIT
# A model that watches itself, on 127.0.0.1. `make model` installs what it needs and shows it.
#
#   examples/model/run.sh up      trains a model if there is none, serves it until Ctrl-C
#   examples/model/run.sh demo    the same in the background; sends a day as the model knows it, then two weeks of a worn machine
#   examples/model/run.sh down    ends what `demo` left in the background
#
#   BUILD  where the environment and the models are made (build)      PORT  where the service is (8000)
#   Other settings come from the environment or .env (see .env.example)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
name=model PORT=${PORT:-8000}
common=$here/common
[ -d "$common" ] || common=$here/../common
. "$common/example.sh"
MODEL_DIR=${MODEL_DIR:-$work/models}
export MODEL_DIR

up() { cd "$here" && exec "$python" -m uvicorn main:app --host 127.0.0.1 --port "$PORT" --no-access-log; }
answers() { "$python" -c 'import sys, urllib.request as u; u.urlopen(sys.argv[1], timeout=5)' "http://127.0.0.1:$PORT/" 2>/dev/null; }

case ${1:-} in
up | demo)
    environment
    [ -e "$MODEL_DIR/current" ] || "$python" "$here/model/scripts/train.py"
    ;;
esac
case ${1:-} in
up) up ;;
demo)
    down
    rm -f "$MODEL_DIR/started-service" # the demonstration may be shown twice a day
    up >"$work/log" 2>&1 &
    echo $! >"$pid"
    until answers; do
        kill -0 "$(cat "$pid")" 2>/dev/null || { cat "$work/log" && exit 1; }
        sleep 0.2
    done
    "$python" "$here/demo.py" --url "http://127.0.0.1:$PORT" || { cat "$work/log" && exit 1; }
    echo "It serves on http://127.0.0.1:$PORT/docs until $0 down"
    ;;
down) down ;;
*) usage ;;
esac
