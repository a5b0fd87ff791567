# SPDX-License-Identifier: MIT
"""libanomaly.river: river's own checks, and the scores of the detectors themselves."""

from __future__ import annotations

import copy
import datetime as dt
import pickle
import random
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest
from river import anomaly, checks, compose, datasets, evaluate, metrics, preprocessing

import libanomaly
from libanomaly import river as adapted

DETECTORS = [adapted.ZScore, adapted.Percentile, adapted.IsolationForest]


class Cards:
    """Takes the place of datasets.CreditCard, which would be downloaded: so many features, a few odd events."""

    def __iter__(self) -> Iterator[tuple[dict[str, float], int]]:
        source = random.Random(5)
        for i in range(100_000):
            odd = source.random() < 0.01
            event = {f"V{f}": source.gauss(4 if odd else 0, 1) for f in range(1, 29)}
            yield {"Time": float(i), **event, "Amount": source.expovariate(0.01)}, int(odd)

    def take(self, count: int) -> Any:
        return islice(self, count)


def all_checks() -> list[Any]:
    models = [made() for made in (*DETECTORS, adapted.TargetZScore, adapted.TargetPercentile)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(datasets, "CreditCard", Cards)
        return [pytest.param(m, c, id=f"{type(m).__name__}-{c.__name__}") for m in models for c in checks.yield_checks(m)]


@pytest.mark.parametrize(("model", "check"), all_checks())
def test_river_checks_it(model: Any, check: Any) -> None:
    if check.__name__ not in model._unit_test_skips():
        check(model.clone())


def test_nothing_is_left_out_of_rivers_checks() -> None:
    assert all(not made()._unit_test_skips() for made in DETECTORS)
    assert len(all_checks()) >= 3 * 20


@pytest.mark.parametrize("made", DETECTORS)
def test_scores_are_those_of_the_detector(made: Any) -> None:
    source = random.Random(1)
    events = [{"b": source.gauss(0, 1), "a": source.gauss(5, 2)} for _ in range(400)]
    model, detector = made(window=200), made.KIND(window=200, features=2)
    for x in events:
        want = detector.score((x["a"], x["b"]))
        cold = want.flags & libanomaly.Flag.WARMING_UP or want.score != want.score
        assert model.score_one(x) == (0 if cold else want.score)
        model.learn_one(x)
        detector.learn((x["a"], x["b"]))
    assert model.verdict_one(events[0]) == detector.score((events[0]["a"], events[0]["b"]))
    assert model.feature_names == ("a", "b")


def test_a_feature_that_is_absent_is_missing_and_one_that_is_new_is_not_looked_at() -> None:
    model = adapted.ZScore()
    for i in range(20):
        model.learn_one({"a": i % 3, "b": i % 5})
    with_both, without_b = model.verdict_one({"a": 9, "b": 2}), model.verdict_one({"a": 9})
    assert with_both.score == without_b.score == model.score_one({"a": 9, "c": 1e9})
    assert without_b.flags & libanomaly.Flag.MISSING
    assert model.score_one({"c": 1e9}) == 0
    assert adapted.ZScore(names=["z", "a"]).feature_names == ("z", "a")


def test_a_window_of_time_takes_the_events_time() -> None:
    model, start = adapted.ZScore(window="10s", time="at"), dt.datetime(2026, 3, 2)
    for second in range(30):
        model.learn_one({"at": start + dt.timedelta(seconds=second), "x": second})
    assert model.feature_names == ("x",)
    verdict = model.verdict_one({"at": start + dt.timedelta(seconds=29), "x": 0})
    assert (verdict.events, verdict.expected) == (11, 24)
    target = adapted.TargetZScore(window="10s", time="at")
    for second in range(30):
        target.learn_one({"at": float(second)}, second)
    assert target.verdict_one({"at": 29.0}, 0).expected == 24


def test_scores_are_finite_and_0_while_warming_up() -> None:
    flat = adapted.TargetZScore(warmup=5)
    for _ in range(4):
        flat.learn_one(None, 7.0)
    assert flat.score_one(None, 8.0) == 0
    flat.learn_one(None, 7.0)
    assert flat.score_one(None, 8.0) == flat.score_one(None, float("inf")) == adapted.LARGEST
    assert flat.score_one(None, 7.0) == flat.score_one(None, float("nan")) == 0
    assert adapted.ZScore().score_one({"a": 1}) == 0


def test_wrong_options_are_refused_at_once() -> None:
    with pytest.raises(libanomaly.ConfigError, match="windw"):
        adapted.ZScore(windw=5)
    with pytest.raises(libanomaly.ConfigError, match="lower"):
        adapted.Percentile(lower=150)


def test_a_pipeline_scales_and_is_evaluated() -> None:
    model = preprocessing.StandardScaler() | adapted.IsolationForest()
    assert evaluate.progressive_val_score(Cards().take(3000), model, metrics.ROCAUC()).get() > 0.85


def test_a_filter_within_a_pipeline_classifies() -> None:
    model = compose.Pipeline(preprocessing.StandardScaler(), anomaly.QuantileFilter(adapted.IsolationForest(), q=0.98))
    recall = metrics.Recall()
    for x, y in Cards().take(3000):
        recall.update(bool(y), model["QuantileFilter"].classify(model.score_one(x)))
        model.learn_one(x)
    assert recall.get() > 0.8
    assert model["QuantileFilter"].anomaly_detector.feature_names[:2] == ("Amount", "Time")


def test_a_threshold_filter_keeps_a_target_out() -> None:
    model = anomaly.ThresholdFilter(adapted.TargetZScore(window=50), threshold=4)
    for i in range(100):
        model.learn_one(None, float(i % 10))
    before = model.anomaly_detector.verdict_one(None, 5.0)
    model.learn_one(None, 500.0)
    assert model.classify(model.score_one(None, 500.0))
    assert model.anomaly_detector.verdict_one(None, 5.0) == before


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copy_goes_on_alike(copied: Any) -> None:
    model = adapted.IsolationForest(window=128)
    for x, _ in Cards().take(200):
        model.learn_one(x)
    twin = copied(model)
    for x, _ in Cards().take(50):
        model.learn_one(x)
        twin.learn_one(x)
        assert model.score_one(x) == twin.score_one(x)
