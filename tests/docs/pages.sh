#!/bin/sh
# SPDX-License-Identifier: MIT
# The pages and the notebook print what they show. tests/docs/lib.sh says which blocks of a page are run.
set -u
. tests/check.sh
. tests/docs/lib.sh
for name in ${PAGES:-README.md docs/program.md docs/cookbook.md docs/coming-from.md}; do
    page "$name"
done
check 'the notebook' env -u MPLBACKEND python tests/docs/notebook.py docs/libanomaly.ipynb
finish
