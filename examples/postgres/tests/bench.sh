#!/bin/sh
# SPDX-License-Identifier: MIT
# Rows a second: anomaly() beside window functions of PostgreSQL itself over the same rows, in one run. `make bench-postgres`.
set -u
cd "$(dirname "$0")/../../.." || exit 2
BUILD=${BUILD:-build}
. tests/check.sh
. examples/postgres/tests/server.sh
{ links && build && start; } >"$tmp/log" 2>&1 || { cat "$tmp/log" && exit 1; }
"$bin/psql" -X -q -f examples/postgres/tests/bench.sql
