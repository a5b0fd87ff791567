# SPDX-License-Identifier: MIT
"""State by key, with a version: who writes says which version it has read, so that of two writers one is told.

version, data = states.get("detectors") or (0, None)
version = states.put("detectors", data, version)
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Protocol


class ConflictError(Exception):
    """Somebody else has written since the version that was given; nothing was changed."""


class States(Protocol):
    def get(self, key: str) -> tuple[int, bytes] | None: ...
    def put(self, key: str, data: bytes, version: int) -> int:
        """version: the one that was read, 0 where there was none. The new version."""


class MemoryStates:
    def __init__(self) -> None:
        self._kept: dict[str, tuple[int, bytes]] = {}

    def get(self, key: str) -> tuple[int, bytes] | None:
        return self._kept.get(key)

    def put(self, key: str, data: bytes, version: int) -> int:
        if self._kept.get(key, (0, b""))[0] != version:
            raise ConflictError(key)
        self._kept[key] = version + 1, data
        return version + 1


class SqliteStates:
    """In a file, which is whole at any moment, also after a crash."""

    def __init__(self, path: Path | str) -> None:
        self._path = path
        with self._open() as database:
            database.execute("CREATE TABLE IF NOT EXISTS states (key TEXT PRIMARY KEY, version INTEGER, data BLOB)")
        database.close()

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=30)

    def get(self, key: str) -> tuple[int, bytes] | None:
        database = self._open()
        found = database.execute("SELECT version, data FROM states WHERE key = ?", (key,)).fetchone()
        database.close()
        return None if found is None else (int(found[0]), bytes(found[1]))

    def put(self, key: str, data: bytes, version: int) -> int:
        database = self._open()
        with database:
            if version:
                change = "UPDATE states SET version = version + 1, data = ?2 WHERE key = ?1 AND version = ?3"
            else:
                change = "INSERT OR IGNORE INTO states SELECT ?1, ?3 + 1, ?2"
            changed = database.execute(change, (key, data, version)).rowcount
        database.close()
        if not changed:
            raise ConflictError(key)
        return version + 1
