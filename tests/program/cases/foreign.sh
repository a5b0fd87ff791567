# SPDX-License-Identifier: MIT
# Formats that the program does not read: one message, whose command does get the numbers in.

cat >metrics.prom <<'END'
# HELP requests_total The total
# TYPE requests_total counter
requests_total{method="post",path="/a b"} 1027 1395066363000
requests_total{method="get"}    3
load1 0.42
END
sed 1,2d metrics.prom >bare.prom
printf '{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"up"},"values":[[1741096800,"1"],[1741096860,"2"]]}]}}' >query.json
cat >access.log <<'END'
10.0.0.1 - - [04/Mar/2025:14:00:00 +0100] "GET /a HTTP/1.1" 200 3882 "-" "Some 1.0 (client)" 0.036
10.0.0.2 - - [04/Mar/2025:14:00:01 +0100] "GET /b HTTP/1.1" 304 - "-" "Some 1.0 (client)" 0.034
END
printf 'a 1\nb   2\n' >blanks.txt

# The command of the message, run: FILE EXPECTED (key and value of each row)
gets_in() {
    exits "foreign: $1 is not read" 1 "anomaly $1"
    equal "foreign: $1 has one message and no summary" "$1:1: 1" "$(cut -d ' ' -f 1 err) $(wc -l <err | tr -d ' ')"
    sed "s/.*can be read: //; s/ (bytes by.*//; s/FILE\(\.\.\.\)*/$1/; s/| anomaly/& -a -q -o csv --fields key,value/" err >by-hand
    equal "foreign: the command for $1" "$2" "$(sh ./by-hand 2>&1 | tail -n +2 | tr '\n' ' ')"
}

gets_in metrics.prom '"requests_total{method=""post"",path=""/a b""}",1027 "requests_total{method=""get""}",3 load1,0.42 '
gets_in bare.prom '"requests_total{method=""post"",path=""/a b""}",1027 "requests_total{method=""get""}",3 load1,0.42 '
gets_in access.log '/a,3882 /b, '
for file in query.json; do
    exits "foreign: $file is not read" 1 "anomaly $file"
    equal "foreign: $file has one message" 1 "$(wc -l <err | tr -d ' ')"
done
if command -v jq >/dev/null; then
    gets_in query.json '"{""__name__"":""up""}",1 "{""__name__"":""up""}",2 '
fi

# What is meant is not guessed at: -i and --delimiter say it. Objects and comments are no tables.
exits 'foreign: -i txt' 1 'anomaly -i txt -a -o csv --fields line,value blanks.txt'
holds 'foreign: -i txt rejects' 'not a number: "a 1"' err
printf '{ "value" : 1 }\n{ "value" : 2 }\n' >blanks.json
exits 'foreign: objects with blanks' 0 'anomaly -a -q -o csv --fields value blanks.json'
equal 'foreign: both objects' 'value 1 2 ' "$(tr '\n' ' ' <out)"
