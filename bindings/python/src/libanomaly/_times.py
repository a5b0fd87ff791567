# SPDX-License-Identifier: MIT
"""Times as the library has them: int64 nanoseconds.

int: nanoseconds since 1970; one below 1e17 is refused: the program would take it for seconds, milliseconds or microseconds.
float: seconds, rounded to the nearest nanosecond. datetime: of its zone, UTC where it has none. str: ISO 8601, as the
program reads it. datetime64: any unit. timedelta, timedelta64: since any beginning. None, NaN, NaT, NA, masked: no time.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable
from datetime import date, datetime, timedelta, timezone
from typing import Any

from libanomaly._errors import ArgumentError
from libanomaly._modules import is_buffer, is_from, is_missing, listed, masked, numpy_module
from libanomaly._native import NO_TIME

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)
_SECOND = 10**9
LEAST_NS = 10**17
"""Numbers from here on, March 1973, are nanoseconds: the program's rule."""
_SMALLER = ((10**11, "seconds", 1), (10**14, "milliseconds", 1000), (10**17, "microseconds", 1_000_000))
_ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)"
    r"(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)? ?(?:[Zz]|([+-])(\d\d)(?::?(\d\d))?)?)?",
    re.ASCII,
)


def duration_ns(value: timedelta) -> int:
    return (value // _MICROSECOND) * 1000 + int(getattr(value, "nanoseconds", 0))


# ---- one ----


def to_ns(value: Any) -> int:
    """One time, of any of the types above, in nanoseconds."""
    if isinstance(value, date):
        return _date_ns(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return _whole(value)
    if isinstance(value, float):
        return _seconds(value)
    if isinstance(value, str):
        return _iso_ns(value)
    if is_missing(value) or value != value:  # NaT
        return NO_TIME
    if isinstance(value, timedelta):
        return _in_range(duration_ns(value), value)
    if hasattr(value, "dtype"):
        return _scalar_ns(value)
    raise TypeError(f"a time is int (ns), float (s), datetime, datetime64 or ISO text, not {type(value).__name__}")


def _scalar_ns(value: Any) -> int:
    """A scalar of NumPy; .item() would cut nanoseconds off."""
    if value.dtype.kind not in "Mm":
        return to_ns(value.item())
    try:
        return int(times_array(value.reshape(1))[0])
    except OverflowError:
        raise _beyond(value) from None


def _beyond(value: Any) -> OverflowError:
    unit = " seconds (a float is seconds)" if isinstance(value, float) else ""
    return OverflowError(f"a time of {value}{unit} is beyond the years 1678 to 2261, the range of int64 nanoseconds")


def _in_range(ns: int, value: Any) -> int:
    if not NO_TIME < ns <= -(NO_TIME + 1):
        raise _beyond(value)
    return ns


def _whole(value: int) -> int:
    if value == NO_TIME:
        return NO_TIME
    if -LEAST_NS < value < LEAST_NS:
        raise _too_small(value)
    return _in_range(value, value)


def _too_small(value: int) -> ArgumentError:
    unit, scale = next((unit, scale) for limit, unit, scale in _SMALLER if abs(value) < limit)
    moment = _EPOCH + timedelta(seconds=value // scale) if abs(value) // scale < 9 * 10**9 else "beyond 2261"
    given = "the number as a float" if scale == 1 else f"the number / {scale}"
    return ArgumentError(
        f"a time of {value} is too small for an int, which is nanoseconds since 1970; if it is {unit} ({moment}), give "
        f"{given}: a float is seconds"
    )


def _seconds(value: float) -> int:
    if value != value:
        return NO_TIME
    ns = value * 1e9
    if not abs(ns) < 2.0**63:
        raise _beyond(value)
    return round(ns)


def _date_ns(value: date) -> int:
    if value != value:  # NaT
        return NO_TIME
    if not isinstance(value, datetime):
        return _in_range((value - _EPOCH.date()) // _MICROSECOND * 1000, value)
    at = value if value.tzinfo else value.replace(tzinfo=timezone.utc)
    return _in_range((at - _EPOCH) // _MICROSECOND * 1000 + int(getattr(value, "nanosecond", 0)), value)


def _iso_ns(text: str) -> int:
    found = _ISO.fullmatch(text)
    if not found:
        raise ArgumentError(
            f'"{text}" is no time; text is ISO 8601: 2024-05-01T12:00:00Z, 2024-05-01 12:00+02:00, 2024-05-01'
        )
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    offset_hour, offset_minute = int(found[9] or 0), int(found[10] or 0)
    try:
        days = date(year, month, day).toordinal() - _EPOCH.toordinal()
    except ValueError:
        days = None
    if days is None or hour > 23 or minute > 59 or second > 60 or offset_hour > 23 or offset_minute > 59:
        raise ArgumentError(f'"{text}": no such date or time')
    offset = (offset_hour * 60 + offset_minute) * (-60 if found[8] == "-" else 60)
    seconds = days * 86400 + hour * 3600 + minute * 60 + second - offset
    return _in_range(seconds * _SECOND + int((found[7] or "0")[:9].ljust(9, "0")), text)


# ---- many ----


def times_array(times: Any) -> Any:
    """Times of any kind as int64 nanoseconds: a NumPy array, or where there is no NumPy an array("q")."""
    if is_from(times, "polars", "Series"):
        times = masked(times) if times.dtype.is_integer() and times.null_count() else times.to_numpy()
    elif is_from(times, "pandas", "Series", "Index"):
        times = _pandas_times(times)
    elif is_from(times, "pyarrow", "Array", "ChunkedArray") and str(times.type).startswith(("int", "uint")):
        times = masked(times)
    np = numpy_module()
    if np is None:
        return _plain_times(times)
    if hasattr(times, "__array__") or is_buffer(times):
        return _numpy_times(np, np.asanyarray(times))
    times = listed(times)
    if all(type(t) is int for t in times):
        return _numpy_times(np, np.asarray(times))
    return np.array(_each(times), dtype="int64")


def _pandas_times(times: Any) -> Any:
    import pandas

    kind = getattr(times.dtype, "kind", "O")
    if kind == "M":
        index = pandas.DatetimeIndex(times)
        return (index if index.tz is None else index.tz_convert(None)).to_numpy()
    if kind == "m":
        return pandas.TimedeltaIndex(times).to_numpy()
    return masked(times) if kind in "iuf" and times.hasnans else times.to_numpy()


def _each(times: Iterable[Any]) -> list[int]:
    found: list[int] = []
    try:
        found.extend(map(to_ns, times))
    except (TypeError, ValueError, OverflowError) as error:
        raise type(error)(f"row {len(found)}: {error}") from None
    return found


def _numpy_times(np: Any, times: Any) -> Any:
    if times.ndim != 1:
        raise ValueError(f"times have {times.ndim} dimensions, not 1")
    mask = np.ma.getmaskarray(times) if np.ma.isMaskedArray(times) else None
    ns = _of_dtype(np, np.asarray(times), mask)
    return ns if mask is None else np.where(mask, NO_TIME, ns)


def _of_dtype(np: Any, times: Any, mask: Any) -> Any:
    """Masked times may come out as anything."""
    kind = times.dtype.kind
    if kind == "M" or kind == "m":
        return _exact_ns(np, times, f"{kind}8[ns]", mask)
    if kind == "f":
        return _float_ns(np, times, mask)
    if kind in "iu":
        return _whole_ns(np, times, mask)
    if kind in "OUT" or times.size == 0:
        return np.array(_each(times if mask is None else np.where(mask, None, times)), dtype="int64")
    raise TypeError(f"times of dtype {times.dtype} are not int (ns), float (s), datetime64 or ISO text")


def _refuse(np: Any, bad: Any, mask: Any, times: Any, error: Any) -> None:
    """Raises what `error` makes of the first bad time that is not masked."""
    bad = np.flatnonzero(bad if mask is None else bad & ~mask)
    if len(bad):
        made = error(times[bad[0]].item() if times.dtype.kind in "iuf" else times[bad[0]])
        raise type(made)(f"row {bad[0]}: {made}")


def _float_ns(np: Any, times: Any, mask: Any) -> Any:
    missing = np.isnan(times)
    with np.errstate(over="ignore"):
        ns = np.rint(np.where(missing, 0, times).astype("float64") * 1e9)
    beyond = ~(abs(ns) < 2.0**63)
    _refuse(np, beyond, mask, times, _beyond)
    return np.where(missing, NO_TIME, np.where(beyond, 0, ns).astype("int64"))


def _whole_ns(np: Any, times: Any, mask: Any) -> Any:
    if len(times) and times.min() < LEAST_NS:
        small = times < LEAST_NS
        _refuse(np, small if times.dtype.kind == "u" else small & (times > -LEAST_NS), mask, times, _too_small)
    if times.dtype == np.uint64:
        _refuse(np, times > np.uint64(2**63 - 1), mask, times, _beyond)
    return times.astype("int64", copy=False)


def _exact_ns(np: Any, times: Any, dtype: str, mask: Any) -> Any:
    if times.dtype == np.dtype(dtype):
        return times.view("int64")
    if mask is not None:
        times = np.where(mask, np.array("NaT", times.dtype), times)
    try:
        ns = times.astype(dtype)  # an older NumPy wraps around silently
    except OverflowError:
        _refuse(np, np.array([_overflows(time, dtype) for time in times]), None, times, _beyond)
        raise
    _refuse(np, (ns.astype(times.dtype) != times) & ~np.isnat(times), None, times, _beyond)
    return ns.view("int64")


def _overflows(time: Any, dtype: str) -> bool:
    try:
        time.astype(dtype)
    except OverflowError:
        return True
    return False


def _plain_times(times: Any) -> Any:
    if is_buffer(times):
        view = memoryview(times)
        if view.format in ("q", "l") and view.itemsize == 8 and view.c_contiguous and view.ndim == 1:
            whole = view.cast("B").cast("q")
            if len(whole) == 0 or min(whole) >= LEAST_NS:
                return whole
        times = view.tolist()
    return array("q", _each(times))
