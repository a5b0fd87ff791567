# SPDX-License-Identifier: MIT
"""What is kept between the parts, behind one interface; here in the memory of one process."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import math
import struct
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from heapq import nsmallest
from typing import Any, NamedTuple, Protocol, TypeVar

from anomaly.config import Settings
from anomaly.detector import point
from common.state import MemoryStates, SqliteStates, States

log = logging.getLogger("anomaly.store")
Record = dict[str, Any]
T = TypeVar("T")
WAIT = 1.0  # seconds that a call waits for something to come
PAUSE = 0.5  # seconds until a store that is down is tried again


class FullError(Exception):
    """The queue has no room for so many events; none of them was taken."""


class DownError(Exception):
    """The store does not answer; what was asked for may or may not have happened."""


class OvertakenError(Exception):
    """Somebody else has gone on from there; nothing was changed."""


class Origin(NamedTuple):
    """Where events come from: of each source, how far it was read before and how far with them."""

    moves: dict[str, tuple[int, int]]  # before: what offsets() says, -1 where it says nothing
    wrong: int = 0  # what was no event


async def answer(ask: Callable[[], Awaitable[T]], who: str, given_up: Callable[[], bool] = lambda: False) -> T:
    """What the store says, as soon as it says something; DownError once it is not waited for any more."""
    told = False
    while True:
        try:
            return await ask()
        except DownError as error:
            if given_up():
                raise
            if not told:
                log.warning("%s waits: %s", who, error)
            told = True
            await asyncio.sleep(PAUSE)


class Batch:
    """What judging some events has brought, to be stored in one step with their leaving the queue."""

    def __init__(self) -> None:
        self.events: list[Record] = []
        self.results: list[Record] = []
        self.anomalies: list[Record] = []
        self.evicted: list[str] = []


class Store(Protocol):
    async def push(self, events: list[Record], origin: Origin | None = None) -> None:
        """All of them or none, and how far their sources are read with them."""

    async def offsets(self) -> dict[str, int]:
        """How far each source is read, and `wrong`: how much was no event."""

    async def depth(self) -> int: ...
    async def load(self) -> tuple[bytes | None, list[Record]]:
        """The snapshot of the detectors, and the events that were judged since: to be judged again, and told to nobody."""

    async def read(self, most: int) -> list[Record]:
        """The oldest events of the queue, where they stay; none if none comes within WAIT."""

    async def commit(self, batch: Batch) -> None: ...
    async def save(self, snapshot: bytes) -> None: ...
    async def anomalies(self, limit: int) -> list[Record]:
        """Newest first."""

    async def metrics(self, limit: int, search: str = "") -> tuple[list[Record], int]:
        """Those with the text in their name, by name; and how many they are."""

    async def series(self, metric: str, after: int) -> tuple[list[Any], int] | None: ...
    def follow(self, reader: str | None = None) -> AsyncIterator[tuple[str, Record]]:
        """Anomalies as they come, each with its place: from now on, or from where this reader was (done()), or was first."""

    async def done(self, reader: str, place: str) -> None: ...
    async def beat(self, name: str, told: Record) -> None:
        """What a part has to say of itself."""

    async def beats(self) -> dict[str, Record]: ...
    async def state(self) -> str:
        """ok, or what is wrong."""

    async def close(self) -> None: ...


async def push_when_there_is_room(
    store: Store, events: list[Record], origin: Origin | None = None, patience: float = math.inf
) -> None:
    """FullError after so many seconds."""
    end = time.monotonic() + patience
    while True:
        try:
            return await store.push(events, origin)
        except FullError:
            if time.monotonic() > end:
                raise
            await asyncio.sleep(0.02)


# What the chart shows of a result, in 41 bytes.
_POINT = struct.Struct("<5d?")


def _packed(result: Record) -> bytes:
    return _POINT.pack(*(math.nan if part is None else part for part in point(result)))


def _unpacked(packed: bytes) -> list[Any]:
    return [None if part != part else part for part in _POINT.unpack(packed)]


def unseen(after: int, total: int, kept: int) -> int:
    """Of so many kept points of a series, how many came after that many; all, if there were never so many."""
    return min(total - after if after <= total else total, kept)


class MemoryStore:
    """With a state file, what waits and what is known outlives a stop; save() writes all of it in one step."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._states: States = SqliteStates(settings.state_file) if settings.state_file else MemoryStates()
        self._version = 0
        self._queue: deque[Record] = deque()
        self._waiting = asyncio.Event()
        self._anomalies: deque[Record] = deque(maxlen=settings.keep_anomalies)
        self._seen = 0  # anomalies ever
        self._news = asyncio.Condition()
        self._metrics: dict[str, Record] = {}
        self._points: dict[str, deque[bytes]] = {}
        self._places: dict[str, int] = {}
        self._beats: dict[str, Record] = {}
        self._offsets: dict[str, int] = {}
        self._loaded = asyncio.Event()

    async def push(self, events: list[Record], origin: Origin | None = None) -> None:
        if origin and any(self._offsets.get(name, -1) != before for name, (before, _) in origin.moves.items()):
            raise OvertakenError
        if len(self._queue) + len(events) > self._settings.max_queue_size:
            raise FullError
        self._queue.extend(events)
        self._waiting.set()
        if origin:
            self._offsets |= {name: end for name, (_, end) in origin.moves.items()}
            self._offsets["wrong"] = self._offsets.get("wrong", 0) + origin.wrong

    async def offsets(self) -> dict[str, int]:
        await self._loaded.wait()
        return dict(self._offsets)

    async def depth(self) -> int:
        return len(self._queue)

    async def load(self) -> tuple[bytes | None, list[Record]]:
        found = self._states.get("live")
        self._loaded.set()
        if found is None:
            return None, []
        self._version, data = found
        head, snapshot = data.split(b"\n", 1)
        kept = json.loads(head)
        self._queue.extend(kept["queue"])
        self._anomalies.extend(kept["anomalies"])
        self._seen, self._metrics, self._places = kept["seen"], kept["metrics"], kept["places"]
        self._offsets = kept["offsets"]
        self._points = {metric: deque(maxlen=self._settings.keep_points) for metric in self._metrics}
        self._waiting.set()
        return snapshot, []

    async def save(self, snapshot: bytes) -> None:
        kept = {"queue": list(self._queue), "anomalies": list(self._anomalies), "seen": self._seen}
        kept |= {"metrics": self._metrics, "places": self._places, "offsets": self._offsets}
        self._version = self._states.put("live", json.dumps(kept).encode() + b"\n" + snapshot, self._version)

    async def read(self, most: int) -> list[Record]:
        if not self._queue:
            self._waiting.clear()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._waiting.wait(), WAIT)
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
        self._points.setdefault(metric, deque(maxlen=self._settings.keep_points)).append(_packed(result))

    async def anomalies(self, limit: int) -> list[Record]:
        return [self._anomalies[-1 - i] for i in range(min(limit, len(self._anomalies)))]

    async def metrics(self, limit: int, search: str = "") -> tuple[list[Record], int]:
        wanted = search.casefold()
        found = (
            [row for name, row in self._metrics.items() if wanted in name.casefold()] if search else self._metrics.values()
        )
        return nsmallest(limit, found, key=lambda row: row["metric"]), len(found)

    async def series(self, metric: str, after: int) -> tuple[list[Any], int] | None:
        if metric not in self._metrics:
            return None
        points, total = self._points[metric], self._metrics[metric]["events"]
        new = unseen(after, total, len(points))
        return [_unpacked(points[i]) for i in range(len(points) - new, len(points))], total

    async def follow(self, reader: str | None = None) -> AsyncIterator[tuple[str, Record]]:
        await self._loaded.wait()
        at = self._places.setdefault(reader, self._seen) if reader else self._seen
        while True:
            async with self._news:
                while self._seen <= at:
                    await self._news.wait()
            end, here = self._seen, list(self._anomalies)
            for i in range(max(at, end - len(here)), end):
                yield str(i + 1), here[i - end]
            at = end

    async def done(self, reader: str, place: str) -> None:
        self._places[reader] = int(place)

    async def beat(self, name: str, told: Record) -> None:
        self._beats[name] = told

    async def beats(self) -> dict[str, Record]:
        return self._beats

    async def state(self) -> str:
        return "ok"

    async def close(self) -> None:
        pass
