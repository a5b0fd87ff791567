# SPDX-License-Identifier: MIT
"""What bench.py compares: the library's detector, and two of pure Python; in a module, so that they can be pickled."""

import math
from collections import deque

from libanomaly import ZScore

THRESHOLD = 4.0


class Live:
    """The library's detector."""

    __slots__ = ("detector",)

    def __init__(self, window):
        self.detector = ZScore(window=window, threshold=THRESHOLD, warmup=30)

    def judge(self, x):
        return self.detector.update(x).anomaly


class Welford:
    """Mean and variance of everything so far: it has no window, and forgets nothing."""

    __slots__ = ("count", "mean", "squares")

    def __init__(self, window):
        self.count, self.mean, self.squares = 0, 0.0, 0.0

    def judge(self, x):
        odd = self.count >= 30 and abs(x - self.mean) >= THRESHOLD * math.sqrt(self.squares / (self.count - 1))
        self.count += 1
        off = x - self.mean
        self.mean += off / self.count
        self.squares += off * (x - self.mean)
        return odd


class Sliding:
    """The last values, their sum and sum of squares."""

    __slots__ = ("squares", "total", "values")

    def __init__(self, window):
        self.values, self.total, self.squares = deque(maxlen=window), 0.0, 0.0

    def judge(self, x):
        n = len(self.values)
        odd = False
        if n >= 30:
            variance = (self.squares - self.total * self.total / n) / (n - 1)
            odd = abs(x - self.total / n) >= THRESHOLD * math.sqrt(max(variance, 0.0))
        if n == self.values.maxlen:
            old = self.values[0]
            self.total -= old
            self.squares -= old * old
        self.values.append(x)
        self.total += x
        self.squares += x * x
        return odd
