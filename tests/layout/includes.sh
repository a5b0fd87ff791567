#!/bin/sh
# SPDX-License-Identifier: MIT
# Rooms include one way. A row of a table below is a room and the rooms that its files may include beside their own; a row may
# name only rows above it, so no two rooms can include each other. "." are the files beside the rooms. Refused: an include that
# the table does not allow, a room or an arrow of the table that no file stands for. docs/architecture.md shows the same as a
# picture.
. tests/check.sh

# "FILE INCLUDED" for each include of another file of the project, both by their paths inside the directory.
includes() { # DIRECTORY
    # shellcheck disable=SC2016 # the dollars are those of awk
    (cd "$1" && find . -name '*.[ch]' | sort | xargs awk '/^ *#include "/ {
        split($0, part, "\"")
        if (part[2] != "anomaly.h") print substr(FILENAME, 3), part[2]
    }')
}

one_way() { # DIRECTORY; the table from the standard input
    cat >"$tmp/rooms"
    includes "$1" >"$tmp/includes"
    awk -F' *[|] *' '
        function refuse(text) { print text; refused = 1 }
        function room_of(path) { return sub(/\/[^\/]*$/, "", path) ? path : "." }
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
            from = room_of(word[1])
            to = room_of(word[2])
            if (!(from in known)) refuse(word[1] ": its room is not in the table")
            used[from] = 1
            if (from == to) next
            if ((from " " to) in allowed) arrows[from " " to] = 1
            else refuse(word[1] " of " from " includes a file of " to)
        }
        END {
            for (room in known) if (!(room in used)) refuse("the table: no file of " room " includes any")
            for (arrow in allowed) if (!(arrow in arrows)) refuse("the table: no file needs " arrow)
            exit refused
        }' "$tmp/rooms" "$tmp/includes"
}

# Files do not include each other either, nor by way of others: NAME.c and NAME.h are one.
no_circles() { # DIRECTORY
    includes "$1" | sed 's/\.[ch]\( \|$\)/\1/g' | tsort >/dev/null
}

check 'lib/ includes one way' one_way lib <<'TABLE'
base           |
window         | base
stage          | base window
detector       | base window
zscore         | base window detector
percentile     | base window detector
forest/kernels | window
forest         | base window detector forest/kernels
watch          | base window detector
pool           | base detector
.              | detector
TABLE

check 'examples/cli/ includes one way' one_way examples/cli <<'TABLE'
common  |
options | common
read    | common options
write   | common options
judge   | common options read write
state   | common options read judge
run     | common options read judge state
.       | common options run
TABLE
check 'no files of examples/cli/ include each other' no_circles examples/cli

finish
