#!/bin/sh
# SPDX-License-Identifier: MIT
# Puts its input into PAGE, between the lines <!-- NAME --> and <!-- end NAME -->.
#
#   into_page.sh PAGE NAME <TABLE
set -eu
page=$1 name=$2 new=$(mktemp)
trap 'rm -f "$new" "$new.page"' EXIT
cat >"$new"
[ -s "$new" ]
grep -qx "<!-- end $name -->" "$page"
awk -v name="$name" -v new="$new" '
    $0 == "<!-- end " name " -->" { inside = 0 }
    !inside { print }
    $0 == "<!-- " name " -->" { inside = 1; print ""; while ((getline line <new) > 0) print line; print "" }' "$page" >"$new.page"
cat "$new.page" >"$page"
