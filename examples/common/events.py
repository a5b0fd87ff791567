# SPDX-License-Identifier: MIT
"""Streams of events with planted anomalies: the same for the same seed."""

from __future__ import annotations

import itertools
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


class Reading(NamedTuple):
    sensor: str
    metric: str
    value: float
    odd: bool


KINDS = {
    "temperature": (15.0, 30.0, 0.5),
    "humidity": (30.0, 60.0, 2.0),
    "pressure": (1000.0, 1020.0, 1.0),
}  # levels, deviation


def sensors(seed: int, number: int = 10, share: float = 0.01) -> Iterator[Reading]:
    """Without end: three metrics of each sensor in turn, about a level of its own; a share of them, none of the first
    thirty of a metric, is 8 to 15 deviations too high or too low."""
    chance = random.Random(seed)
    levels = [{kind: chance.uniform(low, high) for kind, (low, high, _) in KINDS.items()} for _ in range(number)]
    for i in itertools.count():
        for k, own in enumerate(levels):
            for kind, level in own.items():
                deviation = KINDS[kind][2]
                odd = i >= 30 and chance.random() < share
                away = chance.uniform(-1.7, 1.7) if not odd else chance.choice((-1, 1)) * chance.uniform(8, 15)
                value = level + away * deviation
                yield Reading(f"sensor-{k + 1:02}", kind, round(value, 2), odd)
