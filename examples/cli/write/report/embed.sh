#!/bin/sh
# SPDX-License-Identifier: MIT
# Writes the fixed parts of a report as C: report.html with the style and the script in their places, cut where the data
# comes. An array of numbers, since a string that long is more than C promises to take.
#
#   embed.sh DIRECTORY >report_page.c
set -eu
page() { # PART: 0 before the data, 1 behind it
    awk -v directory="$1" -v wanted="$2" '
        function all_of(name, line) { while ((getline line <(directory "/" name)) > 0) if (wanted == part) print line }
        BEGIN { part = 0 }
        $0 == "@style" { all_of("report.css"); next }
        $0 == "@script" { all_of("report.js"); next }
        $0 == "@data" { part = 1; next }
        wanted == part' "$1/report.html"
}
array() { # NAME, the bytes from the standard input
    printf 'const unsigned char %s[] = {\n' "$1"
    od -An -v -tu1 | sed 's/  */,/g; s/^,//; s/$/,/'
    printf '};\nconst size_t %s_size = sizeof %s;\n' "$1" "$1"
}
echo '#include "write/report_page.h"'
page "$1" 0 | array cli_page_head
page "$1" 1 | array cli_page_tail
