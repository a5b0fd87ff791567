#!/bin/sh
# SPDX-License-Identifier: MIT
# A name of lib/ means one thing: no function, object, type, enumerator or macro of one file is defined by another, although
# each is static. `make amalgamation`, which joins the files, rests on that. What some file undefines may come again: the parameters of a
# file that is included several times.
. tests/check.sh

# "NAME FILE" for what the files define at their left margin, "NAME undefined" for what one undefines.
definitions() { # DIRECTORY
    find "$1" -name '*.[ch]' | LC_ALL=C sort | while read -r file; do
        awk -v file="$file" '
            function define(name) { if (name != "") defined[name] = 1 }
            function last_word(text) {
                sub(/[^A-Za-z0-9_]+$/, "", text)
                sub(/^.*[^A-Za-z0-9_]/, "", text)
                return text
            }
            { # comments away, also those of several lines
                while (1) {
                    if (commented) {
                        if (!(at = index($0, "*/"))) { $0 = ""; break }
                        $0 = substr($0, at + 2)
                        commented = 0
                    }
                    if (!(at = index($0, "/*"))) break
                    rest = substr($0, at + 2)
                    $0 = substr($0, 1, at - 1)
                    if (end = index(rest, "*/")) $0 = $0 substr(rest, end + 2)
                    else { commented = 1; break }
                }
            }
            /^ *# *define / { sub(/^ *# *define +/, ""); match($0, /^[A-Za-z0-9_]+/); define(substr($0, 1, RLENGTH)); next }
            /^ *# *undef / { undefined[$NF] = 1 }
            # The names between the braces of an enum
            /^(typedef )?enum( [a-z0-9_]+)? \{/ {
                inside = 1
                if (match($0, /enum [a-z0-9_]+ /)) define(last_word(substr($0, RSTART, RLENGTH)))
                sub(/^[^{]*\{/, "")
            }
            inside {
                list = $0
                if (end = index(list, "}")) { inside = 0; list = substr(list, 1, end - 1) }
                n = split(list, part, ",")
                for (i = 1; i <= n; i++) if (match(part[i], /[A-Za-z_][A-Za-z0-9_]*/)) define(substr(part[i], RSTART, RLENGTH))
                if (!inside && $0 ~ /^\} [a-z]/) define(last_word($0))
                next
            }
            /^(typedef )?(struct|union) [A-Za-z0-9_]+ \{/ { match($0, /(struct|union) [A-Za-z0-9_]+/); define(last_word(substr($0, RSTART, RLENGTH))) }
            /^\} [A-Za-z_][A-Za-z0-9_]*;/ { define(last_word($0)) }
            /^typedef (struct|union) [A-Za-z0-9_]+ [A-Za-z0-9_]+;/ { next } # declared, not defined
            /^typedef [^{]*;/ && !/[(]/ { sub(/( __attribute__|\[).*/, ""); define(last_word($0)) }
            /^typedef [^{(]*[a-z] [a-z0-9_]+\(/ { sub(/\(.*/, ""); define(last_word($0)) }
            /^typedef [^{]*\(\*/ { sub(/^[^(]*\(\*/, ""); sub(/[^A-Za-z0-9_].*/, ""); define($0) }
            awaited { awaited = 0; name = $0; sub(/\(.*/, "", name); define(last_word(name)) }
            # static WORDS NAME(, static WORDS NAME[...] =, and the same behind a macro of attributes
            /^([A-Z0-9_]+ |__attribute__.* )?(static|AN_INLINE) / {
                gsub(/__attribute__\(\([^)]*\)\)+ /, "")
                if (match($0, /LANES_NAME\(/)) next
                if (!/[[(={;]/) { awaited = 1; next } # the name is on the next line
                sub(/ = .*/, "")
                sub(/[[({;].*/, "")
                define(last_word($0))
            }
            # TYPE NAME(, of a source: what a header declares is defined once elsewhere
            file ~ /\.c$/ && /^[a-z][A-Za-z0-9_ *]* \**[a-z0-9_]+\(.*[^;]$/ && !/^(static|typedef|return|else) / {
                sub(/\(.*/, "")
                define(last_word($0))
            }
            END {
                for (name in defined) print name, file
                for (name in undefined) print name, "undefined"
            }' "$file"
    done
}

each_once() { # DIRECTORY
    definitions "$1" | LC_ALL=C sort >"$tmp/definitions"
    awk '$2 == "undefined" { passing[$1] = 1; next }
        { files[$1] = files[$1] " " $2; count[$1]++ }
        END { for (name in count) if (count[name] > 1 && !(name in passing)) { print name ":" files[name]; twice = 1 } exit twice }' "$tmp/definitions" |
        LC_ALL=C sort >"$tmp/twice"
    ! grep . "$tmp/twice"
}

# What it would see.
mkdir "$tmp/two"
cat >"$tmp/two/one.c" <<'END'
/* static int commented(void) */
#define LIMIT 3
enum colour { RED, GREEN = 2 };
typedef struct later later;
typedef double pair[LIMIT];
typedef struct place { int x; } place;
static const int table[2] = {1, 2};
TARGET static inline void walk(int x)
static int
below(void)
static int own(void)
int shared(int x)
int declared(int x);
END
sed -e 's/own/other/' "$tmp/two/one.c" >"$tmp/two/two.c"
sees_each() { ! each_once "$tmp/two" && test "$(cut -d: -f1 "$tmp/twice" | tr '\n' ' ')" = 'GREEN LIMIT RED below colour pair place shared table walk '; }
check 'a name of two files is seen' sees_each

check 'each name of lib/ is of one file' each_once lib

finish
