#!/bin/sh
# SPDX-License-Identifier: MIT
# `make install` into a staging directory, a program built against it with pkg-config as C, C++ and statically, the tree
# moved elsewhere, `make uninstall`. Nothing outside a temporary directory is touched. Run by `make test`.
set -u
CC=${CC:-cc}
CXX=${CXX:-c++}
MAKE=${MAKE:-make}
BUILD=${BUILD:-build}
here=tests/install
# A variable of the caller must not send the staged tree somewhere else, nor pkg-config to another library.
unset DESTDIR PREFIX prefix BINDIR bindir LIBDIR libdir INCLUDEDIR includedir MANDIR mandir PKGCONFIGDIR pkgconfigdir
unset PKG_CONFIG_LIBDIR PKG_CONFIG_SYSROOT_DIR CPATH LIBRARY_PATH LD_LIBRARY_PATH

. tests/check.sh
. tests/install/lib.sh

make_quiet() { "$MAKE" --no-print-directory BUILD="$BUILD" "$@"; }
files_in() { (cd "$1" && find . ! -type d | sort); }
nothing_in() { test -z "$(files_in "$1")" || { files_in "$1" && false; }; }
pc() { PKG_CONFIG_PATH=$pc_dir pkg-config "$@" libanomaly; }

# The default layout.
stage=$tmp/stage
check "install" make_quiet install DESTDIR="$stage" PREFIX=/usr
files_in "$stage" >"$tmp/installed"
cat >"$tmp/expected" <<END
./usr/bin/anomaly
./usr/include/anomaly.h
./usr/lib/cmake/libanomaly/libanomalyConfig.cmake
./usr/lib/cmake/libanomaly/libanomalyConfigVersion.cmake
./usr/lib/libanomaly.a
./usr/lib/libanomaly.so
./usr/lib/libanomaly.so.$major
./usr/lib/libanomaly.so.$dotted
./usr/lib/pkgconfig/libanomaly.pc
./usr/share/man/man1/anomaly.1
./usr/share/man/man3/libanomaly.3
END
check "these files and no others" diff "$tmp/expected" "$tmp/installed"
check "the program runs" "$stage/usr/bin/anomaly" --version

# pkg-config, first where it was installed, then after the tree has been moved.
try_tree() { # WORD ROOT
    pc_dir=$2/lib/pkgconfig
    check "$1: pkg-config says version $dotted" test "$(pc --modversion)" = "$dotted"
    # Flags are several words.
    # shellcheck disable=SC2046
    {
        check "$1: C program" "$CC" -std=c11 -Wall -Wextra -Werror "$here/app.c" -o "$tmp/app" $(pc --cflags --libs)
        check "$1: C++ program" "$CXX" -x c++ -Wall -Wextra -Werror "$here/app.c" -x none -o "$tmp/app++" $(pc --cflags --libs)
        check "$1: static C program" "$CC" -std=c11 "$here/app.c" -o "$tmp/app-static" $(pc --cflags) \
            -Wl,-Bstatic $(pc --libs --static | sed 's/-lm//') -Wl,-Bdynamic -lm
    }
    check "$1: uses libanomaly.so.$major" needs_shared "$tmp/app"
    check "$1: C gives 13.743263" prints_expected env LD_LIBRARY_PATH="$2/lib" "$tmp/app"
    check "$1: C++ gives 13.743263" prints_expected env LD_LIBRARY_PATH="$2/lib" "$tmp/app++"
    check "$1: the static one needs no libanomaly.so" needs_none "$tmp/app-static"
    check "$1: static gives 13.743263" prints_expected "$tmp/app-static"
}
try_tree "staged" "$stage/usr"

