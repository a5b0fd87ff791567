# SPDX-License-Identifier: MIT
"""Readings of sensors, from Kafka to verdicts in a database: ../README.md."""
