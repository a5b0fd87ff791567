#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds the Python package and installs it in an environment that has cffi and setuptools, unless it is there as it is now:
#
#   bindings/python/install.sh VENV     run from the top of the tree
#
# It is built in VENV/source, so that several environments may be made ready at once.
set -eu
venv=$1
here=bindings/python

newer=$(find include lib "$here" -newer "$venv/built" \( -name '*.[ch]' -o -name '*.py' -o -name '*.pyi' -o -name '*.toml' \) 2>&1 |
    grep -v "^$here/tests/" | head -n 1)
[ -n "$newer" ] || exit 0
echo "python: building and installing the package in $venv"
touch "$venv/building"
rm -rf "$venv/source"
mkdir "$venv/source"
cp -R "$here/src" "$here"/*.* "$here/LICENSE" "$venv/source"
ln -s "$(pwd)" "$venv/source/core"
"$venv/bin/pip" install -q --disable-pip-version-check --no-build-isolation --no-deps --force-reinstall "$venv/source"
rm -rf "$venv/source"
mv "$venv/building" "$venv/built"