# Scenario S26: a C program and the installed program see the same doubles in the stream of S10 (95 at the 41st event).
awk 'BEGIN { for (k = 0; k < 60; k++) print "m," (k == 40 ? 95 : 50 + k % 10) "," 1737460800 + 10 * k }' >"$tmp/s10.txt"
awk -F, '{ print $2, $3 }' "$tmp/s10.txt" >"$tmp/s10"
same_doubles() { # RUN...: the C program's lines, and the program's numbers that are there
    "$@" "$tmp/stream" <"$tmp/s10" >"$tmp/c" &&
        "$stage/usr/bin/anomaly" -q -w 300s --all -o csv --fields score,expected,lower,upper "$tmp/s10.txt" |
        awk -F, 'NR > 1 && $1 != "" { printf "%.17g %.17g %.17g %.17g\n", $1, $2, $3, $4 }' >"$tmp/cli" &&
        grep -c . "$tmp/c" && cmp "$tmp/c" "$tmp/cli" && grep '^13.86329' "$tmp/c"
}
pc_dir=$stage/usr/lib/pkgconfig
# shellcheck disable=SC2046
check "S26: the program in C" "$CC" -std=c11 -Wall -Wextra -Werror "$here/stream.c" -o "$tmp/stream" $(pc --cflags --libs)
check "S26: the same doubles as the program's" same_doubles env LD_LIBRARY_PATH="$stage/usr/lib"
if command -v valgrind >/dev/null; then
    check "S26: no leak, no error" same_doubles env LD_LIBRARY_PATH="$stage/usr/lib" \
        valgrind -q --leak-check=full --error-exitcode=9
fi

# The first C example of the README and that of libanomaly(3) are the same, and do what the README shows.
awk '/^```c( |$)/ { on = 1; next } /^```/ { if (on) exit } on' README.md >"$tmp/odd.c"
sed -n '/^\.Bd -literal/,/^\.Ed/p' docs/man/libanomaly.3 | sed -e '1d;$d' -e 's/\\e/\\/g' >"$tmp/man.c"
check "README and libanomaly(3) show the same program" cmp "$tmp/odd.c" "$tmp/man.c"
# shellcheck disable=SC2046
check "which compiles" "$CC" -Wall -Wextra -Werror "$tmp/odd.c" -o "$tmp/odd" $(pc --cflags) "$stage/usr/lib/libanomaly.a" -lm
readme_example() {
    shown=$(awk '/\| \.\/odd$/ { getline; print; exit }' README.md)
    test -n "$shown" && test "$( (seq 50 59 && seq 50 59 && echo 95) | "$tmp/odd")" = "$shown"
}
check "and prints what the README shows" readme_example
check "one file alone links fully static" "$CC" -static "$here/app.c" -o "$tmp/app-full" -I"$stage/usr/include" \
    "$stage/usr/lib/libanomaly.a" -lm
cp -a "$stage/usr" "$tmp/moved"
mv "$stage" "$stage.away"
try_tree "moved" "$tmp/moved"
mv "$stage.away" "$stage"

check "uninstall" make_quiet uninstall DESTDIR="$stage" PREFIX=/usr
check "nothing remains" nothing_in "$stage"

# Each directory variable in upper and lower case: the same tree, and nothing left of it.
for upper in PREFIX BINDIR LIBDIR INCLUDEDIR MANDIR PKGCONFIGDIR; do
    lower=$(echo $upper | tr '[:upper:]' '[:lower:]')
    rm -rf "$tmp/upper" "$tmp/lower"
    make_quiet install DESTDIR="$tmp/upper" "$upper"=/else/where >"$tmp/log" 2>&1
    make_quiet install DESTDIR="$tmp/lower" "$lower"=/else/where >>"$tmp/log" 2>&1
    check "$upper and $lower do the same" diff -r "$tmp/upper" "$tmp/lower"
    check "$upper is used" test -d "$tmp/upper/else/where"
    make_quiet uninstall DESTDIR="$tmp/upper" "$upper"=/else/where >>"$tmp/log" 2>&1
    check "$upper: nothing remains" nothing_in "$tmp/upper"
done

# Debian's layout: the prefix is three levels above the .pc file.
rm -rf "$stage"
check "install with a multiarch LIBDIR" make_quiet install DESTDIR="$stage" PREFIX=/usr LIBDIR=/usr/lib/some-linux-gnu
pc_dir=$stage/usr/lib/some-linux-gnu/pkgconfig
check "its library directory" test -e "$(pc --variable=libdir)/libanomaly.so.$major"
check "its header directory" test -e "$(pc --variable=includedir)/anomaly.h"

finish
