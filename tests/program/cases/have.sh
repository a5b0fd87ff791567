# SPDX-License-Identifier: MIT
# What you have, and the command: every command of the manual's table is run on a small file of its kind, and answers
# what data/FILE.answer says (FILE: the first word of the command that is a file). UPDATE=1 writes the answers: read
# them. The answer is the anomalies as CSV, and before them what was said but the summary.

cp "$here"/data/* . && rm -f ./*.answer
awk -F '`' '/^### / { inside = /What you have/ } inside && /^\| .*anomaly/ { gsub(/\\\|/, "|", $(NF - 1)); print $(NF - 1) }' \
    "$root/docs/program.md" >commands

first_file() { # COMMAND
    for word in $1; do
        if [ -f "$word" ]; then
            echo "$word" && return
        fi
    done
}

answer() { # COMMAND
    (
        anomaly() { command anomaly -o csv --fields key,time,feature,value "$@"; }
        eval "$1" >rows 2>said </dev/null
    )
    echo "$? $1"
    sed '/ events, /,$d' said
    cat rows
}

while read -r command; do
    file=$(first_file "$command")
    answer "$command" >found
    if [ "${UPDATE:-}" = 1 ]; then
        cp found "$here/data/$file.answer"
    fi
    same "the manual's table: $command" "$here/data/$file.answer" found
done <commands
for file in "$here"/data/*.answer; do
    grep -F -x -q "$(sed '1s/^[0-9]* //;q' "$file")" commands || echo "$file"
done >left
equal "the manual's table has a command for each answer" '' "$(cat left)"
