# SPDX-License-Identifier: MIT
"""State by key, with a version: who writes says which version it has read, so that of two writers one is told.

version, data = states.get("detectors") or (0, None)
version = states.put("detectors", data, version)
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol


class ConflictError(Exception):
    """Somebody else has written since the version that was given; nothing was changed."""


class States(Protocol):
    def get(self, key: str) -> tuple[Any, bytes] | None: ...
    def put(self, key: str, data: bytes, version: Any) -> Any:
        """version: the one that was read, 0 where there was none. The new version."""


class MemoryStates:
    def __init__(self) -> None:
        self._kept: dict[str, tuple[int, bytes]] = {}
        self._alone = threading.Lock()

    def get(self, key: str) -> tuple[int, bytes] | None:
        return self._kept.get(key)

    def put(self, key: str, data: bytes, version: int) -> int:
        with self._alone:
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


class DirectoryStates:
    """A file for each key, which is whole at any moment, also after a crash. The version is a digest of what is in it."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.path.mkdir(parents=True, exist_ok=True)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        with open(self.path / ".lock", "wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # until it is closed
            yield

    def get(self, key: str) -> tuple[str, bytes] | None:
        try:
            data = (self.path / key).read_bytes()
        except FileNotFoundError:
            return None
        return hashlib.sha256(data).hexdigest(), data

    def put(self, key: str, data: bytes, version: str | int) -> str:
        (self.path / key).parent.mkdir(parents=True, exist_ok=True)
        with self._alone():
            if (self.get(key) or (0, b""))[0] != version:
                raise ConflictError(key)
            self._replace(self.path / key, data)
        return hashlib.sha256(data).hexdigest()

    def _replace(self, path: Path, data: bytes) -> None:
        number, name = tempfile.mkstemp(prefix=".writing-", dir=self.path)
        try:
            with open(number, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(number)
            os.chmod(name, 0o644)
            os.replace(name, path)
        except BaseException:
            os.unlink(name)
            raise


class ObjectStates:
    """An object for each key in a bucket of S3 or what is like it, by boto3's client. The version is the ETag."""

    def __init__(self, client: Any, bucket: str, prefix: str = "") -> None:
        self.client, self.bucket, self.prefix = client, bucket, prefix

    def get(self, key: str) -> tuple[str, bytes] | None:
        try:
            found = self.client.get_object(Bucket=self.bucket, Key=self.prefix + key)
        except self.client.exceptions.NoSuchKey:
            return None
        return found["ETag"], found["Body"].read()

    def put(self, key: str, data: bytes, version: str | int) -> str:
        """boto3 sends again what was not answered: ConflictError can then be about what this very call has written."""
        from botocore.exceptions import ClientError

        condition = {"IfMatch": version} if version else {"IfNoneMatch": "*"}
        try:
            answer = self.client.put_object(Bucket=self.bucket, Key=self.prefix + key, Body=data, **condition)
        except ClientError as error:
            # Another version; another write at the same moment; gone since.
            if error.response["Error"]["Code"] in ("PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"):
                raise ConflictError(key) from error
            raise
        return str(answer["ETag"])
