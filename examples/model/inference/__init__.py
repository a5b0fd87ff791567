# SPDX-License-Identifier: MIT
"""The model service: README.md."""
