# SPDX-License-Identifier: MIT
# Live input, closed output, big input.

# Waits until a file has so many lines, at most ten seconds (longer under valgrind). FILE LINES
lines() {
    tries=0
    while [ "$(wc -l <"$1")" -lt "$2" ] && [ $tries -lt 300 ]; do
        sleep 0.1
        tries=$((tries + 1))
    done
}

joined() { # a file's lines in one
    paste -s -d ' ' "$1"
}

printf 'metric,value,timestamp\nm,1,1\n' >grow.csv
: >out
anomaly --follow -a -o csv --fields line,value grow.csv >out 2>err &
pid=$!
lines out 2
equal '--follow: what is there' 'line,value 2,1' "$(joined out)"
printf 'm,2,2\nm,3' >>grow.csv
lines out 3
equal '--follow: what is added, whole lines only' 'line,value 2,1 3,2' "$(joined out)"
printf '3,3\n' >>grow.csv
lines out 4
equal '--follow: the rest of a line' 'line,value 2,1 3,2 4,33' "$(joined out)"
kill -TERM $pid
wait $pid
equal '--follow: SIGTERM ends it with 0' 0 $?
holds '--follow: and a summary' 'grow.csv: 3 events' err

# Silence goes by the wall clock, in files and in pipes, and each one is told once.
a_second_apart() { # an event in each of the last 20 seconds
    now=$(date +%s)
    awk -v now="$now" 'BEGIN { for (i = 19; i >= 0; i--) print "m,1," now - i }'
}
silences() { joined out | tr ' ' '\n' | grep -c '"silent":true,"key":"m"'; }
mkfifo live
{ echo metric,value,timestamp && a_second_apart; } >still.csv
: >out
anomaly -q --follow -s silence=2x -o ndjson still.csv >out 2>err &
pid=$!
lines out 1
printf 'm,1,%s\n' "$(date +%s)" >>still.csv
lines out 2
equal '--follow: a silence is told as it happens, the next one too' 2 "$(silences)"
kill -TERM $pid
wait $pid
equal '--follow: and once each' 2 "$(silences)"
: >out
anomaly -q --follow -s silence=2x -o ndjson - <live >out 2>err &
exec 3>live
{ echo metric,value,timestamp && a_second_apart; } >&3
lines out 1
equal '--follow: in a pipe that stays open' 1 "$(silences)"
holds '--follow: on standard error too' 'silent: m: no event since' err
exec 3>&-
wait

printf 'a,b\n1,10\n' >turn.csv
: >out
anomaly --follow -a -o csv --fields line,feature,value turn.csv >out 2>err &
pid=$!
lines out 2
mv turn.csv turn.1 && printf 'b,a\n20,2\n' >turn.csv
lines out 3
mv turn.csv turn.2 && printf 'b,c\n30,3\n' >turn.csv
wait $pid
equal '--follow: other columns after a rotation: status 1' 1 $?
equal '--follow: the same columns in another order are the same' 'line,feature,value 2,a,1 2,a,2' "$(joined out)"
holds '--follow: other columns are told' 'turn.csv:1: other columns than before: a, b are judged (there are: b, c)' err

mkfifo pipe
: >out
anomaly -q -a -i ndjson -o ndjson --fields value <pipe >out &
exec 3>pipe
echo '{"value":1}' >&3
lines out 1
equal 'a verdict goes out before the next event comes in' '{"value":1}' "$(cat out)"
exec 3>&-
wait

awk 'BEGIN { print "metric,value,timestamp"; for (i = 0; i < 200000; i++) print "m," i % 10 "," i }' >big.csv
{
    anomaly -a -o csv big.csv 2>err
    echo $? >status
} | head -n 1 >out
equal 'a closed pipe: no error' 0 "$(cat status)"
equal 'a closed pipe: nothing said of it' '' "$(grep -v 'judging value by metric' err)"
{
    anomaly -f -a -o csv big.csv 2>err
    echo $? >status
} | head -n 1 >out
equal 'a closed pipe ends --follow' 0 "$(cat status)"
if [ -w /dev/full ]; then
    exits 'a full disk: status 1' 1 'anomaly -a -o csv big.csv >/dev/full'
    holds 'a full disk: told' 'standard output: No space left on device' err
fi

gzip -c big.csv >big.csv.gz
anomaly -q -a -o csv --fields line,score big.csv >expected
anomaly -q -a -o csv --fields line,score big.csv.gz >found
same 'gzip' expected found
{ gzip -c big.csv && sed 1d big.csv | gzip -c; } >two.csv.gz
equal 'gzip of two members' 400000 "$(anomaly -a -q -o csv --fields line two.csv.gz | sed 1d | wc -l | tr -d ' ')"
head -c 100000 big.csv.gz >cut.csv.gz
exits 'gzip that ends too early' 1 'anomaly cut.csv.gz'
holds 'gzip that ends too early: told' 'cut.csv.gz: gzip data ends too early' err
printf '\037\213garbage and more of it' >bad.csv.gz
exits 'gzip that is none' 1 'anomaly bad.csv.gz'
holds 'gzip that is none: told' 'bad.csv.gz: damaged gzip data' err

# A line of 100 MB costs its own row and no memory.
{
    echo metric,value,timestamp && echo m,1,1
    head -c 100000000 /dev/zero | tr '\0' x && echo
    echo m,2,2
} >long.csv
{
    echo '[{"value":1},' && printf '{"value":2,"x":"'
    head -c 100000000 /dev/zero | tr '\0' x && echo '"},'
    echo '{"value":3}]'
} >long.json
# shellcheck disable=SC3045 # where ulimit has no -v the program runs without a limit
limited() { # runs the program in 64 MB, if it can start in them at all (not with sanitizers or valgrind)
    if sh -c 'ulimit -v 65536; anomaly --version; exit $?' >/dev/null 2>&1; then (ulimit -v 65536 && anomaly "$@"); else anomaly "$@"; fi
}
limited -a -o csv --fields line,value long.csv >out 2>err
equal 'a line of 100 MB: status 1' 1 $?
equal 'a line of 100 MB: the others are read' 'line,value 2,1 4,2' "$(joined out)"
holds 'a line of 100 MB: told' 'long.csv:3: longer than 1 MiB' err
limited -a -o csv --fields line,value long.json >out 2>err
equal 'a JSON element of 100 MB: the others are read' 'line,value 1,1 3,3' "$(joined out)"
holds 'a JSON element of 100 MB: told' 'long.json:2: not a JSON object: it is longer than 1 MiB, or not closed' err
sed 's/"}/}/' long.json >open.json
limited -a -o csv --fields line,value open.json >out 2>err
equal 'an open string of 100 MB: the others are read' 'line,value 1,1 3,3' "$(joined out)"
awk 'BEGIN { print "["; for (i = 0; i < 1000000; i++) print "{\"metric\":\"m\",\"value\":" i % 10 ",\"timestamp\":" i "},"; print "]" }' >many.json
limited -q -o csv many.json >out
equal 'a million elements of an array in 64 MB' 0 $?
rm -f long.* open.json many.json
