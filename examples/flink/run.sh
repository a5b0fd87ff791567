#!/bin/sh
# SPDX-License-Identifier: MIT
# Transactions of users: odd ones are found by a plain loop, or by the same rules in a job of Apache Flink.
#
#   examples/flink/run.sh demo              makes transactions, judges them in the plain loop, says how many it found
#   examples/flink/run.sh up [SOURCE]       the Flink job, until its source ends or Ctrl-C, which keeps its state;
#                                           SOURCE is a file, kafka:TOPIC or kinesis:STREAM (transactions of `demo`)
#   examples/flink/run.sh down              ends what `up` left running, with a savepoint
#   examples/flink/run.sh bench [ARGUMENTS] throughput and latency: tests/bench.py
#   examples/flink/run.sh python ARGUMENTS  its Python, for `-m keyed_stream.generate` and the like
#
#   BUILD  where environment and state are (build)      PYTHON  the interpreter (the first that PyFlink takes)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
common=$here/common
[ -d "$common" ] || common=$here/../common
BUILD=${BUILD:-build}
mkdir -p "$BUILD/flink"
BUILD=$(cd "$BUILD/flink" && pwd)
pid=$BUILD/pid transactions=$BUILD/transactions.ndjson
FLINK_STATE=${FLINK_STATE:-$BUILD/state}
PYTHONPATH=$here:$(dirname "$common")
PYTHONPYCACHEPREFIX=$BUILD/pycache # nothing is written beside the sources
export BUILD FLINK_STATE PYTHONPATH PYTHONPYCACHEPREFIX
python() { "$BUILD/venv/bin/python" "$@"; }
installed() { # REQUIREMENTS...
    PYTHON=$("$here/python.sh" "$BUILD/venv")
    export PYTHON
    "$common/venv.sh" "$BUILD/venv" "$@" >/dev/null
}
down() {
    [ -e "$pid" ] || return 0
    kill "$(cat "$pid")" 2>/dev/null || true
    while kill -0 "$(cat "$pid")" 2>/dev/null; do sleep 0.1; done
    rm -f "$pid"
}

case ${1:-} in
demo)
    installed "$here/requirements.txt"
    alerts=$BUILD/alerts.ndjson
    python -m keyed_stream.generate --to "$transactions"
    RULES=both python -m keyed_stream.loop "$transactions" >"$alerts"
    head -n 3 "$alerts"
    echo "... all in $alerts"
    python -m keyed_stream.score "$transactions" "$alerts"
    ;;
up)
    "$here/python.sh" --flink
    installed "$here/requirements.txt" "$here/requirements-flink.txt" "$here/requirements-brokers.txt"
    [ -n "${2:-}" ] || [ -e "$transactions" ] || python -m keyed_stream.generate --to "$transactions"
    case ${2:-} in
    kafka:*)
        FLINK_JARS=$("$here/connector.sh" "$BUILD")
        export FLINK_JARS
        ;;
    esac
    down
    echo $$ >"$pid"
    shift
    exec "$BUILD/venv/bin/python" -m keyed_stream.run "${@:-$transactions}"
    ;;
down) down ;;
bench)
    "$here/python.sh" --flink
    installed "$here/requirements.txt" "$here/requirements-flink.txt" "$here/requirements-brokers.txt"
    shift
    PYTHONPATH=$PYTHONPATH:$here/tests exec "$BUILD/venv/bin/python" "$here/tests/bench.py" "$@"
    ;;
python)
    installed "$here/requirements.txt" "$here/requirements-brokers.txt"
    shift
    exec "$BUILD/venv/bin/python" "$@"
    ;;
*)
    sed -n '3,14s/^# \{0,1\}//p' "$0"
    exit 2
    ;;
esac
