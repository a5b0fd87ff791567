# SPDX-License-Identifier: MIT
"""The README's figures of how many readings are flagged."""

import labels
from conftest import EXAMPLE


def test_the_figures_of_the_readme_are_counted():
    assert "\n".join(labels.lines()) in (EXAMPLE / "README.md").read_text()
