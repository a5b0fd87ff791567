#!/bin/sh
# SPDX-License-Identifier: MIT
# Tests the nginx example against a real nginx on loopback. Ends with the line `N passed, N failed`.
set -eu
PATH=$PATH:/usr/sbin # where Debian has nginx, also for ordinary users
export PATH
cd "$(dirname "$0")/../../.."
export BUILD="${BUILD:-build}"
tests/setup.sh nginx
"${MAKE:-make}" --no-print-directory BUILD="$BUILD" CC="${CC:-cc}" LUA=luajit lua
exec python3 examples/nginx/tests/test_nginx.py
