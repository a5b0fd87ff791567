# SPDX-License-Identifier: MIT
"""What type checkers must let pass; test_typing.py runs them. assert_type() is an error where another type is seen."""

from __future__ import annotations

import time
from datetime import timedelta

from typing_extensions import assert_type

import libanomaly
from libanomaly import Backtest, Incident, IsolationForest, Percentile, Pool, Verdict, ZScore

detector = ZScore(window=timedelta(minutes=5), threshold=3.5, learn="normal:5")
verdict = detector.update(1.0, time=time.time())
assert_type(verdict, Verdict)
assert_type(verdict.score, float)
assert_type(verdict.lower, float)
assert_type(verdict.flags, int)
assert_type(verdict.feature, int)
assert_type(verdict.events, int)
assert_type(verdict.anomaly, bool)
assert_type(verdict.names, tuple[str, ...])
assert_type(detector.stats().mean, float)
assert_type(detector.counters().late, int)
assert_type(detector.feature_names, tuple[str, ...])
assert_type(Percentile(window="5min", lower=2).quantile(0.5), float)
assert_type(IsolationForest(features=3).options, "dict[str, str | int | float]")

Pool()
Pool("zscore", window="1 hour", robust=True, max_keys=1000, refuse=True)
Pool("percentile", window=500, lower=5, max_idle="1h")
Pool("mahalanobis", lags="pyramid", max_keys=1000)
pool = Pool("iforest", features=2, trees=32, on_evict=lambda key, snapshot: print(key, len(snapshot)))
pool.update("a", [1, 2])
pool.update(b"a", [1, 2])
pool.update(17, [1, 2])
assert_type(pool.update(("web", 3), [1, 2], time.time()).score, float)
for key in pool:
    pool.remove(key)
libanomaly.key_hash(17)

found = libanomaly.backtest([False, True], ["no", "yes"], grace=timedelta(minutes=1))
assert_type(found, Backtest)
assert_type(found.found, list[Incident])
assert_type(found.found[0].delay, "float | None")
assert_type(found.false_alarms_per_1000_events, float)
