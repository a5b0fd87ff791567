# SPDX-License-Identifier: MIT
"""suggest(): a configuration for data that is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

from libanomaly import _options
from libanomaly._detectors import Detector, detector
from libanomaly._errors import check_told
from libanomaly._keys import KeyColumn
from libanomaly._modules import kept, numpy_module
from libanomaly._native import NULL, ffi, lib, text
from libanomaly._pool import Pool
from libanomaly._rows import Call, check_index, index_of
from libanomaly._values import numbers_in

if TYPE_CHECKING:
    from libanomaly._options import OptionValue


class Alarm(NamedTuple):
    """One of the strongest alarms: the number of its row, the row's label in a pandas index (else the number), its score."""

    row: int
    label: Any
    score: float


def _features_of(values: Any) -> int:
    """How many values a row has."""
    shape = getattr(values, "shape", None)
    if shape is None:
        np = numpy_module()
        if np is not None:
            shape = numbers_in(np, values).shape
        else:
            values = list(values)
            return len(values[0]) if values and isinstance(values[0], (list, tuple)) else 1
    return int(shape[1]) if len(shape) == 2 else 1


class Suggestion:
    """What suggest() proposes. print() shows it with its reasons.

    `kind` and `options`: what detector() and Pool() take. `reasons`: in words, by option, and of "kind". `whole`: too few
    rows to learn in order, so that each was judged beside all others. `alarms`: how many there would have been, from row
    `first` on; `alarms_a_day`: NaN without times; `strongest`: up to ten Alarm.
    """

    __slots__ = ("_said", "alarms", "alarms_a_day", "first", "keys", "kind", "options", "reasons", "strongest", "whole")

    def __init__(self, config: Any, said: Any, index: Any) -> None:
        self.kind: str = next(name for name, kind in _options.KINDS.items() if kind == config.kind)
        usual = {option.name: option.default for option in _options.options(self.kind)}
        given = _options.settings_of(config)
        self.options: dict[str, OptionValue] = {name: value for name, value in given.items() if value != usual[name]}
        self.reasons: dict[str, str] = {
            text(said.reasons[i].option): text(said.reasons[i].text) for i in range(said.reason_count)
        }
        self._said = {name: given.get(name, self.kind) for name in self.reasons}
        self.whole = bool(said.whole)
        self.keys = int(said.keys)
        self.first = int(said.first)
        self.alarms = int(said.alarms)
        self.alarms_a_day = float(said.alarms_a_day)
        rows = [int(said.strongest[i]) for i in range(said.strongest_count)]
        self.strongest = [
            Alarm(row, row if index is None else index[row], float(said.scores[i])) for i, row in enumerate(rows)
        ]

    def detector(self) -> Detector:
        """A new detector of that kind with those options. Of many keys: pool()."""
        return detector(self.kind, **self.options)

    def pool(self) -> Pool:
        """A new pool of that kind with those options."""
        make: Any = Pool  # whose overloads want to know the kind
        return cast("Pool", make(self.kind, **self.options))

    def _count(self) -> str:
        return f"{self.alarms} alarm{'' if self.alarms == 1 else 's'}"

    def __repr__(self) -> str:
        options = "".join(f", {name}={value!r}" for name, value in self.options.items())
        return f"<Suggestion: {self.kind}{options}; {self._count()}>"

    def __str__(self) -> str:
        lines = [f"{name:<12}{self._said[name]!s:<13}{why}" for name, why in self.reasons.items()]
        a_day = "" if self.alarms_a_day != self.alarms_a_day else f", {self.alarms_a_day:.2g} a day"
        lines.append(f"from row {self.first} on it would have brought {self._count()}{a_day}")
        lines += [f"    {alarm.label}  score {alarm.score:.3g}" for alarm in self.strongest]
        return "\n".join(lines)


def suggest(values: Any, times: Any = None, keys: Any = None) -> Suggestion:
    """Proposes a detector with its options for data that is there, with a reason for each, and tells which alarms it would
    have given over the last part: the last 30 days of 60 or more, else the last half.

    values: a series, or rows of several features, as Detector.update_rows() takes them. times: one for each row, or the
    DatetimeIndex of pandas values. keys: which series a row belongs to; then one configuration is proposed for all. Rows go
    by time, the oldest first.

    >>> found = suggest([(i * 37 % 11) + 0.5 for i in range(2000)])
    >>> found.kind, found.options["learn"], found.alarms
    ('mahalanobis', 'normal:5', 0)
    """
    values = kept(values)
    features = _features_of(values)
    call = Call(values, times, (), features, by_time=True)
    column = None if keys is None else KeyColumn(keys)
    if column is not None and column.count != call.count:
        raise ValueError(f"{column.count} keys for {call.count} rows")
    if keys is not None:
        check_index("keys", keys, values)
    config, said, told = ffi.new("anomaly_config *"), ffi.new("anomaly_suggestion *"), ffi.new("anomaly_error *")
    lib.anomaly_config_init(config, ffi.sizeof("anomaly_config"), lib.ANOMALY_ZSCORE)
    config.features = features
    said.struct_size = ffi.sizeof("anomaly_suggestion")
    given = NULL if column is None else column.keys
    check_told(lib.anomaly_suggest(call.rows, given, NULL, config, said, told), told)
    return Suggestion(config, said, index_of(values))
