# SPDX-License-Identifier: MIT
"""What a detector answers: verdicts and their flags, silences, statistics, counters."""

from __future__ import annotations

from enum import IntEnum
from math import isfinite
from typing import Any, NamedTuple, TypeVar

from libanomaly._native import events, lib


class Flag(IntEnum):
    """Bits of a verdict's flags: plain ints, so that they work on arrays and columns too.

    >>> from libanomaly import ZScore
    >>> ZScore().update(float("nan")).flags & Flag.MISSING
    4
    """

    IS_ANOMALY = lib.ANOMALY_IS_ANOMALY
    WARMING_UP = lib.ANOMALY_WARMING_UP
    MISSING = lib.ANOMALY_MISSING
    NONFINITE = lib.ANOMALY_NONFINITE
    LATE = lib.ANOMALY_LATE
    TRUNCATED = lib.ANOMALY_TRUNCATED
    FLAT = lib.ANOMALY_FLAT
    ABOVE = lib.ANOMALY_ABOVE
    BELOW = lib.ANOMALY_BELOW
    JUMPED = lib.ANOMALY_JUMPED
    NOT_LEARNED = lib.ANOMALY_NOT_LEARNED
    ALARM = lib.ANOMALY_ALARM
    EPISODE = lib.ANOMALY_EPISODE
    EPISODE_END = lib.ANOMALY_EPISODE_END
    HELD = lib.ANOMALY_HELD
    UNTRANSFORMED = lib.ANOMALY_UNTRANSFORMED
    TAIL_ESTIMATED = lib.ANOMALY_TAIL_ESTIMATED
    BY_POPULATION = lib.ANOMALY_BY_POPULATION
    SPIKE = lib.ANOMALY_SPIKE
    SHIFT = lib.ANOMALY_SHIFT
    NOISIER = lib.ANOMALY_NOISIER
    QUIETER = lib.ANOMALY_QUIETER
    STUCK = lib.ANOMALY_STUCK
    UNCONFIRMED = lib.ANOMALY_UNCONFIRMED
    SMALL_CHANGE = lib.ANOMALY_SMALL_CHANGE


class Verdict(events.Verdict):
    """One event's verdict. It never changes, and is a value: equal, hashable, picklable.

    `score` (larger is stranger), `threshold`, `expected`, `lower` and `upper` are floats, NaN where undefined; the last
    three are in the unit of the values. `anomaly` is a bool, `flags` an int of `Flag` bits, `feature` the index of the
    feature with the largest score, `events` how many of its values the verdict rests on; `tail`, with the options alarm_rate
    or alarms, the chance of such a score or a larger one, else NaN.
    """

    __slots__ = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The flags in words, e.g. ("is_anomaly", "above")."""
        return tuple(flag.name.lower() for flag in Flag if self.flags & flag)

    def _fields(self) -> tuple[Any, ...]:
        return (
            self.score,
            self.threshold,
            self.expected,
            self.lower,
            self.upper,
            self.flags,
            self.feature,
            self.events,
            self.tail,
        )

    def __repr__(self) -> str:
        bounds = "" if self.lower != self.lower else f", usual {self.lower:.6g} to {self.upper:.6g}"
        tail = "" if self.tail != self.tail else f", tail {self.tail:.6g}"
        return f"<Verdict {'|'.join(self.names) or 'usual'}: score {self.score:.6g}{bounds}{tail}>"

    def __eq__(self, other: object) -> bool:
        return repr(self._fields()) == repr(other._fields()) if isinstance(other, Verdict) else NotImplemented

    def __hash__(self) -> int:
        return hash(repr(self._fields()))

    def to_dict(self) -> dict[str, Any]:
        """The verdict as plain objects for JSON: what is NaN or infinite is None.

        >>> from libanomaly import ZScore
        >>> ZScore(warmup=1).update(5).to_dict()["score"] is None
        True
        """
        numbers = {name: getattr(self, name) for name in ("score", "threshold", "expected", "lower", "upper", "tail")}
        return {
            "anomaly": self.anomaly,
            **{name: number if isfinite(number) else None for name, number in numbers.items()},
            "feature": self.feature,
            "events": self.events,
            "flags": self.flags,
            "names": list(self.names),
        }

    def __reduce__(self) -> Any:
        return (Verdict, self._fields())


class Silence(NamedTuple):
    """A silence that is too long: the time of the newest event, the usual interval, when the next event was due, and for
    how long it has been overdue, in nanoseconds."""

    last_ns: int
    usual_ns: int
    due_ns: int
    overdue_ns: int


class Stats(NamedTuple):
    """Statistics of one feature over the window, in the unit of the values; NaN where the window is empty."""

    count: int  # type: ignore[assignment]  # a tuple's count() is not needed here
    mean: float
    variance: float
    stddev: float
    min: float
    max: float


class Counters(NamedTuple):
    """How often what has happened, since the beginning or the last reset()."""

    events: int
    anomalies: int
    learned: int
    warming_up: int
    missing: int
    nonfinite: int
    late: int
    jumped: int
    flat: int
    skipped: int
    truncated: int
    untransformed: int
    alarms: int
    held: int
    unconfirmed: int
    small_change: int


_Tuple = TypeVar("_Tuple", bound=NamedTuple)


def as_tuple(kind: type[_Tuple], struct: Any) -> _Tuple:
    return kind(*(getattr(struct, name) for name in kind._fields))
