# SPDX-License-Identifier: MIT
# --state, --resume and --out: what is kept between runs, and what is refused. (tests/program/crash.c kills the program.)

wait_for() { # FILE TEXT: until the file holds the text, at most 30 seconds
    tries=0
    while ! grep -F -q -e "$2" "$1" 2>/dev/null && [ $tries -lt 300 ]; do
        sleep 0.1
        tries=$((tries + 1))
    done
}
header=metric,value,timestamp
s10() { # the rows of the scenario S10, FROM to TO
    awk -v from="$1" -v to="$2" 'BEGIN { for (k = from; k < to; k++) print "m," (k == 40 ? 95 : 50 + k % 10) "," 10 * k }'
}

# ---- S19: killed after event 35, and stopped by SIGTERM ----
form="-a -o csv --fields line,value,score,events,flags,anomaly"
{ echo $header && s10 0 60; } >whole.csv
# shellcheck disable=SC2086 # several words
anomaly -d zscore -q $form whole.csv >expected
for signal in KILL TERM; do
    { echo $header && s10 0 35; } >live.csv
    # shellcheck disable=SC2086
    anomaly -d zscore -f $form --state S --resume --save-every 10ms --out O live.csv 2>err &
    pid=$!
    wait_for S '"rows":35'
    [ $signal = TERM ] || s10 35 40 >>live.csv # on its way when it dies
    kill -$signal $pid
    wait $pid 2>/dev/null
    status=$?
    [ $signal = KILL ] || equal 'S19: SIGTERM: status 0' 0 $status
    [ $signal = KILL ] || holds 'S19: SIGTERM: a summary' 'live.csv: 35 events' err
    if [ $signal = KILL ]; then s10 40 60; else s10 35 60; fi >>live.csv
    # shellcheck disable=SC2086
    anomaly -d zscore -q $form --state S --resume --out O live.csv
    same "S19: SIG$signal: each verdict once, as without a stop" expected O
    rm -f S O
done

# ---- state without --resume: the windows go on, the input is another one ----
{ echo $header && s10 0 30; } >one.csv
{ echo $header && s10 30 60; } >two.csv
anomaly -d zscore -q -a -o csv --fields value,score,events --state S one.csv >found
anomaly -d zscore -q -a -o csv --fields value,score,events --state S two.csv | sed 1d >>found
anomaly -d zscore -q -a -o csv --fields value,score,events one.csv two.csv >expected
same '--state: the next run goes on where the last one stood' expected found
anomaly -t 4 -s side=upper --state S two.csv >out 2>err
equal '--state: threshold and side may be others' 0 $?
holds '--state: the summary counts the runs before' 'with the runs before: 90 events' err
exits '--state: another window is refused' 2 'anomaly -w 10m --state S two.csv'
holds '--state: the setting is named' 'it was saved with window=default, here it is 10m' err
exits '--state: another detector is refused' 2 'anomaly -d percentile --state S two.csv'
holds '--state: the detector is named' 'detector=zscore, here it is percentile' err
for other in '-k value' '-v value' '-T value' '--time-unit s' '--each' '-s robust=1'; do
    exits "--state: another $other is refused" 2 "anomaly -d zscore $other --state S two.csv"
done

# ---- damage: refused, said, and the file left alone ----
cp S good
size=$(wc -c <good | tr -d ' ')
damaged=0 refused=0 at=0
while [ $at -lt "$size" ]; do
    { head -c $at good && dd if=good bs=1 skip=$at count=1 2>/dev/null | tr '\000-\377' '\001-\377\000' && tail -c +$((at + 2)) good; } >S
    cp S before
    anomaly -d zscore --state S two.csv >out 2>err
    if [ $? -eq 2 ] && grep -q '^S: ' err && cmp -s S before; then refused=$((refused + 1)); else echo "byte $at"; fi
    damaged=$((damaged + 1))
    at=$((at + ${TEST_QUICK:+20} + 13))
