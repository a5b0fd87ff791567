#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds what is uploaded: the sdist, and from it wheels that work on every CPython from 3.9 on.
#
#   bindings/python/package.sh sdist DIRECTORY     the sdist alone, there
#   bindings/python/package.sh native     the sdist and this machine's wheel
#   bindings/python/package.sh wheels     the sdist, and wheels for x86-64 and aarch64, glibc 2.17 and musl 1.2, checked with
#                                         auditwheel and abi3audit. This machine's own is compiled with CC (gcc's rows are much
#                                         faster than clang's), the others with zig's C compiler
#
# Without DIRECTORY they land in $BUILD/python/dist. PYTHON is the interpreter (python3); its environment with the tools is made with pip.
set -eu
LC_ALL=C.UTF-8
export LC_ALL
PYTHON=${PYTHON:-python3}
here=$(cd "$(dirname "$0")" && pwd)
build=$(mkdir -p "${BUILD:-build}/python" && cd "${BUILD:-build}/python" && pwd)
tools=$build/tools dist=$build/dist

need() { # PACKAGE...: only what is not there yet
    [ -x "$tools/bin/python" ] || "$PYTHON" -m venv "$tools"
    "$tools/bin/pip" install -q --disable-pip-version-check --no-index "$@" 2>"$build/pip.log" && return
    echo "python: installing in $tools with pip: $*"
    "$tools/bin/pip" install -q --disable-pip-version-check "$@" || {
        echo "python: that did not work. By hand, with a network: $tools/bin/pip install $*" >&2
        exit 1
    }
}

sdist() {
    "$tools/bin/python" -m build --no-isolation --sdist --outdir "$dist" "$here" >"$build/sdist.log" 2>&1 || fail sdist
}

wheel() { # LOG: a wheel from the sdist, with what the environment says
    rm -rf "$build/source" "$build/wheel"
    mkdir "$build/source"
    tar xzf "$dist"/*.tar.gz -C "$build/source" --strip-components=1
    "$tools/bin/python" -m build --no-isolation --wheel --outdir "$build/wheel" "$build/source" >"$build/$1.log" 2>&1 || fail "$1"
    rm -rf "$build/source"
}

fail() { # LOG
    cat "$build/$1.log" >&2
    exit 1
}

# auditwheel knows manylinux, and musl only on a musl system; there it is enough that nothing but libc is needed.
check_libc() { # TAG
    case $1 in
    manylinux*)
        "$tools/bin/auditwheel" show "$build/wheel"/*.whl >"$build/audit" && cat "$build/audit" &&
            [ "$(sed -n 's/.*tag: "manylinux_2_\([0-9]*\)_.*/\1/p' "$build/audit")" -le 17 ]
        ;;
    *)
        unzip -p "$build/wheel"/*.whl 'libanomaly/_cffi*.so' >"$build/module.so" && readelf -d "$build/module.so" | grep NEEDED &&
            ! readelf -d "$build/module.so" | grep NEEDED | grep -vE '\[lib(c|m)\.so\]'
        ;;
    esac
}

compile() { # ARCH TARGET LOG
    if [ "$1-$2" = "$(uname -m)-gnu.2.17" ]; then
        CFLAGS='' LDFLAGS=-s wheel "$3"
        return
    fi
    zig="$tools/bin/python -m ziglang cc -target $1-linux-$2"
    CC=$zig LDSHARED="$zig -shared" CFLAGS='' LDFLAGS=-s AR="$tools/bin/python -m ziglang ar" \
        _PYTHON_HOST_PLATFORM="linux-$1" wheel "$3"
}

# The wheel says linux_ARCH at first, which package indexes refuse.
release() { # ARCH TARGET TAG
    echo "python: $3"
    compile "$1" "$2" "$3"
    { check_libc "$3" && "$tools/bin/abi3audit" --strict "$build/wheel"/*.whl; } >>"$build/$3.log" 2>&1 || fail "$3"
    "$tools/bin/wheel" tags --remove --platform-tag "$3" "$build/wheel"/*.whl >/dev/null
    mv "$build/wheel"/*.whl "$dist"
}

case ${1:-} in
sdist)
    dist=$(cd "$2" && pwd)
    need build 'setuptools>=77' 'cffi>=1.15'
    sdist
    exit
    ;;
native | wheels)
    rm -rf "$dist" && mkdir -p "$dist"
    ;;
esac
case ${1:-} in
native)
    need build 'setuptools>=77' 'cffi>=1.15' wheel
    sdist
    wheel native
    mv "$build/wheel"/*.whl "$dist"
    ;;
wheels)
    need build 'setuptools>=77' 'cffi>=1.15' wheel ziglang auditwheel abi3audit
    sdist
    for arch in x86_64 aarch64; do
        release $arch gnu.2.17 manylinux_2_17_$arch
        release $arch musl musllinux_1_2_$arch
    done
    ;;
*)
    echo "usage: $0 native|wheels|sdist DIRECTORY" >&2
    exit 2
    ;;
esac
ls "$dist"
