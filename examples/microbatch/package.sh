#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes what Lambda needs beside the handler: vendor/ with libanomaly and what it needs. In a copy of this example
# (examples/common/copy.sh), on Linux, x86-64, with Python 3.12 or the PYTHON given.
set -eu
cd "$(dirname "$0")"
source=$(find . -maxdepth 1 -name 'libanomaly-*.tar.gz' | grep .) || {
    echo 'package.sh: there is no libanomaly-*.tar.gz here; examples/common/copy.sh microbatch FOLDER makes a copy that has it' >&2
    exit 2
}
rm -rf vendor
"${PYTHON:-python3}" -m pip install -q --disable-pip-version-check --no-compile --target vendor "$source"
du -sh vendor
