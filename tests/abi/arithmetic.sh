#!/bin/sh
# SPDX-License-Identifier: MIT
# Built without IEEE 754 arithmetic the library must not run: either the build stops with a reason, or it notices itself.
# Run by `make test`.
set -u
CC=${CC:-cc}
. tests/check.sh

cat >"$tmp/main.c" <<'END'
#include "base/ieee.h"
int main(void) { return an_arithmetic_is_exact() ? 0 : 3; }
END
build() { # COMPILER FLAG...
    compiler=$1
    shift
    "$compiler" -std=gnu11 -O2 -Ilib "$@" "$tmp/main.c" lib/base/ieee.c -o "$tmp/main" -lm >"$tmp/build" 2>&1
}
exact() { build "$@" && "$tmp/main"; }
refused() { # by the compiler, with our words, or by itself
    if build "$@"; then
        "$tmp/main"
        test $? -eq 3
    else
        grep -E 'error.*(-ffast-math|-ffinite-math-only)' "$tmp/build"
    fi
}

for compiler in "$CC" gcc clang; do
    command -v "$compiler" >/dev/null || continue
    check "$compiler: exact" exact "$compiler" -ffp-contract=off
    for flags in -ffast-math -Ofast -funsafe-math-optimizations -ffinite-math-only -freciprocal-math -fno-signed-zeros \
        '-fassociative-math -fno-signed-zeros -fno-trapping-math'; do
        # shellcheck disable=SC2086 # several words
        check "$compiler $flags" refused "$compiler" -ffp-contract=off $flags
    done
    if [ "$(uname -m)" = x86_64 ] && grep -qw fma /proc/cpuinfo 2>/dev/null; then
        check "$compiler -mfma -ffp-contract=fast" refused "$compiler" -mfma -ffp-contract=fast
    fi
done
if command -v clang >/dev/null; then
    check 'clang -fno-honor-nans' refused clang -ffp-contract=off -fno-honor-nans
fi

finish
