#!/bin/sh
# SPDX-License-Identifier: MIT
# How fast the program reads, beside pandas and Miller doing the same on the same file: `make bench-cli`.
#
#   sh tests/program/bench_cli.sh [MILLION-ROWS]        10 by default: a file of 390 MB in $TMPDIR
#
# The file: metric,value,timestamp; one metric, ISO times a second apart. The work: for every row the mean and the standard
# deviation of the 300 s before it, and whether it lies three of them away. pandas: read_csv with the times parsed, rolling
# mean and std. Miller has no window of time; it gets what it does have for each row, an exponentially weighted mean
# (`step -a ewma`) and a comparison with it, which is less work. Best of three runs each, by the clock; processor time and peak memory are of the last run.
set -u
if [ -n "${TEST_TIMEOUT+set}${TEST_QUICK+set}" ]; then
    echo '0 passed, 0 failed' # the test runner takes every script of this directory; this one is no test
    exit 0
fi
root=$(cd "$(dirname "$0")/../.." && pwd)
program=${ANOMALY:-$root/build/anomaly}
millions=${1:-10}
dir=$(mktemp -d "${TMPDIR:-/tmp}/anomaly-bench.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM
file=$dir/rows.csv

awk -v n="$((millions * 1000000))" 'BEGIN {
    print "metric,value,timestamp"
    split("31 28 31 30 31 30 31 31 30 31 30 31", days, " ")
    year = 2025; month = 1; day = 1; x = 12345
    for (i = 0; i < n; i++) {
        s = i % 86400
        if (s == 0) {
            if (i > 0 && ++day > days[month]) { day = 1; if (++month > 12) { month = 1; year++ } }
            date = sprintf("%d-%02d-%02dT", year, month, day)
        }
        x = (x * 16807) % 2147483647
        v = 40 + x % 2000 / 100 + (i % 500000 == 499999 ? 90 : 0)
        printf "temperature,%.2f,%s%02d:%02d:%02dZ\n", v, date, int(s / 3600), int(s / 60) % 60, s % 60
    }
}' >"$file"

cat >"$dir/pandas_rolling.py" <<'PYTHON'
import sys
import pandas as pd

frame = pd.read_csv(sys.argv[1], parse_dates=["timestamp"], index_col="timestamp")
window = frame["value"].rolling("300s")
mean, std = window.mean().shift(), window.std().shift()
print(int(((frame["value"] - mean).abs() >= 3 * std).sum()), "anomalies")
PYTHON

measure() { # NAME COMMAND...: best of three; sets seconds
    name=$1
    shift
    seconds=
    for _ in 1 2 3; do
        if ! /usr/bin/time -f '%e %M %U %S' -o "$dir/time" "$@" >"$dir/out" 2>"$dir/err"; then
            printf '%-36s failed: %s\n' "$name" "$(tail -n 1 "$dir/err")"
            return 1
        fi
        now=$(awk '{ print $1 }' "$dir/time")
        seconds=$(awk -v a="${seconds:-1e9}" -v b="$now" 'BEGIN { print a < b ? a : b }')
    done
    awk -v name="$name" -v s="$seconds" -v m="$millions" -v rest="$(cut -d ' ' -f 2- "$dir/time")" -v ours="${ours:-$seconds}" 'BEGIN {
        split(rest, used, " ")
        printf "%-36s %7.2f s (processor %.2f s) %6.2f million rows/s %7.1f MB %6.2f times our time\n",
            name, s, used[2] + used[3], m / s, used[1] / 1024, s / ours }'
}

echo "machine: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) cores"
printf 'file: %s million rows, %s MB\n' "$millions" "$(($(wc -c <"$file") / 1000000))"
ours=
measure "$("$program" --version)" "$program" -d zscore -w 300s "$file" || exit 1
cat "$dir/err"
ours=$seconds
if python3 -c 'import pandas' 2>/dev/null; then
    measure "pandas $(python3 -c 'import pandas; print(pandas.__version__)') read_csv + rolling" python3 "$dir/pandas_rolling.py" "$file"
else
    echo 'pandas is not installed'
fi
if command -v mlr >/dev/null; then
    # shellcheck disable=SC2016 # the dollars are Miller's
    measure "Miller $(mlr --version | awk '{ print $2 }') step -a ewma" mlr --icsv --ocsv --from "$file" \
        step -a ewma -d 0.0066 -o mean -f value 'then' filter '$value - $value_ewma_mean > 60'
else
    echo 'Miller (mlr) is not installed'
fi
