#!/bin/sh
# SPDX-License-Identifier: MIT
# A program that CMake builds: with the installed package, also after the tree has been moved, and with the sources by
# FetchContent and add_subdirectory. Run by `make check-packages`.
set -u
CC=${CC:-cc}
MAKE=${MAKE:-make}
BUILD=${BUILD:-build}
here=$PWD/tests/install
unset DESTDIR PREFIX prefix LIBDIR libdir INCLUDEDIR includedir CMAKE_PREFIX_PATH libanomaly_DIR LD_LIBRARY_PATH
export CC
. tests/check.sh
. tests/install/lib.sh

configure() { # NAME CMAKE-ARGUMENT...: the project of $tmp/NAME
    project=$1
    shift
    cmake -S "$tmp/$project" -B "$tmp/$project/build" "$@"
}
compile() { cmake --build "$tmp/$1/build" -j 2 --target "$2"; }
project() { # NAME: CMakeLists.txt, its middle from the standard input; both libraries are linked to
    mkdir -p "$tmp/$1"
    {
        echo 'cmake_minimum_required(VERSION 3.18)'
        echo "project($1 C)"
        cat
        echo "add_executable(app $here/app.c)"
        echo 'target_link_libraries(app PRIVATE libanomaly::anomaly)'
        echo "add_executable(app_static $here/app.c)"
        echo 'target_link_libraries(app_static PRIVATE libanomaly::anomaly_static)'
    } >"$tmp/$1/CMakeLists.txt"
}
try_both() { # NAME
    check "$1: the shared library" compile "$1" app
    check "$1: is used" needs_shared "$tmp/$1/build/app"
    check "$1: gives 13.743263" prints_expected "$tmp/$1/build/app"
    check "$1: the static library" compile "$1" app_static
    check "$1: needs no libanomaly.so" needs_none "$tmp/$1/build/app_static"
    check "$1: gives 13.743263" prints_expected "$tmp/$1/build/app_static"
}

# ---- the installed package ----
check 'install' "$MAKE" --no-print-directory BUILD="$BUILD" install DESTDIR="$tmp/stage" PREFIX=/usr
mv "$tmp/stage/usr" "$tmp/moved"
echo "find_package(libanomaly $minor REQUIRED)" | project package
check 'package: is found where it was moved to' configure package -DCMAKE_PREFIX_PATH="$tmp/moved"
check 'package: there and nowhere else' grep "^libanomaly_DIR:PATH=$tmp/moved/lib/cmake/libanomaly" "$tmp/package/build/CMakeCache.txt"
try_both package

# Versions: none, the very one, an older patch; a newer one, another minor one while the major one is 0.
asks() { # REQUEST
    rm -rf "$tmp/asks"
    echo "find_package(libanomaly $1 REQUIRED)" | project asks
    configure asks -DCMAKE_PREFIX_PATH="$tmp/moved"
}
refused() { ! asks "$1" >"$tmp/asked" 2>&1 && grep 'compatible with requested version' "$tmp/asked"; }
check 'no version is asked for' asks ''
check "$dotted EXACT is there" asks "$dotted EXACT"
check 'a newer one is not' refused "$major.99"
check 'nor another major one' refused "$((major + 1))"

# ---- the sources ----
release "$tmp/$release.tar.gz"
project fetched <<END
include(FetchContent)
FetchContent_Declare(libanomaly
  URL $tmp/$release.tar.gz
  SOURCE_SUBDIR lib)
FetchContent_MakeAvailable(libanomaly)
END
check 'fetched: is configured' configure fetched -DCMAKE_BUILD_TYPE=Release
check 'fetched: builds nothing that is not linked to' compile fetched help
try_both fetched
exports() { nm -D --defined-only "$1" | awk '$2 != "A" { print $3 }' | LC_ALL=C sort; }
same_symbols() { exports "$1" >"$tmp/theirs" && LC_ALL=C sort tests/abi/libanomaly-*.symbols | diff - "$tmp/theirs"; }
check 'fetched: exports what the library does' same_symbols "$(find "$tmp/fetched/build" -name "libanomaly.so.$dotted")"

echo "add_subdirectory($PWD/lib libanomaly)" | project inside
check 'inside: is configured without threads' configure inside -DLIBANOMALY_THREADS=OFF
check 'inside: the static library' compile inside app_static
check 'inside: gives 13.743263' prints_expected "$tmp/inside/build/app_static"
needs_no_pthread() { ! nm "$1" | grep pthread; }
check 'inside: has nothing of pthread' needs_no_pthread "$tmp/inside/build/app_static"

finish