done
equal 'a changed byte anywhere is refused, the file is left alone' $damaged $refused
damaged=0 refused=0 at=0
while [ $at -lt "$size" ]; do
    head -c $at good >S
    anomaly -d zscore --state S two.csv >out 2>err
    [ $? -eq 2 ] && grep -q '^S: ' err && [ "$(wc -c <S | tr -d ' ')" -eq $at ] && refused=$((refused + 1))
    damaged=$((damaged + 1))
    at=$((at + ${TEST_QUICK:+50} + 29))
done
equal 'a file cut anywhere is refused' $damaged $refused
sed '1s/anomaly-state 1/anomaly-state 2/' good >S
exits 'a newer version is refused' 2 'anomaly -d zscore --state S two.csv'
holds 'a newer version is said to be one' 'it is of a newer version of this program' err
{ cat good && echo more; } >S
exits 'something behind the end is refused' 2 'anomaly -d zscore --state S two.csv'
exits 'any other file is refused' 2 'anomaly -d zscore --state two.csv two.csv'
holds 'any other file: said' 'two.csv: it is no state of this program: move it away to begin anew' err
rm -f S

# ---- places that cannot be written, and a state in use ----
exits 'a state in no folder' 2 'anomaly -d zscore --state nowhere/S two.csv'
holds 'a state in no folder: said before anything is read' 'nowhere/S: cannot be saved: No such file or directory' err
for form in csv json ndjson; do
    anomaly -d zscore -q -a two.csv --out verdicts.$form
    anomaly -d zscore -q -a -o $form two.csv >asked
    same "the name of --out says the form: $form" asked verdicts.$form
done
anomaly -d zscore -q -a -o table two.csv --out verdicts.csv
anomaly -d zscore -q -a two.csv >asked
same 'the name of --out says the form: -o is stronger' asked verdicts.csv
exits 'an output in no folder' 2 'anomaly -d zscore --out nowhere/O two.csv'
cp two.csv kept
exits 'an output that is an input' 2 'anomaly -d zscore --out ./two.csv two.csv'
holds 'an output that is an input: said' './two.csv: it is to be read: give another --out' err
same 'an output that is an input: untouched' kept two.csv
exits 'an output that is the state' 2 'anomaly -d zscore --out S --state S two.csv'
cp two.csv S.new
rm -f S
exits 'an input that a save would overwrite' 2 'anomaly -d zscore --state S S.new'
holds 'an input that a save would overwrite: said' 'S.new: a save of the state would overwrite it: give another --state' err
same 'an input that a save would overwrite: untouched' two.csv S.new
rm S.new
exits 'an output that a save would overwrite' 2 'anomaly -d zscore --state S --out ./S.new two.csv'
cp two.csv S.new
exits 'an output that a save would overwrite, with something in it' 2 'anomaly -d zscore --state S --out ./S.new two.csv'
same 'an output that a save would overwrite: untouched' two.csv S.new
exits '--state without a name' 2 "anomaly -d zscore --state '' two.csv"
exits '--out without a name' 2 "anomaly -d zscore --out '' two.csv"
if [ -w /dev/full ]; then
    exits 'a full disk under --out: status 1' 1 'anomaly -d zscore -a --out /dev/full two.csv'
    holds 'a full disk under --out: said' '/dev/full: No space left on device' err
fi
mkfifo pipe
anomaly -d zscore -q --state S <pipe 2>err &
pid=$!
exec 3>pipe
wait_for S anomaly-state
exits 'a state in use is refused' 2 'anomaly -d zscore --state S two.csv'
holds 'a state in use: said' 'S: another process is using it' err
exec 3>&-
wait $pid
exits 'the lock ends with the process' 0 'anomaly -d zscore --state S two.csv'
ln -s S link
anomaly -d zscore -q --state link two.csv >out
equal 'a link stays a link' S "$(readlink link)"

