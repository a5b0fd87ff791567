# SPDX-License-Identifier: MIT
"""The detectors as scikit-learn estimators; needs scikit-learn: in a clone, `pip install './bindings/python[sklearn]'`.

`fit(X)` takes X as the window that events are judged against; `partial_fit(X)` moves that window on. As in scikit-learn,
`score_samples` is the smaller the stranger: the negative of what the other classes of this package call score.

>>> import numpy as np
>>> from libanomaly.sklearn import IsolationForest
>>> X = np.random.default_rng(0).normal(size=(1000, 2))
>>> forest = IsolationForest(contamination=0.01).fit(X)
>>> forest.predict([[0, 0], [5, -5]])
array([ 1, -1])

Source: https://scikit-learn.org/stable/developers/develop.html
"""

from __future__ import annotations

from typing import Any, ClassVar

import libanomaly
from libanomaly import Detector

try:
    import numpy as np
    from sklearn.base import BaseEstimator, OutlierMixin
    from sklearn.utils import check_random_state
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:
    raise ImportError("libanomaly.sklearn needs scikit-learn: pip install 'scikit-learn>=1.6'") from error

__all__ = ["IsolationForest", "Percentile", "ZScore"]

_SMALLEST_WINDOW = 16  # the forest's


def _default(kind: type[Detector], name: str, **options: Any) -> int:
    return int(kind(**options).options[name])


class _Estimator(OutlierMixin, BaseEstimator):  # type: ignore[misc, unused-ignore]  # scikit-learn has no types
    KIND: ClassVar[type[Detector]]
    window: int | None

    def _options(self, rows: int) -> dict[str, Any]:
        """The detector's options for a window of so many rows."""
        given = {name: value for name, value in self.get_params(deep=False).items() if name != "window"}
        return {**given, "warmup": 1}  # fit() is the warming up

    def _begin(self, X: Any, rows: int) -> None:
        self.detector_ = self.KIND(features=X.shape[1], window=rows, **self._options(rows))

    def _checked(self, X: Any, reset: bool) -> Any:
        return validate_data(self, X, reset=reset, dtype=np.float64, ensure_all_finite=False)

    def fit(self, X: Any, y: Any = None) -> Any:
        """Takes X, of shape (n_samples, n_features), as what is usual: its last `window` rows, by default all of it.

        NaN is missing; infinite values are not learned. y is ignored. Returns self.
        """
        X = self._checked(X, reset=True)
        self._begin(X, self.window or max(len(X), _SMALLEST_WINDOW))
        return self._first(X)

    def partial_fit(self, X: Any, y: Any = None) -> Any:
        """Takes further rows into the window, out of which the oldest go. Returns self.

        Without a fit() before, the window is `window` rows, by default as many as the detector's own default.
        """
        first = not hasattr(self, "detector_")
        X = self._checked(X, reset=first)
        if first:
            self._begin(X, self.window or _default(self.KIND, "window"))
            return self._first(X)
        self.detector_.update_rows(X, columns=())  # judged too: contamination is a share of the last scores
        return self._set_offset(X)

    def _first(self, X: Any) -> Any:
        self.detector_.learn_rows(X)
        self.detector_.rebuild()
        return self._set_offset(X)

    def _set_offset(self, X: Any) -> Any:
        nothing = np.full((1, X.shape[1]), np.nan)  # every row may have a threshold of its own, where rows are equal
        self.offset_ = self._offset(float(self.detector_.score_rows(nothing, columns="threshold").threshold[0]))
        return self

    def _offset(self, threshold: float) -> float:
        """The score_samples below which an event is an outlier."""
        # The next number above: what has exactly the threshold's score is an outlier.
        return float(np.nextafter(-threshold, np.inf))

    def score_samples(self, X: Any) -> Any:
        """How usual each row is, shape (n_samples,): smaller is stranger. NaN where every value is missing."""
        check_is_fitted(self)
        X = self._checked(X, reset=False)
        return -self.detector_.score_rows(X, columns="score").score

    def decision_function(self, X: Any) -> Any:
        """score_samples(X) - offset_: negative for outliers.

        Not less than 0 for rows whose like are a larger share of the window than may be outliers.
        """
        check_is_fitted(self)
        verdicts = self.detector_.score_rows(self._checked(X, reset=False), columns=("score", "flags"))
        decision = -verdicts.score - self.offset_
        return np.where((decision < 0) & ~verdicts.anomaly, 0.0, decision)

    def predict(self, X: Any) -> Any:
        """-1 for outliers, 1 for the others, and for rows in which every value is missing."""
        return np.where(self.decision_function(X) < 0, -1, 1)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


