# SPDX-License-Identifier: MIT
"""backtest(): figures worked out by hand."""

import math
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from libanomaly import ZScore, backtest

# a row each minute; incidents at rows 2 to 4 and 7; alarms at 3 (60 s after the start), 4, 5 (60 s after the end) and 9
MINUTES = pd.date_range("2025-03-03", periods=11, freq="1min", tz="UTC")
LABELS = [0, 0, 1, 1, 1, 0, 0, 1, 0, 0, 0]
ALARMS = [0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 0]


def test_labels_by_row():
    result = backtest(ALARMS, LABELS, MINUTES)
    assert [(i.start, i.end, i.alarm, i.delay) for i in result.found] == [(MINUTES[2], MINUTES[4], 3, 60.0)]
    assert [(i.start, i.end, i.alarm, i.delay) for i in result.missed] == [(MINUTES[7], MINUTES[7], None, None)]
    assert result.false_alarms == [5, 9]
    assert result.false_alarms_per_day == pytest.approx(2 * 144)  # 2 in ten minutes
    assert result.delays == [60.0]
    assert repr(result) == "<Backtest: 1 found, 1 missed, 2 false alarms>"
    assert str(result).splitlines() == [
        "incidents     1 of 2 found",
        "false alarms  2, 2.9e+02 a day",
        "delay         median 60s, worst 60s",
        "missed        2025-03-03 00:07:00+00:00 to 2025-03-03 00:07:00+00:00",
    ]


def test_grace():
    assert backtest(ALARMS, LABELS, MINUTES, grace=59).false_alarms == [5, 9]
    assert backtest(ALARMS, LABELS, MINUTES, grace=60).false_alarms == [9]
    result = backtest(ALARMS, LABELS, MINUTES, grace=timedelta(minutes=2))
    assert (result.false_alarms, result.delays) == ([], [60.0, 120.0])
    assert backtest(ALARMS, LABELS, grace=1).false_alarms == [9]


def test_intervals_and_the_index():
    spans = [(MINUTES[2], MINUTES[4]), ("2025-03-03T00:07:00Z", "2025-03-03T00:07:30Z")]
    result = backtest(pd.Series(ALARMS, MINUTES), spans)
    assert ([i.alarm for i in result.found], result.missed[0].start) == ([3], "2025-03-03T00:07:00Z")
    assert result.false_alarms == [5, 9]


def test_without_times_delays_are_rows():
    result = backtest(np.array(ALARMS, bool), np.array(LABELS, bool))
    assert (result.delays, [i.start for i in result.missed]) == ([1.0], [7])
    assert math.isnan(result.false_alarms_per_day)


def test_keys():
    # a: rows 0, 2, 4, labelled 2 and 4: one incident, found at 4; b: labelled 3, missed; the alarm at 5 is b's, false
    keys = ["a", "b", "a", "b", "a", "b"]
    result = backtest([0, 0, 0, 0, 1, 1], [0, 0, 1, 1, 1, 0], keys=keys)
    assert [(i.key, i.start, i.end, i.alarm) for i in result.found] == [("a", 2, 4, 4)]
    assert [(i.key, i.start) for i in result.missed] == [("b", 3)]
    assert result.false_alarms == [5]
    spans = [(0.0, 300.0, "a"), (240.0, 300.0)]
    result = backtest([0, 0, 0, 0, 0, 1], spans, np.arange(6) * 60.0, keys)
    assert ([i.key for i in result.missed], [i.delay for i in result.found]) == (["a"], [60.0])


def test_verdicts():
    values = [50.0, 51, 52, 53, 54] * 4 + [95.0, 96.0]
    labels = [0] * 20 + [1, 1]
    assert [i.alarm for i in backtest(ZScore(window=100).update_rows(values), labels).found] == [20]
    confirmed = ZScore(window=100, confirm="2/2", learn="normal").update_rows(values)
    assert list(confirmed.anomaly[-2:]) == [True, True]
    assert [i.alarm for i in backtest(confirmed, labels).found] == [21]


@pytest.mark.parametrize(
    ("labels", "more", "message"),
    [
        ([0, 2, 0], {}, "labels: row 1: 2 is neither 0 nor 1"),
        ([0, float("nan"), 0], {}, "labels: row 1: nan is neither"),
        ([0, 0, 0], {}, "no row is labelled"),
        ([0, 1], {}, "2 labels for 3 alarms"),
        ([0, 1, 0], {"times": [1.0, 2.0]}, "2 times for 3 alarms"),
        ([0, 1, 0], {"keys": "ab"}, "2 keys for 3 alarms"),
        ([0, 1, 0], {"grace": -1}, "grace: -1 is no number of rows"),
        ([(0.0, 1.0)], {}, "need times"),
        ([(0.0, 1.0), (2.0, 1.0)], {"times": [1.0, 2.0, 3.0]}, "interval 1 ends before it starts: 2.0 to 1.0"),
        ([(0.0, 1.0, "c")], {"times": [1.0, 2.0, 3.0], "keys": "aba"}, "interval 0: no row has the key 'c'"),
        ([(0.0,)], {"times": [1.0, 2.0, 3.0]}, "interval 0 is"),
        ([(None, 1.0)], {"times": [1.0, 2.0, 3.0]}, "interval 0 has no start"),
    ],
)
def test_refusals(labels, more, message):
    with pytest.raises(ValueError, match=message):
        backtest([0, 1, 0], labels, **more)
