# SPDX-License-Identifier: MIT
"""Times: one rule for what is told apart by its type and size, for one event and for columns of every library."""

import warnings
from datetime import date, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import libanomaly
from libanomaly import Pool, ZScore
from libanomaly._times import times_array, to_ns

S = 1_709_208_000  # 2024-02-29T12:00:00Z
NS = S * 10**9
NONE = -(2**63)
TEXT = "2024-02-29T12:00:00Z"
AT = datetime(2024, 2, 29, 12)


def as_pandas(**more):
    return pd.Series(pd.to_datetime([TEXT, None], **more))


def columns_with_a_hole():
    """2024-02-29T12:00:00Z, then no time."""
    return {
        "list": [AT, None],
        "list, NA": [NS, pd.NA],
        "list, NaT": [AT, pd.NaT],
        "list, masked": [NS, np.ma.masked],
        "list of text": [TEXT, None],
        "masked ints": np.ma.array([NS, 5], mask=[0, 1]),
        "masked unsigned": np.ma.array([NS, 2**64 - 1], mask=[0, 1], dtype="u8"),
        "masked floats": np.ma.array([float(S), 1e300], mask=[0, 1]),
        "masked dates": np.ma.array(np.array(["2024-02-29T12", "9999-01-01"], "M8[s]"), mask=[0, 1]),
        "masked objects": np.ma.array([AT, "no time"], mask=[0, 1], dtype=object),
        "pandas": as_pandas().dt.tz_localize(None),
        "pandas, zone": as_pandas(),
        "pandas, other zone": as_pandas().dt.tz_convert("Asia/Kolkata"),
        "pandas, index with a zone": pd.DatetimeIndex(as_pandas()).tz_convert("America/New_York"),
        "pandas, text": pd.Series([TEXT, None]),
        "pandas, string": pd.Series([TEXT, pd.NA], dtype="string"),
        "pandas, category": pd.Series([TEXT, None], dtype="category"),
        "pandas, Int64": pd.Series([NS, None], dtype="Int64"),
        "pandas, Float64": pd.Series([S, None], dtype="Float64"),
        "pandas, floats": pd.Series([S, None]),
        "pandas, objects": pd.Series([as_pandas()[0], None], dtype=object),
        "pandas, Arrow": as_pandas().astype(pd.ArrowDtype(pa.timestamp("us", "UTC"))),
        "pandas, Arrow ints": pd.Series([NS, None], dtype=pd.ArrowDtype(pa.int64())),
        "pandas, Timedelta": pd.Series([pd.Timedelta(NS), None]),
        "polars": pl.Series([AT, None]),
        "polars, zone": pl.Series([AT, None]).dt.replace_time_zone("UTC").dt.convert_time_zone("Asia/Tokyo"),
        "polars, ints": pl.Series([NS, None]),
        "polars, text": pl.Series([TEXT, None]),
        "polars, Duration": pl.Series([timedelta(seconds=S), None]),
        "Arrow": pa.array([AT, None]),
        "Arrow ints": pa.array([NS, None]),
        "Arrow chunks": pa.chunked_array([[NS], [None]]),
        "Arrow text": pa.array([TEXT, None]),
    }


@pytest.mark.parametrize("form", columns_with_a_hole())
def test_what_is_missing_in_a_column_is_no_time(form):
    assert times_array(columns_with_a_hole()[form]).tolist() == [NS, NONE]


NO_TIMES = [None, pd.NA, pd.NaT, float("nan"), np.datetime64("NaT", "ns"), np.ma.masked]


@pytest.mark.parametrize("none", NO_TIMES, ids=repr)
def test_what_is_missing_is_no_time(none):
    assert to_ns(none) == NONE


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("1970-01-02", 86400 * 10**9),
        ("1970-01-01T00:00Z", 0),
        ("1970-01-01 00:00:01", 10**9),
        ("1970-01-01t00:00:01.5z", 1_500_000_000),
        ("1970-01-01T00:00:00,000000001", 1),
        ("1970-01-01T00:00:00.1234567899", 123_456_789),
        ("1970-01-01T02:00:00+02:00", 0),
        ("1970-01-01T00:00:00 -0130", 5400 * 10**9),
        ("1970-01-01T05+05", None),
        ("1969-12-31T23:59:60Z", 0),
        ("1969-12-31T23:59:59.25Z", -750_000_000),
        ("2024-02-29T12:00:00Z", NS),
    ],
)
def test_text_is_read_as_the_program_reads_it(text, ns):
    if ns is None:
        with pytest.raises(libanomaly.ArgumentError, match="no time"):
            to_ns(text)
    else:
        assert to_ns(text) == times_array([text])[0] == times_array(np.array([text]))[0] == ns


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is no time"),
        ("1700000000", "is no time"),
        ("20240229", "is no time"),
        ("2024-02-29T12:00:00Z!", "is no time"),
        ("2024-02-30", "no such date"),
        ("2023-02-29T00:00", "no such date"),
        ("2024-13-01", "no such date"),
        ("2024-02-29T24:00", "no such date"),
        ("2024-02-29T12:60", "no such date"),
        ("٢٠٢٤-02-29", "is no time"),
    ],
)
def test_text_that_is_no_time_is_refused(text, words):
    with pytest.raises(libanomaly.ArgumentError, match=words):
        ZScore().update(1.0, text)
    with pytest.raises(libanomaly.ArgumentError, match=f"row 1: .*{words}"):
        ZScore().update_rows([1, 2], [TEXT, text])


