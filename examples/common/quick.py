# SPDX-License-Identifier: MIT
"""A plugin of pytest, which pytest.sh loads: TEST_QUICK=1 leaves out the tests that are marked as on demand."""

from __future__ import annotations

import os

import pytest

QUICK = bool(os.environ.get("TEST_QUICK"))


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "on_demand: takes long, not with TEST_QUICK=1")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left_out = [item for item in items if QUICK and item.get_closest_marker("on_demand")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
