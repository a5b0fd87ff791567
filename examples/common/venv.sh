#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes an environment for an example, and prints its Python: only what is missing is installed, by pip, after saying so.
#
#   examples/common/venv.sh DIRECTORY REQUIREMENTS.txt...
#
# In the repository libanomaly is built from the tree; a copied example has it as a file beside its requirements.txt
# (examples/common/copy.sh). PYTHON is the interpreter (python3).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
venv=$1
shift
tree=$here/../../bindings/python
pip() { "$venv/bin/python" -m pip --disable-pip-version-check -q "$@" >&2; }

[ -x "$venv/bin/python" ] || "${PYTHON:-python3}" -m venv "$venv"
touch "$venv/has"
wanted=$(cat "$@" | grep -v '^libanomaly$' | grep -vxF -f "$venv/has" || true)
if [ -n "$wanted" ] || [ ! -s "$venv/has" ]; then
    # shellcheck disable=SC2086 # several words
    echo "examples: installing in $venv with pip:" $wanted >&2
    # shellcheck disable=SC2086
    pip install 'cffi>=1.15' 'setuptools>=77' $wanted
    echo "$wanted" >>"$venv/has"
fi
if [ -d "$tree" ]; then
    venv=$(cd "$venv" && pwd)
    (cd "$tree/../.." && bindings/python/install.sh "$venv" >&2)
else
    "$venv/bin/python" -c 'import libanomaly' 2>/dev/null ||
        pip install --no-build-isolation "$(find "$(dirname "$1")" -maxdepth 1 -name 'libanomaly-*.tar.gz' | grep . || echo libanomaly)"
fi
echo "$venv/bin/python"
