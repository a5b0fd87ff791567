# SPDX-License-Identifier: MIT
"""Columns with names: matched between calls, told in `feature` and explain(); what is no number is refused by name."""

import copy
import pickle
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from conftest import of_verdict

import libanomaly
from libanomaly import Flag, IsolationForest, Percentile, Pool, ZScore

ROWS = 40
FRAME = pd.DataFrame({"load": np.arange(ROWS) % 7.0, "heat": np.arange(ROWS) % 5.0})
FRAME.loc[30, "heat"] = 900.0
DAYS = pd.date_range("2024-01-01", periods=ROWS)
FORMS = {"pandas": lambda x: x, "polars": pl.from_pandas, "Arrow": pa.Table.from_pandas}


def two(**options):
    return ZScore(features=2, window=20, **options)


# ---- names ----


@pytest.mark.parametrize("form", FORMS)
def test_columns_are_matched_by_name(form):
    make = FORMS[form]
    want = two().update_rows(FRAME.to_numpy(), columns="all")
    detector = two()
    detector.learn_rows(make(FRAME)[:0] if form != "Arrow" else make(FRAME).slice(0, 0))
    assert detector.feature_names == ()
    for order in (["load", "heat"], ["heat", "load"], ["load", "heat"]):
        detector.reset()
        got = detector.update_rows(make(FRAME[order]), columns="all")
        assert np.array_equal(got.score, want.score, equal_nan=True)
        assert list(got.feature) == [("load", "heat")[number] for number in want.feature]
    assert detector.feature_names == ("load", "heat")
    for other in (FRAME.rename(columns={"heat": "Heat"}), FRAME[["load"]], FRAME.assign(more=1)):
        with pytest.raises(libanomaly.ArgumentError, match=r"the columns are .*; before, they were load, heat"):
            detector.update_rows(make(other))


def test_columns_without_names_go_by_place():
    for frame in (pd.DataFrame(FRAME.to_numpy()), FRAME.set_axis(["load", 2], axis=1)):
        detector = two()
        verdicts = detector.update_rows(frame, columns="all")
        assert detector.feature_names == ()
        assert verdicts.feature.dtype == "uint32"
    detector = two()
    detector.update_rows(FRAME)
    detector.update_rows(FRAME.to_numpy())
    detector.update_rows(pd.DataFrame(FRAME.to_numpy()))


def test_two_columns_of_one_name_are_refused():
    with pytest.raises(libanomaly.ArgumentError, match="the same name: load"):
        two().update_rows(FRAME[["load", "load"]])


def test_a_call_that_fails_sets_no_names():
    detector = ZScore(features=2, window="1d", max_jump="1d")
    with pytest.raises(ValueError, match="times"):
        detector.update_rows(FRAME, [1.0])
    assert detector.feature_names == ()


def test_a_row_of_a_frame_goes_by_name():
    detector = two()
    detector.learn_rows(FRAME)
    row, turned = FRAME.iloc[30], FRAME[["heat", "load"]]
    want = of_verdict(detector.score([FRAME.load[30], 900.0]))
    for x in (
        row,
        row[["heat", "load"]],
        turned.iloc[[30]],
        pl.from_pandas(turned)[30],
        pa.Table.from_pandas(turned[30:31]),
    ):
        assert of_verdict(detector.score(x)) == want
    with pytest.raises(libanomaly.ArgumentError, match="the columns are warmth, load; before, they were load, heat"):
        detector.score(turned.iloc[30].rename({"heat": "warmth"}))
    with pytest.raises(ValueError, match=r"not 40 rows.*update_rows"):
        detector.score(FRAME)


def test_copies_know_the_names_and_snapshots_do_not():
    detector = two()
    detector.learn_rows(FRAME)
    for same in (pickle.loads(pickle.dumps(detector)), copy.copy(detector), copy.deepcopy(detector)):
        assert same.feature_names == ("load", "heat")
        assert same.snapshot() == detector.snapshot()
    assert libanomaly.restore(detector.snapshot()).feature_names == ()
    pool = Pool("zscore", features=2, window=20)
    pool.update_rows(["k"] * ROWS, FRAME)
    assert pool.feature_names == pool.detector("k").feature_names == pickle.loads(pickle.dumps(pool)).feature_names


