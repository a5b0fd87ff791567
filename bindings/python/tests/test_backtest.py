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


def test_without_times_all_is_counted_in_events():
    result = backtest(np.array(ALARMS, bool), np.array(LABELS, bool))
    assert (result.delays, [i.start for i in result.missed]) == ([1.0], [7])
    assert math.isnan(result.false_alarms_per_day)
    assert result.false_alarms_per_1000_events == pytest.approx(2000 / 11)
    assert str(result).splitlines() == [
        "incidents     1 of 2 found",
        "false alarms  2, 1.8e+02 in 1000 events",
        "delay         median 1 event, worst 1 event",
        "missed        7 to 7",
    ]


@pytest.mark.parametrize("words", [("no", "YES"), ("False", "true"), ("normal", "Anomaly"), (False, True), ("0", "1")])
@pytest.mark.parametrize("form", [list, pd.Series, lambda labels: pd.Series(labels, dtype="category")])
def test_labels_are_words(words, form):
    result = backtest(ALARMS, form([words[label] for label in LABELS]))
    assert (result.delays, result.false_alarms, [i.start for i in result.missed]) == ([1.0], [5, 9], [7])


def test_events_of_the_key():
    # a: events 0 to 4 at rows 0, 2, 4, 6, 8; labelled at rows 2 and 4, alarm at row 6: two events of a after the start
    keys, labels, alarms = ["a", "b"] * 5, [0, 0, 1, 0, 1, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 1, 0, 0, 0]
    assert backtest(alarms, labels, keys=keys).found == []
    result = backtest(alarms, labels, keys=keys, grace=1)
    assert [(i.key, i.start, i.end, i.alarm, i.delay) for i in result.found] == [("a", 2, 4, 6, 2.0)]


def test_a_frame_of_intervals():
    spans = pd.DataFrame({"end": [MINUTES[4], MINUTES[7]], "start": [MINUTES[2], MINUTES[7]], "key": [None, "a"]})
    result = backtest(pd.Series(ALARMS, MINUTES), spans, keys=["a"] * 11)
    assert [(i.start, i.key, i.alarm) for i in result.found] == [(MINUTES[2], None, 3)]
    assert [(i.start, i.key) for i in result.missed] == [(MINUTES[7], "a")]


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


def test_iterators_are_read_once():
    found = backtest(iter([0, 0, 1]), iter([0, 1, 0]), times=iter([1.0, 2.0, 5.0]), grace=3)
    assert found.found == backtest([0, 0, 1], [0, 1, 0], times=[1.0, 2.0, 5.0], grace=3).found
    assert [i.delay for i in found.found] == [3.0]
    assert backtest([0, 1, 0], iter([(1.0, 2.0)]), times=[1.0, 2.0, 5.0]).missed == []


@pytest.mark.parametrize(
    ("labels", "more", "message"),
    [
        ([0, 2, 0], {}, "labels: row 1: 2 is none of 0 or 1, true or false"),
        ([0, float("nan"), 0], {}, "labels: row 1: nan is none of"),
        (["no", "maybe", "no"], {}, "labels: row 1: 'maybe' is none of"),
        (["no", None, "no"], {}, "labels: row 1: None is none of"),
        ([0, 0, 0], {}, "no row is labelled"),
        ([0, 1], {}, "2 labels for 3 alarms"),
        ([0, 1, 0], {"times": [1.0, 2.0]}, "2 times for 3 alarms"),
        ([0, 1, 0], {"keys": "ab"}, "2 keys for 3 alarms"),
        ([0, 1, 0], {"grace": -1}, "grace: -1 is no number of events"),
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
