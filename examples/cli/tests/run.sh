#!/bin/sh
# SPDX-License-Identifier: MIT
# Tests the page of --html in Chromium, by Playwright. Ends with the line `N passed, N failed`.
#
#   examples/cli/tests/run.sh               all tests; words pick some
#   examples/cli/tests/run.sh --picture     writes the pictures of report and site in docs/img/ anew
set -eu
cd "$(dirname "$0")/../../.."
export BUILD="${BUILD:-build}"
tests/setup.sh browser
if ! "$BUILD/browser/bin/python3" -c 'import playwright' 2>/dev/null; then
    python3 -m venv --clear "$BUILD/browser"
    "$BUILD/browser/bin/pip" install -q --disable-pip-version-check playwright
fi
exec "$BUILD/browser/bin/python3" -B examples/cli/tests/test_report.py "$@"
