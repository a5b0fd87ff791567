# SPDX-License-Identifier: MIT
"""What an odd transaction is: the library's z-score for each user, and beside it the rule of tumbling windows.

The loop and the Flink job both judge by what is here, so their alerts are equal to the last bit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from keyed_stream.transactions import Refusal, Transaction, refusal

if TYPE_CHECKING:
    from keyed_stream.config import Settings

Alert = dict[str, Any]


class User:
    """What is known of one user: the live detector, and the newest time. Pickled, it is the detector's snapshot."""

    __slots__ = ("detector", "newest")

    def __init__(self, settings: Settings) -> None:
        self.detector, self.newest = settings.detector(), 0

    def judge(self, one: Transaction, lateness_ms: int) -> Alert | Refusal | None:
        """An alert, or a refusal of what is late by the user's own clock; then nothing has changed."""
        at = one["timestamp"]
        if at < self.newest - lateness_ms:
            return refusal(f"late: {(self.newest - at) / 1000:g} s behind the newest of {one['userId']}", one)
        self.newest = max(self.newest, at)
        v = self.detector.update(one["amount"], at / 1000)
        if not v.anomaly:
            return None
        stddev = (v.upper - v.expected) / v.threshold
        return alert(
            "zscore", one, v.score, v.expected, stddev, v.upper if one["amount"] > v.expected else v.lower, v.events
        )


def tumbling(window: Sequence[Transaction], threshold: float) -> Alert | None:
    """Of all transactions of a user in a window the largest, if it is above mean + threshold * stddev of the window.

    The sums are exact, so the order of the transactions does not matter.
    """
    amounts = [one["amount"] for one in window]
    if len(amounts) < 3:
        return None
    mean = math.fsum(amounts) / len(amounts)
    stddev = math.sqrt(math.fsum((x - mean) ** 2 for x in amounts) / (len(amounts) - 1))
    limit = mean + threshold * stddev
    largest = max(window, key=lambda one: (one["amount"], -one["timestamp"], one["transactionId"]))
    if not largest["amount"] > limit:
        return None
    return alert("tumbling", largest, (largest["amount"] - mean) / stddev, mean, stddev, limit, len(amounts))


def alert(rule: str, one: Transaction, score: float, mean: float, stddev: float, limit: float, count: int) -> Alert:
    text = (
        f"ANOMALY DETECTED: User {one['userId']} has transaction of {one['amount']:.2f} "
        f"(avg: {mean:.2f}, stddev: {stddev:.2f}, threshold: {limit:.2f}, count: {count})"
    )
    return {
        "rule": rule,
        **{name: one[name] for name in ("userId", "amount", "timestamp", "transactionId", "merchantId")},
        "score": score if math.isfinite(score) else None,  # no spread at all: JSON has no infinity
        "mean": mean,
        "stddev": stddev,
        "limit": limit,
        "count": count,
        "message": text,
    }
