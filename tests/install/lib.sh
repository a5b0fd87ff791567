#!/bin/sh
# SPDX-License-Identifier: MIT
# Sourced by the scripts here, after tests/check.sh: the version, a release to build from, and what a program built from app.c
# has to print and to need.
part() { sed -n "s/^#define ANOMALY_VERSION_$1 *//p" include/anomaly.h; }
major=$(part MAJOR)
minor=$major.$(part MINOR)
dotted=$minor.$(part PATCH)
version=$((major * 10000 + $(part MINOR) * 100 + $(part PATCH)))
release=libanomaly-$dotted

prints_expected() { # COMMAND...: version 0.1.0 is 100; mean 54.5 and z 13.743263 are scenario numbers, known beforehand
    output=$("$@") || return 1
    echo "$output"
    case $output in "$version 1 54.5 13.74326"*) ;; *) return 1 ;; esac
}
needs_shared() { readelf -d "$1" | grep "NEEDED.*libanomaly\.so\.$major"; }
needs_none() { ! readelf -d "$1" | grep 'NEEDED.*libanomaly'; }

release() { # ARCHIVE: what `make dist` would write of the library, whether or not it has been committed
    mkdir "$tmp/$release" && cp -R include lib pkgconfig LICENSE "$tmp/$release" && tar -czf "$1" -C "$tmp" "$release"
    rm -r "${tmp:?}/$release"
}
