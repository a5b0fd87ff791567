# SPDX-License-Identifier: MIT
"""Wakes, restores what it knows, judges the batches that wait, saves, and ends: handler() on AWS, `python handler.py` here.

The object `state` is the only truth: it holds the detectors, the insights of the last batch and which batches are done, and
it is written under the condition that nobody has written it meanwhile. What else is written follows from it, and whoever
wakes next makes up for what a handler that was killed has left out. So each batch counts once, whatever overlaps or dies.
"""

from __future__ import annotations

import json
import random
import re
import time
from typing import Any

import batch
import store
from common.state import ConflictError
from judge import Settings, State

WAITING, DONE, INSIGHTS = "traffic/", "judged/", "insights/"
RESERVE_MS = 15_000  # time that a batch gets at least


def publish(where: store.Store, insights: dict[str, Any]) -> None:
    """insights/batches/NAME.json and insights/latest.json, unless they, or later ones, are there."""
    number, latest = insights["revision"], INSIGHTS + "latest.json"
    while True:
        version, data = where.get(latest) or (0, b'{"revision": 0}')
        if json.loads(data)["revision"] >= number:
            return
        try:
            kept = INSIGHTS + f"batches/{insights['batch']}.json"
            if where.get(kept) is None:
                of_batch = {key: value for key, value in insights.items() if key not in ("timeline", "clients")}
                where.put(kept, json.dumps(of_batch).encode(), 0)
            where.put(latest, json.dumps(insights).encode(), version)
        except ConflictError:
            continue  # somebody publishes the same, or what comes after it


def wake(where: store.Store, settings: Settings, context: Any = None) -> dict[str, int]:
    """One batch after the other, each saved before the next, until none waits or the time is up."""
    told = {"batches": 0, "events": 0, "anomalies": 0, "rejected": 0, "conflicts": 0}
    while True:
        version, data = where.get("state") or (0, None)  # before the list: so what is on it and not in `done` is new
        state = State(settings, data)
        if data is not None:
            publish(where, state.insights)
        waiting = where.names(WAITING)
        for name in state.done:
            where.move(WAITING + name, DONE + name)
        new = [name for name in waiting if name not in state.done]
        if not new or (context is not None and context.get_remaining_time_in_millis() < RESERVE_MS):
            return told
        found = where.get(WAITING + new[0])
        if found is None:
            continue  # judged by another
        state.judge(new[0], batch.read(found[1], settings.max_batch_bytes), time.time())
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
    if not re.fullmatch("[a-z][a-z0-9-]{0,30}", settings.stage):
        raise ValueError(f"STAGE: {settings.stage!r} has other characters than a-z, 0-9 and -")
    return wake(store.opened(settings.stage), settings, context)


if __name__ == "__main__":
    print(json.dumps(handler({}, None)))
