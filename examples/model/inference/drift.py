# SPDX-License-Identifier: MIT
"""Does the world still look like the rows that the model was trained on?

Two questions. Share: are too many of the last predictions anomalies? That is for people: it may be a fault. Distribution:
do the features of a whole window of rows come from where the training rows came from? That is a reason to train anew.

How the distribution is compared, feature by feature:
- Like with like: a value is replaced by its rank among the training values of the same hour of the day (of the period), so
  a daily rhythm is no drift, whatever part of the day the window covers. Hours that training has not seen are left out.
- The two-sample test of Kolmogorov and Smirnov compares the ranks of the window with those of the training rows.
- Values that follow each other are alike, so they count for fewer: the number of independent ones comes from the spread of
  means of batches, of the training rows or of the window, whichever says fewer (batch means). Taken as independent, ordinary
  days would alarm.
- The chance is multiplied by the number of features (Bonferroni). A drift is what is unlikely *and* matters: mean or
  standard deviation have moved by more than a part of the training rows' own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import ks_2samp, kstwobign

from inference.rows import Floats, Rows

HOUR = 3600.0
LEAST_OF_HOUR = 20  # training rows, for an hour to be compared
LEAST = 100  # rows of the window that can be compared


class Share:
    """The share of anomalies among the last `window` predictions; None as long as there are fewer than `least`."""

    def __init__(self, window: int, least: int, limit: float) -> None:
        self._last: deque[bool] = deque(maxlen=window)
        self.least, self.limit = least, limit

    def add(self, odd: bool) -> None:
        self._last.append(odd)

    @property
    def value(self) -> float | None:
        return sum(self._last) / len(self._last) if len(self._last) >= self.least else None

    @property
    def drifted(self) -> bool:
        return (self.value or 0.0) > self.limit


@dataclass(frozen=True)
class Rules:
    alpha: float = 1e-4  # chance of a false alarm in one comparison of all features
    shift: float = 0.1  # what matters, in standard deviations of the training rows
    period: float = 86400.0  # seconds, of the rhythm


@dataclass(frozen=True)
class Feature:
    mean_diff: float  # in standard deviations of the training rows of the same hours
    std_diff: float
    ks: float  # largest difference of the two distributions, 0 to 1
    p: float  # chance of that where nothing has changed, for all features together
    drift_detected: bool


@dataclass(frozen=True)
class Report:
    rows: int  # that were compared
    drift_detected: bool
    features: dict[str, Feature]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def compare(reference: Rows, live: Rows, rules: Rules) -> Report:
    """The rows of a window beside the training rows, which have the same features."""
    hours, hours_live = _hours(reference, live, rules.period)
    known = [hour for hour in np.unique(hours_live) if np.sum(hours == hour) >= LEAST_OF_HOUR]
    trained, seen = reference.where(np.isin(hours, known)), live.where(np.isin(hours_live, known))
    if len(seen.values) < LEAST:
        return Report(len(seen.values), False, {})
    hours, hours_live = hours[np.isin(hours, known)], hours_live[np.isin(hours_live, known)]
    features = {
        name: _feature(_Column(trained.values[:, i], hours), _Column(seen.values[:, i], hours_live), rules, len(live.names))
        for i, name in enumerate(reference.names)
    }
    return Report(len(seen.values), any(found.drift_detected for found in features.values()), features)


def _hours(reference: Rows, live: Rows, period: float) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The hour of the period of each row; 0 for all where training has not seen two periods, or times are missing."""
    spans = len(reference.times) and np.ptp(reference.times) >= 2 * period - HOUR
    if not spans or np.isnan(live.times).any():  # with NaN among the times there is no span
        return np.zeros(len(reference.times), np.int64), np.zeros(len(live.times), np.int64)
    return (reference.times % period // HOUR).astype(np.int64), (live.times % period // HOUR).astype(np.int64)


class _Column:
    """The values of a feature that are there, by hour."""

    def __init__(self, values: Floats, hours: npt.NDArray[np.int64]) -> None:
        there = ~np.isnan(values)
        self.values: Floats = values[there]
        self.hours = hours[there]

    def of(self, hour: int) -> Floats:
        found: Floats = self.values[self.hours == hour]
        return found


def _feature(trained: _Column, seen: _Column, rules: Rules, features: int) -> Feature:
    if len(seen.values) < LEAST or len(trained.values) < LEAST_OF_HOUR:
        return Feature(0.0, 0.0, 0.0, 1.0, False)
    ranks, ranks_seen = _ranks(trained, trained), _ranks(trained, seen)
    ks = float(ks_2samp(ranks_seen, ranks, method="asymp").statistic)
    n, m = len(ranks_seen), len(ranks)
    independent = n * m / (n + m) / max(_alike(ranks), _alike(ranks_seen))
    p = min(1.0, features * float(kstwobign.sf(np.sqrt(independent) * ks)))
    mean, std = _expected(trained, seen.hours)
    scale = std or abs(mean) or 1.0  # a constant feature has no deviation of its own
    mean_diff, std_diff = (float(np.mean(seen.values)) - mean) / scale, (float(np.std(seen.values)) - std) / scale
    matters = max(abs(mean_diff), abs(std_diff)) > rules.shift
    return Feature(mean_diff, std_diff, ks, p, matters and p < rules.alpha)


def _ranks(trained: _Column, of: _Column) -> Floats:
    """The rank of each value among the training values of its hour: 0 to 1, ties in the middle."""
    ranks: Floats = np.full(len(of.values), 0.5)
    for hour in np.unique(of.hours):
        known, here = np.sort(trained.of(hour)), of.hours == hour
        if len(known):
            places = [np.searchsorted(known, of.values[here], side) for side in ("left", "right")]
            ranks[here] = (places[0] + places[1]) / 2 / len(known)
    return ranks


def _alike(ranks: Floats) -> float:
    """How many values that follow each other count for one: spread of the means of batches beside that of single values."""
    size = round(len(ranks) ** (2 / 3))
    batches = [float(np.mean(ranks[i : i + size])) for i in range(0, len(ranks) - size + 1, size)]
    variance = float(np.var(ranks))
    return max(1.0, size * float(np.var(batches, ddof=1)) / variance) if variance and len(batches) > 1 else 1.0


def _expected(trained: _Column, hours: npt.NDArray[np.int64]) -> tuple[float, float]:
    """Mean and standard deviation (divisor n) that the training rows have at these hours."""
    present = [(trained.of(hour), float(count)) for hour, count in zip(*np.unique(hours, return_counts=True), strict=True)]
    total = sum(count for values, count in present if len(values))
    parts = [(float(np.mean(values)), float(np.var(values)), count / total) for values, count in present if len(values)]
    mean = sum(weight * middle for middle, _, weight in parts)
    variance = sum(weight * (spread + (middle - mean) ** 2) for middle, spread, weight in parts)
    return mean, float(np.sqrt(variance))


def rows_of(names: tuple[str, ...], rows: Iterable[tuple[float, Floats]]) -> Rows:
    """Rows of (time, values)."""
    times, values = zip(*rows, strict=True)
    return Rows(names, np.array(values, float), np.array(times, float))
