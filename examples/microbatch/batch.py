# SPDX-License-Identifier: MIT
"""A micro-batch as it arrives: CSV with a line for each client and second: time,client,requests."""

from __future__ import annotations

import csv
import io
import math
import statistics
from dataclasses import dataclass, field

NEAR = 3600.0  # seconds between the times of a batch and their middle
TOLD = 10  # of the rejected rows


@dataclass
class Batch:
    """Column by column; `errors` has the first rejected rows, as (line, reason)."""

    times: list[float] = field(default_factory=list)
    clients: list[str] = field(default_factory=list)
    requests: list[float] = field(default_factory=list)
    rejected: int = 0
    errors: list[tuple[int, str]] = field(default_factory=list)

    def reject(self, line: int, reason: str) -> None:
        self.rejected += 1
        if len(self.errors) < TOLD:
            self.errors.append((line, reason))


def number(name: str, text: str, most: float) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{name}: {text[:40]!r} is no number") from None
    if not 0 <= value <= most:  # nor NaN
        raise ValueError(f"{name}: {text[:40]!r} is not between 0 and {most:g}")
    return value


def read(data: bytes, most_bytes: int) -> Batch:
    """What is wrong with a row, or with all, is in the batch; the other rows are taken."""
    batch = Batch()
    if len(data) > most_bytes:
        batch.reject(0, f"the batch has {len(data)} bytes; up to {most_bytes} are read (MAX_BATCH_BYTES)")
        return batch
    rows = csv.reader(io.StringIO(data.decode("utf-8-sig", errors="replace")))
    lines: list[int] = []
    try:
        names = [name.strip() for name in next(rows, [])]
        if missing := [name for name in ("time", "client", "requests") if name not in names]:
            batch.reject(1, f"the header has no {', '.join(missing)}")
            return batch
        time, client, requests = (names.index(name) for name in ("time", "client", "requests"))
        for row in rows:
            if row:
                try:
                    if len(row) != len(names):
                        raise ValueError(f"{len(row)} fields, the header has {len(names)}")
                    at, count = number("time", row[time], 9e9), number("requests", row[requests], 1e9)
                    if not 1 <= len(row[client]) <= 255:
                        raise ValueError("client: has 1 to 255 characters")
                except ValueError as error:
                    batch.reject(rows.line_num, str(error))
                    continue
                batch.times.append(float(math.floor(at)))
                batch.clients.append(row[client])
                batch.requests.append(count)
                lines.append(rows.line_num)
    except csv.Error as error:  # a field of more than 128 KiB
        batch.reject(rows.line_num, f"{error}; this row and those after it are not read")
    _leave_out_far_times(batch, lines)
    return batch


def _leave_out_far_times(batch: Batch, lines: list[int]) -> None:
    """One time far ahead would make every client's window look old."""
    if not batch.times:
        return
    middle = statistics.median_low(batch.times)
    near = [abs(at - middle) <= NEAR for at in batch.times]
    if all(near):
        return
    for line, at in ((line, at) for line, at, ok in zip(lines, batch.times, near) if not ok):
        batch.reject(line, f"time: {at:.0f} is more than an hour from the batch's middle, {middle:.0f}")
    for column in (batch.times, batch.clients, batch.requests):
        column[:] = [value for value, ok in zip(column, near) if ok]  # type: ignore[misc]
