#!/bin/sh
# SPDX-License-Identifier: MIT
# Copies an example with all that it needs of this tree into a new folder, where it works by itself: FOLDER/run.sh.
#
#   examples/common/copy.sh NAME FOLDER     what the examples share comes along as FOLDER/common, libanomaly as source
set -eu
here=$(cd "$(dirname "$0")" && pwd)
if [ ! -e "$here/../${1:-}/run.sh" ] || [ -z "${2:-}" ]; then
    sed -n '3,5s/^# \{0,1\}//p' "$0"
    exit 2
fi
mkdir "$2"
cp -R "$here/../$1/." "$2"
cp -R "$here" "$2/common"
find "$2" -name __pycache__ -prune -exec rm -r {} +
BUILD=${BUILD:-$here/../../build} "$here/../../bindings/python/package.sh" sdist "$2" >&2
