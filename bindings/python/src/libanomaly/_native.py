# SPDX-License-Identifier: MIT
"""The extension: CFFI's module, and from the same shared object the types for one event at a time."""

from __future__ import annotations

import sys
from importlib.machinery import ExtensionFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from typing import TYPE_CHECKING, Any

from libanomaly import _cffi

__all__ = ["NO_TIME", "NULL", "address", "events", "ffi", "lib", "text"]

ffi = _cffi.ffi
lib = _cffi.lib
NULL = ffi.NULL
NO_TIME: int = lib.ANOMALY_NO_TIME

if TYPE_CHECKING:
    import libanomaly._events as events
else:
    _name = "libanomaly._events"
    _spec = spec_from_file_location(_name, loader=ExtensionFileLoader(_name, _cffi.__file__))
    events = sys.modules[_name] = module_from_spec(_spec)
    _spec.loader.exec_module(events)


def text(chars: Any) -> str:
    """A C string as str."""
    return str(ffi.string(chars).decode())


def address(pointer: Any) -> int:
    return int(ffi.cast("uintptr_t", pointer))
