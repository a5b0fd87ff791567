#!/bin/sh
# SPDX-License-Identifier: MIT
# As a new user would: the sdist and the wheel of build/python/dist (make python), each installed into an empty environment,
# and the script of docs/python.md run there. The last line is `N passed, N failed`.
#
#   bindings/python/try.sh [PYTHON...]     the interpreters; default: the lowest and the highest from 3.9 on that there are
set -u
LC_ALL=C.UTF-8
export LC_ALL
top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top" || exit 2
dist=${BUILD:-build}/python/dist
. tests/check.sh

# docs/python.md marks what is run and what it must print.
block() { awk -v mark="<!-- $1 -->" '$0 == mark { on = 1; next } on && /^```/ { if (inside) exit; inside = 1; next } inside' docs/python.md; }
block try >"$tmp/try.py"
block prints | grep -vFx ... >"$tmp/want"
test -s "$tmp/try.py" && test -s "$tmp/want" || exit 2

works() { # PYTHON
    "$1" -c 'import sys, venv, ensurepip; assert sys.version_info >= (3, 9) and sys.implementation.name == "cpython"' 2>/dev/null
}
pythons() { # every one, lowest first
    for python in python3 python3.9 python3.10 python3.11 python3.12 python3.13 python3.14 "${HOME:-}"/.pyenv/versions/*/bin/python; do
        path=$(command -v "$python") && works "$path" && "$path" -c 'import sys; print("%03d%03d" % sys.version_info[:2], sys.executable)'
    done | sort -u -k 1,1 | cut -d' ' -f2
}
if [ $# -eq 0 ]; then
    pythons >"$tmp/pythons"
    # shellcheck disable=SC2046 # one or two words
    set -- $(sed -n '1p;$p' "$tmp/pythons" | uniq)
fi

expected() { head -n "$(wc -l <"$tmp/want")" "$tmp/got" | diff "$tmp/want" -; }

try() { # PYTHON PACKAGE
    rm -rf "$tmp/venv"
    "$1" -m venv "$tmp/venv" && "$tmp/venv/bin/pip" install -q --disable-pip-version-check "$2" &&
        "$tmp/venv/bin/python" -W error "$tmp/try.py" >"$tmp/got" && expected
}
system() { # PYTHON: the library as it is installed, dynamically linked
    rm -rf "$tmp/venv" "${tmp:?}/usr"
    "${MAKE:-make}" -s install PREFIX="$tmp/usr" && "$1" -m venv "$tmp/venv" &&
        LIBANOMALY_SYSTEM=1 PKG_CONFIG_PATH="$tmp/usr/lib/pkgconfig" \
            "$tmp/venv/bin/pip" install -q --disable-pip-version-check "$dist"/*.tar.gz &&
        "$tmp/venv/bin/python" "$tmp/try.py" >"$tmp/got" && expected &&
        mv "$tmp/usr/lib" "$tmp/usr/elsewhere" && ! "$tmp/venv/bin/python" -c 'import libanomaly' 2>/dev/null
}

for python; do
    check "$python: the wheel" try "$python" "$(find "$dist" -name "*linux*_$(uname -m).whl" ! -name '*musl*')"
    check "$python: the sdist" try "$python" "$(find "$dist" -name '*.tar.gz')"
done
check "$1: an installed library, through pkg-config" system "$1"
finish
