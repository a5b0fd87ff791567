#!/bin/sh
# SPDX-License-Identifier: MIT
# A day of a server in SQLite, judged by a window function, then only its new rows. `make sqlite` builds what it needs.
#
#   BUILD   where anomaly.so was built (build)
set -eu
cd "$(dirname "$0")/../.."
exec sqlite3 :memory: ".load ${BUILD:-build}/sqlite/anomaly" '.read examples/sqlite/demo.sql'
