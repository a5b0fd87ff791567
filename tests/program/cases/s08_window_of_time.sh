# SPDX-License-Identifier: MIT
# S08: one event a second, t = 0 to 300, in a window of 300 s: what is exactly 300 s old is still inside, what is older is not, and
# after a long silence nothing is left to judge by.

awk 'BEGIN { print "metric,value,timestamp"; for (t = 0; t <= 300; t++) print "m," 50 + t % 10 "," t }' >stream.csv

last() { # TIME FIELDS OPTION...: of an event at that time, after the others
    { cat stream.csv && echo "m,55,$1"; } >in.csv
    fields=$2
    shift 2
    anomaly -q -a -o csv -w 300s --fields "$fields" "$@" in.csv | tail -n 1
}
for detector in zscore percentile 'zscore -s robust=1'; do
    # shellcheck disable=SC2086 # several words
    set -- -d $detector
    equal "S08: $detector: at 300 the window holds 301, the event included" 301 \
        "$(anomaly -q -a -o csv -w 300s --fields events -s include_self=1 "$@" stream.csv 2>err | tail -n 1)"
    equal "S08: $detector: at 301 it holds the 300 from 1 to 300" 300 "$(last 301 events "$@")"
    equal "S08: $detector: at 1000 it is empty: no score, no bounds" ',,,,0,warming_up,0' \
        "$(last 1000 score,expected,lower,upper,events,flags,anomaly "$@")"
    anomaly -a -o csv "$@" in.csv >out 2>err
    holds "S08: $detector: the summary says why it was not judged" 'not judged: fewer than' err
done
# by hand: 1 to 300 s are 30 each of 50 to 59; with the 50 at 0 s, which is 301 s old, the mean were 54.485
equal 'S08: at 301 the mean is that of 1 to 300' 54.5 "$(last 301 expected)"
