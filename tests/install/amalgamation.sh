#!/bin/sh
# SPDX-License-Identifier: MIT
# The library as one file, as a host drops it into its own tree: each compiler at hand takes it with one line and no word, it
# shows the world what the library shows, and gives the same numbers. Run by `make check-amalgamation`, with WARNINGS.
set -u
CC=${CC:-cc}
BUILD=${BUILD:-build}
WARNINGS=${WARNINGS:--Wall -Wextra}
. tests/check.sh
cp "$BUILD/amalgamation/anomaly.c" "$BUILD/amalgamation/anomaly.h" "$tmp" || exit 2

# shellcheck disable=SC2086 # several words
silent() { # COMPILER FLAG...: anomaly.c to anomaly.o, where no other file is seen
    (cd "$tmp" && "$@" -c anomaly.c -o anomaly.o) >"$tmp/said" 2>&1 && ! grep . "$tmp/said"
}
shows() { nm -g --defined-only "$tmp/anomaly.o" | awk '{ print $3 }' | LC_ALL=C sort | diff "$tmp/header" -; }
needs_no() { ! nm -u "$tmp/anomaly.o" | grep "$1"; }
gives_scenario() { # COMPILER: mean 54.5 and z 13.743263, as in install.sh
    "$1" tests/install/app.c -o "$tmp/app" -I"$tmp" "$tmp/anomaly.o" -lm && "$tmp/app" >"$tmp/numbers" &&
        grep -E '^[0-9]+ 1 54\.5 13\.74326' "$tmp/numbers"
}
contracted() { objdump -d "$tmp/anomaly.o" | grep -qE 'vfn?m(add|sub)'; }
is_not_contracted() { ! contracted; }

sed -n 's/^ANOMALY_API [^(]*[ *]\(anomaly_[a-z0-9_]*\)(.*/\1/p' include/anomaly.h | LC_ALL=C sort >"$tmp/header"
check 'all that it includes of ours is anomaly.h' test "$(grep -c '^ *# *include "' "$tmp/anomaly.c")" -eq 1
sh lib/amalgamate.sh "$tmp/again"
check 'the same tree gives the same file' cmp "$tmp/anomaly.c" "$tmp/again/anomaly.c"

tried=
for compiler in "$CC" gcc clang musl-gcc; do
    file=$(readlink -f "$(command -v "$compiler")") || continue
    case " $tried " in *" $file "*) continue ;; esac # cc is one of the others
    tried="$tried $file"
    # shellcheck disable=SC2086
    check "$compiler: without a warning, as C11, without threads" \
        silent "$compiler" -std=c11 $WARNINGS -Werror -O1 -DANOMALY_THREADS=0
    check "$compiler: nothing of pthread is needed" needs_no pthread
    if [ "$(uname -m)" = x86_64 ]; then
        check "$compiler: for a processor that fuses" silent "$compiler" -O2 -march=haswell
        check "$compiler: is not contracted" is_not_contracted
    fi
    check "$compiler: one line" silent "$compiler" -O3
    check "$compiler: shows the functions of the header alone" shows
    [ "$compiler" = musl-gcc ] || check "$compiler: gives 13.743263" gives_scenario "$compiler"
done
check 'some compiler was tried' test -n "$tried"

# What the checks above would see.
if [ "$(uname -m)" = x86_64 ] && command -v gcc >/dev/null; then
    sed -i '/GCC optimize/d' "$tmp/anomaly.c"
    check 'without its pragma gcc contracts' silent gcc -O2 -march=haswell
    check 'which is seen' contracted
fi
refuses() { ! silent "$1" -O1 -ffast-math && grep 'ffast-math' "$tmp/said"; }
check "$CC: -ffast-math is refused" refuses "$CC"

finish
