# SPDX-License-Identifier: MIT
"""backtest(): alarms beside the incidents that people know of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from datetime import timedelta
from statistics import median
from typing import Any, NamedTuple

from libanomaly._modules import kept
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
    seconds (in events of the key where there are no times)."""

    start: Any
    end: Any
    key: Hashable
    alarm: int | None
    delay: float | None


class Backtest:
    """What backtest() finds. print() shows it.

    `found` and `missed`: lists of Incident. `false_alarms`: rows of the alarms outside every incident;
    `false_alarms_per_day`: NaN without times; `false_alarms_per_1000_events`. `delays`: of the incidents found, in order:
    seconds, without times events of the key.
    """

    __slots__ = (
        "_timed",
        "delays",
        "false_alarms",
        "false_alarms_per_1000_events",
        "false_alarms_per_day",
        "found",
        "missed",
    )

    def __init__(self, incidents: list[Incident], false_alarms: list[int], events: int, days: float, timed: bool) -> None:
        self.found = [incident for incident in incidents if incident.alarm is not None]
        self.missed = [incident for incident in incidents if incident.alarm is None]
        self.false_alarms = false_alarms
        self.false_alarms_per_day = len(false_alarms) / days if days > 0 else float("nan")
        self.false_alarms_per_1000_events = 1000 * len(false_alarms) / events if events > 0 else float("nan")
        self.delays = [incident.delay for incident in self.found if incident.delay is not None]
        self._timed = timed

    def __repr__(self) -> str:
        return f"<Backtest: {len(self.found)} found, {len(self.missed)} missed, {len(self.false_alarms)} false alarms>"

    def _rate(self) -> str:
        if not self._timed:
            return f", {self.false_alarms_per_1000_events:.2g} in 1000 events"
        a_day = self.false_alarms_per_day
        return "" if a_day != a_day else f", {a_day:.2g} a day"

    def _delay(self, delay: float) -> str:
        return f"{delay:g}s" if self._timed else f"{delay:g} event{'' if delay == 1 else 's'}"

    def __str__(self) -> str:
        lines = [
            f"incidents     {len(self.found)} of {len(self.found) + len(self.missed)} found",
            f"false alarms  {len(self.false_alarms)}{self._rate()}",
        ]
        if self.delays:
            lines.append(f"delay         median {self._delay(median(self.delays))}, worst {self._delay(max(self.delays))}")
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


_WORDS = {"true": True, "yes": True, "anomaly": True, "false": False, "no": False, "normal": False, "1": True, "0": False}


def _truth(value: Any) -> bool | None:
    """None: the value is no label."""
    if isinstance(value, str):
        return _WORDS.get(value.strip().lower())
    return bool(value) if isinstance(value, (bool, int, float)) and value in (0, 1) else None


def _truths(values: Any, what: str) -> list[bool]:
    truths = []
    for row, value in enumerate(_listed(values)):
        truth = _truth(value)
        if truth is None:
            raise ValueError(f"{what}: row {row}: {value!r} is none of 0 or 1, true or false, yes or no, anomaly or normal")
        truths.append(truth)
    return truths


def _listed(values: Any) -> list[Any]:
    """The values as objects of Python."""
    return list(values.tolist() if hasattr(values, "tolist") else values)


def _as_spans(labels: Any) -> list[Any] | None:
    """Intervals as a list; None: these are labels by row."""
    names = getattr(labels, "columns", None)
    if names is not None and "start" in names and "end" in names:
        wanted = [name for name in ("start", "end", "key") if name in names]
        return list(zip(*(_listed(labels[name]) for name in wanted)))
    if isinstance(labels, (list, tuple)) and bool(labels) and isinstance(labels[0], (list, tuple)):
        return list(labels)
    return None


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
        key = span[2] if len(span) == 3 and span[2] == span[2] else None  # NaN is what pandas has for an empty cell
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
        raise ValueError(f"grace: {grace} is no number of {'seconds' if timed else 'events'}")
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


def _numbers(keys: list[Any] | None, count: int) -> list[int]:
    """The number of each row among those of its key."""
    if keys is None:
        return list(range(count))
    seen: Counter[Any] = Counter()
    numbers = []
    for key in keys:
        numbers.append(seen[key])
        seen[key] += 1
    return numbers


def backtest(alarms: Any, labels: Any, times: Any = None, keys: Any = None, grace: float | timedelta = 0) -> Backtest:
    """Compares alarms with incidents that are known: which were found, how late, and how many alarms were false.

    alarms: a bool for each row, or the Verdicts of update_rows() (of those with rest, confirm or min_change the alarms, else
    the anomalies). labels: for each row a bool, 0 or 1, or one of the words true, false, yes, no, anomaly and normal, where
    labelled rows of a key one after the other are one incident; or a list of (start, end), or (start, end, key), both ends
    included; or a frame with these columns. times: of the rows, needed for (start, end); by default the DatetimeIndex of
    pandas alarms or labels. keys: of the rows. grace: an alarm so long after an incident's end still is of that incident;
    seconds. Without times, delays and grace are events of the key, and false alarms are told of 1000 events.

    >>> print(backtest([0, 0, 1, 1, 0, 1], [0, 1, 1, 0, 0, 0], times=[0.0, 60.0, 120.0, 180.0, 240.0, 86400.0]))
    incidents     1 of 1 found
    false alarms  2, 2 a day
    delay         median 60s, worst 60s
    >>> print(backtest([0, 0, 1, 1, 0, 1], ["no", "yes", "yes", "no", "no", "no"]))
    incidents     1 of 1 found
    false alarms  2, 3.3e+02 in 1000 events
    delay         median 1 event, worst 1 event
    """
    labels, times = kept(labels), kept(times)
    rows, count = _alarm_rows(alarms)
    if times is None:
        times = _time_index(alarms.flags if isinstance(alarms, Verdicts) else alarms, labels)
    named = None if keys is None else list(keys)
    timed = None if times is None else [int(ns) for ns in times_array(times)]
    for what, given in (("times", timed), ("keys", named)):
        if given is not None and len(given) != count:
            raise ValueError(f"{len(given)} {what} for {count} alarms")
    if timed is not None and NO_TIME in timed:
        raise ValueError(f"times: row {timed.index(NO_TIME)} has none")
    at = _numbers(named, count) if timed is None else timed
    spans = _spans(labels, at, named, times)
    first, false_alarms = _match(spans, rows, at, named, _grace(grace, timed is not None))
    unit = 1 if timed is None else _SECOND
    incidents = [
        Incident(*span.said, span.key, first.get(i), (at[first[i]] - span.start) / unit if i in first else None)
        for i, span in enumerate(spans)
    ]
    days = (max(at) - min(at)) / _DAY if timed else 0.0
    return Backtest(incidents, false_alarms, count, days, timed is not None)


def _time_index(*given: Any) -> Any:
    """The first DatetimeIndex among them."""
    for values in given:
        index = index_of(values)
        if index is not None and getattr(index.dtype, "kind", "M") == "M":
            return index
    return None


def _spans(labels: Any, at: list[int], keys: list[Any] | None, times: Any) -> list[_Span]:
    given = _as_spans(labels)
    if given is not None:
        if times is None:
            raise ValueError("labels of (start, end) need times")
        return _given_spans(given, keys)
    truths = _truths(labels, "labels")
    if len(truths) != len(at):
        raise ValueError(f"{len(truths)} labels for {len(at)} alarms")
    if not any(truths):
        raise ValueError("labels: no row is labelled, so there is no incident to be found")
    return _runs(truths, at, keys, list(range(len(at)) if times is None else times))
