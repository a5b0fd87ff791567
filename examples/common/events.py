# SPDX-License-Identifier: MIT
"""Streams of events with planted anomalies: the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple


class Labelled(NamedTuple):
    key: str
    value: float
    time: float  # seconds
    odd: bool


def keyed(keys: int, each: int, start: float, odd: dict[int, int], step: float = 1.0) -> Iterator[Labelled]:
    """`each` times a value of every key in turn: 50 to 59, or 95 for key number k at i where odd[k] = i."""
    for i in range(each):
        for k in range(keys):
            planted = odd.get(k) == i
            yield Labelled(f"m{k:02}", 95.0 if planted else 50.0 + i % 10, start + i * step, planted)


def noisy(seed: int, keys: int, each: int, start: float, share: float = 0.005, step: float = 1.0) -> Iterator[Labelled]:
    """Normal values about a level of each key's own; a share of them is ten deviations away, none of the first fifty."""
    chance = random.Random(seed)
    levels = [chance.uniform(10, 100) for _ in range(keys)]
    for i in range(each):
        for k, level in enumerate(levels):
            planted = i >= 50 and chance.random() < share
            value = chance.gauss(level, 2) + 20 * planted
            yield Labelled(f"k{k:03}", value, start + i * step, planted)
