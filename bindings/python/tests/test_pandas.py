# SPDX-License-Identifier: MIT
"""pandas objects: a column in, columns with the same index out; where rolling() agrees, and where it differs and why."""

import numpy as np
import pandas as pd
import pytest

import libanomaly
from libanomaly import Flag, Percentile, ZScore


def series(n=3000, seed=1):
    rng = np.random.default_rng(seed)
    index = pd.date_range("2024-01-01", periods=n, freq="s", name="at")
    return pd.Series(rng.normal(50, 5, n), index, name="cpu")


def test_series_in_series_out():
    x = series()
    verdicts = ZScore(window=100).update_rows(x, columns="all")
    for name in verdicts:
        assert isinstance(verdicts[name], pd.Series)
        assert verdicts[name].index is x.index
        assert verdicts[name].name == name
    frame = verdicts.to_frame()
    assert list(frame.columns) == list(verdicts)
    assert frame.index.equals(x.index)
    assert np.array_equal(frame.score, ZScore(window=100).update_rows(x.to_numpy()).score, equal_nan=True)
    assert x[verdicts.anomaly].size == verdicts.anomaly.sum() > 0
    assert pd.DataFrame(dict(verdicts)).equals(frame)


def test_frames_of_any_dtype():
    x = pd.DataFrame({"a": np.arange(50.0) % 7, "b": np.arange(50) % 5, "c": pd.array([*range(49), None], "Int64")})
    got = ZScore(window=20, features=3).update_rows(x)
    want = ZScore(window=20, features=3).update_rows(x.astype("Float64").to_numpy("float64", na_value=np.nan))
    assert np.array_equal(got.score, want.score, equal_nan=True)
    assert got.flags.iloc[-1] & Flag.MISSING
    assert got.score.index is x.index


def test_a_frame_of_floats_is_not_copied():
    from libanomaly._values import layout

    x = pd.DataFrame(np.arange(30.0).reshape(10, 3))
    assert np.shares_memory(layout(x, 3).keep, x.to_numpy())


def test_the_index_is_the_time():
    x = series()
    by_index = ZScore(window="60s").update_rows(x, columns="all").to_frame()
    by_hand = ZScore(window="60s").update_rows(x.to_numpy(), x.index, columns="all")
    assert all(np.array_equal(by_index[name], by_hand[name], equal_nan=True) for name in by_hand)
    elsewhere = x.tz_localize("UTC").tz_convert("Asia/Kolkata")
    assert (
        ZScore(window="60s")
        .update_rows(elsewhere)
        .score.equals(ZScore(window="60s").update_rows(x).score.set_axis(elsewhere.index))
    )
    assert (
        ZScore(window="60s").update_rows(x.to_numpy(), elsewhere.index.to_series()).anomaly.sum() == by_index.anomaly.sum()
    )
    with pytest.raises(libanomaly.ArgumentError, match="row 0"):
        ZScore(window="60s").update_rows(x.reset_index(drop=True))


def test_a_timestamp_is_a_time():
    detector, t = ZScore(window="60s"), pd.Timestamp("2024-01-01", tz="Europe/Berlin")
    detector.update(1.0, t)
    detector.update(2.0, t + pd.Timedelta("61s"))
    assert detector.stats().count == 1
    with pytest.raises(libanomaly.ArgumentError):
        detector.update(3.0, pd.NaT)


def test_equal_to_rolling_by_count():
    x = series()
    got = ZScore(window=100, include_self=True, warmup=100).update_rows(x, columns="all")
    rolling = x.rolling(100)
    usual = got.flags & Flag.WARMING_UP == 0
    assert usual.sum() == len(x) - 99
    np.testing.assert_allclose(got.expected[usual], rolling.mean()[usual], rtol=1e-12)
    np.testing.assert_allclose(got.score[usual], ((x - rolling.mean()) / rolling.std()).abs()[usual], rtol=1e-9)


def test_equal_to_rolling_of_the_events_before():
    x = series()
    got = ZScore(window=100, warmup=100).update_rows(x, columns=("score", "expected", "flags"))
    before = x.shift().rolling(100)
    usual = got.flags & Flag.WARMING_UP == 0
    np.testing.assert_allclose(got.score[usual], ((x - before.mean()) / before.std()).abs()[usual], rtol=1e-9)


@pytest.mark.parametrize("closed", ["both"])
def test_equal_to_rolling_by_time(closed):
    x = series()
    got = ZScore(window="60s", include_self=True, threshold=1).update_rows(x, columns=("expected", "events", "flags"))
    rolling = x.rolling("60s", closed=closed)
    assert (got.events == rolling.count()).all()
    np.testing.assert_allclose(got.expected, rolling.mean(), rtol=1e-12)


@pytest.mark.parametrize("p", [1, 50, 99])
def test_percentiles_equal_rolling_quantile(p):
    x = series(500)
    options = {"lower": p, "upper": 100} if p < 100 else {}
    got = Percentile(window=100, include_self=True, warmup=100, threshold=0, **options).update_rows(x, columns="lower").lower
    np.testing.assert_allclose(got[99:], x.rolling(100).quantile(p / 100)[99:], rtol=1e-12)


def test_different_the_event_itself_is_outside_the_window():
    x = pd.Series([1.0, 2, 1, 2, 1, 2, 1, 2, 1, 2, 50])
    score = ZScore(window=10).update_rows(x).score.iloc[-1]
    rolling = x.rolling(10)
    assert score == pytest.approx((50 - 1.5) / np.std(x[:10], ddof=1))
    assert ((x - rolling.mean()) / rolling.std()).iloc[-1] < 3


def test_different_a_window_without_spread():
    x = pd.Series([5.0] * 20 + [5.1])
    got = ZScore(window=10).update_rows(x)
    assert got.score.iloc[-1] == np.inf
    assert got.flags.iloc[-1] & Flag.FLAT
    before = x.shift().rolling(10)
    assert not np.isfinite(((x - before.mean()) / before.std()).iloc[-1])
    assert got.score.iloc[-2] == 0


def test_different_a_late_event_takes_its_place():
    at = pd.DatetimeIndex(["2024-01-01 00:00:10", "2024-01-01 00:00:20", "2024-01-01 00:00:15"])
    x = pd.Series([1.0, 2.0, 3.0], at)
    detector = ZScore(window="60s", warmup=2)
    detector.update_rows(x)
    assert detector.stats().count == 3
    with pytest.raises(ValueError, match="monotonic"):
        x.rolling("60s").mean()
    late = ZScore(window="60s", warmup=2, max_late="1s").update_rows(x)
    assert late.flags.iloc[-1] & Flag.LATE


def test_different_a_spike_leaves_no_trace():
    x = pd.Series(np.r_[np.tile([1.0, 2.0], 50), 1e300, np.tile([1.0, 2.0], 50)])
    got = ZScore(window=10).update_rows(x, columns=("expected",)).expected
    assert (got.iloc[-50:] == 1.5).all()


def test_a_column_of_keys():
    n = 2000
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"host": rng.choice(["a", "b", "ccc"], n), "load": rng.normal(size=n)}, index=np.arange(n) * 2)
    got = libanomaly.Pool("zscore", window=50).update_rows(frame.host, frame.load).score
    want = frame.groupby("host").load.transform(lambda x: ZScore(window=50).update_rows(x).score)
    assert got.index.equals(frame.index)
    assert np.array_equal(got, want, equal_nan=True)
