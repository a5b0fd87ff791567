#!/bin/sh
# SPDX-License-Identifier: MIT
# The pages print what they show. tests/docs/lib.sh says which of their blocks are run.
set -u
. tests/check.sh
. tests/docs/lib.sh
for name in ${PAGES:-docs/cookbook.md docs/coming-from.md}; do
    page "$name"
done
finish
