# SPDX-License-Identifier: MIT
"""The database, SQLite or PostgreSQL: what belongs together is written in one transaction, or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import IO, Any, NamedTuple

Key = tuple[str, str]  # sensor, metric
SCHEMA = Path(__file__).resolve().parent.parent / "schema.sql"
READING = ("id", "sensor_id", "metric_type", "value", "timestamp", "expected", "lower", "upper", "is_anomaly")
ANOMALY = ("id", "sensor_id", "metric_type", "value", "z_score", "timestamp", "expected", "lower", "upper")


class DownError(Exception):
    """The database does not answer; nothing is known of the transaction at hand."""


class FencedError(Exception):
    """Somebody else owns the partition now; nothing was written."""


class PartitionsError(Exception):
    """The database was made for another number of partitions."""


class Claim(NamedTuple):
    """What the owner of a partition begins with."""

    epoch: int
    begin: int
    snapshots: dict[Key, bytes]


@dataclass
class Batch:
    """What comes of some messages of one partition, from offset `begin` to before offset `end`."""

    partition: int
    epoch: int
    begin: int
    end: int
    readings: list[tuple[Any, ...]] = field(default_factory=list)
    anomalies: list[tuple[Any, ...]] = field(default_factory=list)
    rejected: list[tuple[int, str, bytes]] = field(default_factory=list)
    snapshots: list[tuple[int, str, str, bytes]] = field(default_factory=list)  # partition, sensor, metric
    alerts: list[tuple[int, str]] = field(default_factory=list)


class Store(ABC):
    """For one thread."""

    @abstractmethod
    def transaction(self) -> contextlib.AbstractContextManager[None]:
        """Everything in it is done, or nothing; DownError where the database does not answer."""

    @abstractmethod
    def execute(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """In a transaction; a value stands where %s is. The rows that the database answers."""

    @abstractmethod
    def insert(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """In a transaction: many rows."""

    @abstractmethod
    def _keep(self, snapshots: list[tuple[int, str, str, bytes]]) -> None:
        """In a transaction: in the place of earlier ones."""

    @abstractmethod
    def alone(self) -> bool:
        """Whether this is the only store, of all processes, that was told so; until its connection ends."""

    @abstractmethod
    def close(self) -> None: ...

    def fix_partitions(self, number: int) -> None:
        """The first time; afterwards there must be as many."""
        count = "SELECT count(*) FROM offsets"
        with self.transaction():
            for partition in range(number) if self.execute(count) == [(0,)] else ():
                self.execute("INSERT INTO offsets VALUES (%s, 0, 0) ON CONFLICT DO NOTHING", (partition,))
            ((found,),) = self.execute(count)
        if found != number:
            raise PartitionsError(
                f"the topic has {number} partitions, the database was made for {found}: sensors would lose their history"
            )

    def claim(self, partition: int) -> Claim:
        """Makes the caller the owner."""
        with self.transaction():
            ((epoch, begin),) = self.execute(
                "UPDATE offsets SET epoch = epoch + 1 WHERE partition = %s RETURNING epoch, next", (partition,)
            )
            rows = self.execute("SELECT sensor_id, metric_type, snapshot FROM states WHERE partition = %s", (partition,))
        return Claim(epoch, begin, {(sensor, metric): bytes(snapshot) for sensor, metric, snapshot in rows})

    def write(self, batches: Sequence[Batch]) -> None:
        """All or nothing. After DownError the same call may be made again: what had been written is not written twice."""
        with self.transaction():
            new = [self._advance(batch) for batch in batches]
            if all(new):
                for batch in batches:
                    self._write(batch)

    def _advance(self, batch: Batch) -> bool:
        """False where this very batch has been written already."""
        moved = self.execute(
            "UPDATE offsets SET next = %s WHERE partition = %s AND epoch = %s AND next = %s RETURNING next",
            (batch.end, batch.partition, batch.epoch, batch.begin),
        )
        if moved:
            return True
        ((epoch, at),) = self.execute("SELECT epoch, next FROM offsets WHERE partition = %s", (batch.partition,))
        if (epoch, at) != (batch.epoch, batch.end):
            raise FencedError(
                f"partition {batch.partition}: the write of offsets {batch.begin} to {batch.end - 1} by epoch {batch.epoch}"
                f" is refused, the database is at epoch {epoch}, offset {at}"
            )
        return False

    def _write(self, batch: Batch) -> None:
        self.insert("sensor_data", READING, batch.readings)
        self.insert("anomalies", ANOMALY, batch.anomalies)
        self.insert("rejected", ("id", "reason", "message"), batch.rejected)
        self.insert("outbox", ("id", "message"), batch.alerts)
        self._keep(batch.snapshots)

    def tell(self, part: str, problem: str = "") -> None:
        """What a part says of itself; the page shows it."""
        with self.transaction():
            self.execute(
                "INSERT INTO health VALUES (%s, %s, %s)"
                " ON CONFLICT (part) DO UPDATE SET seen = excluded.seen, problem = excluded.problem",
                (part, datetime.now(timezone.utc), problem),
            )

    def part_ended(self, part: str) -> None:
        with self.transaction():
            self.execute("DELETE FROM health WHERE part = %s", (part,))


class SqliteStore(Store):
    def __init__(self, path: str) -> None:
        self._lock = Path(f"{path}.sender")
        self._locked: IO[bytes] | None = None
        try:
            self._database = sqlite3.connect(path, timeout=10, isolation_level=None)
            self._database.execute("PRAGMA journal_mode = WAL")  # who reads waits for nobody
            self._database.executescript(SCHEMA.read_text())
        except sqlite3.Error as error:
            raise DownError(f"{path}: {error}") from error

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        try:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")
        except sqlite3.OperationalError as error:
            raise DownError(str(error)) from error

    def execute(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._database.execute(sql.replace("%s", "?"), [_plain(value) for value in values]).fetchall()

    def insert(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        marks = ", ".join("?" * len(columns))
        sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"
        self._database.executemany(sql, ([_plain(value) for value in row] for row in rows))

    def _keep(self, snapshots: list[tuple[int, str, str, bytes]]) -> None:
        self._database.executemany("INSERT OR REPLACE INTO states VALUES (?, ?, ?, ?)", snapshots)

    def alone(self) -> bool:
        if self._locked is None:
            file = self._lock.open("wb")
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # goes with the process, however that ends
            except BlockingIOError:
                file.close()
                return False
            self._locked = file
        return True

    def close(self) -> None:
        if self._locked is not None:
            self._locked.close()
        self._database.close()


def _plain(value: Any) -> Any:
    """SQLite has no times: a text that has their order, in UTC."""
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).replace(tzinfo=None).isoformat(" ", "microseconds")
    return value


def open_store(url: str) -> Store:
    """Of sqlite:///path (////path from the root) or postgresql://user:password@host/name."""
    if url.startswith("sqlite:///"):
        return SqliteStore(url[len("sqlite:///") :])
    if url.startswith(("postgresql://", "postgres://")):
        from pipeline.store_postgres import PostgresStore

        return PostgresStore(url)
    raise ValueError("DATABASE_URL begins with sqlite:/// or postgresql://")
