# SPDX-License-Identifier: MIT
"""Rows of features with their times, and CSV files of them."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from typing import NamedTuple, TextIO

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
TIMES = ("timestamp", "time", "date", "datetime")
NORMAL = ("", "0", "ok", "normal", "no", "false", "benign")


class Rows(NamedTuple):
    names: tuple[str, ...]
    values: Floats  # a row each; NaN is missing
    times: Floats  # seconds since 1970; NaN is unknown
    odd: npt.NDArray[np.bool_] | None = None  # where people have labelled it

    def where(self, chosen: npt.NDArray[np.bool_]) -> Rows:
        odd = None if self.odd is None else self.odd[chosen]
        return Rows(self.names, self.values[chosen], self.times[chosen], odd)


class RowsError(ValueError):
    """What is wrong with a file, with its line."""


def seconds(text: str) -> float:
    """Of a number of seconds, or of ISO 8601, in UTC where it names no zone."""
    try:
        return float(text)
    except ValueError:
        at = datetime.fromisoformat(text.replace("Z", "+00:00"))
        return (at if at.tzinfo else at.replace(tzinfo=timezone.utc)).timestamp()


def read(file: TextIO, label: str = "") -> Rows:
    """A CSV file with a header: a time if a column is named so, the label's column, and every other column a feature."""
    lines = csv.reader(file)
    header = [name.strip() for name in next(lines, [])]
    time = next((i for i, name in enumerate(header) if name.lower() in TIMES), -1)
    if label and label not in header:
        raise RowsError(f"line 1: no column {label!r}; there are: {', '.join(header)}")
    labelled = header.index(label) if label else -1
    features = [i for i in range(len(header)) if i not in (time, labelled)]
    names = tuple(header[i] for i in features)
    if not names or len(set(header)) != len(header):
        raise RowsError("line 1: a header with a name of its own for each column is needed, and a feature among them")
    values, times, odd = [], [], []
    for cells in lines:
        if not cells:
            continue
        if len(cells) != len(header):
            raise RowsError(f"line {lines.line_num}: {len(cells)} values, the header has {len(header)} columns")
        values.append([_number(cells[i], header[i], lines.line_num) for i in features])
        times.append(_time(cells[time], lines.line_num) if time >= 0 else math.nan)
        odd.append(labelled >= 0 and cells[labelled].strip().lower() not in NORMAL)
    if not values:
        raise RowsError("line 2: no rows")
    return Rows(names, np.array(values), np.array(times), np.array(odd) if label else None)


def _number(cell: str, name: str, line: int) -> float:
    if cell.strip().lower() in ("", "nan", "null", "na"):
        return math.nan
    try:
        value = float(cell)
    except ValueError:
        value = math.inf
    if math.isinf(value):
        raise RowsError(f"line {line}: {name}: {cell!r} is no finite number")
    return value


def _time(cell: str, line: int) -> float:
    try:
        return seconds(cell)
    except ValueError:
        raise RowsError(f"line {line}: {cell!r} is neither seconds nor ISO 8601") from None


def write(file: TextIO, names: Sequence[str], rows: Iterable[tuple[float, Sequence[float] | Floats]]) -> None:
    """Times and values as read() takes them."""
    lines = csv.writer(file, lineterminator="\n")
    lines.writerow(["timestamp", *names])
    for at, values in rows:
        lines.writerow([repr(float(at)), *("" if math.isnan(value) else repr(float(value)) for value in values)])
