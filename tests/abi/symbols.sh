#!/bin/sh
# SPDX-License-Identifier: MIT
# What the built libraries show to the world: the symbols of the kept list and no others. Run by `make test`.
# A symbol added on purpose: put it into the list of the release under way, `make symbols` prints them all. A released
# list is never changed.
set -u
BUILD=${BUILD:-build}
shared=$BUILD/libanomaly.so
static=$BUILD/libanomaly.a
. tests/check.sh
none() { ! grep -n . "$1"; }

nm -D --defined-only "$shared" | awk '$2 != "A" { print $3 }' | LC_ALL=C sort >"$tmp/exported"
sed 's/@.*//' "$tmp/exported" >"$tmp/names"
grep -v '^anomaly_' "$tmp/names" >"$tmp/foreign"
check "only anomaly_* is exported" none "$tmp/foreign"

# Every release's list is still served; the newest is complete.
for list in tests/abi/libanomaly-*.symbols; do
    LC_ALL=C sort "$list" | LC_ALL=C comm -23 - "$tmp/exported" >"$tmp/gone"
    check "all of ${list##*/}" none "$tmp/gone"
done
cat tests/abi/libanomaly-*.symbols | LC_ALL=C sort -u | LC_ALL=C comm -13 - "$tmp/exported" >"$tmp/new"
check "nothing that no list has" none "$tmp/new"

sed -n 's/^ANOMALY_API [^(]*[ *]\(anomaly_[a-z0-9_]*\)(.*/\1/p' include/anomaly.h | LC_ALL=C sort >"$tmp/header"
check "exported are the functions of the header" diff "$tmp/header" "$tmp/names"

# Static linking sees internal names as well: they have the internal prefix, so they cannot meet the user's.
nm -g --defined-only "$static" 2>/dev/null | awk 'NF == 3 && $3 !~ /^(an|anomaly)_/ { print $3 }' >"$tmp/foreign"
check "the static library has only anomaly_* and an_*" none "$tmp/foreign"

major=$(sed -n 's/^#define ANOMALY_VERSION_MAJOR *//p' include/anomaly.h)
check "soname libanomaly.so.$major" sh -c "readelf -d $shared | grep 'SONAME.*\[libanomaly\.so\.$major\]'"
readelf -d "$shared" | sed -n 's/.*(NEEDED).*\[\(.*\)\].*/\1/p' | grep -vE '^(libc\.so\.6|libm\.so\.6|ld-linux.*)$' >"$tmp/needed"
check "needs libc and libm only" none "$tmp/needed"

# No global mutable state: no object of the library has writable data. (Tables of pointers are read-only after relocation.)
size -A "$static" | awk '$1 ~ /^\.(data|bss|tdata|tbss)$/ && $2 > 0 { print $1, $2 }' >"$tmp/writable"
check "no writable data" none "$tmp/writable"
locks='pthread_mutex_(init|destroy|lock|unlock)'
[ "${WITH_THREADS:-1}" = 1 ] || locks='no call of pthread'
nm -u "$static" 2>/dev/null | awk '{ print $NF }' | grep -vxE "$locks" | grep -xE 'f?printf|puts|fputs|perror|abort|exit|_exit|time|clock|clock_gettime|gettimeofday|getenv|setlocale|pthread_.*' >"$tmp/calls"
check "prints nothing, ends nothing, reads no clock" none "$tmp/calls"

finish
