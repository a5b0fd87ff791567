# SPDX-License-Identifier: MIT
"""For tests: a run that is killed again and again, beside the same run that nobody disturbs."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from common.servers import Server

T = TypeVar("T")


def interrupted(victim: Server, work: Callable[[], T], times: int, seed: int, pause: tuple[float, float] = (0.2, 1.0)) -> T:
    """Does the work while the victim is killed and started again, as often, at moments that the seed chooses."""
    chance, failed = random.Random(seed), []

    def kill_and_start() -> None:
        try:
            for _ in range(times):
                time.sleep(chance.uniform(*pause))
                victim.kill()
                time.sleep(chance.uniform(0, pause[0]))
                victim.start()
        except Exception as error:
            failed.append(error)

    thread = threading.Thread(target=kill_and_start)
    thread.start()
    try:
        done = work()
    finally:
        thread.join()
    if failed:
        raise failed[0]
    return done


def same(interrupted_run: Sequence[object], whole_run: Sequence[object]) -> None:
    """Says what is missing, what is too much, and what came in another order."""
    if list(interrupted_run) == list(whole_run):
        return
    missing = [item for item in whole_run if item not in interrupted_run]
    extra = [item for item in interrupted_run if item not in whole_run]
    assert not missing, f"{len(missing)} missing, first {missing[0]}"
    assert not extra, f"{len(extra)} too many, first {extra[0]}"
    raise AssertionError("in another order, or twice")
