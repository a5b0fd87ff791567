# SPDX-License-Identifier: MIT
"""Many events: buffers and columns of any library in, columns of verdicts out.

NumPy, pandas and polars are never imported for their own sake: NumPy only where it is installed, the others only if the
caller already has.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Union

from libanomaly._native import NO_TIME, NULL, ffi
from libanomaly._times import to_ns

# Columns of anomaly_verdicts, in its order, with their array codes.
COLUMNS = {
    "score": "d",
    "threshold": "d",
    "expected": "d",
    "lower": "d",
    "upper": "d",
    "flags": "I",
    "feature": "I",
    "events": "Q",
}
_DTYPES = {"d": "float64", "I": "uint32", "Q": "uint64"}
_CTYPES = {"d": "double *", "I": "uint32_t *", "Q": "uint64_t *"}
IS_ANOMALY = 1

Columns = Union[str, Iterable[str]]


def numpy_module() -> Any:
    """NumPy where it is installed, else None."""
    try:
        import numpy
    except ImportError:
        return None
    return numpy


def is_from(value: Any, module: str, *names: str) -> bool:
    """Whether a value is an instance of a class of a module, which is not imported for that."""
    loaded = sys.modules.get(module)
    return loaded is not None and any(isinstance(value, getattr(loaded, name)) for name in names)


# ---- values ----


@dataclass
class Layout:
    """Rows as the library reads them, and what has to live as long as it does."""

    keep: Any
    address: Any
    count: int
    width: int
    row_stride: int
    feature_stride: int


def layout(values: Any, features: int) -> Layout:
    """Rows of any kind as memory; only what is not float64 already is copied."""
    if is_from(values, "pandas", "Series", "DataFrame", "Index"):
        values = values.to_numpy(dtype="float64", na_value=float("nan"))
    elif is_from(values, "polars", "Series", "DataFrame"):
        values = values.to_numpy()
    np = numpy_module()
    found = _from_python(values, features) if np is None else _from_numpy(np, values, features)
    if found.width != features:
        raise ValueError(f"the rows have {found.width} values each, the detector {features} features")
    return found


def float_array(np: Any, values: Any) -> Any:
    if np.ma.isMaskedArray(values):
        values = np.ma.filled(values.astype("float64"), np.nan)
    given = np.asarray(values if hasattr(values, "__array__") or _is_buffer(values) else _listed(values))
    if given.dtype == np.float64:
        return given
    if given.dtype.kind not in "fiubO":
        raise TypeError(f"values of dtype {given.dtype} are not numbers")
    if given.dtype.kind == "O" and any(isinstance(item, (str, bytes, complex)) for item in given.flat):
        raise TypeError("values are numbers or None, not text")
    return given.astype("float64")


def _is_buffer(values: Any) -> bool:
    return isinstance(values, (memoryview, array, bytearray)) or hasattr(values, "__array_interface__")


def _listed(values: Any) -> Any:
    if isinstance(values, (str, bytes)):
        raise TypeError(f"{type(values).__name__} is not a sequence of numbers or times")
    return values if isinstance(values, (list, tuple)) else list(values)


def _from_numpy(np: Any, values: Any, features: int) -> Layout:
    rows = float_array(np, values)
    if rows.size == 0 and rows.ndim == 1:
        rows = rows.reshape(0, features)
    if rows.ndim == 1:
        rows = rows.reshape(-1, 1)
    if rows.ndim != 2:
        raise ValueError(f"values have {rows.ndim} dimensions, not 1 or 2 (rows, features)")
    pointer = ffi.cast("double *", rows.__array_interface__["data"][0])
    # A stride of 0 (a broadcast array) means "packed" to the library.
    if (rows.strides[0] == 0 and rows.shape[0] > 1) or (rows.strides[1] == 0 and rows.shape[1] > 1):
        rows = np.ascontiguousarray(rows)
        pointer = ffi.cast("double *", rows.__array_interface__["data"][0])
    return Layout(rows, pointer, rows.shape[0], rows.shape[1], *rows.strides)


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)


def _packed(flat: Iterable[Any], width: int) -> Layout:
    numbers = array("d", map(_number, flat))
    return Layout(numbers, ffi.from_buffer("double[]", numbers), len(numbers) // width, width, 8 * width, 8)


def _from_python(values: Any, features: int) -> Layout:
    if _is_buffer(values):
        view = memoryview(values)
        shape = view.shape or ()
        if view.format == "d" and view.c_contiguous and 1 <= len(shape) <= 2:
            width = shape[1] if len(shape) == 2 else 1
            return Layout(view, ffi.cast("double *", ffi.from_buffer(view)), shape[0], width, 8 * width, 8)
        values = view.tolist()
    rows = _listed(values)
    if not rows or not isinstance(rows[0], Sequence):
        return _packed(rows, features if not rows else 1)
    if len({len(row) for row in rows}) != 1:
        raise ValueError("the rows have different numbers of values")
    return _packed((value for row in rows for value in row), len(rows[0]))


# ---- times ----


def times_array(times: Any) -> Any:
    """Times of any kind as int64 nanoseconds: a NumPy array, or where there is no NumPy an array("q")."""
    if is_from(times, "polars", "Series"):
        times = times.to_numpy()
    elif is_from(times, "pandas", "Series", "Index"):
        times = _pandas_times(times)
    np = numpy_module()
    if np is None:
        return _plain_times(times)
    if isinstance(times, np.ndarray) or hasattr(times, "__array__") or _is_buffer(times):
        return _numpy_times(np, np.asarray(times))
    return _numpy_times(np, np.asarray(_listed_times(times)))


def _pandas_times(times: Any) -> Any:
    if getattr(times.dtype, "tz", None) is not None:
        index = times if hasattr(times, "tz_convert") else times.dt
        times = index.tz_convert("UTC")
        times = times.tz_localize(None) if hasattr(times, "tz_localize") else times.dt.tz_localize(None)
    return times.to_numpy()


def _listed_times(times: Any) -> Any:
    listed = _listed(times)
    return listed if all(type(t) is int for t in listed) else [to_ns(t) for t in listed]


def _numpy_times(np: Any, times: Any) -> Any:
    if times.ndim != 1:
        raise ValueError(f"times have {times.ndim} dimensions, not 1")
    kind = times.dtype.kind
    if kind == "M":
        return _datetime64_ns(np, times)
    if kind == "f":
        missing = np.isnan(times)
        return np.where(missing, NO_TIME, np.rint(np.where(missing, 0, times) * 1e9).astype("int64"))
    if kind in "iu":
        if times.dtype == np.uint64 and len(times) and times.max() > np.iinfo("int64").max:
            raise OverflowError("a time is beyond the range of int64 nanoseconds")
        return times.astype("int64", copy=False)
    if kind == "O" or times.size == 0:
        return np.array([to_ns(t) for t in times], dtype="int64")
    raise TypeError(f"times of dtype {times.dtype} are not int (ns), float (s) or datetime64")


def _datetime64_ns(np: Any, times: Any) -> Any:
    ns = times.astype("datetime64[ns]")
    if times.dtype != ns.dtype and not np.array_equal(ns.astype(times.dtype), times, equal_nan=True):
        raise OverflowError("a time is beyond the years 1678 to 2261, the range of int64 nanoseconds")
    return ns.view("int64")


def _plain_times(times: Any) -> Any:
    if _is_buffer(times):
        view = memoryview(times)
        if view.format in ("q", "l") and view.itemsize == 8 and view.c_contiguous and view.ndim == 1:
            return view.cast("B").cast("q")
        times = view.tolist()
    return array("q", (to_ns(t) for t in times))


def _time_layout(times: Any) -> tuple[Any, int]:
    if hasattr(times, "__array_interface__"):
        if times.strides[0] == 0 and len(times) > 1:
            times = times.copy()
        return ffi.cast("int64_t *", times.__array_interface__["data"][0]), times.strides[0]
    return ffi.from_buffer("int64_t[]", times), 8


# ---- a call ----


def index_of(values: Any) -> Any:
    """The index of pandas objects, else None."""
    return values.index if is_from(values, "pandas", "Series", "DataFrame") else None


class Call:
    """What a call on rows needs: anomaly_rows, the output columns, and the objects whose memory they point into."""

    __slots__ = ("_index", "_keep", "columns", "count", "out", "rows")

    def __init__(self, values: Any, times: Any, columns: Columns, features: int, by_time: bool = False) -> None:
        self._index = index_of(values)
        if times is None and by_time and is_from(self._index, "pandas", "DatetimeIndex"):
            times = self._index
        found = layout(values, features)
        self.count = found.count
        self.rows = ffi.new("anomaly_rows *")
        self._keep: list[Any] = [found]
        self.rows.count = found.count
        self.rows.values = found.address
        self.rows.row_stride = found.row_stride
        self.rows.feature_stride = found.feature_stride
        self._set_times(times)
        self._set_columns(columns)

    def _set_times(self, times: Any) -> None:
        if times is None:
            return
        if isinstance(times, (datetime, int, float)):
            raise TypeError("times is a sequence of times, one for each row")
        ns = times_array(times)
        if len(ns) != self.count:
            raise ValueError(f"{len(ns)} times for {self.count} rows")
        self.rows.times, self.rows.time_stride = _time_layout(ns)
        self._keep.append(ns)

    def _set_columns(self, columns: Columns) -> None:
        names = ([columns] if columns != "all" else list(COLUMNS)) if isinstance(columns, str) else list(columns)
        self.columns: dict[str, Any] = {}
        self.out = ffi.new("anomaly_verdicts *")
        for name in names:
            if name not in COLUMNS:
                raise ValueError(f'no column "{name}"; there are {", ".join(COLUMNS)}, and "all"')
            self.columns[name] = made = new_column(COLUMNS[name], self.count)
            setattr(self.out, name, column_pointer(COLUMNS[name], made))

    def verdicts(self, count: int | None = None) -> Verdicts:
        columns = self.columns if count is None else {name: made[:count] for name, made in self.columns.items()}
        index = self._index if count is None or self._index is None else self._index[:count]
        return Verdicts(columns, self.count if count is None else count, index)


def new_column(code: str, count: int) -> Any:
    np = numpy_module()
    return array(code, bytes(count * array(code).itemsize)) if np is None else np.empty(count, _DTYPES[code])


def column_pointer(code: str, column: Any) -> Any:
    if len(column) == 0:
        return NULL
    if hasattr(column, "__array_interface__"):
        return ffi.cast(_CTYPES[code], column.__array_interface__["data"][0])
    return ffi.cast(_CTYPES[code], ffi.from_buffer(column))


class Verdicts:
    """Columns of verdicts, one entry for each row: the attributes that were asked for, and `anomaly` where `flags` is there.

    NumPy arrays where NumPy is installed, else array.array; pandas Series with the index of the input where that was pandas.
    `len()` is the number of rows.
    """

    __slots__ = ("_columns", "_count", "_index")

    def __init__(self, columns: dict[str, Any], count: int, index: Any = None) -> None:
        self._columns = columns
        self._count = count
        self._index = index

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __repr__(self) -> str:
        flagged = sum(self.__getattr__("anomaly")) if "flags" in self._columns else None
        told = "" if flagged is None else f", {flagged} anomalies"
        return f"<Verdicts of {self._count} events{told}: {', '.join(self._columns)}>"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        column = self._anomaly() if name == "anomaly" and "flags" in self._columns else self._columns.get(name)
        if column is None:
            known = name in COLUMNS or name == "anomaly"
            needed = "flags" if name == "anomaly" else name
            hint = f'; ask for it: columns=(..., "{needed}") or "all"' if known else ""
            raise AttributeError(f"these verdicts have no column {name}{hint}")
        return column if self._index is None else sys.modules["pandas"].Series(column, self._index, name=name, copy=False)

    def _anomaly(self) -> Any:
        flags = self._columns["flags"]
        if hasattr(flags, "dtype"):
            return (flags & IS_ANOMALY).astype(bool)
        return array("B", (flag & IS_ANOMALY for flag in flags))

    def keys(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(self._columns) + (("anomaly",) if "flags" in self._columns else ())

    def __getitem__(self, name: str) -> Any:
        """A column by its name: with keys() this makes dict(verdicts) and pandas.DataFrame(dict(verdicts))."""
        if name not in self.keys():
            raise KeyError(name)
        return self.__getattr__(name)

    def to_frame(self) -> Any:
        """A pandas DataFrame of the columns, with the index of the input where that was pandas."""
        import pandas

        return pandas.DataFrame({name: self[name] for name in self.keys()}, index=self._index)

    def __reduce__(self) -> Any:
        return (Verdicts, (self._columns, self._count, self._index))
