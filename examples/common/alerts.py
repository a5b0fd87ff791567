# SPDX-License-Identifier: MIT
"""Alerts that go out: not too many (token buckets), not in anybody's way (an outbox with a thread), again until they arrive."""

from __future__ import annotations

import logging
import math
import queue
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

log = logging.getLogger("common.alerts")


class TokenBucket:
    """`rate` tokens a second, at most `capacity` at once; full at first. The caller brings the time, in seconds."""

    def __init__(self, rate: float, capacity: float = 1.0) -> None:
        self.rate, self.capacity = rate, capacity
        self._tokens, self._at = capacity, -math.inf

    def take(self, now: float) -> bool:
        passed = max(now - self._at, 0.0)
        self._tokens = min(self.capacity, self._tokens + passed * self.rate) if passed < math.inf else self.capacity
        self._at = max(now, self._at)
        if self._tokens < 1.0 - 1e-9:  # rounding must not cost a token
            return False
        self._tokens -= 1.0
        return True


class Limiter:
    """A bucket for each key; of too many keys the least recently used is forgotten."""

    def __init__(self, rate: float, capacity: float, most_keys: int = 10_000) -> None:
        self.rate, self.capacity, self.most_keys = rate, capacity, most_keys
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def take(self, key: str, now: float) -> bool:
        bucket = self._buckets.pop(key, None) or TokenBucket(self.rate, self.capacity)
        self._buckets[key] = bucket
        if len(self._buckets) > self.most_keys:
            self._buckets.popitem(last=False)
        return bucket.take(now)


class Outbox:
    """Sends in a thread of its own, one after the other, each again until it has been sent. offer() never waits.

    What the bucket has no token for, or what finds the outbox full, is counted as suppressed; the next that goes out is
    sent with that count: send(item, suppressed).
    """

    def __init__(
        self,
        send: Callable[[Any, int], None],
        bucket: TokenBucket,
        room: int = 100,
        pauses: tuple[float, ...] = (1.0, 2.0, 5.0, 10.0, 30.0),
    ) -> None:
        self.sent = self.suppressed = 0
        self.problem = ""  # why the latest attempt failed; empty when it went well
        self._send, self._bucket, self._pauses = send, bucket, pauses
        self._untold = 0
        self._items: queue.Queue[tuple[Any, int]] = queue.Queue(room)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)
        self._thread.start()

    def offer(self, item: Any, now: float | None = None) -> bool:
        if self._items.full() or not self._bucket.take(time.monotonic() if now is None else now):
            self.suppressed += 1
            self._untold += 1
            return False
        self._items.put_nowait((item, self._untold))  # the only one who puts
        self._untold = 0
        return True

    @property
    def pending(self) -> int:
        """How many have been taken and are not yet sent."""
        return self._items.unfinished_tasks

    def close(self, seconds: float = 5.0) -> int:
        """Sends what is left if that works within the time; how many could not be sent."""
        end = time.monotonic() + seconds
        while self.pending and time.monotonic() < end and not self.problem:
            time.sleep(0.01)
        self._ending.set()
        return self.pending

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                item = self._items.get(timeout=0.1)
            except queue.Empty:
                continue
            self._deliver(*item)

    def _deliver(self, item: Any, suppressed: int) -> None:
        tries = 0
        while not self._ending.is_set():
            try:
                self._send(item, suppressed)
            except Exception as error:  # whatever it is, the next attempt may go well
                self.problem = f"{type(error).__name__}: {error}"
                pause = self._pauses[min(tries, len(self._pauses) - 1)]
                log.warning("not sent, again in %g s: %s", pause, self.problem)
                self._ending.wait(pause)
                tries += 1
            else:
                self.problem = ""
                self.sent += 1
                self._items.task_done()
                return
