# SPDX-License-Identifier: MIT
"""Alerts that go out: not too many (token buckets), not in anybody's way (a thread that sends), again until they arrive."""

from __future__ import annotations

import contextlib
import logging
import math
import queue
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

log = logging.getLogger("common.alerts")
T = TypeVar("T")
PAUSES = (1.0, 2.0, 5.0, 10.0, 30.0)


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


class LaterError(Exception):
    """Not sent; the receiver has said for how many seconds it wants to be left alone."""

    def __init__(self, text: str, seconds: float) -> None:
        super().__init__(text)
        self.seconds = seconds


class _EndedError(Exception):
    pass


class Sender:
    """Sends in a thread of its own, one after the other, each again until it has been sent.

    take() brings the next item, or None where after a moment there is none; done(item) is told what has been sent. Each of
    the three is tried again when it raises, by itself: what has been sent is not sent again because done() failed.
    """

    def __init__(
        self,
        take: Callable[[], T | None],
        send: Callable[[T], None],
        done: Callable[[T], None],
        pauses: Sequence[float] = PAUSES,
    ) -> None:
        self.sent = 0
        self.problem = ""  # why the latest attempt failed; empty when it went well
        self.ending = threading.Event()
        self._take, self._send, self._done, self._pauses = take, send, done, pauses
        self._thread = threading.Thread(target=self._run, name="sender", daemon=True)
        self._thread.start()

    def close(self, seconds: float = 5.0) -> None:
        """Ends after what is on its way, if that takes no longer."""
        self.ending.set()
        self._thread.join(seconds)

    def _run(self) -> None:
        with contextlib.suppress(_EndedError):
            while not self.ending.is_set():
                item = self._again(self._take)
                if item is not None:
                    self._again(self._send, item)
                    self._again(self._done, item)
                    self.sent += 1

    def _again(self, step: Callable[..., Any], *arguments: Any) -> Any:
        tries = 0
        while True:
            try:
                answer = step(*arguments)
            except Exception as error:  # whatever it is, the next attempt may go well
                self.problem = f"{type(error).__name__}: {error}"
                pause = max(self._pauses[min(tries, len(self._pauses) - 1)], getattr(error, "seconds", 0.0))
                log.warning("not sent, again in %g s: %s", pause, self.problem)
                tries += 1
                if self.ending.wait(pause):
                    raise _EndedError from None
            else:
                self.problem = ""
                return answer


class Outbox:
    """A sender of what is offered to it in memory. offer() never waits.

    What the bucket has no token for, or what finds the outbox full, is counted as suppressed; the next that goes out is
    sent with that count: send(item, suppressed).
    """

    def __init__(
        self,
        send: Callable[[Any, int], None],
        bucket: TokenBucket,
        room: int = 100,
        pauses: Sequence[float] = PAUSES,
    ) -> None:
        self.suppressed = 0
        self._bucket = bucket
        self._untold = 0
        self._items: queue.Queue[tuple[Any, int]] = queue.Queue(room)
        self._sender = Sender(self._next, lambda item: send(*item), lambda _: self._items.task_done(), pauses)

    def _next(self) -> tuple[Any, int] | None:
        try:
            return self._items.get(timeout=0.1)
        except queue.Empty:
            return None

    def offer(self, item: Any, now: float | None = None) -> bool:
        if self._items.full() or not self._bucket.take(time.monotonic() if now is None else now):
            self.suppressed += 1
            self._untold += 1
            return False
        self._items.put_nowait((item, self._untold))  # the only one who puts
        self._untold = 0
        return True

    @property
    def sent(self) -> int:
        return self._sender.sent

    @property
    def problem(self) -> str:
        return self._sender.problem

    @property
    def pending(self) -> int:
        """How many have been taken and are not yet sent."""
        return self._items.unfinished_tasks

    def close(self, seconds: float = 5.0) -> int:
        """Sends what is left if that works within the time; how many could not be sent."""
        end = time.monotonic() + seconds
        while self.pending and time.monotonic() < end and not self.problem:
            time.sleep(0.01)
        self._sender.ending.set()
        return self.pending
