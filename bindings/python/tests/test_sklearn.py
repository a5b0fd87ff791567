# SPDX-License-Identifier: MIT
"""libanomaly.sklearn: scikit-learn's own checks, beside its IsolationForest, and the C library's scores."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas
import pytest
from sklearn.base import clone
from sklearn.ensemble import IsolationForest as TheirForest
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import libanomaly
from libanomaly.sklearn import IsolationForest, Percentile, ZScore

ESTIMATORS = [
    IsolationForest(),
    IsolationForest(contamination=0.1),
    ZScore(),
    ZScore(threshold=1.5, robust=True),
    Percentile(),
]
# These two want an outlier in the data they make, and three standard deviations from the mean, or well apart from the
# others, there is none. With a lower threshold, as the second ZScore has, or a share, as the second forest, they pass.
NONE_IS_SO_FAR_OUT = {"check_outliers_train", "check_outliers_fit_predict"}


def exceptions(estimator: Any) -> dict[str, str]:
    told = "no row of the data is so far out"
    return dict.fromkeys(NONE_IS_SO_FAR_OUT, told) if repr(estimator) in ("ZScore()", "IsolationForest()") else {}


@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks(ESTIMATORS, expected_failed_checks=exceptions)
def test_scikit_learn_checks_it(estimator: Any, check: Any) -> None:
    check(estimator)


def a_cloud_and_a_ring(seed: int) -> tuple[Any, Any]:
    """S12: 1000 points of N(0, I), and the first 20 of uniform(-6, 6)^2 further out than 4."""
    source = np.random.default_rng(seed)
    around = source.uniform(-6, 6, size=(400, 2))
    outliers = around[np.hypot(*around.T) > 4][:20]
    return np.vstack([source.normal(size=(1000, 2)), outliers]), np.repeat([0, 1], [1000, 20])


def auc(model: Any, X: Any, y: Any) -> float:
    return float(roc_auc_score(y, -model.score_samples(X)))


def test_it_finds_what_scikit_learns_forest_finds() -> None:
    X, y = a_cloud_and_a_ring(0)
    ours = [auc(IsolationForest(trees=100, sample=256, random_state=seed).fit(X), X, y) for seed in range(20)]
    theirs = [auc(TheirForest(random_state=seed).fit(X), X, y) for seed in range(3)]
    assert min(ours) >= 0.998
    assert np.mean(ours) >= np.mean(theirs) - 0.001


def test_same_words_same_meaning() -> None:
    X, _ = a_cloud_and_a_ring(1)
    for kind, most in ((IsolationForest, 20), (TheirForest, 21)):  # 2 % of 1020, rounded down, and up
        forest = kind(contamination=0.02, random_state=0).fit(X)
        assert (forest.predict(X) == -1).sum() == most
        assert (forest.decision_function(X) < 0).sum() == most
        assert forest.score_samples([[0, 0]])[0] > forest.score_samples([[6, 6]])[0]
        assert forest.n_features_in_ == 2
    assert IsolationForest(threshold=0.6).fit(X).offset_ == pytest.approx(-0.6)


def test_equal_rows_are_no_outliers() -> None:
    two_values = np.random.default_rng(4).integers(2, size=(4000, 1)).astype(float)
    for contamination in ("auto", 0.01):
        forest = IsolationForest(window=1000, contamination=contamination)
        for part in np.split(two_values, 8):
            assert (forest.partial_fit(part).predict(two_values) == 1).all()
        assert (forest.fit(np.full((3000, 2), 7.0)).predict(np.full((9, 2), 7.0)) == 1).all()
        assert forest.predict([[7.0, 8.0]]) == -1  # has left what was constant


def test_auto_leaves_ordinary_rows_alone() -> None:
    X = np.random.default_rng(5).normal(size=(5000, 2))
    forest = IsolationForest().fit(X)
    assert (forest.predict(X) == -1).mean() <= 0.002
    assert forest.predict([[7, -7]]) == -1


def test_scores_are_those_of_the_library() -> None:
    X, _ = a_cloud_and_a_ring(2)
    plain = libanomaly.IsolationForest(features=2, window=len(X), seed=7, warmup=1)
    plain.learn_rows(X)
    plain.rebuild()
    forest = IsolationForest(random_state=7, threshold=0.6).fit(X)
    assert np.array_equal(forest.score_samples(X), -plain.score_rows(X).score)
    assert np.array_equal(forest.predict(X) == -1, plain.score_rows(X).score >= 0.6)


def test_z_score_and_percentile_against_numpy() -> None:
    X = np.random.default_rng(3).normal(size=(500, 3))
    z = np.abs(X - X.mean(axis=0)) / X.std(axis=0, ddof=1)
    assert ZScore().fit(X).score_samples(X) == pytest.approx(-z.max(axis=1), rel=1e-12)
    low, high = np.percentile(X, [5, 95], axis=0)
    outside = ((low > X) | (high < X)).any(axis=1)
    assert np.array_equal(Percentile(lower=5, upper=95).fit_predict(X) == -1, outside)
    assert (ZScore(side="upper", threshold=2).fit(X).predict([[-9, 0, 0], [9, 0, 0]]) == [1, -1]).all()


def test_partial_fit_moves_the_window_on() -> None:
    source = np.random.default_rng(4)
    estimator = ZScore(window=100).partial_fit(source.normal(size=(100, 1)))
    assert estimator.predict([[50.0]])[0] == -1
    for _ in range(4):
        estimator.partial_fit(source.normal(50, 1, size=(25, 1)))
    assert estimator.predict([[50.0]])[0] == 1
    fitted = ZScore(window=100).fit(source.normal(50, 1, size=(500, 1)))
    assert fitted.detector_.stats().count == 100


def test_partial_fit_keeps_the_share() -> None:
    source = np.random.default_rng(5)
    forest = IsolationForest(window=512, contamination=0.05).fit(source.normal(size=(512, 2)))
    offsets = [forest.partial_fit(source.standard_t(2, size=(512, 2))).offset_ for _ in range(4)]
    fresh = forest.predict(source.standard_t(2, size=(4096, 2)))
    assert len(set(offsets)) == 4
    assert 0.02 < (fresh == -1).mean() < 0.10


def test_missing_and_infinite_values() -> None:
    X, _ = a_cloud_and_a_ring(6)
    X[::50, 0] = np.nan
    for estimator in (IsolationForest().fit(X), ZScore().fit(X)):
        scores = estimator.score_samples([[np.nan, 0.0], [np.nan, np.nan], [np.inf, 0.0]])
        assert np.isfinite(scores[0])
        assert np.isnan(scores[1])
        assert estimator.predict([[np.nan, 0.0], [np.nan, np.nan], [np.inf, 0.0]]).tolist() == [1, 1, -1]


def test_names_of_features_are_kept() -> None:
    frame = pandas.DataFrame(np.random.default_rng(7).normal(size=(100, 2)), columns=["a", "b"])
    forest = IsolationForest().fit(frame)
    assert forest.feature_names_in_.tolist() == ["a", "b"]
    with pytest.raises(ValueError, match="feature names"):
        forest.predict(frame.rename(columns={"b": "c"}))


def test_pickle_clone_and_search() -> None:
    X, _y = a_cloud_and_a_ring(8)
    forest = IsolationForest(trees=50, random_state=np.random.RandomState(3)).fit(X)
    assert np.array_equal(pickle.loads(pickle.dumps(forest)).score_samples(X), forest.score_samples(X))
    assert not hasattr(clone(forest), "detector_")
    assert clone(forest).set_params(trees=20).get_params()["trees"] == 20


def test_a_search_over_a_pipeline() -> None:
    X, y = a_cloud_and_a_ring(9)
    piped = make_pipeline(StandardScaler(), IsolationForest())
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    search = GridSearchCV(piped, {"isolationforest__profile": ["fast", "balanced"]}, scoring=auc, cv=folds)
    assert search.fit(X, y).best_score_ > 0.99


@pytest.mark.parametrize(
    ("estimator", "field"),
    [(IsolationForest(contamination=0.7), "contamination"), (ZScore(ddof=3), "ddof"), (IsolationForest(trees=0), "trees")],
)
def test_wrong_parameters_are_named(estimator: Any, field: str) -> None:
    with pytest.raises(ValueError, match=field):
        estimator.fit(np.zeros((50, 1)))
