# SPDX-License-Identifier: MIT
"""Event by event, is something off? Exact sliding-window anomaly detection at C speed.

>>> from libanomaly import ZScore
>>> detector = ZScore(window=100)
>>> for x in [50, 51, 52, 53, 54] * 4 + [95]:
...     verdict = detector.update(x)
...     if verdict.anomaly:
...         print(f"{x}: score {verdict.score:.2f}, usual is {verdict.lower:.2f} to {verdict.upper:.2f}")
95: score 29.64, usual is 47.65 to 56.35
"""

from libanomaly._backtest import Backtest, Incident, backtest
from libanomaly._detectors import (
    Detector,
    IsolationForest,
    Mahalanobis,
    Percentile,
    Watch,
    ZScore,
    detector,
    watch,
)
from libanomaly._errors import (
    ArgumentError,
    BusyError,
    ConfigError,
    CorruptError,
    EmptyError,
    Error,
    FullError,
    KindError,
    LibanomalyWarning,
    NotFoundError,
    OutOfMemoryError,
    StoppedError,
    VersionError,
)
from libanomaly._options import Kind, Option, kinds, options
from libanomaly._pool import Pool, Usage, key_hash, restore
from libanomaly._results import Counters, Flag, Silence, Stats, Verdict
from libanomaly._rows import Verdicts
from libanomaly._suggest import Alarm, Suggestion, suggest


def _version() -> str:
    from libanomaly._native import lib

    number = lib.anomaly_version()
    return f"{number // 10000}.{number // 100 % 100}.{number % 100}"


__version__ = _version()
del _version

__all__ = [
    "Alarm",
    "ArgumentError",
    "Backtest",
    "BusyError",
    "ConfigError",
    "CorruptError",
    "Counters",
    "Detector",
    "EmptyError",
    "Error",
    "Flag",
    "FullError",
    "Incident",
    "IsolationForest",
    "Kind",
    "KindError",
    "LibanomalyWarning",
    "Mahalanobis",
    "NotFoundError",
    "Option",
    "OutOfMemoryError",
    "Percentile",
    "Pool",
    "Silence",
    "Stats",
    "StoppedError",
    "Suggestion",
    "Usage",
    "Verdict",
    "Verdicts",
    "VersionError",
    "Watch",
    "ZScore",
    "backtest",
    "detector",
    "key_hash",
    "kinds",
    "options",
    "restore",
    "suggest",
    "watch",
]
