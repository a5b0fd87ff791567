# SPDX-License-Identifier: MIT
"""What is judged, and what is remembered from batch to batch. No clock, no files, no network.

Each client has a detector of its own in a pool; one more judges the requests of the whole site. The state is bytes: a line
with a checksum, a line of JSON, which holds the insights of the last batch, and the snapshot of the pool.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import os
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from libanomaly import Pool, ZScore

from batch import SITE, Batch

FORMAT = b"microbatch 1 "
TIMELINE = 600  # seconds of the site that the page shows
RECENT = 900.0  # seconds for which an odd client stays in the list
CLIENTS = 50  # in that list
ANOMALIES = 1000  # of a batch that are listed


@dataclass(frozen=True)
class Settings:
    stage: str = "dev"
    window: str = "300s"
    warmup: int = 10
    threshold: float = 5.0
    max_clients: int = 100_000
    max_batch_bytes: int = 4 * 1024 * 1024

    @classmethod
    def of(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """From variables of these names in upper case."""
        given = {f.name: environment[f.name.upper()] for f in fields(cls) if environment.get(f.name.upper())}
        changed: dict[str, Any] = {}
        for name, text in given.items():
            kind = type(getattr(cls, name))
            try:
                changed[name] = kind(text)
            except ValueError:
                raise ValueError(f"{name.upper()}: {text!r} is no {kind.__name__}") from None
            if kind is int and changed[name] < 1:
                raise ValueError(f"{name.upper()}: {text!r} is below 1")
        if not re.fullmatch("[a-z][a-z0-9-]{0,30}", given.get("stage", "dev")):
            raise ValueError(f"STAGE: {given['stage']!r} has other characters than a-z, 0-9 and -")
        return cls(**changed)

    def detector(self) -> dict[str, Any]:
        return {
            "window": self.window,
            "warmup": self.warmup,
            "threshold": self.threshold,
            "side": "upper",
            "min_stddev": 1.0,  # a client of always one request may send two
            "learn": "normal:600",  # what lasts ten minutes becomes usual
        }


def mark(data: bytes) -> bytes:
    return FORMAT + hashlib.sha256(data).hexdigest().encode()


def rounded(value: float) -> float | None:
    return round(value, 4) if math.isfinite(value) else None


class State:
    """What one batch leaves for the next."""

    def __init__(self, settings: Settings, data: bytes | None) -> None:
        self.settings = settings
        self.done: list[str] = []  # batches that are judged and may still be among those that wait
        self.insights: dict[str, Any] = {}  # of the last batch
        self.notes: list[str] = []
        self.pool, self.site = self._new()
        if data is not None:
            self._load(data)

    def _new(self) -> tuple[Pool, ZScore]:
        options = self.settings.detector()
        return Pool(max_keys=self.settings.max_clients, max_idle="1h", population=True, **options), ZScore(**options)

    def _load(self, data: bytes) -> None:
        first, _, rest = data.partition(b"\n")
        if not first.startswith(FORMAT):
            raise ValueError(
                f"state: begins with {first[:20]!r}, not with {FORMAT!r}; is it damaged, or of another version?"
            )
        if first != mark(rest):
            raise ValueError("state: is damaged, its checksum is wrong")
        head, _, snapshot = rest.partition(b"\n")
        kept = json.loads(head)
        self.done, self.insights = kept["done"], kept["insights"]
        settings = asdict(self.settings)
        if changed := [name for name in ("window", "warmup") if self.insights["settings"][name] != settings[name]]:
            was = ", ".join(f"{name} was {self.insights['settings'][name]}" for name in changed)
            self.notes.append(f"the detectors begin anew: {was}")
            return
        self.site = ZScore.restore(base64.b64decode(kept["site"], validate=True))
        self.pool = Pool.restore(snapshot, limits={"max_keys": self.settings.max_clients, "max_idle": "1h"})
        self.site.threshold = self.pool.threshold = self.settings.threshold

    def dump(self) -> bytes:
        head = {
            "done": self.done,
            "insights": self.insights,
            "site": base64.b64encode(self.site.snapshot()).decode(),
        }
        rest = json.dumps(head).encode() + b"\n" + self.pool.snapshot()
        return mark(rest) + b"\n" + rest

    def judge(self, name: str, batch: Batch, now: float) -> None:
        """Goes on by one batch."""
        before = self.insights
        clients = self._judge_clients(batch)
        seconds, site = self._judge_site(batch)
        odd = sorted(clients + site, key=lambda one: (one["time"], one["client"]))
        totals = before.get("totals", {"batches": 0, "events": 0, "anomalies": 0, "rejected": 0})
        counts = {"batches": 1, "events": len(batch.times), "anomalies": len(odd), "rejected": batch.rejected}
        self.insights = {
            "began": before.get("began", now),
            "revision": before.get("revision", 0) + 1,
            "batch": name,
            "stage": self.settings.stage,
            "written_at": now,
            "settings": asdict(self.settings),
            "notes": self.notes,
            **counts,
            "errors": [{"line": line, "error": error} for line, error in batch.errors],
            "anomaly_list": odd[:ANOMALIES],
            "totals": {key: totals[key] + counts[key] for key in totals},
            "watched_clients": len(self.pool),
            "timeline": sorted(before.get("timeline", []) + seconds, key=lambda one: one[0])[-TIMELINE:],
            "clients": self._worst(before.get("clients", []), clients, batch),
        }

    def _judge_clients(self, batch: Batch) -> list[dict[str, Any]]:
        if not batch.times:
            return []
        columns = ("score", "expected", "upper", "flags")
        found = self.pool.update_rows(batch.clients, batch.requests, batch.times, columns=columns)
        return [
            {
                "time": batch.times[i],
                "client": batch.clients[i],
                "requests": batch.requests[i],
                "usual": rounded(found.expected[i]),
                "upper": rounded(found.upper[i]),
                "score": rounded(found.score[i]),
            }
            for i, odd in enumerate(found.anomaly)
            if odd
        ]

    def _judge_site(self, batch: Batch) -> tuple[list[list[Any]], list[dict[str, Any]]]:
        """Every second from the first to the last of the batch, also those without a request."""
        totals: Counter[int] = Counter()
        for at, requests in zip(batch.times, batch.requests):
            totals[int(at)] += requests  # type: ignore[assignment]
        seconds, odd = [], []
        for at in range(min(totals), max(totals) + 1) if totals else ():
            verdict = self.site.update(totals[at], float(at))
            expected, upper = rounded(verdict.expected), rounded(verdict.upper)
            seconds.append([at, totals[at], expected, upper, verdict.anomaly])
            if verdict.anomaly:
                odd.append(
                    {
                        "time": float(at),
                        "client": SITE,
                        "requests": totals[at],
                        "usual": expected,
                        "upper": upper,
                        "score": rounded(verdict.score),
                    }
                )
        return seconds, odd

    def _worst(self, before: list[Any], odd: list[dict[str, Any]], batch: Batch) -> list[dict[str, Any]]:
        """The clients that were odd lately, those first whose odd seconds had most requests."""
        newest = max([*batch.times, *(one["last"] for one in before)], default=0.0)
        worst = {one["client"]: dict(one) for one in before if one["last"] > newest - RECENT}
        for one in odd:
            new = {"client": one["client"], "seconds": 0, "requests": 0.0, "peak": 0.0, "first": one["time"]}
            kept = worst.setdefault(one["client"], new)
            kept["seconds"] += 1
            kept["requests"] += one["requests"]
            kept["peak"] = max(kept["peak"], one["requests"])
            kept["usual"], kept["last"] = one["usual"], one["time"]
        return sorted(worst.values(), key=lambda one: (-one["requests"], one["client"]))[:CLIENTS]
