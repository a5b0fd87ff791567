# SPDX-License-Identifier: MIT
"""suggest(): the library's proposal, whatever holds the data; that it is a good one is tested in C."""

import math

import numpy as np
import pandas as pd
import pytest

import libanomaly
from libanomaly import Flag, Mahalanobis, Pool, suggest

RNG = np.random.default_rng(7)
AT = pd.date_range("2025-03-03", periods=30 * 288, freq="5min", tz="UTC")
HOURS = AT.hour.to_numpy() + AT.minute.to_numpy() / 60
LOAD = 100 + 40 * np.sin(HOURS * math.pi / 12) + RNG.normal(0, 3, len(AT))


def test_a_rhythm_of_days():
    found = suggest(pd.Series(LOAD, AT))
    assert (found.kind, found.options["season"], found.whole) == ("mahalanobis", "1d", False)
    assert "day by day" in found.reasons["season"]
    assert isinstance(found.detector(), Mahalanobis)
    assert found.detector().options["season"] == "1d"


def test_any_memory_gives_the_same():
    series = pd.Series(LOAD, AT)
    ways = [suggest(LOAD, AT), suggest(list(LOAD), list(AT)), suggest(LOAD.reshape(-1, 1), AT), suggest(series.to_frame())]
    assert {str(way.options) for way in ways} == {str(suggest(series).options)}


def test_the_alarms_are_those_of_the_detector():
    values = RNG.lognormal(1, 0.6, 6000)
    values[4000] = 400
    found = suggest(values, AT[:6000])
    assert found.options["transform"] == "log"
    verdicts = found.detector().update_rows(values, AT[:6000])
    alarms = np.flatnonzero(verdicts.flags & Flag.ALARM)
    assert found.alarms == (alarms >= found.first).sum() > 0
    assert found.strongest[0][:2] == (4000, 4000)
    assert found.strongest[0].score == verdicts.score[4000]


def test_labels_are_those_of_the_index():
    values = LOAD.copy()
    values[8000] = 900
    found = suggest(pd.Series(values, AT))
    assert found.strongest[0].label == AT[8000]
    assert str(AT[8000]) in str(found)
    assert "mahalanobis" in repr(found)


def test_one_alarm_is_said_as_one():
    values = np.random.default_rng(7).normal(50, 5, 3000)
    values[2000] = 150
    found = suggest(values)
    assert found.alarms == 1
    assert "would have brought 1 alarm\n" in str(found)
    assert repr(found).endswith("; 1 alarm>")


def test_several_columns_and_keys():
    frame = pd.DataFrame({"a": LOAD, "b": RNG.normal(size=len(AT))}, AT)
    assert suggest(frame).options["features"] == 2
    found = suggest(LOAD, AT, keys=["x", "y"] * (len(AT) // 2))
    assert found.keys == 2
    assert isinstance(found.pool(), Pool)


def test_an_iterator_is_read_once():
    assert suggest(iter(LOAD.tolist()), AT).options == suggest(LOAD, AT).options
    assert suggest(row for row in [(1.0, 2.0)] * 20).options["features"] == 2


def test_few_rows():
    found = suggest([1, 2, 3, 2, 1, 2, 3, 2, 1, 50])
    assert found.whole
    assert [alarm.row for alarm in found.strongest] == [9]
    assert math.isnan(found.alarms_a_day)


def test_refusals():
    with pytest.raises(libanomaly.EmptyError, match="no rows"):
        suggest([])
    with pytest.raises(ValueError, match="3 keys for 2 rows"):
        suggest([1, 2], keys=["a", "b", "c"])
    with pytest.raises(TypeError):
        suggest(["a", "b"])
