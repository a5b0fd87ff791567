# SPDX-License-Identifier: MIT
# From the table of `trades` to that of docs/choose.md: a line for each trade, false alarms a day and incidents found.
function cell(sort) { return false_alarms[trade, sort] "; " found[trade, sort] }

$4 ~ /^[0-9]+\/[0-9]+$/ {
    if (!seen[$1]++)
        order[++trades] = $1
    split($4, of, "/")
    false_alarms[$1, $2] = $3
    found[$1, $2] = of[1] " of " of[2]
}
END {
    print "| | chosen | nothing set | today |"
    print "| --- | --- | --- | --- |"
    for (i = 1; i <= trades; i++) {
        trade = order[i]
        print "| " trade " | " cell("chosen") " | " cell("program") " | " cell("today") " |"
    }
}