# ---- numbers: nanoseconds or seconds ----

SMALL = [(S, "seconds"), (S * 10**3, "milliseconds"), (S * 10**6, "microseconds"), (0, "seconds"), (-S, "seconds")]


@pytest.mark.parametrize(("time", "unit"), SMALL)
def test_an_int_that_cannot_be_nanoseconds_is_refused(time, unit):
    detector, pool = ZScore(window="5m"), Pool("zscore", window="5m")
    for call in (
        lambda: detector.update(1.0, time),
        lambda: detector.score(1.0, np.int64(time)),
        lambda: detector.advance(time),
        lambda: pool.update("k", 1.0, time),
        lambda: pool.evict(before=time),
        lambda: detector.update_rows([1.0], [time]),
        lambda: detector.update_rows([1.0], np.array([time])),
        lambda: detector.update_rows([1.0], pd.Series([time])),
        lambda: detector.update_rows([1.0], pd.Series([time], dtype="Int64")),
        lambda: detector.update_rows([1.0], pl.Series([time])),
        lambda: detector.update_rows([1.0], pa.array([time])),
        lambda: pool.update_rows(["k"], [1.0], [time]),
    ):
        with pytest.raises(libanomaly.ArgumentError, match=rf"{time} is too small .* if it is {unit} \("):
            call()
    assert detector.counters().events == len(pool) == 0


def test_what_the_message_proposes_works():
    values, seconds = np.arange(200) % 7, S + 60 * np.arange(200)
    for times in (seconds.astype(float), seconds * 1000 / 1000, seconds * 10**6 / 1_000_000, seconds * 10**9):
        detector = ZScore(window="5m")
        detector.update_rows(values, times)
        assert detector.stats().count == 6  # those of 0 to 300 s ago
    with pytest.raises(libanomaly.ArgumentError, match=r"row 0: .* seconds \(2024-02-29 12:00:00\+00:00\)"):
        ZScore(window="5m").update_rows(values, seconds)


def test_a_bool_is_no_time():
    for time in (True, np.bool_(False), [True], np.array([True])):
        with pytest.raises(TypeError, match="int \\(ns\\)"):
            times_array(time) if isinstance(time, (list, np.ndarray)) else to_ns(time)
    with pytest.raises(TypeError, match="not bool"):
        ZScore(window="5m").update(1.0, True)


def test_the_limit_is_the_programs():
    assert to_ns(10**17) == times_array([10**17])[0] == 10**17  # 1973-03-03
    assert to_ns(-(10**17)) == times_array([-(10**17)])[0] == -(10**17)
    for time in (10**17 - 1, 1 - 10**17):
        with pytest.raises(libanomaly.ArgumentError, match="microseconds"):
            to_ns(time)


@pytest.mark.parametrize(
    "time",
    [
        1e300,
        -1e300,
        float("inf"),
        S * 1e3,
        2.0**63 / 1e9,
        2**63,
        -(2**63) - 1,
        2**64 - 1,
        10**30,
        datetime(3000, 1, 1),
        datetime(1, 1, 1, tzinfo=timezone.utc),
        date(9999, 1, 1),
        timedelta(days=110_000),
        pd.Timestamp("3000-01-01"),
        np.datetime64("3000-01-01"),
        np.timedelta64(10**9, "h"),
        "3000-01-01",
    ],
    ids=str,
)
def test_a_time_beyond_the_range_is_one_clear_error(time):
    detector = ZScore(window="5m")
    beyond = pytest.raises(OverflowError, match="beyond the years 1678 to 2261")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with beyond:
            detector.update(1.0, time)
        for times in ([time], [None, time][1:], np.array([time])):
            with beyond:
                detector.update_rows([1.0], times)
    assert detector.counters().events == 0


def test_times_since_any_beginning():
    """For a clock of one's own, e.g. time.monotonic_ns()."""
    spans = np.arange(10**4, 10**4 + 40).astype("m8[s]")
    for times in (spans, pd.TimedeltaIndex(spans), list(spans), [timedelta(seconds=10**4 + i) for i in range(40)]):
        detector = ZScore(window="5s")
        detector.update_rows([1.0] * 40, times)
        assert detector.stats().count == 6


@pytest.mark.parametrize("text", ["5min", "300 seconds", "300s", "0 days 00:05:00"])
def test_pandas_own_texts_are_windows(text):
    assert ZScore(window=pd.Timedelta(text)).options["window"] == "5m"
    if ":" not in text:
        assert ZScore(window=text).options["window"] == "5m"
    assert ZScore(window=("5min", 10)).options["window"] == "5m,10"
    assert Pool("zscore", window="1D").options["window"] == "1d"
