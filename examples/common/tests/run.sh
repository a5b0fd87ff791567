#!/bin/sh
# SPDX-License-Identifier: MIT
# The tests of what the examples share. The last line is `N passed, N failed`.
set -u
cd "$(dirname "$0")/../../.." || exit 2
tests/setup.sh python redis servers || exit 2
exec examples/common/pytest.sh common "$@"
