# SPDX-License-Identifier: MIT
"""Keys as bytes, and a column of them as the library reads it: each distinct key once, for each row a pointer and a size.

str: its UTF-8 bytes. bytes: as they are. int, and tuples of str, int and tuples: the byte FF, which UTF-8 never has, and
the key as JSON without blanks, in UTF-8: 17 is FF `17`, ("web", 3) is FF `["web",3]`. Each key has one such text.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable
from operator import index
from typing import Any, Union

from libanomaly._errors import BAD_KEY, ArgumentError, error_of
from libanomaly._modules import is_from, is_missing, listed, numpy_module
from libanomaly._native import address, ffi

Key = Union[str, bytes, int, tuple[Any, ...]]
_MARK = b"\xff"


def key_bytes(key: Any) -> bytes:
    if isinstance(key, str):
        name = key.encode()
    elif isinstance(key, bytes):
        name = bytes(key)
    else:
        name = _MARK + json.dumps(_plain_key(key), ensure_ascii=False, separators=(",", ":")).encode()
    if not 0 < len(name) < 65536:
        raise error_of(BAD_KEY)
    return name


def _plain_key(key: Any) -> Any:
    """An int or a tuple as JSON has them."""
    if isinstance(key, tuple):
        return [str(part) if isinstance(part, str) else _plain_key(part) for part in key]
    if isinstance(key, bool) or not hasattr(key, "__index__") or hasattr(key, "__len__"):
        raise TypeError(f"a key is str, bytes, int, or a tuple of str, int and tuples; not {type(key).__name__}")
    return index(key)


def key_of(name: bytes) -> Key:
    """The key that has these bytes: str where they are UTF-8, int or tuple where they are one's, else bytes."""
    try:
        return name.decode() if name[:1] != _MARK else _marked_key(name)
    except (ValueError, TypeError, RecursionError):
        return name


def _marked_key(name: bytes) -> Key:
    found = _tuples(json.loads(name[1:]))
    return found if key_bytes(found) == name and not isinstance(found, str) else name


def _tuples(found: Any) -> Any:
    return tuple(map(_tuples, found)) if isinstance(found, list) else found


def factorize(keys: Any) -> tuple[Any, list[Any]]:
    """For each row the number of its key, and the distinct keys. Dictionaries that are there already are used."""
    if is_from(keys, "pandas", "DataFrame"):
        return _plain(keys.itertuples(index=False, name=None))
    if is_from(keys, "pandas", "Series", "Index", "Categorical"):
        return _pandas(keys)
    if is_from(keys, "polars", "DataFrame"):
        return _plain(keys.rows())
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
    if keys.dtype == object and not all(isinstance(key, (str, bytes)) for key in found):
        return _plain(keys.tolist())
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
    keys = listed(keys, "keys")
    if not set(map(type, keys)) <= {str, bytes, int}:  # 1, 1.0 and True are equal, and not one key
        keys = [_checked_key(row, key) for row, key in enumerate(keys)]
    codes = array("q", (numbers.setdefault(key, len(numbers)) for key in keys))
    return codes, list(numbers)


def _checked_key(row: int, key: Any) -> bytes:
    if is_missing(key) or key != key:
        raise ValueError(f"row {row} has no key")
    try:
        return key_bytes(key)
    except TypeError as error:
        raise TypeError(f"row {row}: {error}") from None


def _checked(codes: Any, found: list[Any]) -> tuple[Any, list[Any]]:
    missing = (codes < 0) | (codes >= len(found))
    if missing.any():
        raise ValueError(f"row {int(missing.argmax())} has no key")
    return codes, found


def _text(codes: Any, number: int, key: Any) -> bytes:
    """One of a column's distinct keys as bytes. A category that no row has may be anything."""
    try:
        return key_bytes(key)
    except (TypeError, ArgumentError) as error:
        row = next((row for row, code in enumerate(codes) if code == number), None)
        if row is None:
            return b""
        raise type(error)(f"row {row}: {error}") from None


class KeyColumn:
    """anomaly_keys for a column of keys, and the memory it points into."""

    __slots__ = ("_keep", "count", "keys")

    def __init__(self, keys: Any) -> None:
        codes, found = factorize(keys)
        texts = [_text(codes, number, key) for number, key in enumerate(found)]
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
