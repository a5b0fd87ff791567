#!/bin/sh
# SPDX-License-Identifier: MIT
# The Lua module under every Lua that is installed. Run by `make test`, and by `make check-lua` with SAN set, under the address
# sanitizer; FUZZ_CALLS is how many random calls each Lua makes.
set -u
BUILD=${BUILD:-build}
SAN=${SAN:-}
CC=${CC:-cc}
here=bindings/lua/tests
tests/setup.sh lua || exit 2
${MAKE:-make} --no-print-directory BUILD="$BUILD" SAN="$SAN" lua >/dev/null || exit 1
. tests/check.sh

sanitized() { # COMMAND...: with the sanitizer's runtime in the interpreter, which is not built with it
    ASAN_OPTIONS=detect_leaks=$leaks:allocator_may_return_null=1:max_allocation_size_mb=256 \
        LD_PRELOAD="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libubsan.so)" "$@"
}
with_module() { # COMMAND...: finds the module of $lua
    runner=
    [ -z "$SAN" ] || runner=sanitized
    LUA_PATH="$BUILD/$lua/?.lua;;" LUA_CPATH="$BUILD/$lua/?.so;;" $runner "$@"
}

specs() { # counts each case of the specs
    echo "== $lua"
    # By hand what the command busted does, so that no other process comes in between.
    with_module "$lua" -e "package.path = '/usr/share/lua/${version}/?.lua;/usr/share/lua/${version}/?/init.lua;' .. package.path" \
        -e 'arg = {[0] = "busted", "--ignore-lua", "-o", "TAP", "bindings/lua/tests"}
            require "busted.runner" {standalone = false}' >"$tmp/specs" 2>&1
    cat "$tmp/specs"
    passed=$((passed + $(grep -c '^ok ' "$tmp/specs"))) failed=$((failed + $(grep -c '^not ok ' "$tmp/specs")))
    check "$lua: the specs got to their end" grep -q '^1\.\.[1-9]' "$tmp/specs"
}

awk 'BEGIN { for (k = 0; k < 60; k++) print "m," (k == 40 ? 95 : 50 + k % 10) "," 1737460800 + 10 * k }' >"$tmp/s10.txt"
awk -F, '{ print $2, $3 }' "$tmp/s10.txt" >"$tmp/s10"
if [ -n "${ANOMALY:-}" ]; then
    "$ANOMALY" -q -w 300s --all -o csv --fields score,expected,lower,upper "$tmp/s10.txt" |
        awk -F, 'NR > 1 && $1 != "" { printf "%.17g %.17g %.17g %.17g\n", $1, $2, $3, $4 }' >"$tmp/program"
fi
s26() { # [COMMAND...]: the program's doubles
    with_module "$@" "$lua" "$here/stream.lua" <"$tmp/s10" >"$tmp/lua" && grep -q '^13.86329' "$tmp/lua" && cmp "$tmp/lua" "$tmp/program"
}

fuzz() { # random calls, in memory that a mistaken size would soon fill
    # shellcheck disable=SC3045 # dash and bash have ulimit -v; elsewhere there is no limit
    ([ -n "$SAN" ] || ulimit -v 4000000 2>/dev/null
        with_module "$lua" "$here/fuzz.lua" "$1" "${FUZZ_CALLS:-2000}")
}

out_of_memory() { # the module and a Lua that runs out of memory, in one program
    # shellcheck disable=SC2046
    $CC -std=c11 -D_POSIX_C_SOURCE=200809L -g ${SAN:+-fsanitize=$SAN} -Iinclude $(pkg-config --cflags "$lua") "$here/oom.c" \
        "$BUILD/lua/anomaly.c" "$BUILD/libanomaly.a" $(pkg-config --libs "$lua") -lm -o "$tmp/oom" && "$tmp/oom" "$here/oom.lua"
}

for lua in lua5.1 lua5.2 lua5.3 lua5.4 luajit; do
    { [ -e "$BUILD/$lua/anomaly.so" ] && command -v "$lua" >/dev/null; } || continue
    version=$("$lua" -e 'io.write((_VERSION:gsub("Lua ", "")))')
    leaks=1
    [ "$lua" != luajit ] || leaks=0 # its memory is not malloc's, so what it points at looks lost
    specs
    [ -z "${ANOMALY:-}" ] || check "$lua: S26: the same doubles as the program's" s26
    for seed in 1 2 3; do
        check "$lua: random calls, seed $seed" fuzz "$seed"
    done
    [ "$lua" = luajit ] || check "$lua: each allocation fails in turn" out_of_memory
done
if [ -z "$SAN" ] && command -v valgrind >/dev/null; then
    lua=lua5.4
    [ -z "${ANOMALY:-}" ] || check "S26: no leak, no error" s26 valgrind -q --leak-check=full --error-exitcode=9
fi
if [ -z "$SAN" ] && command -v luacheck >/dev/null; then
    check 'luacheck' sh -c 'cd bindings/lua && luacheck -q .'
fi
finish
