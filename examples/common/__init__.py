# SPDX-License-Identifier: MIT
"""What the examples share: README.md."""
