# SPDX-License-Identifier: MIT
"""Options: the C library's table is the only list of them; here values become its text and back."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any, NamedTuple, Union

from libanomaly._errors import LibanomalyWarning, check, check_told
from libanomaly._native import NULL, ffi, lib, text
from libanomaly._times import duration_ns

OptionValue = Union[str, int, float]


def _rows(row_at: Callable[[int], Any]) -> list[Any]:
    """The rows of a table of the library."""
    rows: list[Any] = []
    while (row := row_at(len(rows))) != NULL:
        rows.append(row)
    return rows


KINDS: dict[str, int] = {text(row.name): row.kind for row in _rows(lib.anomaly_kind_at)}


OFFERS = {
    "whole": lib.ANOMALY_OFFERS_WHOLE,
    "time": lib.ANOMALY_OFFERS_TIME,
    "quantile": lib.ANOMALY_OFFERS_QUANTILE,
    "explain": lib.ANOMALY_OFFERS_EXPLAIN,
    "rebuild": lib.ANOMALY_OFFERS_REBUILD,
}


class Kind(NamedTuple):
    """A kind of detector, and what it offers that not every kind does: whole, time, quantile, explain, rebuild."""

    name: str
    help: str
    offers: frozenset[str]


def kinds() -> list[Kind]:
    """Every kind of detector, by the name that `Pool` and `detector()` take.

    >>> [kind.name for kind in kinds() if "explain" in kind.offers]
    ['iforest', 'mahalanobis']
    """
    return [
        Kind(text(row.name), text(row.help), frozenset(name for name, bit in OFFERS.items() if row.offers & bit))
        for row in _rows(lib.anomaly_kind_at)
    ]


# Kinds that judge whole events: they say `feature` of anomalies only.
WHOLE = {kind.name for kind in kinds() if "whole" in kind.offers}
HOURS = {"watch"}  # the kinds that judge by the time of the day, though their window is one of events


class Option(NamedTuple):
    """One option of a kind of detector: what it takes, and what it is for."""

    name: str
    values: str
    help: str
    default: OptionValue


def options(kind: str) -> list[Option]:
    """The options of a kind, e.g. "zscore".

    >>> [o.name for o in options("percentile") if o.name in ("window", "lower", "trees")]
    ['window', 'lower']
    """
    config = config_of(KINDS[kind], {})
    return [
        Option(text(row.name), text(row.values), text(row.help), value_of(config, text(row.name)))
        for row in _table(KINDS[kind])
    ]


def _table(kind: int) -> list[Any]:
    return [row for row in _rows(lib.anomaly_option_at) if row.kinds & 1 << kind]


def _words(value: Any) -> str:
    """A Python value as the text that anomaly_config_set() takes."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, timedelta):
        return f"{duration_ns(value)}ns"
    if isinstance(value, (tuple, list)):
        return ",".join(map(_words, value))
    if hasattr(value, "item"):  # a NumPy scalar; timedelta64 becomes a timedelta, or an int where it counts nanoseconds
        item = value.item()
        return f"{item}ns" if value.dtype.kind == "m" and isinstance(item, int) else _words(item)
    if isinstance(value, int):
        return str(value)
    return repr(float(value))


def config_of(kind: int, settings: Mapping[str, Any]) -> Any:
    """An anomaly_config with the given options; those that are None keep their default."""
    config, told = ffi.new("anomaly_config *"), ffi.new("anomaly_error *")
    check(lib.anomaly_config_init(config, ffi.sizeof("anomaly_config"), kind))
    order = [text(row.name) for row in _table(kind)]  # profile comes before what it sets
    for name in sorted(settings, key=lambda name: order.index(name) if name in order else -1):
        value = settings[name]
        if value is not None:
            check_told(lib.anomaly_config_set(config, name.encode(), _words(value).encode(), told), told)
    return config


def value_of(config: Any, name: str) -> OptionValue:
    buffer = ffi.new("char[64]")
    check(lib.anomaly_config_get(config, name.encode(), buffer, 64))
    found = text(buffer)
    with suppress(ValueError):
        return int(found)
    with suppress(ValueError):
        return float(found)
    return found


def settings_of(config: Any) -> dict[str, OptionValue]:
    """Every option that applies to the configuration's kind, as it is in force."""
    return {text(row.name): value_of(config, text(row.name)) for row in _table(config.kind)}


def warn(told: Any, level: int) -> None:
    """What a successful create had to say."""
    message = text(told.message)
    if message:
        warnings.warn(f"{text(told.field)}: {message}", LibanomalyWarning, stacklevel=level + 1)
