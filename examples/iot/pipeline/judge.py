# SPDX-License-Identifier: MIT
"""From messages to verdicts: a pool of detectors for each partition, a detector for each sensor and metric."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import libanomaly
from libanomaly import Flag

from pipeline.config import Settings
from pipeline.slack import message as slack_message
from pipeline.store import Batch, Claim, Key

LONGEST_NAME, LONGEST_KEPT = 50, 4096


@dataclass(frozen=True)
class Reading:
    key: Key
    value: float
    time: datetime


def name_of(data: Mapping[str, Any], member: str) -> str:
    name = data.get(member)
    if not isinstance(name, str) or not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise ValueError(f"{member} is not a text of 1 to {LONGEST_NAME} characters")
    return name


def understood(message: bytes | None) -> Reading:
    """ValueError says what is wrong with it."""
    try:
        data = json.loads(message or b"")
    except (ValueError, RecursionError):
        raise ValueError("not JSON") from None
    if not isinstance(data, dict):
        raise ValueError("not a JSON object")
    key = name_of(data, "sensor_id"), name_of(data, "metric_type")
    value = data.get("value")
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError("value is not a number")
    try:
        value = float(value)
    except OverflowError:
        value = math.inf
    if not math.isfinite(value):
        raise ValueError("value is not a finite number")
    return Reading(key, value, time_of(data.get("timestamp")))


def time_of(text: object) -> datetime:
    try:
        time = datetime.fromisoformat(text.replace("Z", "+00:00"))  # type: ignore[attr-defined]
        time = time.astimezone(timezone.utc) if time.tzinfo else time.replace(tzinfo=timezone.utc)
    except (AttributeError, ValueError, OverflowError):
        raise ValueError("timestamp is not a time like 2025-07-20T10:19:16+00:00") from None
    if not 2000 <= time.year < 2100:
        raise ValueError("timestamp is not between the years 2000 and 2100")
    return time


def known(number: float) -> float | None:
    return number if math.isfinite(number) else None


def detectors(settings: Settings) -> libanomaly.Pool:
    """One for each sensor and metric."""
    return libanomaly.Pool(
        "zscore",
        window=settings.window_events,
        threshold=settings.anomaly_threshold,
        warmup=settings.anomaly_min_count,
        learn="normal:5",
    )


class Judge:
    """Of one partition. What it is told to judge it has learned, whether or not that is written."""

    def __init__(self, settings: Settings, partition: int, partitions: int, claim: Claim) -> None:
        self.partition, self.partitions, self.most = partition, partitions, settings.max_keys
        self.epoch, self.position = claim.epoch, claim.begin
        self.last: dict[Key, float] = {}
        self.pool = detectors(settings)
        for key, snapshot in claim.snapshots.items():
            self.pool.import_key(key, snapshot)

    def judge(self, messages: Iterable[tuple[int, bytes | None]]) -> Batch:
        """Of messages by offset; those that were judged before are passed over."""
        batch = Batch(self.partition, self.epoch, self.position, self.position)
        ids, readings = [], []
        new: set[Key] = set()
        for offset, message in messages:
            if offset < batch.end:
                continue
            batch.end = offset + 1
            number = offset * self.partitions + self.partition
            try:
                reading = understood(message)
                if reading.key not in new and reading.key not in self.pool:
                    if len(self.pool) + len(new) >= self.most:
                        raise ValueError(f"more than {self.most} sensors and metrics in this partition (MAX_KEYS)")
                    new.add(reading.key)
            except ValueError as error:
                batch.rejected.append((number, str(error), (message or b"")[:LONGEST_KEPT]))
            else:
                ids.append(number)
                readings.append(reading)
        self.position = batch.end
        if readings:
            self._judge(batch, ids, readings)
        return batch

    def _judge(self, batch: Batch, ids: list[int], readings: list[Reading]) -> None:
        keys = [reading.key for reading in readings]
        columns = ("score", "flags", "expected", "lower", "upper")
        verdicts = self.pool.update_rows(keys, [reading.value for reading in readings], columns=columns)
        told = zip(*(getattr(verdicts, column).tolist() for column in columns))
        for number, reading, (score, flags, *usual) in zip(ids, readings, told):
            odd = bool(flags & Flag.IS_ANOMALY)
            usual = [known(one) for one in usual]
            batch.readings.append((number, *reading.key, reading.value, reading.time, *usual, odd))
            if odd:
                z = -score if flags & Flag.BELOW else score
                batch.anomalies.append((number, *reading.key, reading.value, z, reading.time, *usual))
                batch.alerts.append((number, self._alert(reading, z)))
            self.last[reading.key] = reading.value
        batch.snapshots = [(self.partition, *key, self.pool.export_key(key)) for key in dict.fromkeys(keys)]

    @staticmethod
    def _alert(reading: Reading, z: float) -> str:
        sensor, metric = reading.key
        told = {"sensor_id": sensor, "metric_type": metric, "value": reading.value, "z_score": z, "timestamp": reading.time}
        return json.dumps(slack_message(told))
