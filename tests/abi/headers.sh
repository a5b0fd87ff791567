#!/bin/sh
# SPDX-License-Identifier: MIT
# include/anomaly.h alone: every language it promises, every warning, twice in a row, and as the bindings' declarations.
# Run by `make test`.
set -u
CC=${CC:-cc}
CXX=${CXX:-c++}
. tests/check.sh

# As a system would see it: nothing included before, and again afterwards.
printf '#include "anomaly.h"\n#include "anomaly.h"\nint version(void);\nint version(void) { return anomaly_version(); }\n' >"$tmp/h.c"
cp "$tmp/h.c" "$tmp/h.cc"

warnings='-Wall -Wextra -Wpedantic -pedantic-errors -Wconversion -Wsign-conversion -Wshadow -Wundef -Wcast-qual
    -Wmissing-declarations -Wredundant-decls -Werror'
for compiler in "$CC" gcc clang; do
    command -v "${compiler%% *}" >/dev/null || continue
    for standard in c99 c11 c17 gnu11; do
        # shellcheck disable=SC2086
        check "$compiler -std=$standard" $compiler -std=$standard $warnings -Wstrict-prototypes -Wc++-compat -Iinclude -c "$tmp/h.c" -o "$tmp/h.o"
    done
done
for compiler in "$CXX" g++ clang++; do
    command -v "${compiler%% *}" >/dev/null || continue
    for standard in c++11 c++17 c++20; do
        # shellcheck disable=SC2086
        check "$compiler -std=$standard" $compiler -std=$standard $warnings -Iinclude -c "$tmp/h.cc" -o "$tmp/h.o"
    done
done
if command -v clang >/dev/null; then
    check "clang -Weverything" clang -std=c99 -Weverything -Wno-padded -Wno-unsafe-buffer-usage \
        -Wno-unknown-warning-option -Wno-documentation -Werror -Iinclude -c "$tmp/h.c" -o "$tmp/h.o"
fi

# The bindings read the declarations from the preprocessor: no directive, attribute, include or extern "C" may be left.
# shellcheck disable=SC2086
$CC -E -P -DANOMALY_CDEF -DANOMALY_API= include/anomaly.h >"$tmp/cdef" 2>"$tmp/err"
clean_cdef() { test -s "$tmp/cdef" && ! test -s "$tmp/err" && ! grep -nE '^ *#|__|extern|inline' "$tmp/cdef"; }
check "declarations for the bindings are plain" clean_cdef
{ printf '#include <stddef.h>\n#include <stdint.h>\n' && cat "$tmp/cdef"; } >"$tmp/cdef.c"
check "and compile" "$CC" -std=c99 -Wall -Wextra -Wpedantic -Werror -c "$tmp/cdef.c" -o "$tmp/h.o"
declared() { grep -oE '\banomaly_[a-z0-9_]+ *\(' "$1" | tr -d ' (' | sort -u; }
all_functions() {
    sed -n 's/^ANOMALY_API [^(]*[ *]\(anomaly_[a-z0-9_]*\)(.*/\1/p' include/anomaly.h | sort -u >"$tmp/header"
    test -s "$tmp/header" && declared "$tmp/cdef" | diff "$tmp/header" -
}
check "and have every function" all_functions
documented() { sed -n 's/^\.Fn \(anomaly_[a-z0-9_]*\) .*/\1/p' docs/man/libanomaly.3 | sort -u | diff "$tmp/header" -; }
check "libanomaly(3) names every function" documented
named() { # every constant of an enum
    sed -n "/^enum $1 {/,/^}/s/^ *\(ANOMALY_[A-Z_0-9]*\) = .*/\1/p" include/anomaly.h >"$tmp/constants"
    test -s "$tmp/constants" && while read -r constant; do
        grep -q "^\.\(It \)*Dv.*\<$constant\>" docs/man/libanomaly.3 || { echo "$constant" && return 1; }
    done <"$tmp/constants"
}
check "libanomaly(3) names every kind" named anomaly_kind
check "libanomaly(3) names every flag" named anomaly_flag

# The header is the manual: a declaration follows its text at once.
explained_here() { ! grep -B1 '^ANOMALY_API ' include/anomaly.h | grep -vE '^(ANOMALY_API |--)|\*/$'; }
check "every function has its text" explained_here
types() { ! grep -B1 -E '^(typedef |enum .*\{$)' include/anomaly.h | grep -vE '^(typedef |enum |--)|\*/$'; }
check "every type has its text" types
narrow() { ! grep -nE '^( ?\*|/\*).{119}|/\*.*\*/$' include/anomaly.h | grep -E '^[0-9]+:.{121}'; }
check "no comment is wider than 120 columns" narrow

statuses() { sed -n 's/^    \(ANOMALY_E_[A-Z]*\) = .*/\1/p' include/anomaly.h | sort; }
explained() { statuses >"$tmp/statuses" && test -s "$tmp/statuses" &&
    sed -n 's/^\.It Dv \(ANOMALY_E_[A-Z]*\)$/\1/p' docs/man/libanomaly.3 | sort | diff "$tmp/statuses" -; }
check "libanomaly(3) explains every status" explained

finish
