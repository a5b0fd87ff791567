# SPDX-License-Identifier: MIT
"""From the queue to verdicts: judges what waits, and stores what comes of it in one step with the events' leaving."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from anomaly.config import Settings, prepare
from anomaly.detector import Judge, anomaly_of
from anomaly.persistence import Batch, DownError, OvertakenError, Record, Store, answer

log = logging.getLogger("anomaly.processor")
SNAPSHOT_EVENTS = 20_000  # judged again after a crash, at most about so many
T = TypeVar("T")


class Processor:
    def __init__(self, store: Store, settings: Settings, index: int = 0) -> None:
        self.store, self.settings, self.name = store, settings, f"processor {index}" if index else "processor"
        self._processed = self._anomalies = self._rate = 0
        self._saved_at, self._unsaved = time.monotonic(), 0
        self._stopping = False

    async def run(self) -> None:
        """Until stop(); a store that is down is waited for until then."""
        try:
            await self._begin()
            beating = asyncio.create_task(self._beat())
            while not self._stopping:
                await self._judge_some()
            beating.cancel()
            await self._save()
            kept = "kept" if self.settings.backend == "redis" or self.settings.state_file else "gone: there is no STATE_FILE"
            log.info("%s: stopped after %d events, the state is %s", self.name, self._processed, kept)
        except DownError as error:
            log.warning("%s: stopped without the store, which has all that is needed to go on: %s", self.name, error)

    async def _begin(self) -> None:
        snapshot, journal = await self._answer(self.store.load)
        self.judge = Judge(self.settings, snapshot)
        for event in journal:
            self.judge.judge(event)
        self.judge.evicted.clear()
        log.info("%s: %d metrics, %d events since the snapshot", self.name, len(self.judge.pool), len(journal))

    async def _judge_some(self) -> None:
        if not (events := await self._answer(lambda: self.store.read(self.settings.batch_size))):
            return
        batch = self._judged(events)
        await self._answer(lambda: self.store.commit(batch))
        self._processed += len(batch.results)
        self._anomalies += len(batch.anomalies)
        self._unsaved += len(batch.results)
        if self._unsaved >= SNAPSHOT_EVENTS or time.monotonic() > self._saved_at + self.settings.snapshot_seconds:
            await self._save()
        await asyncio.sleep(0)  # requests have their turn

    async def _answer(self, ask: Callable[[], Awaitable[T]]) -> T:
        return await answer(ask, self.name, lambda: self._stopping)

    def stop(self) -> None:
        """The batch at hand is finished first."""
        self._stopping = True

    def _judged(self, events: list[Record]) -> Batch:
        batch = Batch()
        batch.events = events
        batch.results = [self.judge.judge(event) for event in events]
        batch.anomalies = [anomaly_of(result) for result in batch.results if result["is_anomaly"]]
        batch.evicted, self.judge.evicted = self.judge.evicted, []
        for anomaly in batch.anomalies:
            log.info("anomaly of %r: %g, z-score %s", anomaly["metric"], anomaly["value"], anomaly["z_score"])
        return batch

    async def _save(self) -> None:
        await self._answer(lambda: self.store.save(self.judge.pool.snapshot()))
        self._saved_at, self._unsaved = time.monotonic(), 0

    def told(self) -> Record:
        """As models.Health names them."""
        counts = {"processed": self._processed, "anomalies": self._anomalies, "events_per_second": self._rate}
        return {"at": time.time()} | counts

    async def _beat(self) -> None:
        """Each second: what it has done, for /health and the log."""
        before = 0
        while True:
            self._rate, before = self._processed - before, self._processed
            try:
                await self.store.beat(self.name, self.told())
                if self._rate:
                    depth = await self.store.depth()
                    log.debug("%s: %d events/s, %d anomalies, queue %d", self.name, self._rate, self._anomalies, depth)
            except DownError:
                pass
            await asyncio.sleep(1)


async def alone(settings: Settings, index: int) -> None:
    from anomaly.persistence_redis import RedisStore

    store = RedisStore(settings, index)
    processor = Processor(store, settings, index)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, processor.stop)
    await processor.run()
    await store.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m anomaly.processor", description="Judges the events that wait in Redis.")
    parser.add_argument("--index", type=int, default=0, help="which of PROCESSORS this is, from 0")
    index = parser.parse_args().index
    settings = prepare(Settings())
    if settings.backend != "redis":
        parser.error("in memory the service judges by itself; set BACKEND=redis")
    if not 0 <= index < settings.processors:
        parser.error(f"PROCESSORS is {settings.processors}, so --index is 0 to {settings.processors - 1}")
    try:
        asyncio.run(alone(settings, index))
    except OvertakenError as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
