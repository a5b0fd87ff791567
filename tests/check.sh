#!/bin/sh
# SPDX-License-Identifier: MIT
# Sourced by the test scripts: a temporary directory, `check`, and the last line that tests/run.sh reads.
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
passed=0 failed=0

check() { # NAME COMMAND...
    name=$1
    shift
    if "$@" >"$tmp/out" 2>&1; then
        passed=$((passed + 1))
        echo "ok   $name"
    else
        failed=$((failed + 1))
        echo "FAIL $name: $*"
        sed 's/^/     /' "$tmp/out"
    fi
}

finish() { # prints the sums; the status says whether all passed
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
}
