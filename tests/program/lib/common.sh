# SPDX-License-Identifier: MIT
# What the program's tests are written with; sourced by run.sh. POSIX sh, awk and diff.
#
# The set-up: $tmp/bin/anomaly is the program, first in PATH; each case runs in an empty directory, $work.

root=$(cd "$here/../.." && pwd)
data=$root/examples/data
program=${ANOMALY:-$root/build/anomaly}
case $program in
/*) ;;
*) program=$PWD/$program ;;
esac
[ -x "$program" ] || {
    echo "no program at $program: run make first" >&2
    echo '0 passed, 1 failed'
    exit 1
}
tmp=$(mktemp -d "${TMPDIR:-/tmp}/anomaly-test.XXXXXX") || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
mkdir "$tmp/bin"
if [ -n "${WRAPPER:-}" ]; then
    printf '#!/bin/sh\nexec %s "%s" "$@"\n' "$WRAPPER" "$program" >"$tmp/bin/anomaly"
    chmod +x "$tmp/bin/anomaly"
else
    ln -s "$program" "$tmp/bin/anomaly"
fi
PATH=$tmp/bin:$PATH
unset NO_COLOR
LC_ALL=C TZ=UTC
export PATH LC_ALL TZ
passed=0 failed=0
work=$tmp/work

fresh() {
    cd "$tmp" && rm -rf "$work" && mkdir "$work" && cd "$work" || exit 1
}

selected() { # FILE WORD...: is the file's name picked?
    name=$(basename "$1")
    shift
    [ $# -gt 0 ] || return 0
    for word; do
        case $name in *"$word"*) return 0 ;; esac
    done
    return 1
}

ok() {
    passed=$((passed + 1))
}

fail() { # NAME; the details are in $tmp/why
    failed=$((failed + 1))
    echo "FAIL $1"
    head -n 60 "$tmp/why" | sed 's/^/     /'
}

finish() {
    cd "$root" || exit 1
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
}

# Is the text the same? NAME EXPECTED-FILE FOUND-FILE
same() {
    if diff "$2" "$3" >"$tmp/why" 2>&1; then ok; else fail "$1"; fi
}

# Is the value the same? NAME EXPECTED FOUND
equal() {
    printf 'expected: %s\n   found: %s\n' "$2" "$3" >"$tmp/why"
    if [ "$2" = "$3" ]; then ok; else fail "$1"; fi
}

# Does the file hold the text? NAME TEXT FILE
holds() {
    { echo "not found: $2" && head -n 20 "$3"; } >"$tmp/why"
    if grep -F -q -e "$2" "$3"; then ok; else fail "$1"; fi
}

# Runs a command line and compares its exit status. NAME STATUS COMMAND; leaves out and err in the directory.
exits() {
    eval "$3" >out 2>err </dev/null
    status=$?
    { echo "status $status, not $2: $3" && head -n 20 err; } >"$tmp/why"
    if [ "$status" -eq "$2" ]; then ok; else fail "$1"; fi
}

# Cuts a case into case.run, case.stdout, case.stderr, case.status and its files.
cut_case() {
    awk '
        /^--- file / { out = $3; printf "" >out; next }
        /^--- run$/ { out = "../case.run"; printf "" >out; next }
        /^--- stdout$/ { out = "../case.stdout"; printf "" >out; next }
        /^--- stderr$/ { out = "../case.stderr"; printf "" >out; next }
        /^--- status / { print $3 >"../case.status"; out = ""; next }
        out != "" { print >out }' "$1"
}

golden() { # FILE
    title=$(basename "$1" .case)
    fresh
    : >../case.stdout && : >../case.stderr && echo 0 >../case.status
    cut_case "$1"
    (. ../case.run) >../found.stdout 2>../found.stderr </dev/null
    echo $? >../found.status
    if [ "${UPDATE:-}" = 1 ]; then
        update "$1"
        return
    fi
    for part in stdout stderr status; do
        cmp -s ../case.$part ../found.$part && continue
        { cat ../case.run && diff ../case.$part ../found.$part; } >"$tmp/why" 2>&1
        fail "$title: $part"
        return
    done
    ok
}

update() {
    {
        awk '/^--- (stdout|stderr|status)/ { exit } { print }' "$1"
        echo '--- stdout' && cat ../found.stdout
        echo '--- stderr' && cat ../found.stderr
        echo "--- status $(cat ../found.status)"
    } >../updated && cp ../updated "$1"
}
