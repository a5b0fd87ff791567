#!/bin/sh
# SPDX-License-Identifier: MIT
# The tests of examples/microbatch, with files, with moto for S3, and with the page in Chromium. The last line is `N passed, N failed`.
#
#   examples/microbatch/tests/run.sh [PYTEST-ARGUMENTS]     from the top of the tree; TEST_QUICK=1 is the short form
set -u
cd "$(dirname "$0")/../../.." || exit 2
tests/setup.sh python browser || exit 2
exec examples/common/pytest.sh microbatch examples/microbatch/test_handler.py "$@"
