#!/bin/sh
# SPDX-License-Identifier: MIT
# The pages and the notebook print what they show. tests/docs/lib.sh says which blocks of a page are run.
set -u
. tests/check.sh
. tests/docs/lib.sh
for name in ${PAGES:-README.md docs/program.md docs/cookbook.md docs/coming-from.md}; do
    page "$name"
done

# ---- the reference of the site names everything that is public ----

names_missing() { # PAGE: of the names that it gets, those that are no heading of the page
    while read -r word; do
        grep -Eqx "#{3,4} $word" "$1" || echo "$word"
    done
}
every_symbol() {
    python3 docs/site/reference.py c >"$tmp/reference-c.md" &&
        sed 's/@.*//' tests/abi/libanomaly-0.1.symbols | names_missing "$tmp/reference-c.md" >"$tmp/missing"
    cat "$tmp/missing"
    [ ! -s "$tmp/missing" ]
}
every_python_name() {
    python docs/site/reference.py python >"$tmp/reference-python.md" &&
        python -c 'import libanomaly, libanomaly.plot, libanomaly.river, libanomaly.sklearn
for module in libanomaly, libanomaly.plot, libanomaly.river, libanomaly.sklearn:
    for name in module.__all__:
        print(name if module is libanomaly else f"{module.__name__}.{name}")
for call in "Detector.update", "Detector.update_rows", "Pool.update", "Pool.overdue", "Detector.rebuild", "Verdicts.to_frame":
    print(call)' >"$tmp/names" && names_missing "$tmp/reference-python.md" <"$tmp/names" >"$tmp/missing"
    cat "$tmp/missing"
    [ -s "$tmp/names" ] && [ ! -s "$tmp/missing" ]
}
check 'the reference of C has every symbol' every_symbol
check 'the reference of Python has every name' every_python_name
check 'the pages link to files that are there' python3 docs/site/stage.py "$tmp/pages"

check 'the notebook' env -u MPLBACKEND python tests/docs/notebook.py docs/libanomaly.ipynb
finish
