# SPDX-License-Identifier: MIT
"""What the endpoints work with: the model that is served, what was judged lately, and what follows from it.

All but judging, comparing, training and the store's files happens in the event loop, so nothing here needs a lock.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Coroutine, Sequence
from itertools import islice
from typing import Any

import numpy as np

from common.state import DirectoryStates
from inference import retrain
from inference.drift import Report, Rules, Share, compare, rows_of
from inference.metrics import Metrics
from inference.model import Judged, Model, ModelError, Models
from inference.rows import Floats, Rows
from inference.settings import Settings

log = logging.getLogger("inference")


class Service:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.metrics = Metrics()
        states = DirectoryStates(settings.model_dir)
        self.models = Models(states)
        self.trigger = retrain.Trigger(states, "service", settings.retrain_cooldown_seconds)
        self.rules = Rules(settings.drift_alpha, settings.drift_shift, settings.drift_period_seconds)
        self.recent: deque[tuple[float, Floats]] = deque(maxlen=settings.keep_rows)
        self.report: Report | None = None
        self._wanted = 0  # rows that a retraining under way is collecting; 0: none is
        self._gathered = 0  # of them
        self._training = False
        self._checking, self._following = asyncio.Lock(), asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._refused = ""  # the version that could not be loaded
        self._take(self.models.load(self.models.current()))

    def _take(self, model: Model) -> None:
        """Serves the model from the next request on. What is known of the one before does not count any more, and nothing is
        left to be trained in its place."""
        if self._wanted and not self._training:
            log.warning("the retraining is given up before it had its rows: another model was published")
        self.model = model
        self._wanted = 0
        self.share = Share(self.settings.share_window, self.settings.share_least, self.settings.share_limit)
        self.fresh: list[tuple[float, Floats]] = []
        self.report = None
        self.metrics.forget_features()
        self.metrics.share.set(0)
        self.metrics.model.info({"version": model.version})
        self.metrics.loaded.set(time.time())
        log.info("serving %s", model.version)

    async def follow(self) -> None:
        """Serves what is published, until it is cancelled. A model that cannot be loaded changes nothing."""
        while True:
            await asyncio.sleep(self.settings.reload_seconds)
            try:
                await self.follow_once()
            except Exception as error:  # the store may be back the next time
                log.warning("the store of models: %s", error)

    async def follow_once(self) -> None:
        async with self._following:  # in turn: what one has taken is not taken again
            version = await asyncio.to_thread(self.models.current)
            if version not in (self.model.version, self._refused):
                await self._load(version)

    async def _load(self, version: str) -> None:
        try:
            model = await asyncio.to_thread(self.models.load, version)
        except ModelError as error:
            self._refused = version
            self.metrics.failures.inc()
            log.error("still serving %s: %s: %s", self.model.version, version, error)
            return
        if model.names != self.model.names:
            log.warning("the model has other features: %s", ", ".join(model.names))
            self.recent.clear()
        self._take(model)
        self.metrics.swaps.inc()

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def note(self, model: Model, values: Floats, times: Sequence[float], found: Sequence[Judged]) -> None:
        """Remembers what was judged, and looks whether the model still fits."""
        self.metrics.predictions.inc(len(found))
        for one in found:
            if one.prediction == -1:
                self.metrics.anomalies.inc()
                self.metrics.causes.labels(next(iter(one.explanation))).inc()
        if model is not self.model:
            return  # judged by the one before: says nothing of this one
        for one in found:
            before = self.share.drifted
            self.share.add(one.prediction == -1)
            self.metrics.share_alerts.inc(int(self.share.drifted and not before))
        self.metrics.share.set(self.share.value or 0)
        rows = list(zip(times, values, strict=True))
        self.recent.extend(rows)
        if self._wanted:
            self._gather(len(rows))
        else:
            self.fresh.extend(rows)
            if len(self.fresh) >= self.settings.drift_rows:
                window, self.fresh = self.fresh, []
                self._later(self._check(model, window))

    async def _check(self, model: Model, window: list[tuple[float, Floats]]) -> None:
        async with self._checking:  # in turn: what one window has started holds for the next
            if model is self.model and not self._wanted:
                await self._compare(model, rows_of(model.names, window))

    async def _compare(self, model: Model, live: Rows) -> None:
        report = await asyncio.to_thread(compare, model.reference, live, self.rules)
        if model is not self.model:
            return
        self.report = report
        self.metrics.compared(report)
        if report.drift_detected and not self._wanted:
            moved = [name for name, feature in report.features.items() if feature.drift_detected]
            log.warning("the features have drifted: %s", ", ".join(moved))
            if self.settings.retrain:
                with contextlib.suppress(retrain.CoolingError, OSError):  # counted and in the log
                    await self.retrain(len(live.values))

    async def retrain(self, rows: int) -> str:
        """Starts a retraining on the last rows and what is to come; CoolingError; what it has done, in words."""
        start = self._ask if self.settings.retrain_url else lambda: None
        try:
            await asyncio.to_thread(self.trigger.fire, start, time.time())
        except retrain.CoolingError as error:
            self.metrics.retrainings.labels("cooling").inc()
            log.info("%s", error)
            raise
        except OSError as error:
            self.metrics.retrainings.labels("failed").inc()
            log.error("the retraining could not be started: %s", error)
            raise
        self.metrics.retrainings.labels("started").inc()
        if self.settings.retrain_url:
            return "asked for a retraining"
        self._wanted, self._gathered = self.settings.retrain_rows, min(rows, len(self.recent))
        self._gather(0)
        return f"trains as soon as there are {self._wanted} rows; there are {self._gathered}"

    def _ask(self) -> None:
        settings = self.settings
        retrain.post(settings.retrain_url, settings.retrain_ref, settings.retrain_token.get_secret_value())

    def _gather(self, more: int) -> None:
        self._gathered += more
        if self._gathered >= self._wanted and not self._training:
            self._training = True
            last = list(islice(self.recent, max(0, len(self.recent) - self._gathered), None))
            self._later(self._train(self.model, rows_of(self.model.names, last)))

    async def _train(self, model: Model, rows: Rows) -> None:
        try:
            version = await asyncio.to_thread(retrain.train, rows, self.settings.model_dir)
            self.metrics.retrainings.labels("done").inc()
            log.info("trained %s on %d rows", version, len(rows.values))
            await self.follow_once()
        except Exception as error:  # the model that is served stays
            self.metrics.retrainings.labels("failed").inc()
            log.error("the retraining failed: %s", error)
        finally:
            self._training = False
            if model is self.model:
                self._wanted = 0  # after a swap, what is wanted is wanted for another model


def matrix(rows: Sequence[Sequence[float | None]]) -> Floats:
    return np.array(rows, float)  # None becomes NaN
