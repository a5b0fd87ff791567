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
name=flink
common=$here/common
[ -d "$common" ] || common=$here/../common
. "$common/example.sh"
transactions=$work/transactions.ndjson
FLINK_STATE=${FLINK_STATE:-$work/state}
export FLINK_STATE
installed() { # REQUIREMENTS...
    PYTHON=$("$here/python.sh" "$work/venv")
    export PYTHON
    environment "$@"
}

case ${1:-} in
demo)
    installed "$here/requirements.txt"
    alerts=$work/alerts.ndjson
    "$python" -m keyed_stream.generate --to "$transactions"
    RULES=both "$python" -m keyed_stream.loop "$transactions" >"$alerts"
    head -n 3 "$alerts"
    echo "... all in $alerts"
    "$python" -m keyed_stream.score "$transactions" "$alerts"
    ;;
up)
    "$here/python.sh" --flink
    installed "$here/requirements.txt" "$here/requirements-flink.txt" "$here/requirements-brokers.txt"
    [ -n "${2:-}" ] || [ -e "$transactions" ] || "$python" -m keyed_stream.generate --to "$transactions"
    case ${2:-} in
    kafka:*)
        FLINK_JARS=$("$here/connector.sh" "$work")
        export FLINK_JARS
        ;;
    esac
    down
    echo $$ >"$pid"
    shift
    exec "$python" -m keyed_stream.run "${@:-$transactions}"
    ;;
down) down ;;
bench)
    "$here/python.sh" --flink
    installed "$here/requirements.txt" "$here/requirements-flink.txt" "$here/requirements-brokers.txt"
    shift
    PYTHONPATH=$PYTHONPATH:$here/tests exec "$python" "$here/tests/bench.py" "$@"
    ;;
python)
    installed "$here/requirements.txt" "$here/requirements-brokers.txt"
    shift
    exec "$python" "$@"
    ;;
*) usage ;;
esac
