# SPDX-License-Identifier: MIT
"""The same in Redis, for parts that are processes of their own.

raw_events          list of what waits; raw_events:1 and so on for further processors
event:ID            hash: an event with its verdict, of the newest KEEP_EVENTS
anomaly_log         stream of anomalies; each is also published on the channel `anomalies`
metric:NAME, points:NAME, metrics    what the page asks for
kafka_offsets       hash: how far each partition is read, changed in the same step as the queue
processor:I         snapshot of a processor's detectors, journal:I what it has judged since, judged:I how many ever,
                    owner:I who does it

An event leaves raw_events in the very transaction that stores its verdict and notes it in the journal, so a processor that
is killed at any moment goes on as if nothing had been. judged:I makes sure that a transaction whose answer was lost is not
repeated, owner:I that of two processors of the same number only the one goes on that was started last.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import redis.asyncio as client
from libanomaly import key_hash
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from anomaly.config import Settings
from anomaly.detector import point
from anomaly.persistence import WAIT, Batch, DownError, FullError, Origin, OvertakenError, Record, unseen

log = logging.getLogger("anomaly.redis")
LOG = "anomaly_log"

# All or nothing: KEYS are the offsets and lists, ARGV what Origin has, the limit, how many events for each list, the events.
PUSH = """
local told = cjson.decode(ARGV[1])
for source, move in pairs(told.moves) do
    if tonumber(redis.call('HGET', KEYS[1], source) or -1) ~= move[1] then return 'overtaken' end
end
for i, count in ipairs(told.counts) do
    if redis.call('LLEN', KEYS[1 + i]) + count > told.limit then return 'full' end
end
local at = 2
for i, count in ipairs(told.counts) do
    for _ = 1, count do
        redis.call('RPUSH', KEYS[1 + i], ARGV[at])
        at = at + 1
    end
end
for source, move in pairs(told.moves) do
    redis.call('HSET', KEYS[1], source, string.format('%.0f', move[2]))
