# SPDX-License-Identifier: MIT
"""Odd transactions of each user, in a plain loop or as a Flink job: README.md."""
