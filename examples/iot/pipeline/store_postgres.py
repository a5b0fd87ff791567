# SPDX-License-Identifier: MIT
"""PostgreSQL: rows by COPY, a connection that comes back."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

import psycopg
from psycopg import sql

from pipeline.store import SCHEMA, DownError, Store

# A process that was stopped in the middle of a transaction must not lock its successor out.
LIMITS = "-c idle_in_transaction_session_timeout=10s -c lock_timeout=60s -c timezone=UTC"


class PostgresStore(Store):
    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: psycopg.Connection[Any] | None = None
        self._ready = False
        self._alone: psycopg.Connection[Any] | None = None  # which has the lock

    def _open(self) -> psycopg.Connection[Any]:
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(self._url, connect_timeout=10, options=LIMITS, autocommit=True)
            if not self._ready:
                with self._connection.transaction():  # of several that begin at once one makes the tables
                    self._connection.execute("SELECT pg_advisory_xact_lock(4004)")
                    self._connection.execute(SCHEMA.read_bytes())
                self._ready = True
        return self._connection

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        try:
            with self._open().transaction():
                yield
        except psycopg.Error as error:
            if isinstance(error, psycopg.OperationalError) or self._connection is None or self._connection.closed:
                raise DownError(str(error).strip()) from error
            raise

    def execute(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        assert self._connection is not None
        cursor = self._connection.execute(cast("Any", sql), values)
        return cursor.fetchall() if cursor.description else []

    def insert(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        rows = list(rows)
        if not rows:
            return
        assert self._connection is not None
        names = sql.SQL(", ").join(map(sql.Identifier, columns))
        into = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names)
        with self._connection.cursor() as cursor, cursor.copy(into) as copy:
            for row in rows:
                copy.write_row(row)

    def _keep(self, snapshots: list[tuple[int, str, str, bytes]]) -> None:
        if snapshots:
            self.execute(
                "INSERT INTO states SELECT * FROM unnest(%s::integer[], %s::text[], %s::text[], %s::bytea[])"
                " ON CONFLICT (partition, sensor_id, metric_type) DO UPDATE SET snapshot = excluded.snapshot",
                [list(column) for column in zip(*snapshots)],
            )

    def alone(self) -> bool:
        with self.transaction():
            if self._alone is not self._connection:
                ((got,),) = self.execute("SELECT pg_try_advisory_lock(4005)")
                self._alone = self._connection if got else None
        return self._alone is not None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