end
if told.wrong > 0 then redis.call('HINCRBY', KEYS[1], 'wrong', told.wrong) end
return 'taken'
"""


@contextmanager
def reaching() -> Iterator[None]:
    try:
        yield
    except (RedisError, OSError, asyncio.TimeoutError) as error:
        raise DownError(f"Redis: {type(error).__name__}: {error}") from error


class RedisStore:
    def __init__(self, settings: Settings, index: int = 0) -> None:
        self._settings, self._index = settings, index
        # No call is repeated by the client: it could have happened although no answer came.
        self._redis: Any = client.Redis.from_url(  # its types are those of several answers at once
            settings.redis_url, retry=Retry(NoBackoff(), 0), socket_timeout=5 * WAIT, socket_connect_timeout=WAIT
        )
        self._push = self._redis.register_script(PUSH)
        self._mine = self.queue(index)
        self._judged, self._me = 0, secrets.token_hex(8).encode()

    def queue(self, index: int) -> str:
        return self._settings.redis_raw_events_key + (f":{index}" if index else "")

    def _queues(self) -> list[str]:
        return [self.queue(i) for i in range(self._settings.processors)]

    # ---- events come in ----

    async def push(self, events: list[Record], origin: Origin | None = None) -> None:
        waiting: dict[str, list[str]] = {}
        for event in events:
            waiting.setdefault(self.queue(key_hash(event["metric"]) % self._settings.processors), []).append(
                json.dumps(event)
            )
        counts = [len(some) for some in waiting.values()]
        texts = [text for some in waiting.values() for text in some]
        moves, wrong = origin or Origin({})
        told = {"moves": moves, "wrong": wrong, "limit": self._settings.max_queue_size, "counts": counts}
        if not texts and not moves:
            return
        with reaching():
            answer = await self._push(["kafka_offsets", *waiting], [json.dumps(told), *texts])
        if answer != b"taken":
            raise FullError if answer == b"full" else OvertakenError

    async def offsets(self) -> dict[str, int]:
        with reaching():
            return {name.decode(): int(at) for name, at in (await self._redis.hgetall("kafka_offsets")).items()}

    async def depth(self) -> int:
        with reaching():
            return sum([await self._redis.llen(queue) for queue in self._queues()])

    # ---- a processor ----

    async def load(self) -> tuple[bytes | None, list[Record]]:
        i = self._index
        with reaching():
            async with self._redis.pipeline(transaction=True) as whole:
                whole.get(f"processor:{i}").lrange(f"journal:{i}", 0, -1).get(f"judged:{i}").set(f"owner:{i}", self._me)
                snapshot, journal, judged, _ = await whole.execute()
        self._judged = int(judged or 0)
        return snapshot, [json.loads(text) for text in journal]

    async def read(self, most: int) -> list[Record]:
        with reaching():
            if not (found := await self._redis.lrange(self._mine, 0, most - 1)):
                # Waits for an event, which goes from the list's head to its head.
                await self._redis.blmove(self._mine, self._mine, WAIT, "LEFT", "LEFT")
                found = await self._redis.lrange(self._mine, 0, most - 1)
        return [json.loads(text) for text in found]

    async def commit(self, batch: Batch) -> None:
        count = len(batch.events)
        with reaching():
            async with self._redis.pipeline(transaction=True) as whole:
                if not await self._happened(whole, count):
                    await self._commit(whole, batch, count)
        self._judged += count

    async def _happened(self, whole: Any, count: int) -> bool:
        """Whether so many further events are judged already. The transaction fails, and is tried again, if that changes."""
        keys = [f"owner:{self._index}", f"judged:{self._index}"]
        await whole.watch(*keys)
        owner, judged = await whole.mget(keys)
        if owner != self._me or int(judged or 0) not in (self._judged, self._judged + count):
            raise OvertakenError(f"another processor {self._index} is at work, or Redis has lost something")
        return int(judged or 0) != self._judged

    async def _commit(self, whole: Any, batch: Batch, count: int) -> None:
        kept = await whole.llen("event_ids") + count - self._settings.keep_events
        old = await whole.lrange("event_ids", 0, kept - 1) if kept > 0 else []
        whole.multi()
        whole.ltrim(self._mine, count, -1)
        whole.rpush(f"journal:{self._index}", *(json.dumps(event) for event in batch.events))
        whole.set(f"judged:{self._index}", self._judged + count)
        self._store_results(whole, batch, old)
        await whole.execute()

    def _store_results(self, whole: Any, batch: Batch, old: list[bytes]) -> None:
        prefix = self._settings.redis_processed_prefix
        if old:
            whole.ltrim("event_ids", len(old), -1)
            whole.delete(*(prefix + name.decode() for name in old))
        whole.rpush("event_ids", *(result["event_id"] for result in batch.results))
        points: dict[str, list[str]] = {}
        for result in batch.results:
            whole.hset(prefix + result["event_id"], mapping={name: _cell(value) for name, value in result.items()})
            points.setdefault(result["metric"], []).append(json.dumps(point(result)))
        last = {result["metric"]: result for result in batch.results}
        odd = Counter(anomaly["metric"] for anomaly in batch.anomalies)
        for metric, some in points.items():
            whole.rpush(f"points:{metric}", *some).ltrim(f"points:{metric}", -self._settings.keep_points, -1)
            whole.hincrby(f"metric:{metric}", "events", len(some)).hincrby(f"metric:{metric}", "anomalies", odd[metric])
            whole.hset(f"metric:{metric}", mapping={"last": last[metric]["value"], "timestamp": last[metric]["timestamp"]})
            whole.zadd("metrics", {metric: 0})
        for metric in batch.evicted:
            whole.delete(f"points:{metric}", f"metric:{metric}").zrem("metrics", metric)
        for anomaly in batch.anomalies:
            text = json.dumps(anomaly)
            whole.xadd(LOG, {"record": text}, maxlen=self._settings.keep_anomalies).publish(
                self._settings.alerts_channel, text
            )

    async def save(self, snapshot: bytes) -> None:
        with reaching():
            async with self._redis.pipeline(transaction=True) as whole:
                await self._happened(whole, 0)
                whole.multi()
                whole.set(f"processor:{self._index}", snapshot).delete(f"journal:{self._index}")
                await whole.execute()

    # ---- questions ----

    async def anomalies(self, limit: int) -> list[Record]:
        with reaching():
            return [json.loads(fields[b"record"]) for _, fields in await self._redis.xrevrange(LOG, count=limit)]

    async def metrics(self, limit: int, search: str = "") -> tuple[list[Record], int]:
        with reaching():
            if not search and not limit:
                return [], await self._redis.zcard("metrics")
            wanted = search.casefold()
            names = [
                name for one in await self._redis.zrange("metrics", 0, -1) if wanted in (name := one.decode()).casefold()
            ]
            rows = [await self._row(name) for name in names[:limit]]
            return [row for row in rows if row], len(names)

    async def _row(self, metric: str) -> Record | None:
        found = {name.decode(): value for name, value in (await self._redis.hgetall(f"metric:{metric}")).items()}
        if not found:
            return None
        numbers = {"events": int(found["events"]), "anomalies": int(found["anomalies"])}
        return {"metric": metric, **numbers, "last": float(found["last"]), "timestamp": float(found["timestamp"])}

    async def series(self, metric: str, after: int) -> tuple[list[Any], int] | None:
        with reaching():
            async with self._redis.pipeline(transaction=True) as whole:
                whole.hget(f"metric:{metric}", "events").lrange(f"points:{metric}", 0, -1)
                events, texts = await whole.execute()
        if events is None:
            return None
        total = int(events)
        new = unseen(after, total, len(texts))
        return [json.loads(text) for text in texts[len(texts) - new :]], total

    # ---- who follows ----

    async def follow(self, reader: str | None = None) -> AsyncIterator[tuple[str, Record]]:
        at: Any = None
        while True:
            try:
                with reaching():
                    at = at or await self._place(reader)
                    found = await self._redis.xread({LOG: at}, count=100, block=int(WAIT * 1000))
            except DownError as error:
                log.warning("%s", error)
                await asyncio.sleep(WAIT)
                continue
            for at, fields in found[0][1] if found else []:
                yield at.decode(), json.loads(fields[b"record"])

    async def _place(self, reader: str | None) -> Any:
        if reader and (kept := await self._redis.hget("places", reader)):
            return kept
        last = await self._redis.xrevrange(LOG, count=1)
        place = last[0][0] if last else b"0-0"
        if reader:
            await self._redis.hset("places", reader, place)
        return place

    async def done(self, reader: str, place: str) -> None:
        with reaching():
            await self._redis.hset("places", reader, place)

    async def beat(self, name: str, told: Record) -> None:
        with reaching():
            await self._redis.hset("beats", name, json.dumps(told))

    async def beats(self) -> dict[str, Record]:
        with reaching():
            return {name.decode(): json.loads(text) for name, text in (await self._redis.hgetall("beats")).items()}

    async def state(self) -> str:
        try:
            with reaching():
                await self._redis.ping()
        except DownError as error:
            return str(error)
        return "ok"

    async def close(self) -> None:
        await self._redis.aclose()


def _cell(value: Any) -> str:
    """A field of a hash, as redis-cli shows it."""
    return value if isinstance(value, str) else json.dumps(value)
