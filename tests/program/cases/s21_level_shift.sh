# SPDX-License-Identifier: MIT
# S21: a level shift under the three learning policies.

awk 'BEGIN { print "value"; for (i = 0; i < 400; i++) print (i < 200 ? 20 : 30) + 0.1 * (i % 10) }' >in.csv

flagged() { # OPTION...: how many, and the first and the last (the first event is number 0, on line 2)
    anomaly -q -w 30 -s warmup=10 -o csv --fields line "$@" in.csv |
        awk 'NR > 1 { n++; if (n == 1) first = $1 - 2; last = $1 - 2 } END { print n, first, last }'
}
equal 's21: learn=always' '4 200 203' "$(flagged)"
equal 's21: learn=normal' '200 200 399' "$(flagged -s learn=normal)"
equal 's21: learn=normal:5' '8 200 207' "$(flagged -s learn=normal:5)"
