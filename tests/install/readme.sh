#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs the commands of README.md that call build/anomaly and compares what they print with what the README shows; a last
# line "..." there stands for more. Run by `make test`.
set -u
ANOMALY=${ANOMALY:-build/anomaly}
. tests/check.sh

# N.command and N.shown for each command.
awk -v dir="$tmp" '
    /^```/ { on = /^```console$/; shown = ""; next }
    on && /^\$ / { shown = ""; if (/build\/anomaly/) { n++; print substr($0, 3) > (dir "/" n ".command"); shown = dir "/" n ".shown" } next }
    on && shown { print > shown }' README.md

same_as_shown() { # N
    sed "s|build/anomaly|$ANOMALY|g" "$tmp/$1.command" >"$tmp/command"
    sh "$tmp/command" >"$tmp/printed" 2>&1
    if [ "$(tail -n 1 "$tmp/$1.shown")" = ... ]; then
        sed '$d' "$tmp/$1.shown" >"$tmp/wanted"
        lines=$(wc -l <"$tmp/wanted")
        head -n "$lines" "$tmp/printed" | diff "$tmp/wanted" -
    else
        diff "$tmp/$1.shown" "$tmp/printed"
    fi
}
n=1
while [ -f "$tmp/$n.command" ]; do
    check "$(cat "$tmp/$n.command")" same_as_shown "$n"
    n=$((n + 1))
done
check "the README shows the program" test $n -gt 3

# "All fourteen planted outliers are found, and ... with them": lines labelled 1 are all among those printed.
day=examples/data/server-day.csv
awk -F, '$4 == 1 { print NR }' $day | sort >"$tmp/planted"
"$ANOMALY" -q -w 30m -t 5 -o csv --fields line $day | sed 1d | sort >"$tmp/found"
check "fourteen outliers are planted" test "$(wc -l <"$tmp/planted")" -eq 14
all_found() { test -z "$(comm -23 "$tmp/planted" "$tmp/found")" && test "$(wc -l <"$tmp/found")" -eq 15; }
check "all are found, with one more" all_found

finish
