# SPDX-License-Identifier: MIT
"""backtest(): alarms beside the incidents that people know of."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import timedelta
from statistics import median
from typing import Any, NamedTuple

from libanomaly._native import NO_TIME
from libanomaly._results import Flag
from libanomaly._rows import Verdicts, index_of
from libanomaly._times import duration_ns, times_array, to_ns

_SECOND = 10**9
_DAY = 86400 * _SECOND
_DECIDED = Flag.ALARM | Flag.HELD | Flag.UNCONFIRMED | Flag.SMALL_CHANGE


class Incident(NamedTuple):
    """A labelled incident: where it starts and ends (as it was given; of labels by row: the time of the row, or its number
    where there are no times), its key, the row of its first alarm (None: missed), and how long after the start that came, in
    seconds (in rows where there are no times)."""

    start: Any
    end: Any
    key: Hashable
    alarm: int | None
    delay: float | None


class Backtest:
    """What backtest() finds. print() shows it.

    `found` and `missed`: lists of Incident. `false_alarms`: rows of the alarms outside every incident;
    `false_alarms_per_day`: NaN without times. `delays`: of the incidents found, in order: seconds, without times rows.
    """

    __slots__ = ("_unit", "delays", "false_alarms", "false_alarms_per_day", "found", "missed")

    def __init__(self, incidents: list[Incident], false_alarms: list[int], days: float, timed: bool) -> None:
        self.found = [incident for incident in incidents if incident.alarm is not None]
        self.missed = [incident for incident in incidents if incident.alarm is None]
        self.false_alarms = false_alarms
        self.false_alarms_per_day = len(false_alarms) / days if days > 0 else float("nan")
        self.delays = [incident.delay for incident in self.found if incident.delay is not None]
        self._unit = "s" if timed else " rows"

    def __repr__(self) -> str:
        return f"<Backtest: {len(self.found)} found, {len(self.missed)} missed, {len(self.false_alarms)} false alarms>"

    def __str__(self) -> str:
        a_day = self.false_alarms_per_day
        lines = [
            f"incidents     {len(self.found)} of {len(self.found) + len(self.missed)} found",
            f"false alarms  {len(self.false_alarms)}" + ("" if a_day != a_day else f", {a_day:.2g} a day"),
        ]
        if self.delays:
            lines.append(f"delay         median {median(self.delays):g}{self._unit}, worst {max(self.delays):g}{self._unit}")
        for incident in self.missed:
            of = "" if incident.key is None else f" of {incident.key}"
            lines.append(f"missed        {incident.start} to {incident.end}{of}")
        return "\n".join(lines)


def _alarm_rows(alarms: Any) -> tuple[list[int], int]:
    """The rows of alarms, and how many rows there are. Where rest, confirm or min_change decide which anomalies are alarms,
    every anomaly has a flag that says what they decided."""
    if not isinstance(alarms, Verdicts):
        told = _truths(alarms, "alarms")
    else:
        flags = [int(flag) for flag in alarms.flags]
        wanted = Flag.ALARM if any(flag & _DECIDED for flag in flags) else Flag.IS_ANOMALY
        told = [bool(flag & wanted) for flag in flags]
    return [row for row, alarm in enumerate(told) if alarm], len(told)


def _truths(values: Any, what: str) -> list[bool]:
    values = values.tolist() if hasattr(values, "tolist") else list(values)
    for row, value in enumerate(values):
        if not (isinstance(value, (bool, int, float)) and value in (0, 1)):
            raise ValueError(f"{what}: row {row}: {value!r} is neither 0 nor 1, False nor True")
    return [bool(value) for value in values]


def _are_spans(labels: Any) -> bool:
    return isinstance(labels, (list, tuple)) and bool(labels) and isinstance(labels[0], (list, tuple))


class _Span(NamedTuple):
    """An incident to be looked for: both ends belong to it."""

    start: int
    end: int
    key: Hashable
    said: tuple[Any, Any]


def _given_spans(labels: Any, keys: list[Any] | None) -> list[_Span]:
    spans = []
    for number, span in enumerate(labels):
        if len(span) not in (2, 3):
            raise ValueError(f"labels: interval {number} is (start, end) or (start, end, key), not {span!r}")
        start, end = to_ns(span[0]), to_ns(span[1])
        key = span[2] if len(span) == 3 else None
        if NO_TIME in (start, end):
            raise ValueError(f"labels: interval {number} has no start or no end: {span!r}")
        if end < start:
            raise ValueError(f"labels: interval {number} ends before it starts: {span[0]} to {span[1]}")
        if key is not None and (keys is None or key not in keys):
            raise ValueError(f"labels: interval {number}: no row has the key {key!r}")
        spans.append(_Span(start, end, key, (span[0], span[1])))
    return spans


def _runs(labels: list[bool], at: list[int], keys: list[Any] | None, said: Any) -> list[_Span]:
    """Labelled rows of a key, one after the other, are one incident."""
    spans: list[_Span] = []
    running: dict[Any, int] = {}
    for row, labelled in enumerate(labels):
        key = None if keys is None else keys[row]
        if not labelled:
            running.pop(key, None)
        elif key in running:
            last = spans[running[key]]
            spans[running[key]] = last._replace(end=max(last.end, at[row]), said=(last.said[0], said[row]))
        else:
            running[key] = len(spans)
            spans.append(_Span(at[row], at[row], key, (said[row], said[row])))
    return spans


def _grace(grace: float | timedelta, timed: bool) -> int:
    given = duration_ns(grace) if isinstance(grace, timedelta) else round(grace * _SECOND) if timed else int(grace)
    if given < 0 or (isinstance(grace, timedelta) and not timed):
        raise ValueError(f"grace: {grace} is no number of {'seconds' if timed else 'rows'}")
    return given


def _match(spans: list[_Span], rows: list[int], at: list[int], keys: list[Any] | None, grace: int) -> tuple[Any, list[int]]:
    first: dict[int, int] = {}
    false_alarms = []
    for row in rows:
        key = None if keys is None else keys[row]
        of = [
            number
            for number, span in enumerate(spans)
            if span.start <= at[row] <= span.end + grace and (span.key is None or span.key == key)
        ]
        for number in of:
            if number not in first or at[row] < at[first[number]]:
                first[number] = row
        if not of:
            false_alarms.append(row)
    return first, false_alarms


def backtest(alarms: Any, labels: Any, times: Any = None, keys: Any = None, grace: float | timedelta = 0) -> Backtest:
    """Compares alarms with incidents that are known: which were found, how late, and how many alarms were false.

    alarms: a bool for each row, or the Verdicts of update_rows() (of those with rest, confirm or min_change the alarms, else
    the anomalies). labels: a bool for each row, where labelled rows of a key one after the other are one incident; or a list
    of (start, end), or (start, end, key), both ends included. times: of the rows, needed for (start, end); by default the
    DatetimeIndex of pandas alarms or labels. keys: of the rows. grace: an alarm so long after an incident's end still is of
    that incident; seconds, without times rows.

    >>> print(backtest([0, 0, 1, 1, 0, 1], [0, 1, 1, 0, 0, 0], times=[0.0, 60.0, 120.0, 180.0, 240.0, 86400.0]))
    incidents     1 of 1 found
    false alarms  2, 2 a day
    delay         median 60s, worst 60s
    """
    rows, count = _alarm_rows(alarms)
    if times is None:
        times = _time_index(alarms.flags if isinstance(alarms, Verdicts) else alarms, labels)
    at = list(range(count)) if times is None else [int(ns) for ns in times_array(times)]
    named = None if keys is None else list(keys)
    for what, given in (("times", at), ("keys", named)):
        if given is not None and len(given) != count:
            raise ValueError(f"{len(given)} {what} for {count} alarms")
    if times is not None and NO_TIME in at:
        raise ValueError(f"times: row {at.index(NO_TIME)} has none")
    spans = _spans(labels, at, named, times)
    first, false_alarms = _match(spans, rows, at, named, _grace(grace, times is not None))
    unit = 1 if times is None else _SECOND
    incidents = [
        Incident(*span.said, span.key, first.get(i), (at[first[i]] - span.start) / unit if i in first else None)
        for i, span in enumerate(spans)
    ]
    days = (max(at) - min(at)) / _DAY if times is not None else 0.0
    return Backtest(incidents, false_alarms, days, times is not None)


def _time_index(*given: Any) -> Any:
    """The first DatetimeIndex among them."""
    for values in given:
        index = index_of(values)
        if index is not None and getattr(index.dtype, "kind", "M") == "M":
            return index
    return None


def _spans(labels: Any, at: list[int], keys: list[Any] | None, times: Any) -> list[_Span]:
    if _are_spans(labels):
        if times is None:
            raise ValueError("labels of (start, end) need times")
        return _given_spans(labels, keys)
    truths = _truths(labels, "labels")
    if len(truths) != len(at):
        raise ValueError(f"{len(truths)} labels for {len(at)} alarms")
    if not any(truths):
        raise ValueError("labels: no row is labelled, so there is no incident to be found")
    return _runs(truths, at, keys, at if times is None else list(times))
