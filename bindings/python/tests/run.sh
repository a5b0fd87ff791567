#!/bin/sh
# SPDX-License-Identifier: MIT
# The Python package as pip builds and installs it, tested in an environment of its own: $BUILD/python/venv.
#
#   bindings/python/tests/run.sh [PYTEST-ARGUMENTS]     run from the top of the tree; the last line is `N passed, N failed`
#   bindings/python/tests/run.sh --install              only makes the environment ready, which may take minutes
#
#   PYTHON  the interpreter (python3)
set -u
LC_ALL=C.UTF-8
MPLBACKEND=Agg
SCIPY_ARRAY_API=1 # else scikit-learn leaves a check out
export LC_ALL MPLBACKEND SCIPY_ARRAY_API
PYTHON=${PYTHON:-python3}
build=$(mkdir -p "${BUILD:-build}/python" && cd "${BUILD:-build}/python" && pwd) || exit 2
venv=$build/venv-$("$PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])') || exit 2
wanted='cffi>=1.15 setuptools>=77 pytest hypothesis numpy pandas polars pyarrow mypy ruff typing_extensions'
wanted="$wanted matplotlib river scikit-learn>=1.6 basedpyright nbclient ipykernel"
here=bindings/python

give_up() {
    echo "python: $1 did not work. By hand, with a network:"
    echo
    echo "    $PYTHON -m venv $venv && $venv/bin/pip install $(echo "$wanted" | sed "s/[^ ]*>[^ ]*/'&'/g")"
    echo
    echo '0 passed, 1 failed'
    exit 1
}

exec 9>"$build/lock"
flock 9 # another make of the same tree may be making the same environment ready
if [ "$(cat "$venv/has" 2>/dev/null)" != "$wanted" ]; then
    echo "python: making $venv, installing there with pip: $wanted"
    "$PYTHON" -m venv "$venv" || give_up 'making the environment'
    # shellcheck disable=SC2086 # several words
    "$venv/bin/pip" install -q --disable-pip-version-check $wanted || give_up 'installing'
    echo "$wanted" >"$venv/has"
fi

bindings/python/install.sh "$venv" || {
    echo '0 passed, 1 failed'
    exit 1
}

exec 9>&-
[ "${1:-}" != --install ] || exit 0
BUILD=$(dirname "$build") # for the tests beside the program and the C library
export BUILD
cd "$here" || exit 2
"$venv/bin/python" -m pytest -p no:cacheprovider -q "$@" tests --pyargs libanomaly 2>&1 | tee "$build/log"
# pytest counts in another order, and leaves out what is 0.
count() { tail -n 1 "$build/log" | sed -n "s/.*\<\([0-9][0-9]*\) $1.*/\1/p"; }
failed=$(($(count failed) + $(count error) + $(count skipped) + 0)) # all that a test needs was installed above
passed=$(($(count passed) + 0))
[ $((passed + failed)) -gt 0 ] || failed=1
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
