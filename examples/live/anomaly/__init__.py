# SPDX-License-Identifier: MIT
"""Live metrics with a dashboard: README.md."""
