# SPDX-License-Identifier: MIT
# Sourced by the scripts here, after tests/check.sh: runs what the pages show, as their reader would, in an empty folder.
#
# ```python title="odd.py"    the block is that file, in whatever language
# ```console                  each line "$ COMMAND" is run by sh (a backslash at its end: the next line, after "> ", goes on),
#                             and what follows is what it prints, errors too; a line "..." stands for any lines, or for none
#
# Any other block is only read. `anomaly`, `python` (with the package), `lua5.4` (with the module) and `pkg-config` find what
# this tree has built; `build`, `examples` and `venv` are there.
BUILD=$(cd "${BUILD:-build}" && pwd)
top=$(pwd)
tests/setup.sh python lua || exit 2
BUILD=$BUILD bindings/python/tests/run.sh --install || exit 2
"${MAKE:-make}" -s BUILD="$BUILD" LUA=lua5.4 lua >/dev/null || exit 2
"${MAKE:-make}" -s BUILD="$BUILD" PREFIX="$tmp/usr" install >/dev/null || exit 2

venv=$BUILD/python/venv-$("${PYTHON:-python3}" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
mkdir "$tmp/bin"
ln -s "$(cd "$(dirname "${ANOMALY:-build/anomaly}")" && pwd)/anomaly" "$tmp/bin/anomaly"
PATH=$tmp/bin:$venv/bin:$PATH
LUA_CPATH="$BUILD/lua5.4/?.so;;"
PKG_CONFIG_PATH=$tmp/usr/lib/pkgconfig
LD_LIBRARY_PATH=$tmp/usr/lib
MPLBACKEND=Agg
LC_ALL=C.UTF-8
export PATH LUA_CPATH PKG_CONFIG_PATH LD_LIBRARY_PATH MPLBACKEND LC_ALL

same() { # STEP: what the command prints is what the page shows
    (cd "$tmp/here" && sh "$1.run") >"$tmp/printed" 2>&1
    awk -f tests/docs/same.awk "$1.want" "$tmp/printed" && return
    diff "$1.want" "$tmp/printed"
    return 1
}

page() { # FILE
    rm -rf "$tmp/here" "$tmp/steps"
    mkdir "$tmp/here" "$tmp/steps"
    ln -s "$BUILD" "$tmp/here/build"
    ln -s "$top/examples" "$tmp/here/examples"
    ln -s "$venv" "$tmp/here/venv"
    awk -v dir="$tmp/steps" -f tests/docs/blocks.awk "$1"
    for name in "$tmp"/steps/*.name; do
        [ -e "$name" ] || break
        cp "${name%.name}.body" "$tmp/here/$(cat "$name")"
    done
    for run in "$tmp"/steps/*.run; do
        check "$1: $(head -n 1 "$run")" same "${run%.run}"
    done
}