@pytest.mark.parametrize("form", FORMS)
def test_a_forest_names_the_cause_of_anomalies_only(form):
    forest = IsolationForest(features=2, window=64, sample=32, contamination=0, threshold=0.7)
    forest.update_rows(FORMS[form](pd.concat([FRAME] * 5, ignore_index=True)), columns=())
    found = forest.score_rows(FORMS[form](FRAME), columns=("feature",))
    assert found.keys() == ("feature",)
    assert {i: name for i, name in enumerate(found.feature) if name == name and name is not None} == {30: "heat"}
    assert pickle.loads(pickle.dumps(found)).feature[30] == "heat"
    shares = forest.explain(FRAME[["heat", "load"]].iloc[30])
    assert list(shares.index) == ["load", "heat"]
    assert shares.heat > shares.load
    assert np.array_equal(shares, forest.explain(FRAME.to_numpy()[30]))


def test_a_pool_names_features():
    pool = Pool("zscore", features=2, window=20)
    got = pool.update_rows(["k"] * ROWS, FRAME, columns="all")
    assert got.feature[30] == "heat"
    assert pool.update_rows(["k"] * ROWS, FRAME[["heat", "load"]], columns="feature").feature[30] == "heat"


# ---- polars in, polars out ----


@pytest.mark.parametrize(
    "values", [pl.Series("load", [1.0, None, 3, 2, 1, 2, 99]), pl.DataFrame({"load": [1, 2, 3, 2, 1, 9]})]
)
def test_polars_in_polars_out(values):
    verdicts = ZScore().update_rows(values, columns="all")
    want = ZScore().update_rows(values.to_numpy(), columns="all")
    for name in verdicts:
        assert isinstance(verdicts[name], pl.Series)
        assert verdicts[name].name == name
        if name != "feature":
            assert np.array_equal(verdicts[name], want[name], equal_nan=True)
    frame = verdicts.to_frame()
    assert isinstance(frame, pl.DataFrame)
    assert frame.columns == list(verdicts)
    assert frame.filter("anomaly").height == want.anomaly.sum() == 1
    assert pickle.loads(pickle.dumps(verdicts)).to_frame().equals(frame, null_equal=True)


# ---- what goes together ----


def test_times_and_keys_of_another_index_are_refused():
    values, shifted = FRAME.load, pd.Series(DAYS, index=range(1, ROWS + 1))
    detector = ZScore(window="5d")
    for times in (shifted, shifted.sample(frac=1, random_state=1)):
        with pytest.raises(ValueError, match=r"times: another index .*times\.reindex\(values\.index\)"):
            detector.update_rows(values, times)
    assert detector.counters().events == 0
    by_place = detector.update_rows(values, shifted.to_numpy()).score
    for times in (pd.Series(DAYS), DAYS, list(DAYS)):
        detector.reset()
        assert detector.update_rows(values, times).score.equals(by_place)
    pool = Pool("zscore", window=20)
    with pytest.raises(ValueError, match=r"keys: another index .*keys\.to_numpy\(\)"):
        pool.update_rows(pd.Series(["k"] * ROWS, index=range(1, ROWS + 1)), values)
    assert len(pool) == 0


# ---- no numbers ----


def no_numbers():
    text = pd.Series(["1"] * ROWS)
    zone = pd.Series(DAYS.tz_localize("Europe/Berlin"))
    return {
        "datetime": pd.Series(DAYS),
        "datetime, zone": zone,
        "datetime, Arrow": zone.astype(pd.ArrowDtype(pa.timestamp("us", "UTC"))),
        "timedelta": pd.Series(DAYS - DAYS[0]),
        "period": pd.Series(DAYS.to_period()),
        "text": text,
        "string": text.astype("string"),
        "category": text.astype("category"),
        "complex": pd.Series([1j] * ROWS),
        "one text": pd.Series([*range(ROWS - 1), "x"], dtype=object),
        "one date": pd.Series([*range(ROWS - 1), DAYS[0]], dtype=object),
        "NaT": pd.Series([*range(ROWS - 1), pd.NaT], dtype=object),
    }


@pytest.mark.parametrize("form", no_numbers())
def test_a_column_of_no_numbers_is_named(form):
    column = no_numbers()[form].rename("at")
    detector = two()
    for values in (FRAME.assign(at=column)[["load", "at"]], FRAME.assign(at=column)[["at", "load"]]):
        with pytest.raises(TypeError, match="column at: "):
            detector.update_rows(values)
    with pytest.raises(TypeError, match="column at: "):
        ZScore().update_rows(column)
    assert detector.counters().events == 0


