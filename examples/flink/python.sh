#!/bin/sh
# SPDX-License-Identifier: MIT
# Which interpreter is for the environment VENV: PYTHON if it is given, else the first that PyFlink has packages for (3.9 to
# 3.12), else python3, with which everything works but the Flink job. An environment of another one is removed.
#
#   python.sh VENV       prints it
#   python.sh --flink    says what is missing for the Flink job, with status 1
set -eu
takes_flink() { "$1" -c 'import sys, ensurepip, venv; sys.exit(not (3, 9) <= sys.version_info < (3, 13))' 2>/dev/null; }
version() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || true; }

chosen=${PYTHON:-python3}
for python in ${PYTHON:-python3 python3.12 python3.11 python3.10 python3.9}; do
    ! takes_flink "$python" || { chosen=$python && break; }
done
if [ "$1" != --flink ]; then
    [ ! -e "$1" ] || [ "$(version "$1/bin/python")" = "$(version "$chosen")" ] || rm -rf "$1"
    echo "$chosen"
elif ! takes_flink "$chosen" || [ "$(uname -m)" != x86_64 ]; then
    echo "flink: PyFlink 2.3 has packages for Python 3.9 to 3.12 on x86-64; this is Python $(version "$chosen") on $(uname -m)." >&2
    echo "flink: put one of these beside it, for example with 'uv python install 3.12' or pyenv, and give it as PYTHON=python3.12;" >&2
    echo "flink: or use the container of examples/flink/Dockerfile. The plain loop needs no Flink: examples/flink/run.sh demo" >&2
    exit 1
fi
