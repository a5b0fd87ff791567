#!/bin/sh
# SPDX-License-Identifier: MIT
# Rooms include one way. A row of a table below is a room and the rooms that its files may include beside their own; a row may
# name only rows above it, so no two rooms can include each other. "." are the files beside the rooms. Refused: an include that
# the table does not allow, a room or an arrow of the table that no file stands for. docs/architecture.md shows the same as a
# picture.
. tests/check.sh

# "FILE ROOM INCLUDED-ROOM" for each include of another file of the project; "." is the directory itself.
includes() { # DIRECTORY
    find "$1" -name '*.[ch]' | sort | while read -r file; do
        room=$(dirname "${file#"$1"/}")
        sed -n 's/^ *#include "\([^"]*\)".*/\1/p' "$file" | grep -v '^anomaly\.h$' | while read -r included; do
            echo "$file $room $(dirname "$included")"
        done
    done
}

one_way() { # DIRECTORY; the table from the standard input
    cat >"$tmp/rooms"
    includes "$1" >"$tmp/includes"
    awk -F' *[|] *' '
        function refuse(text) { print text; refused = 1 }
        FNR == NR {
            known[$1] = 1
            n = split($2, names, " ")
            for (i = 1; i <= n; i++) {
                if (!(names[i] in known)) refuse("the table: " $1 " names " names[i] ", which is not above it")
                allowed[$1 " " names[i]] = 1
            }
            next
        }
        {
            split($0, word, " ")
            if (!(word[2] in known)) refuse(word[1] ": its room is not in the table")
            used[word[2]] = 1
            if (word[2] == word[3]) next
            arrow = word[2] " " word[3]
            if (arrow in allowed) arrows[arrow] = 1
            else refuse(word[1] " of " word[2] " includes a file of " word[3])
        }
        END {
            for (room in known) if (!(room in used)) refuse("the table: no file of " room " includes any")
            for (arrow in allowed) if (!(arrow in arrows)) refuse("the table: no file needs " arrow)
            exit refused
        }' "$tmp/rooms" "$tmp/includes"
}

check 'lib/ includes one way' one_way lib <<'TABLE'
base           |
window         | base
detector       | base window
zscore         | base window detector
percentile     | base window detector
forest/kernels | window
forest         | base window detector forest/kernels
pool           | base detector
.              | detector
TABLE

check 'examples/cli/ includes one way' one_way examples/cli <<'TABLE'
common  |
options | common
write   | common options
read    | common options write
judge   | common options
state   | common options read
run     | common options write read judge state
.       | common run
TABLE

finish