@pytest.mark.parametrize("value", [datetime(2024, 1, 1), timedelta(1), "x", b"x"], ids=str)
def test_a_column_of_no_numbers_is_named_in_polars_and_arrow(value):
    frame = pl.DataFrame({"load": [1.0, 2.0], "at": [value, None]})
    for values, detector in ((frame, two()), (frame.to_arrow(), two()), (frame["at"], ZScore())):
        with pytest.raises(TypeError, match="column at: "):
            detector.update_rows(values)


@pytest.mark.parametrize(
    "x",
    [
        datetime(2024, 1, 1),
        timedelta(1),
        np.datetime64("2024-01-01"),
        np.datetime64(1, "ns"),
        np.timedelta64(1, "ns"),
        pd.Timestamp(0),
        pd.NaT,
        pd.Timedelta(1),
        "1",
        1j,
    ],
    ids=repr,
)
def test_a_value_that_is_no_number_is_refused(x):
    detector, forest = Percentile(features=2), IsolationForest(features=2)
    for call in (detector.update, detector.score, detector.learn, forest.explain):
        with pytest.raises(TypeError, match="values are numbers or None"):
            call([1.0, x])
    for values in ([[1.0, x]], [[1.0, 2.0], [x, x]]):
        with pytest.raises(TypeError, match="numbers"):
            detector.update_rows(values)
    with pytest.raises(TypeError, match="values are numbers or None"):
        ZScore().update(x)
    assert detector.counters().events == 0


@pytest.mark.parametrize("x", [{1.0, 2.0}, frozenset((1.0, 2.0)), {0: 1.0, 1: 2.0}, {"load": 1.0, "cpu": 2.0}], ids=repr)
def test_sets_and_dictionaries_have_no_order_of_features(x):
    detector = ZScore(features=2)
    for call in (detector.update, detector.score, detector.learn):
        with pytest.raises(TypeError, match=f"x is a number, or a list, .* not {type(x).__name__}"):
            call(x)
    for call in (ZScore().update_rows, lambda times: ZScore(window="5m").update_rows([1.0, 2.0], times)):
        with pytest.raises(TypeError, match=f"{type(x).__name__} is not a sequence of numbers or times"):
            call(x)
    with pytest.raises(TypeError, match="int is not a sequence"):
        ZScore().update_rows(5)
    assert detector.counters().events == 0


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA, np.ma.masked], ids=repr)
def test_what_is_missing_is_missing_everywhere(missing):
    one, pair, pool = ZScore(), two(), Pool("zscore")
    verdicts = [one.update(missing), one.score([missing]), pair.update([1.0, missing]), pair.score((missing, missing))]
    verdicts += [pool.update("k", missing), pool.score("k", missing)]
    assert all(verdict.flags & Flag.MISSING for verdict in verdicts)
    flags = [
        *one.update_rows([missing, 1.0]).flags[:1],
        *one.update_rows((missing,)).flags,
        *one.update_rows(np.array([missing, 1.0], object)).flags[:1],
        *pair.update_rows([[1.0, missing], [missing, 2.0]]).flags,
        *pool.update_rows(["k"], [missing]).flags,
    ]
    assert len(flags) == 6
    assert all(flag & Flag.MISSING for flag in flags)


def test_a_mask_counts_in_single_events():
    detector = two()
    hidden = np.ma.array([1.0, 1e300], mask=[0, 1])
    for _ in range(2):
        detector.update(np.array([1.0, 2.0]))
        assert detector.update(hidden).names == ("warming_up", "missing")
    assert detector.stats(1).max == 2


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([1, None, 3], dtype="Int64"),
        pd.Series([True, None, False], dtype="boolean"),
        pd.Series([1, pd.NA, 3], dtype=object),
        pd.Series([1, None, 3], dtype="category"),
        pd.Series([1, None, 3], dtype=pd.ArrowDtype(pa.int64())),
        pd.Series([Decimal(1), None, Decimal(3)]),
        pl.Series([1, None, 3]),
        pl.Series([True, None, False]),
        pl.Series([Decimal(1), None, Decimal(3)]),
        pa.array([1, None, 3]),
        pa.array([True, None, False]),
    ],
    ids=lambda column: f"{type(column).__module__.split('.')[0]} {getattr(column, 'dtype', getattr(column, 'type', ''))}",
)
def test_holes_in_columns_are_missing(column):
    assert [bool(flag & Flag.MISSING) for flag in ZScore().update_rows(column).flags] == [False, True, False]
