# SPDX-License-Identifier: MIT
# --whole is leave-one-out: each row's score is the one it gets behind a file with all the others before it.

rounded() { # the order in which the others are learned shows in the last digit
    awk -F, -v OFS=, '{ for (i = 1; i <= NF; i++) if ($i != "") $i = sprintf("%.12g", $i) } { print }'
}

awk 'BEGIN { for (i = 0; i < 14; i++) print (i == 9 ? "nan" : i == 4 ? 40 : 3 + (i * i * 7) % 11 / 4) }' >values
for options in '' '-s robust=1' '-d percentile -s warmup=3' '-s side=upper' '-s ddof=0'; do
    # shellcheck disable=SC2086 # the options are words
    { echo value && cat values; } | anomaly --whole -q -a -o csv --fields value,score,expected,lower,upper,events,anomaly $options | sed 1d | rounded >found
    : >expected
    row=1
    while [ $row -le 14 ]; do
        # shellcheck disable=SC2086
        { echo value && sed "${row}d" values && sed -n "${row}p" values; } |
            anomaly -q -a -w 100 -s warmup=3 -o csv --fields value,score,expected,lower,upper,events,anomaly $options |
            tail -n 1 | rounded >>expected
        row=$((row + 1))
    done
    same "--whole is leave-one-out: ${options:-default}" expected found
done
