#!/bin/sh
# SPDX-License-Identifier: MIT
# Each embedding example ends with 0 only if what it shows is so.
. tests/check.sh
for source in examples/embedding/*.c; do
    name=$(basename "$source" .c)
    check "$name" "$BUILD/examples/embedding/$name"
done
finish
