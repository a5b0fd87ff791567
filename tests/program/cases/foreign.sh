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
