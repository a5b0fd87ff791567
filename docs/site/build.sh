#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds the site in $BUILD/site, from the top of the tree: pages, the reference of C and Python, search. Warnings end it with
# status 1; so does a link that leads nowhere, or a page that would fetch something from elsewhere.
set -eu
BUILD=$(cd "${BUILD:-build}" && pwd)
PYTHON=${PYTHON:-python3}
LC_ALL=C.UTF-8
export LC_ALL
venv=$BUILD/docs/venv
wanted='mkdocs-material>=9.5 mkdocs>=1.6 mdx_truly_sane_lists>=1.3'
library=$BUILD/python/venv-$("$PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])')

if [ "$(cat "$venv/has" 2>/dev/null)" != "$wanted" ]; then
    echo "docs: making $venv, installing there with pip: $wanted"
    "$PYTHON" -m venv "$venv"
    # shellcheck disable=SC2086 # several words
    "$venv/bin/pip" install -q --disable-pip-version-check $wanted
    echo "$wanted" >"$venv/has"
fi

rm -rf "$BUILD/docs/pages" "$BUILD/site"
python3 docs/site/stage.py "$BUILD/docs/pages"
python3 docs/site/reference.py c >"$BUILD/docs/pages/docs/reference-c.md"
"$library/bin/python" docs/site/reference.py python >"$BUILD/docs/pages/docs/reference-python.md"
sed "s|^site_dir: .*|site_dir: $BUILD/site|" docs/site/mkdocs.yml >"$BUILD/docs/mkdocs.yml"
NO_MKDOCS_2_WARNING=1 "$venv/bin/mkdocs" build -q --strict -f "$BUILD/docs/mkdocs.yml"

if grep -rnoE '<(script|link|img|iframe)[^>]+(src|href)="?(https?:)?//[^">]*' "$BUILD/site" --include='*.html' | grep -v 'rel="\?canonical'; then
    echo 'docs: the site would fetch these from elsewhere' >&2
    exit 1
fi
echo "docs: $BUILD/site/index.html; search works where it is served: python3 -m http.server -d $BUILD/site"
