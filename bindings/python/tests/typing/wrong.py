# SPDX-License-Identifier: MIT
"""What type checkers must call an error: each line that is marked, and no other; test_typing.py runs them."""

import libanomaly
from libanomaly import IsolationForest, Pool, ZScore

ZScore(windw=3)  # wrong
ZScore(side="left")  # wrong
IsolationForest(robust=True)  # wrong
Pool("nonsense")  # wrong
Pool("zscore", windw=3)  # wrong
Pool("zscore", trees=100)  # wrong
Pool("iforest", robust=True)  # wrong
Pool("percentile", max_keys="many")  # wrong
Pool(max_key=3)  # wrong
Pool().update(1.5, 1)  # wrong
verdict = ZScore().update(1.0)
verdict.score = 5.0  # wrong
print(verdict.scores)  # wrong
print(verdict.score.anomaly)  # wrong
libanomaly.backtest([0, 1], [0, 1], grace="soon")  # wrong
