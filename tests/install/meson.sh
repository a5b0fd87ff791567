#!/bin/sh
# SPDX-License-Identifier: MIT
# A program that Meson builds: with the installed library, by pkg-config, and with the sources of a release as a subproject,
# by the wrap of docs/embedding.md. Run by `make check-packages`.
set -u
CC=${CC:-cc}
MAKE=${MAKE:-make}
BUILD=${BUILD:-build}
unset DESTDIR PREFIX prefix LIBDIR libdir INCLUDEDIR includedir LD_LIBRARY_PATH
export CC
. tests/check.sh
. tests/install/lib.sh

project() { # NAME
    mkdir -p "$tmp/$1"
    cp tests/install/app.c "$tmp/$1"
    cat >"$tmp/$1/meson.build" <<'END'
project('app', 'c', meson_version: '>= 0.61')
executable('app', 'app.c', dependencies: dependency('libanomaly'))
END
}
configure() { # NAME ARGUMENT...
    project=$1
    shift
    meson setup "$@" "$tmp/$project/build" "$tmp/$project"
}
compile() { ninja -C "$tmp/$1/build"; }

project installed
check 'install' "$MAKE" --no-print-directory BUILD="$BUILD" install DESTDIR="$tmp/stage" PREFIX=/usr
check 'installed: is found' configure installed --pkg-config-path="$tmp/stage/usr/lib/pkgconfig"
check 'installed: is compiled' compile installed
check 'installed: the shared library is used' needs_shared "$tmp/installed/build/app"
check 'installed: gives 13.743263' prints_expected env LD_LIBRARY_PATH="$tmp/stage/usr/lib" "$tmp/installed/build/app"

# The .wrap that the documentation shows, but for where the archive comes from.
project wrapped
packages=$tmp/wrapped/subprojects/packagefiles
mkdir -p "$packages/libanomaly"
release "$packages/$release.tar.gz"
cp pkgconfig/meson.build "$packages/libanomaly/"
awk '/^```/ { on = 0 } on; /^```ini$/ { on = 1 }' docs/embedding.md | grep -v '^source_\(url\|hash\)' >"$tmp/wrapped/subprojects/libanomaly.wrap"
check 'wrapped: the documentation has the wrap' grep '^patch_directory' "$tmp/wrapped/subprojects/libanomaly.wrap"
check 'wrapped: is configured' configure wrapped --wrap-mode=forcefallback
check "wrapped: is version $dotted" grep -r "\"version\": \"$dotted\"" "$tmp/wrapped/build/meson-info/intro-projectinfo.json"
check 'wrapped: is compiled' compile wrapped
check 'wrapped: is linked in' needs_none "$tmp/wrapped/build/app"
check 'wrapped: gives 13.743263' prints_expected "$tmp/wrapped/build/app"

finish
