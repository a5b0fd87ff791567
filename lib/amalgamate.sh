#!/bin/sh
# SPDX-License-Identifier: MIT
# Writes the library as one file: DIRECTORY/anomaly.c, and DIRECTORY/anomaly.h beside it. `make amalgamation`.
#
#   lib/amalgamate.sh DIRECTORY
#
# Every .c file of lib/ follows the other, each header where it is first included; one without a guard, where it is included.
# What files share becomes AN_LOCAL, which is `static` unless it is defined otherwise, and a file's own macros end with it.
set -eu
LC_ALL=C
export LC_ALL
lib=$(dirname "$0")
into=${1:?a directory to write anomaly.c and anomaly.h to}
mkdir -p "$into"

version() { # PART
    sed -n "s/^#define ANOMALY_VERSION_$1 *//p" "$lib/../include/anomaly.h"
}

begin() {
    echo '/* SPDX-License-Identifier: MIT'
    echo " * libanomaly $(version MAJOR).$(version MINOR).$(version PATCH) in one file, written by lib/amalgamate.sh: edit what it is made of."
    cat <<'TEXT'
 *
 *     cc -O3 -c anomaly.c         with anomaly.h beside it; programs link with -lm
 *
 * -DANOMALY_THREADS=0  without pthread: pools have no locks
 * -ffp-contract=off    no fused multiply-add, on which verdicts would depend: the pragmas below say it to gcc and clang
 * -fno-math-errno      the square root as one instruction: the same bits, faster; said to gcc below, clang needs the flag
 * -ffast-math          or a part of it is refused, here or by anomaly_create()
 *
TEXT
    sed -e 's/^/ * /' -e 's/ *$//' "$lib/../LICENSE"
    cat <<'TEXT'
 */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#ifndef AN_LOCAL
#define AN_LOCAL static
#endif
#if defined(__GNUC__) /* a name inside a function may be that of something in another file */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#endif
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC push_options
#pragma GCC optimize("fp-contract=off", "no-math-errno")
#else
#pragma STDC FP_CONTRACT OFF
#endif
#include "anomaly.h"
TEXT
}

finish() {
    cat <<'TEXT'

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC pop_options
#endif
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif
TEXT
}

join() { # FILE...
    awk -v lib="$lib/" '
        # Is it shared by files, at its declaration or its definition? Then the line with AN_LOCAL in front.
        function local(line) {
            if (line ~ /^extern const [A-Za-z]/) sub(/^extern/, "AN_LOCAL", line)
            else if (line ~ /^(const )?[A-Za-z][A-Za-z0-9_ *]*[ *]an_[a-z0-9_]+(\(| = )/ &&
                     line !~ /^(static|typedef|return|else|AN_INLINE)|^[A-Z0-9_]+ (static|AN_INLINE)/) line = "AN_LOCAL " line
            return line
        }
        function inline(name,    path, line, guard, part) {
            path = lib name
            while ((guard = (getline line < path)) > 0 && line !~ /^#/) { }
            close(path)
            if (guard < 0) { print "amalgamate.sh: cannot read " path | "cat >&2"; failed = 1; exit }
            if (line ~ /^#ifndef AN_/) {
                if (name in done) return
                done[name] = 1
            }
            print "\n/* ---- " name " ---- */"
            while ((getline line < path) > 0) {
                if (line ~ /SPDX-License-Identifier: MIT \*\/$/) continue
                if (line ~ /SPDX-License-Identifier: MIT$/) line = "/*"
                if (line ~ /^#include "/) {
                    split(line, part, "\"")
                    if (part[2] != "anomaly.h") inline(part[2])
                    continue
                }
                if (name ~ /\.c$/ && line ~ /^# *define /) {
                    match(line, /define +[A-Za-z0-9_]+/)
                    macro = substr(line, RSTART + 7, RLENGTH - 7)
                    gsub(/ /, "", macro)
                    if (!(macro in defined)) macros[++count] = macro
                    defined[macro] = 1
                }
                print local(line)
            }
            close(path)
        }
        BEGIN {
            for (i = 1; i < ARGC; i++) {
                inline(substr(ARGV[i], length(lib) + 1))
                for (m = 1; m <= count; m++) print "#undef " macros[m]
                count = 0
                split("", defined)
            }
            exit failed
        }
        END { exit failed }' "$@"
}

begin >"$into/anomaly.c.part"
find "$lib" -name '*.c' | sort | {
    set --
    while read -r file; do set -- "$@" "$file"; done
    join "$@"
} >>"$into/anomaly.c.part"
finish >>"$into/anomaly.c.part"
cp "$lib/../include/anomaly.h" "$into/anomaly.h"
mv "$into/anomaly.c.part" "$into/anomaly.c"
