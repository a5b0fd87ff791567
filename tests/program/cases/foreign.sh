# SPDX-License-Identifier: MIT
# Formats that the program reads only with an option: one message names the option.

printf 'GET [04/Mar/2025:14:00:00 +0100] "/a" 200\n' >other.log
printf 'a 1\nb   2\n' >blanks.txt

for file in other.log; do
    exits "foreign: $file is not read" 1 "anomaly $file"
    equal "foreign: $file has one message" 1 "$(wc -l <err | tr -d ' ')"
done

# What is meant is not guessed at: -i and --delimiter say it. Objects and comments are no tables.
exits 'foreign: -i txt' 1 'anomaly -i txt -a -o csv --fields line,value blanks.txt'
holds 'foreign: -i txt rejects' 'not a number: "a 1"' err
printf '{ "value" : 1 }\n{ "value" : 2 }\n' >blanks.json
exits 'foreign: objects with blanks' 0 'anomaly -a -q -o csv --fields value blanks.json'
equal 'foreign: both objects' 'value 1 2 ' "$(tr '\n' ' ' <out)"

# JSON of sysstat has its rows in arrays in arrays: the message has the command, which is run where jq is at hand.
cat >iostat.json <<'EOF'
{"sysstat": {
	"hosts": [
		{"nodename": "web01", "date": "2025-03-04",
			"statistics": [
				{"timestamp": "2025-03-04T14:00:00+0000", "avg-cpu":  {"user": 8.68, "idle": 91.3},
				 "disk": [{"disk_device": "sda", "tps": 1.5, "util": 0.6}, {"disk_device": "sdb", "tps": 2.5, "util": 0.7}]},
				{"timestamp": "2025-03-04T14:01:00+0000", "avg-cpu":  {"user": 8.7, "idle": 91.3},
				 "disk": [{"disk_device": "sda", "tps": 3.5, "util": 0.8}]}
			]}]}}
EOF
tr -d '\n' <iostat.json | sed 's/"disk": \[[^]]*\]/"none": 0/g' >cpu.json
printf '{"sysstat":{"hosts":[{"statistics":[{"timestamp":"14:00:01","cpu-load":[{"cpu":"all","usr":20.5}]}]}]}}' >mpstat.json
printf '{"sysstat":{"hosts":[{"statistics":[{"timestamp":{"date":"2025-03-04","time":"14:00:01","utc":1},"queue":{"runq-sz":1}}]}]}}' >sadf.json
by_hand() { # FILE ROW: the command of the message reads the file; its first row
    exits "foreign: $1 is not read" 1 "anomaly $1"
    holds "foreign: $1 has the command" '| anomaly' err
    if command -v jq >/dev/null && grep -q jq err; then
        sed "s/.*: jq/jq/; s/FILE/$1/; s/| anomaly/& -d zscore -a -q -o csv --fields key,time,feature,value --each/" err >by-hand
        sh ./by-hand >found 2>&1
        equal "foreign: the command for $1" "$2" "$(sed -n 2p found)"
    fi
}
by_hand iostat.json 'sda/tps,2025-03-04T14:00:00Z,tps,1.5'
by_hand cpu.json 'user,2025-03-04T14:00:00Z,user,8.68'
by_hand mpstat.json 'all/usr,,usr,20.5'
by_hand sadf.json ''
exits 'foreign: --rows takes the array that it names' 1 'anomaly --rows sysstat.hosts iostat.json'
holds 'foreign: --rows takes the array that it names' 'no column "value"' err
