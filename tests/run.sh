#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs tests and ends with the line `N passed, N failed` (test cases): programs side by side, then scripts one by one, since
# these start servers and build.
#
#   tests/run.sh TEST...
#
# A TEST is a cmocka program (its "[  PASSED  ] n test(s)" lines are counted) or a script *.sh whose last line is
# `N passed, N failed`. What a test prints goes to $BUILD/tests/log/ and is shown when the test fails (without the cases
# that went well), or always with V=1. A test that ends badly without saying how many cases failed counts as one failed case.
#
#   WRAPPER  a command to run the programs under, e.g. "valgrind -q"     TEST_TIMEOUT  seconds for each test (900)
#   TEST_JOBS  programs at a time (the number of processors)
set -u
BUILD=${BUILD:-build}
V=${V:-0}
logs=$BUILD/tests/log

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

report() { # TEST: runs it and says how it went
    test=$1
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
    tell 9>>"$TEST_COUNTS"
}

tell() { # what is known of a test, as its line of the counts and on the terminal
    flock 9 2>/dev/null # so that lines of two tests do not mix
    echo "$p $f $s $name" >&9
    if [ "$f" -gt 0 ]; then
        printf 'FAIL  %-32s %d of %d cases failed, exit status %d%s; its output:\n' "$name" "$f" $((p + f)) "$status" "$note"
        grep -v -e '^\[ RUN ' -e '^\[       OK ' "$log" | sed 's/^/      | /' | tail -n 200
    else
        printf 'ok    %-32s %4d cases %4d s%s\n' "$name" "$p" "$took" "$note"
        [ "$V" != 1 ] || sed 's/^/      | /' "$log"
    fi
}

if [ "${1:-}" = --one ]; then
    report "$2"
    exit
fi
mkdir -p "$logs"
TEST_COUNTS=$(mktemp) || exit 2
export TEST_COUNTS
trap 'rm -f "$TEST_COUNTS"' EXIT
[ $# -gt 0 ] || echo 'no test has that in its path'
for test; do
    case $test in *.sh) ;; *) echo "$test" ;; esac
done | xargs -r -n 1 -P "${TEST_JOBS:-$(nproc 2>/dev/null || echo 1)}" "$0" --one
for test; do
    case $test in *.sh) report "$test" ;; esac
done
awk -v tests=$# '
    { passed += $1; failed += $2; skipped += $3; if ($2) names = names " " $4 }
    END {
        if (NR < tests) { failed += tests - NR; print tests - NR " tests did not say how they went" }
        if (names) print "failed:" names
        if (skipped) print "skipped: " skipped
        print passed + 0 " passed, " failed + 0 " failed"
        exit failed > 0 || passed == 0
    }' "$TEST_COUNTS"
