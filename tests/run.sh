#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs test programs one after another and ends with the line `N passed, N failed` (test cases).
#
#   tests/run.sh TEST...
#
# A TEST is a cmocka program (its "[  PASSED  ] n test(s)" lines are counted) or a script *.sh whose last line is
# `N passed, N failed`. What a test prints goes to $BUILD/tests/log/ and is shown when the test fails (without the cases
# that went well), or always with V=1. A test that ends badly without saying how many cases failed counts as one failed case.
#
#   WRAPPER  a command to run the programs under, e.g. "valgrind -q"     TEST_TIMEOUT  seconds for each test (900)
set -u
BUILD=${BUILD:-build}
V=${V:-0}
logs=$BUILD/tests/log
mkdir -p "$logs"

passed=0 failed=0 skipped=0 failed_names=
[ $# -gt 0 ] || echo 'no test has that in its path'

sum() { # SED-EXPRESSION: adds up the numbers it extracts from the log
    sed -n "$1" "$log" | awk '{ n += $1 } END { print n + 0 }'
}

# shellcheck disable=SC2086 # WRAPPER holds several words
run_one() { # TEST
    case $1 in
    *.sh) if [ -x "$1" ]; then set -- "./$1"; else set -- sh "$1"; fi ;;
    *) set -- ${WRAPPER:-} "$1" ;;
    esac
    timeout "${TEST_TIMEOUT:-900}" "$@" </dev/null >"$log" 2>&1
}

for test; do
    name=${test#"$BUILD"/tests/}
    name=${name#tests/}
    log=$logs/$(echo "$name" | tr / -).log
    start=$(date +%s)
    run_one "$test"
    status=$?
    took=$(($(date +%s) - start))
    case $test in
    *.sh)
        p=$(tail -n 1 "$log" | sed -n 's/^\([0-9][0-9]*\) passed, [0-9][0-9]* failed$/\1/p')
        f=$(tail -n 1 "$log" | sed -n 's/^[0-9][0-9]* passed, \([0-9][0-9]*\) failed$/\1/p')
        s=0
        [ "$p$f" != 00 ] || p=
        ;;
    *)
        p=$(sum 's/^\[  PASSED  \] \([0-9][0-9]*\) test.*/\1/p')
        f=$(sum 's/^\[  FAILED  \] \(.*: \)\{0,1\}\([0-9][0-9]*\) test(s), listed below.*/\2/p')
        s=$(sum 's/^\[  SKIPPED \] \(.*: \)\{0,1\}\([0-9][0-9]*\) test(s), listed below.*/\2/p')
        [ $((p + f + s)) -gt 0 ] || p=
        ;;
    esac
    note=
    if [ -z "$p" ]; then
        p=0 f=${f:-0} note=' (it did not say how many cases it ran)'
        [ "$f" -gt 0 ] || f=1
    fi
    if [ "$status" -ne 0 ] && [ "$f" -eq 0 ]; then
        f=1
    fi
    [ "$status" -ne 124 ] || note=" (stopped after ${TEST_TIMEOUT:-900} s)"
    [ "$s" -eq 0 ] || note="$note, $s skipped"
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
    if [ "$f" -gt 0 ]; then
        failed_names="$failed_names $name"
        printf 'FAIL  %-32s %d of %d cases failed, exit status %d%s; its output:\n' "$name" "$f" $((p + f)) "$status" "$note"
        grep -v -e '^\[ RUN ' -e '^\[       OK ' "$log" | sed 's/^/      | /' | tail -n 200
    else
        printf 'ok    %-32s %4d cases %4d s%s\n' "$name" "$p" "$took" "$note"
        [ "$V" != 1 ] || sed 's/^/      | /' "$log"
    fi
done

[ -z "$failed_names" ] || echo "failed:$failed_names"
[ "$skipped" -eq 0 ] || echo "skipped: $skipped"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ $((passed + failed)) -gt 0 ]
