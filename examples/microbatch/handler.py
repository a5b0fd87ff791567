# SPDX-License-Identifier: MIT
"""Wakes, restores what it knows, judges the batches that wait, saves, and ends: handler() on AWS, `python handler.py` here.

The object `state` is the only truth: it holds the detectors, the insights of the last batch and which batches are done, and
it is written under the condition that nobody has written it meanwhile. What else is written follows from it, and whoever
wakes next makes up for what a handler that was killed has left out. So each batch counts once, whatever overlaps or dies.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import sys
import time
from typing import Any

import batch
import store
from common.state import ConflictError
from judge import Settings, State

WAITING, DONE, INSIGHTS = "traffic/", "judged/", "insights/"
RESERVE_MS = 15_000  # time that a batch gets at least


def age(data: bytes) -> tuple[float, int]:
    """Of insights: when their state began, and how many batches there were. What is damaged is replaced."""
    try:
        told = json.loads(data)
        return float(told["began"]), int(told["revision"])
    except (ValueError, KeyError, TypeError):
        return 0.0, 0


def file_name(name: str) -> str:
    """Of the insights of a batch: a name and its ending have up to 255 bytes."""
    encoded = os.fsencode(name)
    return name if len(encoded) <= 200 else hashlib.sha256(encoded).hexdigest()


def publish(where: store.Store, insights: dict[str, Any]) -> None:
    """insights/batches/NAME.json and insights/latest.json, unless they, or later ones, are there."""
    of_batch = {key: value for key, value in insights.items() if key not in ("timeline", "clients")}
    for key, told in ((f"batches/{file_name(insights['batch'])}.json", of_batch), ("latest.json", insights)):
        data = json.dumps(told).encode()
        while True:
            version, there = where.get(INSIGHTS + key) or (0, b"")
            if age(there) >= age(data):
                break
            with contextlib.suppress(ConflictError):  # somebody publishes the same, or what comes before or after it
                where.put(INSIGHTS + key, data, version)


def wake(where: store.Store, settings: Settings, context: Any = None) -> dict[str, int]:
    """One batch after the other, each saved before the next, until none waits or the time is up."""
    told = {"batches": 0, "events": 0, "anomalies": 0, "rejected": 0, "conflicts": 0}
    while True:
        version, data = where.get("state") or (0, None)  # before the list: so what is on it and not in `done` is new
        state = State(settings, data)
        if data is not None:
            publish(where, state.insights)
        waiting = [name for name in where.names(WAITING) if name and name[0] != "."]
        for name in state.done:
            where.move(WAITING + name, DONE + name)
        new = [name for name in waiting if name not in state.done]
        if not new or (context is not None and context.get_remaining_time_in_millis() < RESERVE_MS):
            return told
        found, now = where.start_of(WAITING + new[0], settings.max_batch_bytes + 1), time.time()
        if found is None:
            continue  # judged by another
        state.judge(new[0], batch.read(found, settings.max_batch_bytes, now), now)
        state.done = [name for name in state.done if name in waiting] + new[:1]
        try:
            where.put("state", state.dump(), version)
        except ConflictError:
            told["conflicts"] += 1
            time.sleep(random.uniform(0, 0.1))
            continue
        told["batches"] += 1
        for key in ("events", "anomalies", "rejected"):
            told[key] += state.insights[key]


def handler(event: Any, context: Any) -> dict[str, int]:
    """The event says only that it is time."""
    settings = Settings.of()
    return wake(store.opened(settings.stage), settings, context)


if __name__ == "__main__":
    try:
        print(json.dumps(handler({}, None)))
    except ValueError as error:  # a setting, or the state
        sys.exit(f"handler: {error}")
