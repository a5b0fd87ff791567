# SPDX-License-Identifier: MIT
"""From the queue to verdicts: judges what the queue holds and stores what comes of it in one step with the events' leaving."""

from __future__ import annotations

import asyncio
import logging
import time

from anomaly.config import Settings
from anomaly.detector import Judge, anomaly_of
from anomaly.persistence import Batch, Record, Store

log = logging.getLogger("anomaly.processor")


class Processor:
    def __init__(self, store: Store, settings: Settings, judge: Judge) -> None:
        self.store, self.settings, self.judge = store, settings, judge
        self.processed = self.anomalies = 0
        self.rate = 0.0
        self._counted, self._since = 0, time.monotonic()

    async def run(self) -> None:
        while True:
            batch = self._judged(await self.store.read(self.settings.batch_size))
            await self.store.commit(batch)
            self.processed += len(batch.results)
            self.anomalies += len(batch.anomalies)
            await asyncio.sleep(0)  # requests have their turn

    def _judged(self, events: list[Record]) -> Batch:
        batch = Batch()
        batch.results = [self.judge.judge(event) for event in events]
        batch.anomalies = [anomaly_of(result) for result in batch.results if result["is_anomaly"]]
        batch.evicted, self.judge.evicted = self.judge.evicted, []
        for anomaly in batch.anomalies:
            log.info("anomaly of %r: %g, z-score %s", anomaly["metric"], anomaly["value"], anomaly["z_score"])
        return batch

    async def report(self) -> None:
        """Counts events per second, and says so in the log where there were any."""
        while True:
            await asyncio.sleep(1)
            now = time.monotonic()
            self.rate = (self.processed - self._counted) / (now - self._since)
            self._counted, self._since = self.processed, now
            if self.rate:
                log.debug("%.0f events/s, %d anomalies, queue %d", self.rate, self.anomalies, await self.store.depth())
