#!/bin/sh
# SPDX-License-Identifier: MIT
# The tests of the example service against the real one; the last line is `N passed, N failed`.
# WRAPPER="valgrind ..." runs it under that. Words pick tests by name: examples/service/tests/run.sh kill limits
BUILD=${BUILD:-build} exec python3 -B "$(dirname "$0")/run.py" "$@"
