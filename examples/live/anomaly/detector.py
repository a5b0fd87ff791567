# SPDX-License-Identifier: MIT
"""From events to verdicts: one pool of detectors of the library, a key for each metric."""

from __future__ import annotations

import logging
import math
import time
import uuid
from typing import Any

import libanomaly
from libanomaly import Flag

from anomaly.config import Settings

log = logging.getLogger("anomaly.detector")
METHODS = {"zscore": "z-score", "percentile": "percentile", "watch": "watch"}


def pool_options(settings: Settings) -> dict[str, Any]:
    """The configuration as the library's options."""
    if settings.detector == "watch":  # needs no setting
        return {"alarms": "auto", "rest": 150}
    options: dict[str, Any] = {"window": f"{settings.window_seconds!r}s"}
    if settings.detector == "zscore":
        options |= {"threshold": settings.anomaly_threshold, "warmup": settings.anomaly_min_count}
    return options


def finite(number: float) -> float | None:
    return number if math.isfinite(number) else None


class Judge:
    """Judges events in turn. `evicted` are metrics that had to make room: who keeps anything of them may drop it."""

    def __init__(self, settings: Settings, snapshot: bytes | None = None) -> None:
        self.method = settings.detector
        self.evicted: list[str] = []
        limits: dict[str, Any] = {"max_keys": settings.max_metrics, "max_bytes": settings.max_pool_bytes}
        told = {"on_evict": lambda key, _: self.evicted.append(str(key))}
        options = pool_options(settings)
        self.pool = libanomaly.Pool(self.method, **limits, **told, **options)  # type: ignore[call-overload]
        if snapshot is not None:
            try:
                self.pool = libanomaly.Pool.restore(snapshot, kind=self.method, limits=limits, **told, **options)
            except libanomaly.ConfigError as error:
                log.warning("the settings are others than those of the snapshot (%s): the detectors begin anew", error)
        self._alarm = Flag.ALARM if self.method == "watch" else Flag.IS_ANOMALY

    def judge(self, event: dict[str, Any]) -> dict[str, Any]:
        """The event with its verdict."""
        verdict = self.pool.update(event["metric"], event["value"], event["timestamp"])
        below = bool(verdict.flags & Flag.BELOW)
        spread = (verdict.upper - verdict.expected) / verdict.threshold if self.method == "zscore" else math.nan
        return {
            "metric": event["metric"],
            "value": event["value"],
            "timestamp": event["timestamp"],
            "mean": finite(verdict.expected),
            "stddev": finite(spread),
            "variance": finite(spread * spread),
            "lower": finite(verdict.lower),
            "upper": finite(verdict.upper),
            "z_score": finite(-verdict.score if below else verdict.score),
            "threshold": verdict.threshold,
            "direction": "below" if below else "above",
            "is_anomaly": bool(verdict.flags & self._alarm),
            "detection_method": METHODS[self.method],
            "window_count": verdict.events,
            "event_id": event["event_id"],
            "event_meta": event.get("meta"),
        }


def point(result: dict[str, Any]) -> list[Any]:
    """What the chart shows of a result."""
    return [result[name] for name in ("timestamp", "value", "mean", "lower", "upper", "is_anomaly")]


def anomaly_of(result: dict[str, Any]) -> dict[str, Any]:
    record = {name: value for name, value in result.items() if name != "event_id"}
    return record | {"anomaly_id": uuid.uuid4().hex[:16], "detected_at": time.time()}
