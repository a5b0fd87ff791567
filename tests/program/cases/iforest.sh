# SPDX-License-Identifier: MIT
# The forest over the machine's sample data: what was planted is found, and the sensor is named.

if command -v python3 >/dev/null; then
    python3 "$data/generate.py" machine >machine.csv
    same 'machine.csv is what generate.py writes' "$data/machine.csv" machine.csv
fi
awk -F, 'NR > 1 && $7 != "ok" { print NR, $7 }' "$data/machine.csv" | sort >planted
equal 'twenty-three faults are planted' 23 "$(wc -l <planted | tr -d ' ')"

# found NAME: of the rows flagged, how many were planted, and how many of those name a planted sensor
found() {
    awk -F, 'NR > 1 { print $1, $2 }' flagged | sort >lines
    join planted lines | awk -v all="$(wc -l <lines)" '
        { hits++; named += index("+" $2 "+", "+" $3 "+") > 0 }
        END { print hits, named, all + 0 }'
}
anomaly -q -d iforest -o csv --fields line,feature "$data/machine.csv" >flagged
equal 'as a stream: found, named, flagged in all' '22 22 27' "$(found)"
anomaly -q -d iforest --whole -o csv --fields line,feature "$data/machine.csv" >flagged
equal 'fitted to the whole: one in a hundred' '22 22 25' "$(found)"
anomaly -q -d iforest -w 300 -s sample=64 -o csv --fields line,events "$data/machine.csv" >flagged
equal 'the window is one of events' 300 "$(awk -F, 'NR > 1 && $2 + 0 > most { most = $2 } END { print most }' flagged)"
exits 'any one column' 0 "anomaly -d iforest -v flow '$data/machine.csv'"
exits '--each: a forest for each column' 0 "anomaly -d iforest --each --fields key,line '$data/machine.csv'"
holds '--each: the key is the column' 'vibration' out

# The same verdicts from rows in any number of files, and again.
head -1300 "$data/machine.csv" >one.csv
{ head -1 "$data/machine.csv" && tail -n +1301 "$data/machine.csv"; } >two.csv
anomaly -q -d iforest -a -o csv --fields score,threshold,feature,flags "$data/machine.csv" >whole
anomaly -q -d iforest -a -o csv --fields score,threshold,feature,flags one.csv two.csv >parts
same 'files are one stream' whole parts
anomaly -q -d iforest -s seed=2 -a -o csv --fields score one.csv >seeded
equal 'another seed, other trees' 1 "$(cut -d, -f1 parts | head -1300 | cmp -s - seeded; echo $?)"
