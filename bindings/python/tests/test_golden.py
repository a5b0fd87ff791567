# SPDX-License-Identifier: MIT
"""The verdicts of tests/golden/verdicts, which C gives too: byte for byte, through every way of asking."""

import copy
import pickle

import pytest
from conftest import GOLDEN, of_verdict, of_verdicts

import libanomaly


def times_of(golden):
    return golden.times or [None] * len(golden.x)


def test_there_are_golden_files():
    assert {path.stem for path in GOLDEN} >= {"zscore", "zscore-time", "percentile", "iforest"}


def test_single_calls(golden):
    detector = golden.detector()
    assert [of_verdict(detector.update(x, t)) for x, t in zip(golden.x, times_of(golden))] == golden.want


def test_plain_numbers_and_keywords(golden):
    detector = golden.detector()
    for x, t, want in zip(golden.x, times_of(golden), golden.want):
        assert of_verdict(detector.update(x=x[0] if len(x) == 1 else tuple(x), time=t)) == want


def test_a_pool_key(golden):
    pool = libanomaly.Pool(golden.kind, **golden.options)
    assert [of_verdict(pool.update("k", x, t)) for x, t in zip(golden.x, times_of(golden))] == golden.want


def test_a_slot(golden):
    pool = libanomaly.Pool(golden.kind, **golden.options)
    slot = pool.slot("k")
    assert [of_verdict(pool.update_at(slot, x, t)) for x, t in zip(golden.x, times_of(golden))] == golden.want


@pytest.mark.parametrize("piece", [1, 7, 64, 1000])
def test_rows(golden, piece):
    detector, got = golden.detector(), []
    for i in range(0, len(golden.x), piece):
        times = golden.times and golden.times[i : i + piece]
        got += of_verdicts(detector.update_rows(golden.x[i : i + piece], times, "all"))
    assert got == golden.want


def test_rows_of_a_pool(golden):
    pool = libanomaly.Pool(golden.kind, **golden.options)
    assert of_verdicts(pool.update_rows(["k"] * len(golden.x), golden.x, golden.times, "all")) == golden.want


@pytest.mark.parametrize("copied", [copy.copy, lambda d: pickle.loads(pickle.dumps(d))], ids=["copy", "pickle"])
def test_after_a_snapshot(golden, copied):
    detector, got = golden.detector(), []
    for i, (x, t) in enumerate(zip(golden.x, times_of(golden))):
        if i % 50 == 25:
            detector = copied(detector)
        got.append(of_verdict(detector.update(x, t)))
    assert got == golden.want
