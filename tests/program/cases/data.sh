# SPDX-License-Identifier: MIT
# The sample data: the generator writes the committed file, and what was planted is found.

if command -v python3 >/dev/null; then
    python3 "$data/generate.py" >day.csv
    same 'server-day.csv is what generate.py writes' "$data/server-day.csv" day.csv
fi
sed -n 's/,1$//p' "$data/server-day.csv" | cut -d, -f1,3 | sort >planted
equal 'fourteen events are planted' 14 "$(wc -l <planted | tr -d ' ')"
anomaly -q -w 1h -o csv --fields key,time "$data/server-day.csv" | sed 1d | sort >found
equal 'all of them are found with a window of an hour' '' "$(comm -23 planted found)"
anomaly -q -w 1h -s learn=normal:5 -o csv --fields key,time "$data/server-day.csv" | sed 1d | sort >found
equal 'and with learn=normal:5' '' "$(comm -23 planted found)"
anomaly -q -o csv --fields key,time "$data/server-day.csv" | sed 1d | sort >found
equal 'by default there is no false alarm' '' "$(comm -13 planted found)"
equal '... and half of them have one: the first of an incident, as its rest and the budget allow' '7' "$(wc -l <found | tr -d ' ')"