# ---- --resume and what has become of the files ----
rm -f S
form="-q -a -o csv --fields file,line,value --state S --resume --out O"
{ echo $header && s10 0 3; } >log.csv
# shellcheck disable=SC2086
run() { anomaly -d zscore $form "$@" 2>err; }
joined() { sed 1d O | paste -s -d ' ' -; }
run log.csv
printf 'm,9' >>log.csv
run log.csv
equal 'a row without an end waits for it' 'log.csv,2,50 log.csv,3,51 log.csv,4,52' "$(joined)"
echo ',99' >>log.csv
mv log.csv log.csv.1
{ echo $header && echo m,10,100; } >log.csv
run log.csv
equal 'renamed since: its rest, then the new one' \
    'log.csv,2,50 log.csv,3,51 log.csv,4,52 log.csv.1,5,9 log.csv,2,10' "$(joined)"
{ echo $header && echo m,11,101 && echo m,12,102; } >other.csv
cat other.csv >log.csv # the same file with another content
run log.csv
equal 'written anew since: from its start' \
    'log.csv,2,50 log.csv,3,51 log.csv,4,52 log.csv.1,5,9 log.csv,2,10 log.csv,2,11 log.csv,3,12' "$(joined)"
holds 'written anew since: said' 'log.csv: it was cut or written anew since the last run' err
cp O kept
run log.csv log.csv.1 other.csv
equal 'several files: only what is new in each' 'other.csv,2,11 other.csv,3,12' \
    "$(tail -n +$(($(wc -l <kept) + 1)) O | paste -s -d ' ' -)"
mv log.csv gone && rm gone && : >placeholder && { echo $header && echo m,13,103; } >log.csv
run log.csv
case $(cat err) in
*'it is another file now; the one before is gone'* | *'it was cut or written anew'*) ok ;; # its inode may have been used again
*) cp err "$tmp/why" && fail 'a file that is gone: said' ;;
esac
for day in 1 2 3; do
    mv log.csv "log.day$day" && { echo $header && echo "m,14,10$day"; } >log.csv
    [ $day = 1 ] || rm "log.day$((day - 1))"
    run log.csv
