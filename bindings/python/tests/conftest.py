# SPDX-License-Identifier: MIT
"""What the tests share: the golden verdicts, and comparing doubles bit by bit."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import libanomaly

TOP = Path(__file__).resolve().parents[3]
GOLDEN = sorted((TOP / "tests" / "golden" / "verdicts").glob("*.txt"))
KINDS = {
    "zscore": libanomaly.ZScore,
    "percentile": libanomaly.Percentile,
    "iforest": libanomaly.IsolationForest,
    "mahalanobis": libanomaly.Mahalanobis,
    "watch": libanomaly.Watch,
}
FIELDS = ("score", "threshold", "expected", "lower", "upper", "flags", "feature", "events", "tail")
NAN = "7ff8000000000000"
START = 1_699_920_000 * 10**9  # times begin at a midnight, as the hour counts; an int below 1e17 is none


def bits(value: float) -> str:
    """A double as the golden files write it."""
    return NAN if value != value else struct.pack(">d", value).hex()


def double(digits: str) -> float:
    return struct.unpack(">d", bytes.fromhex(digits))[0]


class Golden(NamedTuple):
    kind: str
    options: dict[str, str]
    times: list[int] | None
    x: list[list[float]]
    want: list[tuple[str, ...]]

    def detector(self, **more: Any) -> libanomaly.Detector:
        return KINDS[self.kind](**{**self.options, **more})


def read_golden(path: Path) -> Golden:
    lines = [line.split() for line in path.read_text().splitlines()]
    start = next(i for i, words in enumerate(lines) if words[0] == "columns")
    options = {words[1]: words[2] for words in lines[:start] if words[0] == "set"}
    rows = lines[start + 1 :]
    times = None if rows[0][0] == "-" else [START + int(row[0]) for row in rows]
    return Golden(
        lines[0][1], options, times, [[double(x) for x in row[1:-8]] for row in rows], [(*row[-8:], NAN) for row in rows]
    )


@pytest.fixture(params=GOLDEN, ids=lambda path: path.stem)
def golden(request: pytest.FixtureRequest) -> Golden:
    return read_golden(request.param)


def written(*fields: float) -> tuple[str, ...]:
    """A verdict as the golden files write it, which have no budget of alarms and therefore no tail."""
    return tuple(str(field) if isinstance(field, int) else bits(field) for field in fields)


def of_verdict(verdict: libanomaly.Verdict) -> tuple[str, ...]:
    return written(*(getattr(verdict, name) for name in FIELDS))


def of_verdicts(verdicts: libanomaly.Verdicts) -> list[tuple[str, ...]]:
    return [written(*row) for row in zip(*(verdicts[name].tolist() for name in FIELDS))]
