#!/bin/sh
# SPDX-License-Identifier: MIT
# The tests of examples/flink, with Flink and servers on loopback. The last line is `N passed, N failed`.
#
#   examples/flink/tests/run.sh [PYTEST-ARGUMENTS]     from the top of the tree; TEST_QUICK=1 is the short form
set -u
cd "$(dirname "$0")/../../.." || exit 2
tests/setup.sh python java || exit 2
PYTHON=$(examples/flink/python.sh "${BUILD:-build}/flink/venv")
export PYTHON
examples/flink/python.sh --flink || echo 'flink: without it the tests of the job are left out'
exec examples/common/pytest.sh flink "$@"
