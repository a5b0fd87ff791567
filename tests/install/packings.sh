#!/bin/sh
# SPDX-License-Identifier: MIT
# The program without libzstd and liblzma: it is linked, reads gzip, and names the command that reads the others.
. tests/check.sh
data=tests/program/data

# The files that know of the libraries are compiled anew as WITH_ZSTD=0 WITH_XZ=0 has them; all else is at hand.
link_without() {
    for codec in zstd xz; do
        # shellcheck disable=SC2086 # CC, CFLAGS and LDFLAGS may be several words
        $CC ${CFLAGS:-} -std=gnu11 -Iexamples/cli -c "examples/cli/read/codec_$codec.c" -o "$tmp/$codec.o" || return
    done
    # shellcheck disable=SC2086
    $CC ${CFLAGS:-} ${LDFLAGS:-} -o "$tmp/anomaly" "$BUILD/examples/cli/main.o" "$tmp/zstd.o" "$tmp/xz.o" \
        "$BUILD/examples/cli/cli.a" "$BUILD/libanomaly.a" -lcsv -ljansson -lz -lm
}

reads() { # FILE
    test "$("$tmp/anomaly" -q -k host -o csv --fields value "$data/$1" | tail -n 1)" = 9.4
}

refuses() { # FILE COMMAND
    "$tmp/anomaly" -q -k host "$data/$1" 2>"$tmp/err"
    test $? -eq 1 && test "$(wc -l <"$tmp/err")" -eq 1 && grep -q "it can be read: $2 FILE | anomaly\$" "$tmp/err"
}

check "the program is built without libzstd and liblzma" link_without
check 'gzip is read all the same' reads load.csv.gz
check 'a message names the command for zstd' refuses load.csv.zst 'zstd -dc'
check 'a message names the command for xz' refuses load.csv.xz 'xz -dc'

finish
