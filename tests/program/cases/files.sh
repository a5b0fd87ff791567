# SPDX-License-Identifier: MIT
# The files of ours: which descriptors they get, and what is not followed, waited for or overwritten.

{ seq 50 59 && seq 50 59 && echo 95; } >numbers.txt

# ---- standard streams that are closed: none of our files has their numbers, so nothing meant for them lands in one ----
anomaly -q -w 10 --state expected.state --out expected numbers.txt
set -- '<&-' '>&-' '<&- >&-'
[ -n "${WRAPPER:-}" ] || set -- "$@" '2>&-' '<&- 2>&-' '>&- 2>&-' '<&- >&- 2>&-' # a checker needs standard error itself
for closed; do
    rm -f S O
    eval "{ anomaly -w 10 --state S --out O numbers.txt $closed; } 2>/dev/null"
    equal "closed $closed: status" 0 $?
    same "closed $closed: the state holds the state alone" expected.state S
    same "closed $closed: the output is whole" expected O
done
exits 'verdicts that have nowhere to go: status 1' 1 'anomaly -w 10 numbers.txt >&-'
holds 'verdicts that have nowhere to go: said' 'standard output: Bad file descriptor' err
exits 'no verdicts, so nothing is lost: status 0' 0 'anomaly -t 99 -w 10 numbers.txt >&-'
[ -n "${WRAPPER:-}" ] ||
    exits 'messages that have nowhere to go: status as with them' 0 'anomaly -w 10 numbers.txt 2>&-'
exits 'standard input that is closed: status 1' 1 '{ anomaly <&-; }'
holds 'standard input that is closed: said' 'standard input: Bad file descriptor' err
for page in --help --options --version; do
    exits "$page that has nowhere to go: status 1" 1 "anomaly $page >&-"
done

# ---- the file that a save writes beside the state ----
echo precious >victim
for target in victim nowhere; do
    rm -f S S.new
    ln -s $target S.new
    exits "a link to $target in the place of .new is not followed" 2 'anomaly --state S numbers.txt'
    holds "a link to $target in the place of .new: said" 'S: cannot be saved: something that is not ours has the name' err
done
equal 'a link in the place of .new: what it leads to is untouched' precious "$(cat victim)"
equal 'a link in the place of .new: nothing is made where it leads to' no "$([ -e nowhere ] && echo yes || echo no)"
rm -f S S.new
mkfifo S.new
exits 'a FIFO in the place of .new is not waited for' 2 'anomaly --state S numbers.txt'
rm S.new
mkdir S.new
exits 'a folder in the place of .new' 2 'anomaly --state S numbers.txt'
rmdir S.new
echo half a sta >S.new # what kill -9 leaves behind
exits 'what a killed run left behind is in nobody'"'"'s way' 0 'anomaly --state S numbers.txt'
equal 'what a killed run left behind is gone' no "$([ -e S.new ] && echo yes || echo no)"
ln victim S.new
exits 'another name of a file of ours in the place of .new' 0 'anomaly --state S numbers.txt'
equal 'another name of a file of ours loses that name alone' precious "$(cat victim)"

# ---- who may read it ----
rm -f S
(umask 000 && anomaly -q --state S numbers.txt >/dev/null)
equal 'a state is for its owner only' S "$(find S -perm 600)"
chmod 640 S
anomaly -q --state S numbers.txt >/dev/null
equal 'a state that its owner opened to others stays so' S "$(find S -perm 640)"

# ---- what is no regular file ----
rm -f S O
mkfifo F
for state in F . /dev/null; do
    exits "$state as state is refused, and not waited for" 2 "anomaly --state $state numbers.txt"
    holds "$state as state: said" "$state: it is not a regular file" err
done
exits 'a FIFO as output of --resume is refused, and not waited for' 2 \
    'anomaly -o csv --state S --resume --out F numbers.txt'
holds 'a FIFO as output of --resume: said' 'F: --resume needs a regular file' err
