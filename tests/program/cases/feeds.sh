# SPDX-License-Identifier: MIT
# Formats of monitoring tools, line by line: read on where the last run stopped, and followed.

printf 'up{job="a"} 1 1741096800000\nup{job="a"} 2 1741096815000\n' >grow.prom
printf 'm,t=a x=1i,y=2 1741096800\nm,t=a x=3' >grow.lp
for file in grow.prom grow.lp; do
    exits "feeds: $file, first run" 0 "anomaly -q -d zscore -w 9 -a --state s.$file --resume --out o.$file.csv $file"
done
printf 'up{job="a"} 3 1741096830000\n' >>grow.prom
printf '7i 1741096810\n' >>grow.lp
for file in grow.prom grow.lp; do
    exits "feeds: $file, read on" 0 "anomaly -q -d zscore -w 9 -a --state s.$file --resume --out o.$file.csv $file"
    anomaly -q -d zscore -w 9 -a -o csv "$file" >whole
    same "feeds: $file, in two runs as in one" whole "o.$file.csv"
done

printf 'up 1\n' >live.prom
: >live.out
anomaly -q -a -f -i prometheus -o csv --fields line,value live.prom >live.out &
pid=$!
waits_for() { # LINES
    tries=0
    until [ "$(wc -l <live.out)" -ge "$1" ] || [ $tries -gt 100 ]; do
        sleep .1
        tries=$((tries + 1))
    done
}
waits_for 2
printf '# TYPE up gauge\nup 5\n' >>live.prom
waits_for 3
kill "$pid"
wait "$pid"
equal 'feeds: what is followed comes as it is written' 'line,value 1,1 3,5 ' "$(tr '\n' ' ' <live.out)"

# An interval goes on in the next run, though its first requests were read in this one.
for lines in 3 4 40 41 100 1000; do
    head -n $lines "$here/data/access.log" >grow.log
    exits "feeds: access log, $lines lines" 0 "anomaly -q -d zscore -w 9 -a -o csv --state s.log --resume --out log.csv grow.log"
done
anomaly -q -d zscore -w 9 -a -o csv grow.log >whole
same 'feeds: an access log in six runs as in one' whole log.csv
