# SPDX-License-Identifier: MIT
# What the summary says of much that was found: another threshold, and that it gives what is said.

awk 'BEGIN { srand(7); print "metric,value,timestamp"
    for (i = 0; i < 6000; i++)
        printf "%s,%.2f,%d\n", i % 3 ? "a" : "b", (rand() + rand() + rand()) * (i % 40 ? 1 : 4), 1741046400 + 60 * i }' >many.csv
for method in '-w 500 -t 2.5' '-d percentile -w 500 -t .01' '-d mahalanobis -w 512 -t 1.1'; do
    exits "found: $method" 0 "anomaly $method many.csv"
    told=$(sed -n 's/^found: \([0-9]*\) anomalies in 2 keys, .*/\1/p' err)
    equal "found: $method: as many as were printed" "$(($(wc -l <out) - 1))" "$told"
    holds "found: $method: too many" 'hint: that is one event in ' err
    holds "found: $method: a budget" 'with -s alarms=1/day it would be about 10: one a day of each key' err
    other=$(sed -n 's/^      with -t \([0-9.]*\) it would have been \([0-9]*\)$/\1 \2/p' err)
    exits '' 0 "anomaly -q $method -t ${other% *} many.csv"
    equal "found: $method: what -t ${other% *} gives" "${other#* }" "$(($(wc -l <out) - 1))"
done
anomaly -q -w 500 --fields score,time,explanation -o csv many.csv | sort -t, -k1,1g | tail -n 1 >row
strongest=$(cut -d'"' -f2 row) day=$(cut -c1-60 row | sed 's/.*,2025-03-0\([0-9]\)T.*/\1/')
exits '' 0 'anomaly -w 500 many.csv'
holds 'found: the strongest' "; the strongest, of 2025-03-0$day: $strongest" err
exits 'found: a threshold that learning depends on' 0 'anomaly -w 500 -t 2.5 -s learn=normal:5 many.csv'
holds 'found: about' ' it would have been about ' err
exits 'found: a budget has no threshold' 0 'anomaly -d mahalanobis -s alarm_rate=.05 many.csv'
equal 'found: no -t' 0 "$(grep -c -e 'with -t' err)"
exits 'found: few need no words' 0 'anomaly -w 500 -t 9 many.csv'
equal 'found: few' 0 "$(grep -c '^found:' err)"
