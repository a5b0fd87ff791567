#!/bin/sh
# SPDX-License-Identifier: MIT
# nginx with guard.lua, in a folder of its own and on loopback only. `make nginx` builds what it needs and runs it.
#
#   examples/nginx/run.sh            half a minute of visitors, a bot among them; shows what nginx says, and ends
#   examples/nginx/run.sh serve      until Ctrl-C
#   examples/nginx/run.sh prepare    writes the folder, starts nothing
#
#   BUILD  where the Lua module was built (build)      PORT      where nginx listens on 127.0.0.1 (8080)
#   DIR    the folder (BUILD/nginx)                    WORKERS   worker processes (1)
#   SETTINGS  guard.lua's settings, such as {interval = 2}
set -eu
PATH=$PATH:/usr/sbin # where Debian has nginx, also for ordinary users
here=$(dirname "$0")
BUILD=${BUILD:-build} PORT=${PORT:-8080} WORKERS=${WORKERS:-1} SETTINGS=${SETTINGS:-}
DIR=${DIR:-$BUILD/nginx}

prepare() {
    if [ ! -e "$BUILD/luajit/anomaly.so" ]; then
        echo "$0: $BUILD/luajit/anomaly.so is not there; make lua LUA=luajit builds it" >&2
        exit 2
    fi
    mkdir -p "$DIR"
    DIR=$(cd "$DIR" && pwd)
    cp "$here/guard.lua" "$BUILD/luajit/anomaly.so" "$DIR"
    ln -sfn "$(nginx -V 2>&1 | sed -n 's/.*--modules-path=\([^ ]*\).*/\1/p')" "$DIR/modules"
    sed -e "s/127\.0\.0\.1:8080/127.0.0.1:$PORT/" -e "s/worker_processes 1/worker_processes $WORKERS/" \
        -e "s|setup()|setup($SETTINGS)|" "$here/nginx.conf" >"$DIR/nginx.conf"
    : >"$DIR/error.log"
    rm -f "$DIR/nginx.pid"
}

serve() { # in the foreground
    exec nginx -p "$DIR/" -e error.log -c nginx.conf -g 'daemon off;'
}

demo() {
    (serve) &
    trap 'kill $! 2>/dev/null' EXIT
    trap 'exit 130' INT TERM
    until [ -s "$DIR/nginx.pid" ]; do # it has its port, and no other server gets the visit
        kill -0 $! 2>/dev/null || exit 1
        sleep 0.1
    done
    python3 "$here/traffic.py" --port "$PORT" --seconds 30
    echo
    echo "error.log:"
    grep 'anomaly: ' "$DIR/error.log"
    echo
    echo "http://127.0.0.1:$PORT/anomalies:"
    python3 -c 'import json, sys, urllib.request
print(json.dumps(json.load(urllib.request.urlopen(sys.argv[1])), indent=2))' "http://127.0.0.1:$PORT/anomalies"
}

prepare
case ${1:-demo} in
demo) demo ;;
serve) serve ;;
prepare) ;;
*) echo "usage: $0 [demo | serve | prepare]" >&2 && exit 2 ;;
esac
