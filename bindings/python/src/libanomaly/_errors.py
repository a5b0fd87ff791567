# SPDX-License-Identifier: MIT
"""Exceptions: one class for each status of the library, all of them `Error`."""

from __future__ import annotations

from typing import Any, NoReturn

from libanomaly._native import lib, text

# What _events.c has to say beyond the library's own statuses, which are negative.
BUSY, BAD_KEY, CLOSED = 1, 2, 3


class Error(Exception):
    """Base of all errors of this library. `status` is the C library's number, 0 where there is none."""

    status = 0


class ArgumentError(Error, ValueError):
    """A wrong number of features, a time that is missing, a key that is empty or too long.

    From a call with rows: `done` rows before the bad one have been processed, and `verdicts` holds theirs.
    """

    status = lib.ANOMALY_E_ARG
    done: int = 0
    verdicts: Any = None


class OutOfMemoryError(Error, MemoryError):
    """There was no memory; nothing has changed."""

    status = lib.ANOMALY_E_NOMEM


class ConfigError(Error, ValueError):
    """An option's name, value or combination; `field` names it."""

    status = lib.ANOMALY_E_CONFIG
    field: str = ""


class KindError(Error, TypeError):
    """This kind of detector does not offer that call."""

    status = lib.ANOMALY_E_KIND


class CorruptError(Error, ValueError):
    """The snapshot is damaged."""

    status = lib.ANOMALY_E_CORRUPT


class VersionError(Error, ValueError):
    """The snapshot was made by a newer version."""

    status = lib.ANOMALY_E_VERSION


class FullError(Error, RuntimeError):
    """A limit of the pool is reached, and it is set to refuse."""

    status = lib.ANOMALY_E_FULL


class NotFoundError(Error, KeyError):
    """No such key or slot."""

    status = lib.ANOMALY_E_NOTFOUND
    __str__ = Exception.__str__


class EmptyError(Error, LookupError):
    """The window holds nothing to answer from."""

    status = lib.ANOMALY_E_EMPTY


class StoppedError(Error, RuntimeError):
    """A file object's read() or write() failed; its exception is the cause."""

    status = lib.ANOMALY_E_STOPPED


class BusyError(Error, RuntimeError):
    """Two threads in one detector: one of them changes it, so the other was kept out. Nothing has changed."""


class LibanomalyWarning(UserWarning):
    """A setting that is allowed and hardly meant, e.g. a detector that can never flag."""


_CLASSES: dict[int, type[Error]] = {
    kind.status: kind
    for kind in (
        ArgumentError,
        OutOfMemoryError,
        ConfigError,
        KindError,
        CorruptError,
        VersionError,
        FullError,
        NotFoundError,
        EmptyError,
        StoppedError,
    )
}


def error_of(status: int, message: str = "") -> Error:
    if status == BUSY:
        return BusyError("another thread is in a call of this object; give each thread its own, a lock, or use a Pool")
    if status == BAD_KEY:
        return ArgumentError("a key has 1 to 65535 bytes")
    if status == CLOSED:
        return ArgumentError("this object is closed, or was never set up")
    return _CLASSES.get(status, Error)(message or text(lib.anomaly_status_text(status)))


def fail(status: int, message: str = "") -> NoReturn:
    raise error_of(status, message)


def check(status: int, message: str = "") -> None:
    if status:
        fail(status, message)


def check_threshold(status: int, value: float) -> None:
    """check() for calls that set one."""
    check(status, f"threshold takes a finite number, for a forest not 0; not {value}" if status == lib.ANOMALY_E_ARG else "")


def check_told(status: int, told: Any) -> None:
    """check() for calls that fill an anomaly_error."""
    if not status:
        return
    error = error_of(status, text(told.message))
    if isinstance(error, ConfigError):
        error.field = text(told.field)
    raise error