done
equal 'rotated under names of days: those that are there still are remembered' 'log.csv log.day3' \
    "$(tr '{' '\n' <S | sed -n 's/^"file":"\(log[^"]*\)".*/\1/p' | grep -v 'log.csv.1' | sort -u | paste -s -d ' ' -)"
cp O kept
for name in a b; do { echo $header && echo "$name,1,1"; } >$name.csv; done
run a.csv b.csv
for name in a b; do
    echo "$name,2,2" >>$name.csv
    mv $name.csv $name.csv.1 && { echo $header && echo "$name,3,3"; } >$name.csv
done
run a.csv b.csv
equal 'several that were renamed: the rest of each' \
    'a.csv,2,1 b.csv,2,1 a.csv.1,3,2 a.csv,2,3 b.csv.1,3,2 b.csv,2,3' \
    "$(tail -n +$(($(wc -l <kept) + 1)) O | paste -s -d ' ' -)"
gzip -c whole.csv >log.csv.gz
head -n 20 O >before
run log.csv.gz
run log.csv.gz
equal 'gzip: every row once' 60 "$(grep -c '^log.csv.gz' O)"
printf 'junk' >>O
cp O junk
run log.csv.gz
equal 'what is behind the saved length is cut off' 0 "$(grep -c junk O)"
cp O kept
head -n 3 kept >O
exits 'an output that became shorter is refused' 2 "anomaly -d zscore $form log.csv"
holds 'an output that became shorter: said' 'O: it is shorter than it was at the last save' err
mv O elsewhere
run log.csv
equal 'an output that was moved away begins anew' 0 $?
cp kept O2
exits 'an output that the state knows nothing of is left alone' 2 'anomaly -d zscore -o csv --state S2 --resume --out O2 log.csv'
same 'an output that the state knows nothing of is left alone: untouched' kept O2
exits 'another form of output is refused' 2 'anomaly -d zscore -a -o ndjson --state S --resume --out O log.csv'
holds 'another form of output: said' 'it was saved with --output=csv, here it is ndjson' err
exits 'a pipe cannot be resumed' 2 'cat log.csv | anomaly -d zscore --state S --resume'
holds 'a pipe cannot be resumed: said' 'standard input: --resume needs a regular file' err
exits 'standard input from a file can' 0 'anomaly -d zscore --state S --resume <whole.csv'

# ---- never in between ----
rm -f S
exits '--save-every 0' 0 'anomaly -q -d zscore --state S --save-every 0 log.csv'
holds '--save-every 0: saved at the end' '"offset"' S

# ---- a signal in a file that is not followed ----
awk 'BEGIN { print "metric,value,timestamp"; for (i = 0; i < 6000000; i++) print "m," i % 10 "," i }' >big.csv
rm -f S
anomaly -d zscore --state S --save-every 10ms big.csv >out 2>err &
pid=$!
wait_for S '"offset"'
kill -TERM $pid
wait $pid
equal 'SIGTERM before the end: status 1' 1 $?
holds 'SIGTERM before the end: said' 'big.csv: stopped by a signal before its end' err
holds 'SIGTERM before the end: saved' '"line":' S
rm -f big.csv

# ---- a signal while it does something else than wait for its input: it is not forgotten when it waits again ----
rm -f S
mkfifo in.fifo out.fifo
exec 3<>out.fifo
anomaly -d zscore -q -a -o csv --state S <in.fifo >out.fifo 2>err &
pid=$!
exec 4>in.fifo
echo $header >&4
for from in 0 400; do # twice 40,000 bytes of verdicts, written when it is about to wait: a pipe holds 65,536
    awk -v from=$from 'BEGIN { for (i = from; i < from + 400; i++) print "m," i % 10 "," i }' >&4
    sleep 0.3
done
kill -TERM $pid
cat <&3 >/dev/null &
drain=$!
{ sleep 10 && kill -KILL $pid; } >/dev/null 2>&1 &
guard=$!
wait $pid
equal 'SIGTERM while it writes: status 1, though its input goes on' 1 $?
kill $drain $guard
exec 3>&- 4>&-

# ---- followed files that are rotated ----
rm -f S O
{ echo $header && s10 0 3; } >log.csv
# shellcheck disable=SC2086
anomaly -d zscore -f -a -o csv --fields file,line,value --state S --resume --save-every 10ms --out O log.csv 2>err &
pid=$!
wait_for O log.csv,4
mv log.csv log.csv.1
echo m,20,40 >>log.csv.1
{ echo $header && echo m,21,50; } >log.csv
wait_for O log.csv,2,21
{ cat log.csv >log.csv.2 && : >log.csv && { echo $header && echo m,22,60; } >>log.csv; }
wait_for O log.csv,2,22
rm log.csv
sleep 0.3
{ echo $header && echo m,23,70; } >log.csv
wait_for O log.csv,2,23
kill -TERM $pid
wait $pid
equal '--follow over renaming, copying and removing: status 0' 0 $?
equal '--follow over renaming, copying and removing: every row once' \
    'log.csv,2,50 log.csv,3,51 log.csv,4,52 log.csv,5,20 log.csv,2,21 log.csv,2,22 log.csv,2,23' "$(joined)"
holds '--follow: a new file is told' 'log.csv: was replaced: the new file is read' err
holds '--follow: a cut file is told' 'log.csv: was cut: read from its start' err
{ echo $header && s10 0 1; } >log.csv
anomaly -d zscore -q -f -a -o csv --fields value log.csv >out 2>err &
pid=$!
wait_for out 50
mv log.csv log.csv.1
{ echo $header && echo m,99,99; } >log.csv
for value in 1 2 3 4 5 6 7 8; do # slowly, by whoever has it open
    sleep 0.4
    echo "m,$value,9" >>log.csv.1
done
wait_for out 99
kill -TERM $pid
wait $pid
equal '--follow: a renamed file is left when nobody writes to it any more' 'value 50 1 2 3 4 5 6 7 8 99' "$(paste -s -d ' ' out)"
: >out
anomaly -d zscore -f -a -o csv --fields value later.csv >out 2>err &
pid=$!
wait_for err waiting
{ echo $header && echo m,1,1; } >later.csv
wait_for out 1
kill -TERM $pid
wait $pid
equal '--follow waits for a file that is not there yet' 'value 1' "$(paste -s -d ' ' out)"
