#!/bin/sh
# SPDX-License-Identifier: MIT
# The tests of examples/model, against real servers on loopback. The last line is `N passed, N failed`.
#
#   examples/model/tests/run.sh [PYTEST-ARGUMENTS]     from the top of the tree; TEST_QUICK=1 is the short form
set -u
cd "$(dirname "$0")/../../.." || exit 2
tests/setup.sh python prometheus || exit 2
exec examples/common/pytest.sh model "$@"
