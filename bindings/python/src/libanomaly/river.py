# SPDX-License-Identifier: MIT
"""The detectors with river's habits; needs river: in a clone, `pip install './bindings/python[river]'`.

They fit wherever river takes an anomaly detector: in pipelines, in `anomaly.QuantileFilter` and `ThresholdFilter`, in
`evaluate.progressive_val_score`. Their scores are those of `libanomaly.ZScore` and its sisters.

>>> from libanomaly.river import ZScore
>>> detector = ZScore(window=100)
>>> for i in range(30):
...     detector.learn_one({"temperature": 20 + i % 5, "humidity": 40 + i % 7})
>>> round(detector.score_one({"temperature": 22, "humidity": 43}), 2)
0.08
>>> round(detector.score_one({"temperature": 22, "humidity": 90}), 2)
22.79

Source: https://riverml.xyz/latest/api/base/AnomalyDetector/
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, ClassVar

import libanomaly
from libanomaly import Detector, Flag, Verdict

try:
    from river.base import AnomalyDetector, SupervisedAnomalyDetector
except ImportError:
    try:  # where river had them before
        from river.anomaly.base import AnomalyDetector, SupervisedAnomalyDetector
    except ImportError as error:
        raise ImportError("libanomaly.river needs river: pip install 'river>=0.21'") from error

__all__ = ["IsolationForest", "Percentile", "TargetPercentile", "TargetZScore", "ZScore"]

Name = Hashable
NAN = float("nan")
# Instead of an infinite score (a flat window, an infinite value): estimators that calculate with scores, as QuantileFilter
# does, would never recover from infinity.
LARGEST = 1e100


def _finite(verdict: Verdict) -> float:
    """The score as river has it: finite, and 0 while there is nothing to judge by."""
    score = verdict.score
    if verdict.flags & Flag.WARMING_UP or score != score:
        return 0.0
    return min(score, LARGEST)


class _Features(AnomalyDetector):
    """Judges the dictionary as a whole; the subclasses say how."""

    KIND: ClassVar[type[Detector]]

    def __init__(self, names: Sequence[Name] | None = None, time: Name | None = None, **options: Any) -> None:
        self.KIND.memory_needed(**options)  # refuses wrong options now, not at the first event
        self.names = names
        self.time = time
        self.options = options
        self._names: tuple[Name, ...] = ()
        self._detector: Detector | None = None
        if names is not None:
            self._begin(names)

    def _begin(self, names: Sequence[Name]) -> Detector:
        self._names = tuple(names)
        self._detector = self.KIND(features=len(self._names), **self.options)
        return self._detector

    def _values(self, x: Mapping[Name, Any]) -> list[float]:
        return [x.get(name, NAN) for name in self._names]

    def _time(self, x: Mapping[Name, Any]) -> Any:
        return None if self.time is None else x.get(self.time)

    def learn_one(self, x: Mapping[Name, Any]) -> None:
        """Takes an event into the window."""
        detector = self._detector
        if detector is None:
            # By name, so that the order within a dictionary does not matter.
            names = sorted((name for name in x if name != self.time), key=str)
            if not names:
                return
            detector = self._begin(names)
        detector.learn(self._values(x), self._time(x))

    def verdict_one(self, x: Mapping[Name, Any]) -> Verdict | None:
        """The whole verdict: bounds, flags, and `feature`, an index into `feature_names`. None before the first event."""
        return None if self._detector is None else self._detector.score(self._values(x), self._time(x))

    def score_one(self, x: Mapping[Name, Any]) -> float:
        """How strange an event is to the window as it stands: larger is stranger, 0 while it is warming up."""
        detector = self._detector
        return 0.0 if detector is None else _finite(detector.score(self._values(x), self._time(x)))

    @property
    def feature_names(self) -> tuple[Name, ...]:
        """The features that are judged, in the order of the detector; empty before the first event."""
        return self._names


class ZScore(_Features):
    """Standard deviations from the mean of the window; of several features the largest.

    Parameters
    ----------
    names
        The features to judge. By default those of the first event that is learned. Any others are not looked at; one that
        an event does not have is missing, and the others are judged without it.
    time
        The name of the entry that holds the event's time (int nanoseconds, float seconds, datetime); needed where the window
        is one of time.
    options
        As for `libanomaly.ZScore`: `window`, `warmup`, `threshold` and so on.

    Examples
    --------
    >>> detector = ZScore(window="5m", time="at")
    >>> for second in range(60):
    ...     detector.learn_one({"at": float(second), "load": second % 4})
    >>> detector.verdict_one({"at": 60.0, "load": 10})
    <Verdict is_anomaly|above: score 7.53901, usual -1.88241 to 4.88241>
    """

    KIND = libanomaly.ZScore


class Percentile(_Features):
    """How far outside two exact percentiles of the window, in units of their distance; negative inside.

    Parameters
    ----------
    names, time
        As for `ZScore`.
    options
        As for `libanomaly.Percentile`: `window`, `lower`, `upper` and so on.

    Examples
    --------
    >>> detector = Percentile(lower=5, upper=95)
    >>> for i in range(100):
    ...     detector.learn_one({"load": i})
    >>> round(detector.score_one({"load": 50}), 3), round(detector.score_one({"load": 200}), 3)
    (-0.494, 1.189)
    """

    KIND = libanomaly.Percentile


class IsolationForest(_Features):
    """Streaming isolation forest: judges all features together, scores from 0 to 1, .5 is typical.

    Features need no scaling.

    Parameters
    ----------
    names, time
        As for `ZScore`.
    options
        As for `libanomaly.IsolationForest`: `window`, `profile`, `seed` and so on.

    Examples
    --------
    >>> from river import anomaly
    >>> model = anomaly.QuantileFilter(IsolationForest(), q=0.99)
    >>> for i in range(500):
    ...     model.learn_one({"a": i % 16, "b": i % 31})
    >>> model.classify(model.score_one({"a": 8, "b": 15})), model.classify(model.score_one({"a": 60, "b": -30}))
    (False, True)
    """

    KIND = libanomaly.IsolationForest


class _Target(SupervisedAnomalyDetector):
    """Judges the target y, as river's GaussianScorer does."""

    KIND: ClassVar[type[Detector]]

    def __init__(self, time: Name | None = None, **options: Any) -> None:
        self.time = time
        self.options = options
        self._detector = self.KIND(**options)

    def _time(self, x: Mapping[Name, Any] | None) -> Any:
        return None if self.time is None or x is None else x.get(self.time)

    def learn_one(self, x: Mapping[Name, Any] | None, y: Any) -> None:
        """Takes y into the window; of x only the time is looked at."""
        self._detector.learn(y, self._time(x))

    def verdict_one(self, x: Mapping[Name, Any] | None, y: Any) -> Verdict:
        """The whole verdict on y."""
        return self._detector.score(y, self._time(x))

    def score_one(self, x: Mapping[Name, Any] | None, y: Any) -> float:
        """How strange y is to the window as it stands: larger is stranger, 0 while it is warming up."""
        return _finite(self._detector.score(y, self._time(x)))


class TargetZScore(_Target):
    """Standard deviations of the target from its mean over the window: in the place of `GaussianScorer(window_size=N)`.

    >>> detector = TargetZScore(window=100)
    >>> for i in range(30):
    ...     detector.learn_one(None, 50 + i % 10)
    >>> round(detector.score_one(None, 95), 2)
    13.86
    """

    KIND = libanomaly.ZScore


class TargetPercentile(_Target):
    """How far the target lies outside two exact percentiles of the window; see `Percentile`.

    >>> detector = TargetPercentile(window=100)
    >>> for i in range(100):
    ...     detector.learn_one(None, i)
    >>> detector.score_one(None, 50) < 0 < detector.score_one(None, 100)
    True
    """

    KIND = libanomaly.Percentile
