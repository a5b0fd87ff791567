# SPDX-License-Identifier: MIT
"""Values of any library as the C library reads them: rows in memory, one event, and the names of a frame's columns."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Any

from libanomaly._errors import ArgumentError
from libanomaly._modules import is_buffer, is_from, is_missing, listed, numpy_module
from libanomaly._native import ffi

Names = tuple[str, ...]
NAN = float("nan")
_NO_NUMBERS = (str, bytes, complex, date, time, timedelta)


# ---- numbers ----


def number_of(value: Any) -> float:
    """One value; None, NA and masked are missing."""
    if is_missing(value):
        return NAN
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    if isinstance(value, _NO_NUMBERS) or (kind and kind not in "fiubO"):
        raise TypeError(f"values are numbers or None, not {type(value).__name__}{_hint(value, kind)}")
    return float(value)


def _hint(value: Any, kind: str) -> str:
    return (
        "; a time is given apart, as `time` or `times`"
        if kind in tuple("mM") or isinstance(value, (date, time, timedelta))
        else ""
    )


def float_array(np: Any, values: Any) -> Any:
    """Values as a float64 array of their shape; float64 is not copied."""
    if np.ma.isMaskedArray(values):
        values = np.ma.filled(values.astype("float64"), np.nan)
    given = values if hasattr(values, "__array__") or is_buffer(values) else _without_masked(np, listed(values))
    given = np.asarray(given)
    if given.dtype == np.float64:
        return given
    if given.dtype.kind not in "fiubO":
        raise TypeError(f"values of dtype {given.dtype} are not numbers{_hint(None, given.dtype.kind)}")
    if given.dtype.kind == "O":
        return np.array([number_of(item) for item in given.flat], dtype="float64").reshape(given.shape)
    return given.astype("float64")


def _without_masked(np: Any, values: Any) -> Any:
    """NumPy warns of masked values that stand in lists."""
    hidden = np.ma.masked
    if any(row is hidden for row in values):
        return [None if value is hidden else value for value in values]
    if any(isinstance(row, (list, tuple)) and any(value is hidden for value in row) for row in values):
        return [_without_masked(np, row) for row in values]
    return values


# ---- columns with names ----


def names_in(values: Any) -> Names:
    """The names of a frame's columns, or of a row of one; none where they are not all text."""
    if is_from(values, "pandas", "DataFrame"):
        labels = list(values.columns)
    elif is_from(values, "pandas", "Series"):
        labels = list(values.index)
    elif is_from(values, "polars", "DataFrame"):
        labels = values.columns
    elif is_from(values, "pyarrow", "Table", "RecordBatch"):
        labels = values.schema.names
    else:
        return ()
    return tuple(labels) if all(isinstance(label, str) for label in labels) else ()


def is_frame(values: Any) -> bool:
    return (
        is_from(values, "pandas", "DataFrame")
        or is_from(values, "polars", "DataFrame")
        or is_from(values, "pyarrow", "Table", "RecordBatch")
    )


def in_order(values: Any, names: Names, known: Names) -> Any:
    """A frame, or a row of one, with its columns in the order in which they came before."""
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ArgumentError(f"columns with the same name: {', '.join(sorted(twice))}")
    if not known or not names or names == known:
        return values
    if set(names) != set(known):
        raise ArgumentError(f"the columns are {', '.join(names)}; before, they were {', '.join(known)}")
    return values[list(known)] if is_from(values, "pandas", "DataFrame", "Series") else values.select(list(known))


def _columns(values: Any) -> Iterable[tuple[str, Any]]:
    if is_from(values, "pandas", "DataFrame"):
        return ((str(name), values.iloc[:, i]) for i, name in enumerate(values.columns))
    if is_from(values, "polars", "DataFrame"):
        return ((column.name, column) for column in values.get_columns())
    return zip(values.schema.names, values.columns)


