#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs the tests of an example, and those that every example passes (every/), in its own environment, $BUILD/NAME/venv; from
# the top of the tree.
#
#   examples/common/pytest.sh NAME [PYTEST-ARGUMENTS]     the last line is `N passed, N failed`
#
#   REQUIREMENTS  files of what the example needs (those of the example)
set -u
LC_ALL=C.UTF-8
export LC_ALL
name=$1
shift
build=$(mkdir -p "${BUILD:-build}/$name" && cd "${BUILD:-build}/$name" && pwd) || exit 2
here=examples/$name
set -- "$@" examples/common/every "$here/tests"
# shellcheck disable=SC2086 # several words: a file for what the example needs, perhaps others for parts of it
python=$(examples/common/venv.sh "$build/venv" ${REQUIREMENTS-$(ls "$here"/requirements*.txt 2>/dev/null)} "$here/tests/requirements.txt" examples/common/every/requirements.txt) || {
    echo '0 passed, 1 failed'
    exit 1
}
# What Python has compiled is kept, beside no source: compiling it again costs more than half of every start.
EXAMPLE=$name PYTHONDONTWRITEBYTECODE='' PYTHONPYCACHEPREFIX=$build/pycache PYTHONPATH=$PWD/$here:$PWD/examples "$python" -m pytest -p common.quick -p no:cacheprovider -q "$@" 2>&1 | tee "$build/pytest.log"
# pytest counts in another order, and leaves out what is 0.
count() { tail -n 1 "$build/pytest.log" | sed -n "s/.*\<\([0-9][0-9]*\) $1.*/\1/p"; }
failed=$(($(count failed) + $(count error) + $(count skipped) + 0)) # all that a test needs was installed
passed=$(($(count passed) + 0))
[ $((passed + failed)) -gt 0 ] || failed=1
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
