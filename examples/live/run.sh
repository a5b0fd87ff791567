#!/bin/sh
# SPDX-License-Identifier: MIT
# Live metrics on 127.0.0.1: the service with its page. `make live` installs what it needs and shows it.
#
#   examples/live/run.sh up [PARTS]    until Ctrl-C; settings come from the environment or .env (see .env.example)
#   examples/live/run.sh demo          starts it, sends twenty ordinary values and an odd one, and shows what came of them
#   examples/live/run.sh down          ends what `demo` left in the background
#
#   BUILD  where the environment is made (build)      PORT  where the page is (8000)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
name=live PORT=${PORT:-8000}
common=$here/common
[ -d "$common" ] || common=$here/../common
. "$common/example.sh"
export PORT

up() { cd "$here" && exec "$python" -m anomaly.main "${@:-all}"; }

case ${1:-} in
up | demo) environment ;;
esac
case ${1:-} in
up)
    shift
    up "$@"
    ;;
demo)
    down
    up all >"$work/log" 2>&1 &
    echo $! >"$pid"
    "$python" "$here/client.py" --url "http://127.0.0.1:$PORT" || { cat "$work/log" && exit 1; }
    echo "The page is http://127.0.0.1:$PORT/ until $0 down"
    ;;
down) down ;;
*) usage ;;
esac
