# SPDX-License-Identifier: MIT
# Colour and progress are for terminals only.

esc=$(printf '\033')
anomaly -a -s warmup=3 "$data/sensors.csv" >out 2>err
equal 'no colour into a file' 0 "$(cat out err | grep -c "$esc")"
if command -v script >/dev/null && script -qec true /dev/null >/dev/null 2>&1; then
    TERM=xterm script -qec "anomaly -a -s warmup=3 $data/sensors.csv" /dev/null >out </dev/null
    equal 'on a terminal the header and the two anomalies stand out' 3 "$(grep -c "$esc\\[1" out)"
    NO_COLOR=1 TERM=xterm script -qec "anomaly -a -s warmup=3 $data/sensors.csv" /dev/null >out </dev/null
    equal 'not with NO_COLOR' 0 "$(grep -c "$esc" out)"
    TERM=dumb script -qec "anomaly -a -s warmup=3 $data/sensors.csv" /dev/null >out </dev/null
    equal 'not on a dumb terminal' 0 "$(grep -c "$esc" out)"
    spark="anomaly -q --sparkline --whole $data/sensors.csv"
    TERM=xterm script -qec "$spark" /dev/null >out </dev/null
    equal '--sparkline: on a terminal the anomalies stand out' 2 "$(grep -c "$esc\\[1;38;5;208m#$esc\\[0m" out)"
    NO_COLOR=1 TERM=xterm script -qec "$spark" /dev/null >out </dev/null
    equal '--sparkline: not with NO_COLOR' '0 2' "$(grep -c "$esc" out) $(grep -c '[!]' out)"
    TERM=xterm script -qec "anomaly -a -o csv -s warmup=3 $data/sensors.csv" /dev/null >out </dev/null
    equal 'not in CSV' 0 "$(grep -c "$esc" out)"
fi
