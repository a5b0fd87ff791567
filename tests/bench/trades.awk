# SPDX-License-Identifier: MIT
# From what `trades` printed to a table of a page: a line for each trade, false alarms a day and incidents found.
#
#   awk -v columns='chosen 1;program 2' -v heads='chosen;nothing set' -f trades.awk FILE [FILE]
#
# A column is a sort of settings and the number of the file. What misses a bar is bold.

FNR == 1 { file++ }
$4 ~ /^[0-9]+\/[0-9]+$/ {
    if (!seen[$1]++)
        order[++trades] = $1
    split($4, of, "/")
    bold = $7 == "MISS" ? "**" : ""
    cell[$1, $2 " " file] = bold $3 "; " of[1] " of " of[2] bold
}
END {
    count = split(columns, column, ";")
    split(heads, head, ";")
    line = "|"
    rule = "| ---"
    for (k = 1; k <= count; k++) {
        line = line " | " head[k]
        rule = rule " | ---"
    }
    print line " |\n" rule " |"
    for (i = 1; i <= trades; i++) {
        line = "| " order[i]
        for (k = 1; k <= count; k++)
            line = line " | " cell[order[i], column[k]]
        print line " |"
    }
}
