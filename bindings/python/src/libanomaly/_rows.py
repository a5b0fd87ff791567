# SPDX-License-Identifier: MIT
"""Many events in one call: what it is given, and the columns of verdicts that come out."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any, NamedTuple, Union

from libanomaly._modules import is_from, numpy_module
from libanomaly._native import NULL, ffi
from libanomaly._times import times_array
from libanomaly._values import Names, in_order, is_frame, layout, names_in

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
    "tail": "d",
}
_DTYPES = {"d": "float64", "I": "uint32", "Q": "uint64"}
_CTYPES = {"d": "double *", "I": "uint32_t *", "Q": "uint64_t *"}
IS_ANOMALY = 1

Columns = Union[str, Iterable[str]]


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


def check_index(what: str, given: Any, values: Any) -> None:
    """That rows go together: pandas objects with another index than the values' would be paired by place, not by label."""
    index, other = index_of(values), index_of(given)
    if index is None or other is None or other is index or other.equals(index):
        return
    raise ValueError(
        f"{what}: another index than that of the values; give {what}.reindex(values.index), or {what}.to_numpy() if they go "
        "together row by row"
    )


class Call:
    """What a call on rows needs: anomaly_rows, the output columns, and the objects whose memory they point into.

    known: the names of the columns that came before, if they had any; `names`: those of now, in the same order. whole:
    events are judged whole, and `feature` is only said of anomalies.
    """

    __slots__ = ("_keep", "_labels", "columns", "count", "names", "out", "rows")

    def __init__(
        self,
        values: Any,
        times: Any,
        columns: Columns,
        features: int,
        by_time: bool = False,
        known: Names = (),
        whole: bool = False,
    ) -> None:
        index = index_of(values)
        if times is None and by_time and is_from(index, "pandas", "DatetimeIndex"):
            times = index
        names = names_in(values) if is_frame(values) else ()
        if names:
            values = in_order(values, names, known)
        found = layout(values, features)
        self.names = (known or names) if names else ()
        self._labels = Labels(index, is_from(values, "polars", "Series", "DataFrame"), self.names)
        self.count = found.count
        self.rows = ffi.new("anomaly_rows *")
        self._keep: list[Any] = [found]
        self.rows.count = found.count
        self.rows.values = found.address
        self.rows.row_stride = found.row_stride
        self.rows.feature_stride = found.feature_stride
        self._set_times(times, values)
        self._set_columns(columns)
        if whole and self.names and "feature" in self.columns:
            flags = self.columns["flags"] if "flags" in self.columns else self._add_column("flags")
            self._labels = self._labels._replace(said=flags)

    def _set_times(self, times: Any, values: Any) -> None:
        if times is None:
            return
        if isinstance(times, (date, int, float)):
            raise TypeError("times is a sequence of times, one for each row")
        ns = times_array(times)
        if len(ns) != self.count:
            raise ValueError(f"{len(ns)} times for {self.count} rows")
        check_index("times", times, values)
        self.rows.times, self.rows.time_stride = _time_layout(ns)
        self._keep.append(ns)

    def _set_columns(self, columns: Columns) -> None:
        names = ([columns] if columns != "all" else list(COLUMNS)) if isinstance(columns, str) else list(columns)
        self.columns: dict[str, Any] = {}
        self.out = ffi.new("anomaly_verdicts *")
        for name in names:
            if name not in COLUMNS:
                raise ValueError(f'no column "{name}"; there are {", ".join(COLUMNS)}, and "all"')
            self.columns[name] = self._add_column(name)

    def _add_column(self, name: str) -> Any:
        made = new_column(COLUMNS[name], self.count)
        setattr(self.out, name, column_pointer(COLUMNS[name], made))
        return made

    def verdicts(self, count: int | None = None) -> Verdicts:
        if count is None:
            return Verdicts(self.columns, self.count, self._labels)
        return Verdicts({name: made[:count] for name, made in self.columns.items()}, count, self._labels.first(count))


def new_column(code: str, count: int) -> Any:
    np = numpy_module()
    return array(code, bytes(count * array(code).itemsize)) if np is None else np.empty(count, _DTYPES[code])


def column_pointer(code: str, column: Any) -> Any:
    if len(column) == 0:
        return NULL
    if hasattr(column, "__array_interface__"):
        return ffi.cast(_CTYPES[code], column.__array_interface__["data"][0])
    return ffi.cast(_CTYPES[code], ffi.from_buffer(column))


class Labels(NamedTuple):
    """What the columns of verdicts take over from the values: a pandas index, being of polars, the features' names.

    said: flags, where `feature` is only said of anomalies, as kinds that judge whole events do; others get no name.
    """

    index: Any = None
    polars: bool = False
    names: Names = ()
    said: Any = None

    def first(self, count: int) -> Labels:
        index, said = (None if part is None else part[:count] for part in (self.index, self.said))
        return self._replace(index=index, said=said)

    def column(self, name: str, column: Any) -> Any:
        """A plain column as the caller's library has it."""
        if name == "feature" and self.names:
            return self._features(column)
        if self.polars:
            import polars

            return polars.Series(name, column)
        if self.index is None:
            return column
        import pandas

        return pandas.Series(column, self.index, name=name, copy=False)

    def _features(self, numbers: Any) -> Any:
        numbers = numbers.astype("int64")
        if self.said is not None:
            numbers[self.said & IS_ANOMALY == 0] = -1
        if self.index is not None:
            import pandas

            column = pandas.Categorical.from_codes(numbers, list(self.names))
            return pandas.Series(column, self.index, name="feature", copy=False)
        named = numpy_module().array([*self.names, None], dtype=object)[numbers]
        if not self.polars:
            return named
        import polars

        return polars.Series("feature", named.tolist(), dtype=polars.Enum(self.names))


class Verdicts:
    """Columns of verdicts, one entry for each row: the attributes that were asked for, and `anomaly` where `flags` is there.

    NumPy arrays where NumPy is installed, else array.array; pandas Series with the index of the input where that was pandas,
    polars Series where it was polars. `feature` holds names where the values came in a frame, else numbers from 0.
    `len()` is the number of rows.
    """

    __slots__ = ("_columns", "_count", "_labels")

    def __init__(self, columns: dict[str, Any], count: int, labels: Labels | None = None) -> None:
        self._columns = columns
        self._count = count
        self._labels = labels or Labels()

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __repr__(self) -> str:
        flagged = sum(self._anomaly()) if "flags" in self._columns else None
        told = "" if flagged is None else f", {flagged} anomalies"
        return f"<Verdicts of {self._count} events{told}: {', '.join(self._columns)}>"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        column = self._plain(name)
        if column is None:
            known = name in COLUMNS or name == "anomaly"
            needed = "flags" if name == "anomaly" else name
            hint = f'; ask for it: columns=(..., "{needed}") or "all"' if known else ""
            raise AttributeError(f"these verdicts have no column {name}{hint}")
        return self._labels.column(name, column)

    def _plain(self, name: str) -> Any:
        """A column as the library wrote it, None where it was not asked for."""
        return self._anomaly() if name == "anomaly" and "flags" in self._columns else self._columns.get(name)

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
        """A DataFrame of the columns: of polars where the values were, else of pandas, with the index of the values."""
        if self._labels.polars:
            import polars

            return polars.DataFrame([self[name] for name in self.keys()])
        import pandas

        return pandas.DataFrame({name: self[name] for name in self.keys()}, index=self._labels.index)

    def __reduce__(self) -> Any:
        return (Verdicts, (self._columns, self._count, self._labels))
