#!/bin/sh
# SPDX-License-Identifier: MIT
# Tests of the program: the golden cases and the scripted ones.
#
#   sh tests/program/run.sh [WORD...]      only the cases whose names contain a word
#
#   ANOMALY  the program (build/anomaly)       WRAPPER  a command to run it under, e.g. "valgrind -q --error-exitcode=9"
#   UPDATE=1 writes what is found into the golden cases instead of comparing: read the difference before you commit it
#
# A golden case, golden/NAME.case, has a description, files to be there, a command, and what must come out:
#
#   what it shows                         A line `--- file NAME` begins a file (all lines to the next `---`),
#   --- file in.csv                       `--- run` the command, in which `anomaly` is the program,
#   metric,value                          `--- stdout`, `--- stderr` and `--- status N` what is expected.
#   --- run
#   anomaly in.csv
#   --- stdout
#   --- stderr
#   --- status 0
#
# A scripted one, cases/NAME.sh, is sourced and uses the functions of lib/common.sh.
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=/dev/null # of this directory, like the cases
. "$here/lib/common.sh"

words=$* # a case may use the positional parameters itself
# shellcheck disable=SC2086 # several words
for case in "$here"/golden/*.case; do
    [ -f "$case" ] && selected "$case" $words && golden "$case"
done
for case in "$here"/cases/*.sh; do
    # shellcheck disable=SC2086
    if selected "$case" $words; then
        fresh
        # shellcheck source=/dev/null
        . "$case"
    fi
done
finish
