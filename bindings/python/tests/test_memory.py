# SPDX-License-Identifier: MIT
"""Nothing leaks. LEAK_ROUNDS=1000000 makes it long."""

import contextlib
import copy
import gc
import os
import pickle
import resource
import tracemalloc

import numpy as np
import pytest

import libanomaly
from libanomaly import IsolationForest, Percentile, Pool, Verdict, ZScore

ROUNDS = int(os.environ.get("LEAK_ROUNDS", "5000"))


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def traced(work, rounds):
    """Bytes of Python objects that `rounds` leave behind: the least of six: tables and free lists fill first."""
    tracemalloc.start()
    slices = []
    for _ in range(6):
        start = tracemalloc.get_traced_memory()[0]
        for _ in range(rounds):
            work()
        gc.collect()
        slices.append(tracemalloc.get_traced_memory()[0] - start)
    tracemalloc.stop()
    return min(slices)


def grown(work, rounds):
    """Bytes by which the process grows, once everything is warm."""
    before = resident()
    for _ in range(rounds):
        work()
    gc.collect()
    return resident() - before


def lifetimes():
    rows = np.arange(200.0).reshape(100, 2)

    def zscore():
        detector = ZScore(window=1000)
        for x in range(8):
            detector.update(x)

    def percentile_with_rows():
        Percentile(window=50, features=2).update_rows(rows, columns="all")

    def forest():
        IsolationForest(features=2, window=64, sample=16, trees=4, warmup=8).update_rows(rows)

    def errors():
        detector = ZScore(window="5s")
        for call in (
            lambda: detector.update(1.0),
            lambda: detector.update("x"),
            lambda: detector.update_rows([1.0]),
            lambda: ZScore(windw=1),
            lambda: libanomaly.restore(b"x" * 100),
        ):
            with contextlib.suppress(libanomaly.Error, TypeError, ValueError):
                call()

    def copies():
        detector = ZScore(window=100)
        detector.learn_rows(rows[:, 0])
        pickle.loads(pickle.dumps(copy.copy(detector)))
        detector.close()

    def pool():
        with Pool("zscore", window=10, max_keys=2, shards=1, on_evict=lambda *told: None) as pool:
            for key in ("a", "b", "c", b"d"):
                pool.update(key, 1.0)
            pool.update_rows(["a", "e"], [1.0, 2.0])
            list(pool)
            Pool.restore(pool.snapshot())

    def verdicts():
        verdict = Verdict(1, 2, 3, 4, 5, 6, 7, 8, 9)
        repr(verdict), hash(verdict), verdict == verdict, verdict.names

    return [(zscore, 1), (percentile_with_rows, 4), (forest, 20), (errors, 20), (copies, 10), (pool, 20), (verdicts, 2)]


@pytest.mark.parametrize(("work", "cost"), lifetimes(), ids=lambda given: getattr(given, "__name__", ""))
def test_nothing_leaks(work, cost):
    rounds = ROUNDS // cost
    for _ in range(rounds // 10):
        work()
    assert traced(work, 300) < 300 * 16
    # A verdict alone is 88 bytes: one lost a round would show.
    assert grown(work, rounds) < 512 * 1024 + 16 * rounds


def test_views_outlive_the_input():
    """The library keeps no pointer: what was given may be changed or freed right after the call."""
    detector, other = ZScore(window=100), ZScore(window=100)
    for start in range(0, 1000, 100):
        values = np.arange(start, start + 100.0) % 13
        verdicts = detector.update_rows(values)
        want = other.update_rows(values.copy()).score
        values[:] = np.nan
        del values
        assert np.array_equal(verdicts.score, want, equal_nan=True)
