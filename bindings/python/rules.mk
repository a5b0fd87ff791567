# SPDX-License-Identifier: MIT
# The Python package: docs/python.md.
TEST_NEEDS += $(if $(call pick,bindings/python/tests/run.sh),python)
