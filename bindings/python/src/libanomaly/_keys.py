# SPDX-License-Identifier: MIT
"""A column of keys as the library reads it: each distinct key once as bytes, and for each row a pointer and a size."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from typing import Any

from libanomaly._errors import BAD_KEY, error_of
from libanomaly._native import address, ffi
from libanomaly._rows import is_from, numpy_module


def key_bytes(key: Any) -> bytes:
    if not isinstance(key, (str, bytes)):
        raise TypeError(f"a key is str or bytes, not {type(key).__name__}")
    name = key.encode() if isinstance(key, str) else bytes(key)
    if not 0 < len(name) < 65536:
        raise error_of(BAD_KEY)
    return name


def factorize(keys: Any) -> tuple[Any, list[Any]]:
    """For each row the number of its key, and the distinct keys. Dictionaries that are there already are used."""
    if is_from(keys, "pandas", "Series", "Index", "Categorical"):
        return _pandas(keys)
    if is_from(keys, "polars", "Series"):
        return _plain(keys.to_list())
    if is_from(keys, "pyarrow", "Array", "ChunkedArray"):
        return _arrow(keys)
    return _plain(keys.tolist() if hasattr(keys, "dtype") else keys)


def _pandas(keys: Any) -> tuple[Any, list[Any]]:
    import pandas

    if isinstance(keys.dtype, pandas.CategoricalDtype):
        values = getattr(keys, "values", keys)
        return _checked(values.codes, list(values.categories))
    codes, found = pandas.factorize(keys)
    return _checked(codes, list(found))


def _arrow(keys: Any) -> tuple[Any, list[Any]]:
    import pyarrow

    if not pyarrow.types.is_dictionary(keys.type):
        keys = keys.dictionary_encode()
    if isinstance(keys, pyarrow.ChunkedArray):
        keys = keys.unify_dictionaries().combine_chunks()
        keys = keys.chunk(0) if isinstance(keys, pyarrow.ChunkedArray) else keys
    codes = keys.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return _checked(codes, keys.dictionary.to_pylist())


def _plain(keys: Iterable[Any]) -> tuple[Any, list[Any]]:
    numbers: dict[Any, int] = {}
    codes = array("q", (numbers.setdefault(key, len(numbers)) for key in keys))
    for key in numbers:
        if key is None or key != key:
            raise ValueError(f"row {codes.index(numbers[key])} has no key")
    return codes, list(numbers)


def _checked(codes: Any, found: list[Any]) -> tuple[Any, list[Any]]:
    missing = (codes < 0) | (codes >= len(found))
    if missing.any():
        raise ValueError(f"row {int(missing.argmax())} has no key")
    return codes, found


class KeyColumn:
    """anomaly_keys for a column of keys, and the memory it points into."""

    __slots__ = ("_keep", "count", "keys")

    def __init__(self, keys: Any) -> None:
        codes, found = factorize(keys)
        texts = [key_bytes(key) for key in found]
        data = ffi.from_buffer(b"".join(texts) or b"\0")
        base, places, sizes = address(data), array("Q"), array("Q", map(len, texts))
        for size in sizes:
            places.append(base)
            base += size
        rows = self._by_row(codes, places), self._by_row(codes, sizes)
        self.count = len(codes)
        self.keys = ffi.new("anomaly_keys *")
        self.keys.keys, self.keys.sizes = (
            ffi.cast(kind, ffi.from_buffer(row)) for kind, row in zip(("char **", "size_t *"), rows)
        )
        self._keep = (data, rows)

    @staticmethod
    def _by_row(codes: Any, of_key: Any) -> Any:
        np = numpy_module()
        if np is None:
            return array("Q", (of_key[code] for code in codes))
        return np.asarray(of_key)[np.asarray(codes)] if len(of_key) else np.empty(0, "uint64")
