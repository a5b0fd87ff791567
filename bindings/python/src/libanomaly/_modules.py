# SPDX-License-Identifier: MIT
"""NumPy, pandas, polars and Arrow, which are never imported for their own sake: NumPy only where it is installed, the others
only if the caller already has.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterator
from typing import Any


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


def is_missing(value: Any) -> bool:
    """Whether a value is None, pandas.NA or numpy.ma.masked, which no arithmetic takes."""
    if value is None:
        return True
    pandas, numpy = sys.modules.get("pandas"), sys.modules.get("numpy")
    return (pandas is not None and value is pandas.NA) or (numpy is not None and value is numpy.ma.masked)


def is_buffer(values: Any) -> bool:
    return isinstance(values, (memoryview, array, bytearray)) or hasattr(values, "__array_interface__")


def kept(values: Any) -> Any:
    """An iterator as a list, which can be looked at more than once; anything else as it is."""
    return list(values) if isinstance(values, Iterator) else values


def listed(values: Any, what: str = "numbers or times") -> Any:
    """A column as a list. Text is one value, and what has no order or is looked up by keys is no column."""
    if isinstance(values, (str, bytes, set, frozenset, dict)) or not hasattr(values, "__iter__"):
        raise TypeError(f"{type(values).__name__} is not a sequence of {what}")
    return values if isinstance(values, (list, tuple)) else list(values)


def masked(values: Any) -> Any:
    """A column of whole numbers with holes, of pandas, polars or Arrow, as a NumPy array with a mask."""
    numpy = numpy_module()
    if is_from(values, "pandas", "Series", "Index"):
        kind = {"i": "int64", "u": "uint64"}.get(values.dtype.kind, "float64")
        return numpy.ma.array(values.to_numpy(kind, na_value=0), mask=numpy.asarray(values.isna(), dtype=bool))
    holes = values.is_null()
    return numpy.ma.array(numpy.asarray(values.fill_null(0)), mask=numpy.asarray(holes))
