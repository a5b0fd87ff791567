# SPDX-License-Identifier: MIT
# Joins a C file and the files that it includes by name from its own folder into one file, each file once, on the standard
# output; #line tells compilers and debuggers where a line stood.   awk -f join.awk src/module.c >anomaly.c
function join(folder, name,    line, count) {
    joined[name] = 1
    print "#line 1 \"" folder name "\""
    while ((status = (getline line <(folder name))) > 0) {
        count++
        if (line !~ /^#include "/) {
            print line
            continue
        }
        split(line, quoted, "\"")
        if (!(quoted[2] in joined))
            join(folder, quoted[2])
        print "#line " count + 1 " \"" folder name "\""
    }
    if (status < 0) {
        print "join.awk: cannot read " folder name >"/dev/stderr"
        exit 1
    }
}
BEGIN {
    name = folder = ARGV[1]
    sub(/.*\//, "", name)
    sub(/[^\/]*$/, "", folder)
    join(folder, name)
}
