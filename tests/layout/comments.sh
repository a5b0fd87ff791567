#!/bin/sh
# SPDX-License-Identifier: MIT
# Lines of comments end before column 120 (docs/style.md); code may take a few columns more, where .clang-format says so.
. tests/check.sh

fits() { # FILE...
    LC_ALL=C awk 'length($0) > 119 && /^ *(\/\*|\*)/ { print FILENAME ":" FNR ": " length($0) " columns"; long = 1 } END { exit long }' "$@"
}

# What it would see.
{ printf '/* %0116d */\n' 0 && printf ' * %0117d\n' 0 && printf 'int x; /* %0120d */\n' 0; } >"$tmp/comments.h"
sees_both() { ! fits "$tmp/comments.h" >"$tmp/seen" && test "$(wc -l <"$tmp/seen")" -eq 2; }
check 'a comment that is too long is seen' sees_both

all_fit() {
    find include lib examples bindings/*/src -name '*.[ch]' >"$tmp/files"
    # shellcheck disable=SC2046 # no blanks in the names
    fits $(cat "$tmp/files")
}
check 'comments of the sources fit' all_fit

finish
