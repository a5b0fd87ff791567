# SPDX-License-Identifier: MIT
"""What is kept between the parts, behind one interface; here in the memory of one process."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from heapq import nsmallest
from typing import Any, Protocol

Record = dict[str, Any]


class FullError(Exception):
    """The queue has no room for so many events; none of them was taken."""


class Batch:
    """What judging some events has brought, to be stored in one step with their leaving the queue."""

    def __init__(self) -> None:
        self.results: list[Record] = []
        self.anomalies: list[Record] = []
        self.evicted: list[str] = []


class Store(Protocol):
    async def push(self, events: list[Record]) -> None: ...
    async def depth(self) -> int: ...
    async def read(self, most: int) -> list[Record]:
        """The oldest events of the queue, where they stay; waits for one."""
    async def commit(self, batch: Batch) -> None: ...
    async def anomalies(self, limit: int) -> list[Record]:
        """Newest first."""
    async def metrics(self, limit: int, search: str = "") -> tuple[list[Record], int]:
        """Those with the text in their name, by name; and how many they are."""
    async def series(self, metric: str, after: int) -> tuple[list[Any], int] | None: ...
    def follow(self) -> AsyncIterator[Record]:
        """Anomalies from now on, as they come."""
    async def state(self) -> str:
        """ok, or what is wrong."""
    async def close(self) -> None: ...


class MemoryStore:
    def __init__(self, max_queue: int, keep_anomalies: int, keep_points: int) -> None:
        self._max_queue, self._keep_points = max_queue, keep_points
        self._queue: deque[Record] = deque()
        self._waiting = asyncio.Event()
        self._anomalies: deque[Record] = deque(maxlen=keep_anomalies)
        self._seen = 0  # anomalies ever
        self._news = asyncio.Condition()
        self._metrics: dict[str, Record] = {}
        self._points: dict[str, deque[Any]] = {}

    async def push(self, events: list[Record]) -> None:
        if len(self._queue) + len(events) > self._max_queue:
            raise FullError
        self._queue.extend(events)
        self._waiting.set()

    async def depth(self) -> int:
        return len(self._queue)

    async def read(self, most: int) -> list[Record]:
        while not self._queue:
            self._waiting.clear()
            await self._waiting.wait()
        return [self._queue[i] for i in range(min(most, len(self._queue)))]

    async def commit(self, batch: Batch) -> None:
        for result in batch.results:
            self._queue.popleft()
            self._keep(result)
        for metric in batch.evicted:
            self._metrics.pop(metric, None)
            self._points.pop(metric, None)
        if batch.anomalies:
            self._anomalies.extend(batch.anomalies)
            self._seen += len(batch.anomalies)
            async with self._news:
                self._news.notify_all()

    def _keep(self, result: Record) -> None:
        metric = result["metric"]
        row = self._metrics.setdefault(metric, {"metric": metric, "events": 0, "anomalies": 0})
        row["events"] += 1
        row["anomalies"] += result["is_anomaly"]
        row["last"], row["timestamp"] = result["value"], result["timestamp"]
        points = self._points.setdefault(metric, deque(maxlen=self._keep_points))
        points.append([result[name] for name in ("timestamp", "value", "mean", "lower", "upper", "is_anomaly")])

    async def anomalies(self, limit: int) -> list[Record]:
        return [self._anomalies[-1 - i] for i in range(min(limit, len(self._anomalies)))]

    async def metrics(self, limit: int, search: str = "") -> tuple[list[Record], int]:
        wanted = search.casefold()
        found = [row for name, row in self._metrics.items() if wanted in name.casefold()] if search else self._metrics.values()
        return nsmallest(limit, found, key=lambda row: row["metric"]), len(found)

    async def series(self, metric: str, after: int) -> tuple[list[Any], int] | None:
        if metric not in self._metrics:
            return None
        points, total = self._points[metric], self._metrics[metric]["events"]
        new = min(max(total - after, 0), len(points)) if after <= total else len(points)
        return [points[i] for i in range(len(points) - new, len(points))], total

    async def follow(self) -> AsyncIterator[Record]:
        at = self._seen
        while True:
            async with self._news:
                await self._news.wait_for(lambda: self._seen > at)  # noqa: B023
            missed = min(self._seen - at, len(self._anomalies))
            new = [self._anomalies[i - missed] for i in range(missed)]
            at = self._seen
            for record in new:
                yield record

    async def state(self) -> str:
        return "ok"

    async def close(self) -> None:
        pass
