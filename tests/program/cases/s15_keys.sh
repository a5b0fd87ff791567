# SPDX-License-Identifier: MIT
# S15: 20 keys in one process, in five that the keys are routed to, and in five that are stopped half-way: the same findings.

awk 'BEGIN {
    print "metric,value"
    for (i = 0; i < 40; i++) for (k = 0; k < 20; k++) printf "m%02d,%d\n", k, i == 30 && (k == 7 || k == 13) ? 95 : 50 + i % 10
}' >all.csv
form='-q -w 30 -o ndjson --fields key,value,score,events'
# shellcheck disable=SC2086 # several words
{
    anomaly $form all.csv >one
    for p in 0 1 2 3 4; do
        awk -F, -v p=$p 'NR == 1 || substr($1, 2) % 5 == p' all.csv >part.$p.csv
        anomaly $form part.$p.csv >>five
        head -n 70 part.$p.csv >half.csv
        { head -n 1 part.$p.csv && tail -n +71 part.$p.csv; } >rest.csv
        anomaly $form --state state.$p half.csv >>halves
        anomaly $form --state state.$p rest.csv >>halves
    done
}
# by hand: 30 values of 50..59, three of each: mean 54.5, variance 8.25 * 30 / 29, (95 - 54.5) / 2.921384
equal 'S15: found are m07 and m13' 'm07 95 13.863294, m13 95 13.863294' \
    "$(tr -d '{"' <one | awk -F '[:,]' '{ printf "%s%s %s %.6f", (NR > 1 ? ", " : ""), $2, $4, $6 }')"
sort five >found
same 'S15: five processes, each key in one of them' one found
sort halves >found
same 'S15: each of them stopped half-way, with --state' one found
