#!/bin/sh
# SPDX-License-Identifier: MIT
# The Lua module under every Lua that is installed; each spec is one case for each of them.
set -u
BUILD=${BUILD:-build}
here=$(dirname "$0")
tests/setup.sh lua || exit 2
${MAKE:-make} --no-print-directory BUILD="$BUILD" lua || exit 1

passed=0 failed=0
count() { # PATTERN: lines of the last output
    grep -c "$1" "$tmp/out"
}
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
for module in "$BUILD"/lua*/anomaly.so; do
    directory=${module%/*}
    lua=$(command -v "${directory##*/}") || continue
    echo "== ${directory##*/}"
    busted --lua="$lua" --cpath="$directory/?.so" -o TAP "$here" >"$tmp/out" 2>&1
    cat "$tmp/out"
    passed=$((passed + $(count '^ok '))) failed=$((failed + $(count '^not ok ')))
    tail -n 1 "$tmp/out" | grep -q '^1\.\.[1-9]' || failed=$((failed + 1)) # it did not get to its end
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
