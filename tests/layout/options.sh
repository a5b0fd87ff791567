#!/bin/sh
# SPDX-License-Identifier: MIT
# What is written for people names every option of the library's table, which the program's --options prints, and every
# option of the program.
. tests/check.sh

"$ANOMALY" --options >"$tmp/options"
sed -n '2,/^$/s/^\([a-z][a-z_]*\) .*/\1/p' "$tmp/options" >"$tmp/names"

# Each word of FILE stands somewhere in TEXT, behind BEFORE, and before AFTER where it is given.
names() { # FILE TEXT BEFORE [AFTER]
    test -s "$1" || return 1
    while read -r word; do
        grep -qF -- "$3$word${4-}" "$2" || { echo "$2 has no $3$word${4-}" && false; } || return 1
    done <"$1"
}
check 'the header names every option' names "$tmp/names" include/anomaly.h '[' ']'
check 'program.md names every option' names "$tmp/names" docs/program.md '`' '`'

sed -n 's/.*{\.name = "\([a-z-]*\)",.*/\1/p' examples/cli/options/*.c >"$tmp/names"
"$ANOMALY" --help >"$tmp/help"
check 'the help names every option of the program' names "$tmp/names" "$tmp/help" --
check 'program.md names every option of the program' names "$tmp/names" docs/program.md --
check 'the manual page names every option of the program' names "$tmp/names" docs/man/anomaly.1 'Fl -'

finish
