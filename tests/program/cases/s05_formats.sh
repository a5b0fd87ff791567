# SPDX-License-Identifier: MIT
# S05: the same 60 events in every format, with every way to write the time: the same verdicts, byte for byte.

awk 'BEGIN {
    for (i = 0; i < 60; i++) {
        t = 1737460800 + 10 * i; min = int(10 * i / 60); sec = 10 * i % 60
        value = i == 40 ? 95 : 50 + i % 10 + (i % 3) / 10
        printf "%s %s 2025-01-21T12:%02d:%02dZ 2025-01-21T13:%02d:%02d+01:00 %d %d000\n",
            i % 2 ? "odd" : "even", value, min, sec, min, sec, t, t
    }
}' >events

format() { # KIND COLUMN-OF-THE-TIME QUOTE: writes the events in a format
    case $1 in
    csv) echo 'metric,value,timestamp' && awk -v c="$2" '{ print $1 "," $2 "," $c }' events ;;
    columns) echo 'other;timestamp;value;metric' && awk -v c="$2" '{ print "x;" $c ";" $2 ";" $1 }' events ;;
    crlf) format csv "$2" "$3" | awk '{ printf "%s\r\n", $0 }' ;;
    bom) printf '\357\273\277' && format csv "$2" "$3" ;;
    quoted) awk -v c="$2" 'BEGIN { print "\"metric\",\"value\",\"timestamp\"" }
        { print "\"" $1 "\",\"" $2 "\",\"" $c "\"" }' events ;;
    txt) echo '# a comment' && echo && awk -v c="$2" '{ print $1 "," $2 "," $c }' events ;;
    tabs) awk -v c="$2" '{ print $1 "\t" $2 "\t" $c }' events ;;
    ndjson) awk -v c="$2" -v q="$3" '{ print "{\"metric\":\"" $1 "\",\"value\":" $2 ",\"timestamp\":" q $c q "}" }' events ;;
    json) echo '[' && format ndjson "$2" "$3" | sed '$!s/$/,/' && echo ']' ;;
    oneline) format json "$2" "$3" | tr -d '\n' ;;
    pretty) format json "$2" "$3" | sed 's/[{,]/&\n    /g; s/":/" :  /g' ;;
    esac
}

name_of() {
    case $1 in
    txt | tabs) echo events.txt ;;
    json | oneline | pretty) echo events.json ;;
    ndjson) echo events.ndjson ;;
    *) echo events.csv ;;
    esac
}

fields=key,time,feature,value,score,threshold,expected,lower,upper,events,flags,anomaly
format csv 3 '' >first.csv
anomaly -a -q -o ndjson --fields "$fields" first.csv >expected
equal 's05: one anomaly among 60' '60 1' "$(wc -l <expected | tr -d ' ') $(grep -c '"anomaly":true' expected)"
for kind in csv columns crlf bom quoted txt tabs ndjson json oneline pretty; do
    for time in 3 4 5 6; do
        quote=
        [ "$time" -gt 4 ] || quote='"'
        file=$(name_of "$kind")
        format "$kind" "$time" "$quote" >"$file"
        anomaly -a -q -o ndjson --fields "$fields" "$file" >found
        same "s05: $kind, time in column $time" expected found
        gzip -c "$file" >"$file.gz"
        anomaly -a -q -o ndjson --fields "$fields" "$file.gz" >found
        same "s05: $kind.gz, time in column $time" expected found
        anomaly -a -q -o ndjson --fields "$fields" <"$file" >found
        same "s05: $kind from standard input, time in column $time" expected found
    done
done
