# SPDX-License-Identifier: MIT
"""A micro-batch as it arrives: CSV with a line for each client and second: time,client,requests."""

from __future__ import annotations

import csv
import io
import math
import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field

NEAR = 3600.0  # seconds between the times of a batch and their middle; also by which a time may be ahead of the clock
SITE = "(all)"  # the whole site, among the clients
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
        value = float(text if text.isascii() and "_" not in text else "")  # Python takes 1_0 and digits of all scripts
    except ValueError:
        raise ValueError(f"{name}: {text[:40]!r} is no number") from None
    if not 0 <= value <= most:  # nor NaN
        raise ValueError(f"{name}: {text[:40]!r} is not between 0 and {most:g}")
    return value


def second(text: str, now: float) -> float:
    at = float(math.floor(number("time", text, 9e9)))
    if at > now + NEAR:
        raise ValueError(f"time: {at:.0f} is more than an hour ahead of the handler's clock, {now:.0f}")
    return at


def name(text: str) -> str:
    if not 1 <= len(text) <= 255:
        raise ValueError("client: has 1 to 255 characters")
    if "\n" in text or "\r" in text:
        raise ValueError("client: has a line break; is a quote left open?")
    if text == SITE:
        raise ValueError(f"client: {SITE} is the name of the whole site")
    return text


def _rows(text: str, batch: Batch) -> Iterator[tuple[int, list[str]]]:
    """Each row with its line. One that the csv module refuses, with a field of more than 128 KiB, is rejected."""
    rows = csv.reader(io.StringIO(text, newline=""))
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            batch.reject(rows.line_num, str(error))
        else:
            if row:  # not an empty line
                yield rows.line_num, row


def read(data: bytes, most_bytes: int, now: float) -> Batch:
    """What is wrong with a row, or with all, is in the batch; the other rows are taken."""
    batch = Batch()
    if len(data) > most_bytes:
        batch.reject(0, f"the batch has more than {most_bytes} bytes (MAX_BATCH_BYTES), nothing of it is read")
        return batch
    text = data.decode("utf-8-sig", errors="replace").replace("\0", "\ufffd")  # at NUL older csv modules stop
    rows = _rows(text, batch)
    header = [one.strip() for one in next(rows, (1, []))[1]]
    if wrong := [one for one in ("time", "client", "requests") if header.count(one) != 1]:
        batch.reject(1, f"the header has no {', '.join(wrong)}, or several")
        return batch
    time, client, requests = (header.index(one) for one in ("time", "client", "requests"))
    lines: list[int] = []
    for line, row in rows:
        try:
            if len(row) != len(header):
                raise ValueError(f"{len(row)} fields, the header has {len(header)}")
            at, who, count = second(row[time], now), name(row[client]), number("requests", row[requests], 1e9)
        except ValueError as error:
            batch.reject(line, str(error))
            continue
        batch.times.append(at)
        batch.clients.append(who)
        batch.requests.append(count)
        lines.append(line)
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
