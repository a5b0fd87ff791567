#!/bin/sh
# SPDX-License-Identifier: MIT
# A day of a server in PostgreSQL, judged by a window function, then row by row as it comes. `make postgres` builds what it needs.
set -u
cd "$(dirname "$0")/../.." || exit 2
BUILD=${BUILD:-build}
. tests/check.sh
. examples/postgres/tests/server.sh
{ links && build && start; } >"$tmp/log" 2>&1 || { cat "$tmp/log" && exit 1; }
"$bin/psql" -X -q -f examples/postgres/demo.sql
