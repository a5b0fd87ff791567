# SPDX-License-Identifier: MIT
"""Times as the library has them: int64 nanoseconds.

int: nanoseconds. float: seconds, rounded to the nearest nanosecond. datetime: of its zone, UTC where it has none.
datetime64: any unit. None, NaN and NaT: no time.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from libanomaly._native import NO_TIME

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)


def duration_ns(value: timedelta) -> int:
    return (value // _MICROSECOND) * 1000 + int(getattr(value, "nanoseconds", 0))


def _datetime_ns(value: datetime) -> int:
    if value != value:  # pandas.NaT
        return NO_TIME
    at = value if value.tzinfo else value.replace(tzinfo=timezone.utc)
    return (at - _EPOCH) // _MICROSECOND * 1000 + int(getattr(value, "nanosecond", 0))


def to_ns(value: Any) -> int:
    """One time, of any of the types above, in nanoseconds."""
    if value is None:
        return NO_TIME
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return NO_TIME if value != value else round(value * 1e9)
    if isinstance(value, datetime) or type(value).__name__ == "NaTType":
        return _datetime_ns(value)
    if hasattr(value, "dtype"):
        return _scalar_ns(value)
    raise TypeError(f"a time is int (ns), float (s), datetime or datetime64, not {type(value).__name__}")


def _scalar_ns(value: Any) -> int:
    from libanomaly._rows import times_array  # the array's rules; no circle at import

    return int(times_array(value.reshape(1))[0])
