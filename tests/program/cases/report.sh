# SPDX-License-Identifier: MIT
# The page of --html: whole or as it was, hostile names, what it must not overwrite. What it shows: examples/cli/tests/.

data_of() { # PAGE: the JSON in it
    awk '/^<script type="application\/json"/ { inside = 1; next } inside && /^<\/script>/ { exit } inside' "$1"
}
mode_of() { # FILE
    ls -l "$1" | cut -c 1-10
}
many() {
    awk 'BEGIN { print "metric,value"; for (i = 0; i < 60; i++) print "a," (i == 50 ? 900 : i % 7) }'
}
many >in.csv
exits '--html: the output is as without it' 0 'anomaly -w 20 --html page.html in.csv'
mv out with.out && mv err with.err
exits '' 0 'anomaly -w 20 in.csv'
same '--html: standard output' out with.out
same '--html: standard error' err with.err
holds '--html: forbids itself every request' "content=\"default-src 'none'; " page.html
equal '--html: asks nothing of others' 0 "$(grep -c -i -e 'src=' -e 'https*:' -e 'url(' -e '@import' page.html)"
equal '--html: one alarm, with its sentence' 1 "$(data_of page.html | grep -c '"text":"a 900, usually ')"
equal '--html: nothing is left beside' 'in.csv page.html' "$(ls *.csv page* | tr '\n' ' ' | sed 's/ $//')"
exits '--html: with -q too' 0 'anomaly -q -w 20 --html quiet.html in.csv'
same '--html: -q changes nothing in it' page.html quiet.html

exits '' 0 '(umask 027 && anomaly -q --html new.html in.csv)'
equal '--html: who may read a new page is as the umask says' '-rw-r-----' "$(mode_of new.html)"
exits '' 0 'chmod 604 new.html && anomaly -q --html new.html in.csv'
equal '--html: one that is there keeps its mode' '-rw----r--' "$(mode_of new.html)"

printf '%s\n' 'metric,value' >hostile.csv
awk 'BEGIN { for (i = 0; i < 30; i++) printf "</script><b>&\342\200\250\342\200\251,%d\n", i == 25 ? 900 : i % 7 }' >>hostile.csv
exits '' 0 'anomaly -q -w 20 --html page.html hostile.csv'
equal '--html: no key ends the data' 0 "$(data_of page.html | grep -c '[<>&]')"
holds '--html: separators of lines are escaped' '\u003c/script\u003e\u003cb\u003e\u0026\u2028\u2029' page.html
equal '--html: no separator of lines' 0 "$(LC_ALL=C grep -c "$(printf '\342\200\250')" page.html)"

echo '<!doctype html>precious' >precious.html
exits '--html: a refused run leaves the file' 2 'anomaly --html precious.html -v nothing -s nonsense=1 in.csv'
equal '--html: as it was' '<!doctype html>precious' "$(cat precious.html)"
for other in '--html in.csv in.csv' '--out o.csv --html o.csv in.csv' '--state s --html s in.csv' '--html "" in.csv' \
    '--html none/page.html in.csv'; do
    : >o.csv
    exits "--html: $other" 2 "anomaly -q $other"
done
exits '--html: its name forgotten, the input stands there' 2 'anomaly -q --html in.csv </dev/null'
holds '--html: its name forgotten' 'in.csv: it is there, and is no page' err
exits '--html: standard output' 2 'anomaly -q --html - in.csv'
equal '--html: no file called -' 'no' "$([ -e ./- ] && echo yes || echo no)"
exits '--html: where a state is saved first' 2 'anomaly -q --state S --html S.new in.csv'
rm -f S
: >made.html
exits '--html: a file that is empty' 0 'anomaly -q --html made.html in.csv'
exits '--html: a page from before' 0 'anomaly -q --html made.html in.csv'
equal '--html: no input is overwritten' "$(many | cksum)" "$(cksum <in.csv)"
: >empty.csv
exits '--html: without a row' 1 'anomaly --html page.html empty.csv'
holds '--html: a page without a row' '"keys":[]' page.html

anomaly -q -f -w 20 --save-every 100ms --html live.html live.csv >/dev/null 2>&1 &
pid=$!
many >live.csv
tries=0
until grep -q '"alarms":1,' live.html 2>/dev/null || [ $tries -ge 100 ]; do
    sleep 0.1
    tries=$((tries + 1))
done
holds '--html: written while a file is followed' '"alarms":1,' live.html
kill "$pid"
wait "$pid"

awk 'BEGIN { print "metric,value"; for (k = 0; k < 400; k++) for (i = 0; i < 4000; i++) print "k" k "," i % 97 }' >after.csv
exits '--html: long keys, one after the other' 0 'anomaly -q -w 50 --html after.html after.csv'
equal '--html: the page stays small' 1 "$(($(wc -c <after.html) < 16000000))"