class IsolationForest(_Estimator):
    """Isolation forest over the last `window` rows.

    Parameters
    ----------
    window : int or None, default=None
        Rows that the forest describes. None: fit() takes all of X; partial_fit() alone 2048.
    contamination : float in (0, 0.5] or "auto", default="auto"
        The share of the window's rows that may be outliers, at most. "auto": those that lie well apart from the others.
    threshold : float or None, default=None
        For "auto": the score from which a row is an outlier instead, `offset_` is -threshold; .5 is typical, whatever the
        data.
    profile : {"fast", "balanced", "accurate"} or None, default=None
        Sets the following ones together. None: "balanced".
    trees, sample, depth, candidates, guided : number or None, default=None
        Trees; rows that a tree is grown from (None: at most as many as there are), deepest level of a leaf, random cuts of
        which a guided one is the best, share of cuts that are guided.
    random_state : int, RandomState or None, default=1
        Same seed and rows, same scores. An int is the `seed` of `libanomaly.IsolationForest`.

    Attributes
    ----------
    detector_ : libanomaly.IsolationForest
        For what scikit-learn has no name for: explain(), snapshot(), update().
    offset_ : float
    n_features_in_ : int
    feature_names_in_ : ndarray of str, where X had names

    Notes
    -----
    Beside `sklearn.ensemble.IsolationForest`: `n_estimators` is `trees`, `max_samples` is `sample`. Its trees cut at random;
    half of these cuts are the best of several, and a value outside what a tree has seen counts as stranger:
    docs/methods.md of libanomaly.
    """

    KIND = libanomaly.IsolationForest

    def __init__(
        self,
        *,
        window: int | None = None,
        contamination: float | str = "auto",
        threshold: float | None = None,
        profile: str | None = None,
        trees: int | None = None,
        sample: int | None = None,
        depth: int | None = None,
        candidates: int | None = None,
        guided: float | None = None,
        random_state: Any = 1,
    ) -> None:
        self.window = window
        self.contamination = contamination
        self.threshold = threshold
        self.profile = profile
        self.trees = trees
        self.sample = sample
        self.depth = depth
        self.candidates = candidates
        self.guided = guided
        self.random_state = random_state

    def _options(self, rows: int) -> dict[str, Any]:
        options = super()._options(rows)
        seed = options.pop("random_state")
        options["seed"] = int(seed) if isinstance(seed, (int, np.integer)) else check_random_state(seed).randint(2**31)
        if options["contamination"] == "auto":
            options["contamination"] = 0
        elif not 0 < options["contamination"] <= 0.5:
            raise ValueError(f'contamination: {options["contamination"]} is neither "auto" nor in (0, 0.5]')
        if options["sample"] is None:
            options["sample"] = min(_default(self.KIND, "sample", profile=self.profile), rows)
        return options


class ZScore(_Estimator):
    """Standard deviations from the mean of the last `window` rows; of several features the largest.

    Parameters
    ----------
    window : int or None, default=None
        Rows that are compared with. None: fit() takes all of X; partial_fit() alone 1000.
    threshold : float, default=3.0
    side : {"both", "upper", "lower"}, default="both"
    ddof : {0, 1}, default=1
    robust : bool, default=False
        Median and 1.4826 MAD instead of mean and standard deviation.
    min_stddev : float, default=0.0
        A smaller spread counts as this one, in the unit of X.

    Attributes
    ----------
    detector_ : libanomaly.ZScore
    offset_ : float
    n_features_in_ : int
    feature_names_in_ : ndarray of str, where X had names

    Examples
    --------
    >>> estimator = ZScore(robust=True).fit([[50], [51], [52], [53], [54], [500]])
    >>> estimator.predict([[53], [500]])
    array([ 1, -1])
    """

    KIND = libanomaly.ZScore

    def __init__(
        self,
        *,
        window: int | None = None,
        threshold: float = 3.0,
        side: str = "both",
        ddof: int = 1,
        robust: bool = False,
        min_stddev: float = 0.0,
    ) -> None:
        self.window = window
        self.threshold = threshold
        self.side = side
        self.ddof = ddof
        self.robust = robust
        self.min_stddev = min_stddev


class Percentile(_Estimator):
    """Outside two exact percentiles of the last `window` rows.

    Parameters
    ----------
    window : int or None, default=None
        Rows that are compared with. None: fit() takes all of X; partial_fit() alone 1000.
    lower, upper : float, default=1.0, 99.0
        The bounds, in percent.
    threshold : float, default=0.0
        How far outside, in units of the bounds' distance.
    side : {"both", "upper", "lower"}, default="both"
    quantile : {"linear", "nearest"}, default="linear"
        "linear" is NumPy's.

    Attributes
    ----------
    detector_ : libanomaly.Percentile
    offset_ : float
    n_features_in_ : int
    feature_names_in_ : ndarray of str, where X had names

    Examples
    --------
    >>> estimator = Percentile(lower=5, upper=95).fit([[i] for i in range(101)])
    >>> estimator.predict([[4], [5], [95], [96]])
    array([-1,  1,  1, -1])
    """

    KIND = libanomaly.Percentile

    def __init__(
        self,
        *,
        window: int | None = None,
        lower: float = 1.0,
        upper: float = 99.0,
        threshold: float = 0.0,
        side: str = "both",
        quantile: str = "linear",
    ) -> None:
        self.window = window
        self.lower = lower
        self.upper = upper
        self.threshold = threshold
        self.side = side
        self.quantile = quantile

    def _offset(self, threshold: float) -> float:
        return -threshold  # what lies on the bound is usual