def _is_plain(values: Any) -> bool:
    """Whether pandas or polars itself makes float64 of every column, with NaN where one is missing."""
    if is_from(values, "pandas", "DataFrame", "Series", "Index"):
        dtypes = values.dtypes if values.ndim == 2 else [values.dtype]
        return all(getattr(dtype, "kind", "O") in "fiub" for dtype in dtypes)
    if is_from(values, "polars", "DataFrame", "Series"):
        dtypes = values.dtypes if hasattr(values, "dtypes") else [values.dtype]
        return all(dtype.is_integer() or dtype.is_float() for dtype in dtypes)
    return False


def numbers_in(np: Any, values: Any) -> Any:
    """float_array() of anything, frames of several dtypes too; the column that is none of numbers is named."""
    if _is_plain(values):
        pandas = is_from(values, "pandas", "DataFrame", "Series", "Index")
        return float_array(np, values.to_numpy(dtype="float64", na_value=NAN) if pandas else values.to_numpy())
    if not is_frame(values):
        series = is_from(values, "pandas", "Series") or is_from(values, "polars", "Series")
        return _column(np, values.name if series else None, values)
    columns = [_column(np, name, column) for name, column in _columns(values)]
    return np.column_stack(columns) if columns else np.empty((len(values), 0))


def _column(np: Any, name: Any, column: Any) -> Any:
    try:
        return float_array(np, column)
    except (TypeError, ValueError) as error:
        if name is None or name == "":
            raise
        raise type(error)(f"column {name}: {error}") from None


# ---- rows ----


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
    np = numpy_module()
    found = _from_python(values, features) if np is None else _from_numpy(np, values, features)
    if found.width != features:
        raise ValueError(f"the rows have {found.width} values each, the detector {features} features")
    return found


def _from_numpy(np: Any, values: Any, features: int) -> Layout:
    rows = numbers_in(np, values)
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


def _packed(flat: Iterable[Any], width: int) -> Layout:
    numbers = array("d", map(number_of, flat))
    return Layout(numbers, ffi.from_buffer("double[]", numbers), len(numbers) // width, width, 8 * width, 8)


def _from_python(values: Any, features: int) -> Layout:
    if is_buffer(values):
        view = memoryview(values)
        shape = view.shape or ()
        if view.format == "d" and view.c_contiguous and 1 <= len(shape) <= 2:
            width = shape[1] if len(shape) == 2 else 1
            return Layout(view, ffi.cast("double *", ffi.from_buffer(view)), shape[0], width, 8 * width, 8)
        values = view.tolist()
    rows = listed(values)
    if not rows or not isinstance(rows[0], Sequence):
        return _packed(rows, features if not rows else 1)
    if len({len(row) for row in rows}) != 1:
        raise ValueError("the rows have different numbers of values")
    return _packed((value for row in rows for value in row), len(rows[0]))


# ---- one event ----


def values_of(x: Any, known: Names = ()) -> list[Any]:
    """One event's values as a list; a row of a frame by the names of its columns, where these are known."""
    if isinstance(x, (dict, set, frozenset)):
        raise TypeError(f"x is a number, or a list, tuple, array or row of a frame; not {type(x).__name__}")
    if isinstance(x, (str, bytes)) or (getattr(x, "ndim", None) == 0 and not is_missing(x)):
        return [x]
    names = names_in(x)
    if names:
        x = in_order(x, names, known)
    if is_frame(x):
        return _only_row(x)
    try:
        values = x.tolist() if is_from(x, "numpy.ma", "MaskedArray") else memoryview(x).tolist()
    except (TypeError, ValueError, NotImplementedError):  # no buffer, or one of an odd type
        return list(x) if hasattr(x, "__iter__") else [x]
    return values if isinstance(values, list) else [values]


def _only_row(frame: Any) -> list[Any]:
    if len(frame) != 1:
        raise ValueError(f"x is one event, not {len(frame)} rows: those are for update_rows() and its sisters")
    return [column[0] if not hasattr(column, "iloc") else column.iloc[0] for _, column in _columns(frame)]
