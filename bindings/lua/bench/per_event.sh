#!/bin/sh
# SPDX-License-Identifier: MIT
# What an event costs from each Lua, beside C in the same run: make bench-lua. Each turn is a process of its own, in turn with C's;
# the figure is the fastest of TURNS, the loop that makes the values included.
set -eu
BUILD=${BUILD:-build}
CC=${CC:-cc}
TURNS=${TURNS:-15}
here=bindings/lua/bench
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
$CC -std=c11 -D_POSIX_C_SOURCE=200809L -O3 -Iinclude "$here/per_event.c" "$BUILD/libanomaly.a" -lm -o "$tmp/c"

event() { # NAME KIND WINDOW: nanoseconds, then how many anomalies
    case $1 in
    C) "$tmp/c" "$2" "$3" 200000 8 ;;
    luajit-ffi) LUA_PATH="$BUILD/luajit/?.lua" LUA_CPATH="$BUILD/luajit/?.so" luajit "$here/per_event.lua" "$2" "$3" 200000 8 ffi ;;
    *) LUA_CPATH="$BUILD/$1/?.so" "$1" "$here/per_event.lua" "$2" "$3" 200000 8 ;;
    esac
}

names=C
for lua in lua5.1 lua5.2 lua5.3 lua5.4 luajit; do
    { [ -e "$BUILD/$lua/anomaly.so" ] && command -v "$lua" >/dev/null; } || continue
    names="$names $lua"
    [ "$lua" != luajit ] || names="$names luajit-ffi"
done
for case in 'zscore 300' 'percentile 1000'; do
    for _ in $(seq "$TURNS"); do
        for name in $names; do
            # shellcheck disable=SC2086 # two words
            echo "$name $(event "$name" $case)"
        done
    done | awk -v case="$case" '
        !($1 in best) || $2 < best[$1] { best[$1] = $2 }
        !($1 in order) { order[$1] = ++n; name[n] = $1; flagged = flagged ? flagged : $3 }
        $3 != flagged { print $1 " flags " $3 ", C " flagged; bad = 1 }
        END {
            printf "%s\n", case
            for (i = 1; i <= n; i++)
                printf "  %-11s %7.1f ns an event %6.2f times C\n", name[i], best[name[i]], best[name[i]] / best["C"]
            exit bad
        }'
done
