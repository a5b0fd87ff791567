# SPDX-License-Identifier: MIT
"""Detectors: options, verdicts, questions, snapshots, life."""

import copy
import io
import json
import math
import pickle
import warnings
from array import array
from datetime import timedelta

import numpy as np
import pandas
import pytest
from conftest import KINDS

import libanomaly
from libanomaly import Flag, IsolationForest, Mahalanobis, Percentile, Verdict, Watch, ZScore


def full(window=100, count=50, **options):
    detector = ZScore(window=window, **options)
    detector.learn_rows([(i * 7) % 13 for i in range(count)])
    return detector


# ---- options ----


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (1000, 1000),
        ("300s", "5m"),
        ("1h,500", "1h,500"),
        (timedelta(minutes=5), "5m"),
        ((timedelta(hours=1), 500), "1h,500"),
        (np.timedelta64(5, "m"), "5m"),
        (np.timedelta64(1500, "ns"), "1500ns"),
        (np.int64(70), 70),
    ],
)
def test_a_window_in_any_form(given, shown):
    detector = ZScore(window=given)
    assert detector.options["window"] == ZScore(window=shown).options["window"]


def test_pandas_timedelta_is_a_window():
    assert ZScore(window=pandas.Timedelta("90s")).options["window"] == ZScore(window="90s").options["window"]


@pytest.mark.parametrize("kind", KINDS)
def test_options_round_trip(kind):
    one = KINDS[kind](window=768, threshold=0.1 + 0.2, warmup=9)
    two = type(one)(**one.options)
    assert two.options == one.options
    assert two.options["threshold"] == 0.1 + 0.2
    assert set(one.options) == {option.name for option in libanomaly.options(kind)}


def test_defaults_are_those_of_the_table():
    defaults = {option.name: option.default for option in libanomaly.options("zscore")}
    assert ZScore().options == defaults
    assert ZScore(window=None, threshold=None).options == defaults


def test_a_profile_does_not_undo_what_was_given_with_it():
    forest = IsolationForest(trees=10, profile="accurate")
    assert forest.options["trees"] == 10
    assert forest.options["profile"] == "accurate"


@pytest.mark.parametrize(
    ("options", "field", "words"),
    [
        ({"windw": 3}, "windw", "unknown option 'windw'; did you mean 'window'"),
        ({"window": 0}, "window", "0"),
        ({"window": 2.5}, "window", "2.5"),
        ({"learn": "never"}, "learn", "never"),
        ({"threshold": math.nan}, "threshold", "nan"),
        ({"trees": 5}, "trees", "trees"),
    ],
)
def test_a_wrong_option_is_named(options, field, words):
    with pytest.raises(libanomaly.ConfigError, match=words) as caught:
        ZScore(**options)
    assert caught.value.field == field
    assert isinstance(caught.value, ValueError)
    assert caught.value.status == -3


def test_the_base_class_is_no_detector():
    with pytest.raises(TypeError, match="ZScore"):
        libanomaly.Detector()


def test_a_warning_points_at_the_caller():
    with pytest.warns(libanomaly.LibanomalyWarning, match="11 samples") as caught:
        ZScore(window=100, include_self=True)
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ZScore(window=100)


def test_memory_needed():
    assert 8 * 1000 < ZScore.memory_needed(window=1000) < 20 * 1000
    assert ZScore.memory_needed(window=10**6) > 8 * 10**6


# ---- events ----


@pytest.mark.parametrize(
    "x",
    [
        5,
        5.0,
        np.float64(5),
        np.float32(5),
        np.int32(5),
        True + 4,
        [5],
        (5.0,),
        array("d", [5]),
        np.array([5.0]),
        np.array(5.0),
    ],
)
def test_one_value_in_any_form(x):
    assert full().score(x) == full().score(5.0)


@pytest.mark.parametrize(
    "x",
    [
        [1, 2.5, None],
        (1.0, 2.5, math.nan),
        np.array([1, 2.5, np.nan]),
        np.array([1, 2.5, np.nan], "float32"),
        np.array([9, 1, 9, 2.5, 9, np.nan])[1::2],
        array("d", [1, 2.5, math.nan]),
        memoryview(array("d", [1, 2.5, math.nan])),
        iter([1, 2.5, None]),
    ],
)
def test_several_values_in_any_form(x):
    detectors = [ZScore(features=3, window=10) for _ in range(2)]
    for detector in detectors:
        detector.learn_rows([[i, i % 3, -i] for i in range(10)])
    assert detectors[0].update(x) == detectors[1].update([1.0, 2.5, math.nan])


def test_many_features():
    detector = ZScore(features=200, window=10)
    for i in range(10):
        detector.update([i + f for f in range(200)])
    verdict = detector.update(np.r_[np.arange(199.0), 1e6])
    assert verdict.feature == 199
    assert verdict.anomaly


@pytest.mark.parametrize("x", ["5", b"5", object(), {}, 1j, [1, 2], [], np.zeros((1, 2)), np.array(["5"])])
def test_what_is_no_value_is_refused(x):
    detector = full()
    before = detector.counters()
    for call in (detector.update, detector.score, detector.learn):
        with pytest.raises((TypeError, ValueError)):
            call(x)
    assert detector.counters() == before


@pytest.mark.parametrize(
    ("args", "names", "words"),
    [
        ((), {}, "missing"),
        ((1, 2, 3), {}, "at most 2"),
        ((1,), {"x": 1}, "given twice"),
        ((1,), {"when": 1}, "not known"),
        ((), {"time": 1}, "missing"),
    ],
)
def test_wrong_arguments(args, names, words):
    with pytest.raises(TypeError, match=words):
        full().update(*args, **names)


def test_a_failing_number_does_not_touch_the_detector():
    class Odd:
        def __init__(self, detector):
            self.detector = detector

        def __float__(self):
            self.detector.learn(1000)
            raise RuntimeError("no number")

    detector = ZScore(features=2, window=10)
    with pytest.raises(RuntimeError, match="no number"):
        detector.update([1.0, Odd(ZScore())])
    assert detector.counters().events == 0


def test_update_is_score_then_learn():
    one, two = full(), full()
    for i in range(300):
        x = (i * 37) % 101
        verdict = two.score(x)
        two.learn(x)
        assert one.update(x) == verdict


def test_a_time_that_is_missing_is_asked_for():
    with pytest.raises(libanomaly.ArgumentError, match="give each event its time"):
        ZScore(window="5m").update(1.0)


# ---- verdicts ----


def test_a_verdict_is_a_value():
    verdict = full().update(1000)
    again = full().update(1000)
    other = full().update(999)
    assert verdict == again
    assert hash(verdict) == hash(again)
    assert verdict != other
    assert verdict != 5
    assert pickle.loads(pickle.dumps(verdict)) == verdict
    assert copy.deepcopy(verdict) == verdict
    assert Verdict(1, 2, 3, 4, 5, 6, 7, 8, 9).tail == 9


def test_a_verdict_as_a_dictionary_is_json():
    verdict = Verdict(float("inf"), 3, 5, float("-inf"), float("nan"), Flag.IS_ANOMALY | Flag.ABOVE, 1, 20, 0.25)
    told = {"score": None, "threshold": 3.0, "expected": 5.0, "lower": None, "upper": None, "feature": 1, "events": 20}
    told["tail"] = 0.25
    assert verdict.to_dict() == {"anomaly": True, **told, "flags": 129, "names": ["is_anomaly", "above"]}
    assert json.loads(json.dumps(verdict.to_dict(), allow_nan=False)) == verdict.to_dict()


STAGES = ("untransformed", "alarm", "episode", "episode_end", "held")


def test_stages_a_transform_and_an_episode_with_one_alarm():
    detector = ZScore(window=100, transform="log", rest=3)
    detector.learn_rows([1 + i * i % 13 for i in range(100)])
    told = [[name for name in detector.update(x).names if name in STAGES] for x in (0, 1e9, 1e9, 3, 3, 3, 3)]
    assert told == [["untransformed"], ["alarm"], ["episode", "held"], *[["episode"]] * 3, ["episode_end"]]
    counted = detector.counters()
    assert (counted.untransformed, counted.alarms, counted.held) == (1, 1, 1)
    assert math.isnan(detector.score(3).tail)
    assert detector.score(3).to_dict()["tail"] is None


def test_what_was_held_back_and_why():
    detector = ZScore(window=100, learn="normal", rest=50, confirm="2/3", min_change="10%")
    detector.learn_rows([100 + i % 3 / 10 for i in range(100)])
    reasons = ("alarm", "episode", "held", "unconfirmed", "small_change")
    told = [[name for name in detector.update(x).names if name in reasons] for x in (105, 150, 150, 150, 105)]
    small = ["held", "small_change"]
    assert told == [small, ["held", "unconfirmed"], ["alarm"], ["episode", "held"], ["episode", *small]]
    counted = detector.counters()
    assert (counted.alarms, counted.held, counted.unconfirmed, counted.small_change) == (1, 4, 1, 2)


WORDS = ("spike", "shift", "noisier", "quieter", "stuck")


@pytest.mark.parametrize("kind", [Mahalanobis, Watch])
def test_each_anomaly_of_one_value_has_a_word(kind):
    detector = kind()
    detector.learn_rows([i * i % 31 + i % 7 / 8 for i in range(1000)])
    told = [[name for name in detector.update(x).names if name in WORDS] for x in (900, 901, 903)]
    assert told == [["spike"], ["shift"], ["shift"]]
    assert detector.score(900).flags & (Flag.SHIFT | Flag.ABOVE) == Flag.SHIFT | Flag.ABOVE


def test_a_tail_is_the_rank_of_the_score():
    options = {"window": 50, "alarm_rate": 0.1, "calibrate": 1000}
    detector, scores, judged = ZScore(**options), [], 0
    events = [i * i % 31 + i % 7 / 8 for i in range(200)]
    for i, verdict in enumerate(map(detector.update, events)):
        if verdict.tail == verdict.tail and not verdict.flags & Flag.TAIL_ESTIMATED:
            assert verdict.tail == pytest.approx((sum(score >= verdict.score for score in scores) + 1) / (len(scores) + 1))
            assert verdict.anomaly == (verdict.tail <= 0.1)
            judged += 1
        if i >= 5:  # before, the window warms up
            scores.append(verdict.score)
    assert judged > 100
    beyond = detector.score(80)
    assert beyond.flags & Flag.TAIL_ESTIMATED
    assert 0 < beyond.tail < 1 / 200
    assert repr(beyond).endswith(f", tail {beyond.tail:.6g}>")


def test_options_that_need_times_say_so():
    with pytest.raises(ValueError, match="another option, needs times"):
        ZScore(window=10, season="1d").update(1)
    with pytest.raises(ValueError, match=r"row 0: .* another option, needs one"):
        ZScore(window=10, rest="5m").update_rows([1, 2])


def test_a_verdict_does_not_change_with_the_next_event():
    detector = full()
    verdict = detector.update(1000)
    before = repr(verdict)
    for i in range(100):
        detector.update(i)
    assert repr(verdict) == before


@pytest.mark.parametrize("name", ["score", "flags", "anomaly", "anything"])
def test_a_verdict_cannot_be_written(name):
    with pytest.raises(AttributeError):
        setattr(full().update(1), name, 1)


def test_flags_in_words():
    verdict = full().update(1000)
    assert verdict.names == ("is_anomaly", "above")
    assert verdict.flags == Flag.IS_ANOMALY | Flag.ABOVE
    assert "is_anomaly|above" in repr(verdict)
    assert "usual" in repr(full().update(5))


# ---- questions ----


def test_statistics_of_the_window():
    detector = ZScore(window=4, warmup=2, features=2)
    detector.learn_rows([[i, -i] for i in range(10)])
    assert detector.stats() == (4, 7.5, 5 / 3, math.sqrt(5 / 3), 6, 9)
    assert detector.stats(1).min == -9
    with pytest.raises(libanomaly.ArgumentError, match="no feature 2"):
        detector.stats(2)


def test_quantiles():
    detector = Percentile(window=1000)
    detector.learn_rows(range(101))
    assert detector.quantile(0.25) == 25
    with pytest.raises(libanomaly.ArgumentError, match="from 0 to 1"):
        detector.quantile(1.5)
    with pytest.raises(libanomaly.EmptyError):
        Percentile().quantile(0.5)
    with pytest.raises(libanomaly.KindError):
        ZScore().quantile(0.5)


def test_counters_tell_why():
    detector = ZScore(window=100)
    for x in [1, 2, None, math.inf, 3]:
        detector.update(x)
    counters = detector.counters()
    assert (counters.events, counters.learned, counters.missing, counters.nonfinite) == (5, 3, 1, 1)


def test_explain_shares_sum_to_the_excess():
    forest = IsolationForest(features=3, window=256, seed=5)
    forest.learn_rows(np.random.default_rng(1).normal(size=(256, 3)))
    forest.rebuild()
    shares = forest.explain([0, 9, 0])
    assert shares.sum() == pytest.approx(forest.score([0, 9, 0]).score - 0.5)
    assert shares.argmax() == 1
    with pytest.raises(libanomaly.KindError):
        ZScore().explain(1)


def test_threshold_can_be_set():
    detector = full()
    score = detector.score(30).score
    detector.threshold = score
    assert detector.score(30).anomaly
    detector.threshold = score * 1.001
    assert not detector.score(30).anomaly
    with pytest.raises(libanomaly.ArgumentError, match="nan"):
        detector.threshold = math.nan
    assert detector.threshold == score * 1.001
    for forest in (libanomaly.IsolationForest(), libanomaly.Pool("iforest")):
        with pytest.raises(libanomaly.ArgumentError, match="a finite number, for a forest not 0; not 0"):
            forest.threshold = 0


def test_advance_reset_reserve():
    detector = ZScore(window="10s")
    detector.learn_rows([1, 2, 3], [0.0, 1.0, 2.0])
    detector.advance(11.5)
    assert detector.stats().count == 1
    with pytest.raises(libanomaly.ArgumentError):
        detector.advance(None)
    detector.reset()
    assert detector.stats().count == 0
    assert detector.counters().learned == 0
    detector.reserve()


# ---- snapshots ----


@pytest.mark.parametrize(
    "again",
    [
        lambda d: libanomaly.restore(d.snapshot()),
        lambda d: ZScore.restore(bytearray(d.snapshot())),
        lambda d: ZScore.restore(memoryview(d.snapshot())),
        lambda d: pickle.loads(pickle.dumps(d)),
        copy.copy,
        copy.deepcopy,
    ],
)
def test_a_copy_goes_on_by_itself(again):
    one = full(learn="normal:4")
    two = again(one)
    assert type(two) is ZScore
    assert two.options == one.options
    assert [one.update(i % 50) for i in range(99)] == [two.update(i % 50) for i in range(99)]
    one.reset()
    assert two.stats().count > 0


def test_a_snapshot_to_a_file():
    file = io.BytesIO()
    full().snapshot_to(file)
    assert file.getvalue() == full().snapshot()


def test_a_file_that_fails():
    class Full(io.RawIOBase):
        def write(self, data):
            raise OSError("disk full")

    with pytest.raises(libanomaly.StoppedError, match="disk full") as caught:
        full().snapshot_to(Full())
    assert isinstance(caught.value.__cause__, OSError)


def test_damaged_bytes_are_refused():
    data = full().snapshot()
    for broken in (b"", data[:-1], data[:40] + b"\xff" + data[41:], b"x" * 200):
        with pytest.raises(libanomaly.CorruptError):
            libanomaly.restore(broken)
    with pytest.raises(libanomaly.VersionError):
        libanomaly.restore(data[:8] + b"\x09" + data[9:])


def test_another_kind_of_snapshot_is_refused():
    with pytest.raises(TypeError, match="ZScore, not of Percentile"):
        Percentile.restore(full().snapshot())
    assert type(libanomaly.Detector.restore(full().snapshot())) is ZScore


def test_a_derived_class_stays_itself():
    class Mine(ZScore):
        pass

    one = Mine(window=10)
    one.note = "kept by __dict__ only"
    assert type(copy.copy(one)) is Mine


# ---- life ----


def test_a_closed_detector_says_so():
    with full() as detector:
        detector.update(1)
    assert repr(detector) == "<ZScore, closed>"
    for call in (
        lambda: detector.update(1),
        lambda: detector.score(1),
        lambda: detector.learn(1),
        lambda: detector.stats(),
        lambda: detector.update_rows([1.0]),
        lambda: detector.snapshot(),
        lambda: detector.options,
        lambda: detector.reset(),
    ):
        with pytest.raises((libanomaly.Error, ValueError)):
            call()
    detector.close()


def test_an_object_that_was_never_set_up():
    detector = ZScore.__new__(ZScore)
    with pytest.raises((libanomaly.Error, ValueError, AttributeError)):
        detector.update(1)
    assert isinstance(detector, ZScore)


def test_repr():
    assert repr(full(robust=True)) == "<ZScore(window=100, threshold=3, robust=1): 0 events, 0 anomalies>"


def test_init_again_begins_anew():
    detector = full()
    detector.__init__(window=5)
    assert detector.stats().count == 0
    assert detector.options["window"] == 5


# ---- watch ----


def daily(n, bump=()):
    return [100 + 40 * math.sin(i / 288 * 2 * math.pi) + i * 7919 % 101 / 25 + (60 if i in bump else 0) for i in range(n)]


def test_watch_needs_nothing_but_the_series():
    values = daily(288 * 6, bump=(1500,))
    times = [1_700_000_000.0 + 300 * i for i in range(len(values))]
    verdicts = libanomaly.watch(values, times, columns="all")
    assert next(i for i, odd in enumerate(verdicts.anomaly) if odd and i > 600) == 1500
    assert all(math.isnan(bound) for bound in verdicts.lower)
    one = libanomaly.Watch()
    for x, t, score, expected in zip(values, times, verdicts.score, verdicts.expected):
        v = one.update(x, t)
        assert (v.score, v.expected) == pytest.approx((score, expected), abs=0, nan_ok=True)


def test_watch_tells_an_incident_once():
    values = daily(288 * 12, bump=range(3000, 3010))
    times = [1_700_000_000.0 + 300 * i for i in range(len(values))]
    for verdicts in (libanomaly.watch(values, times), libanomaly.watch(values)):
        alarms = [i for i, flags in enumerate(verdicts.flags) if flags & libanomaly.Flag.ALARM]
        assert len([i for i in alarms if 3000 <= i < 3010]) == 1
        assert len([i for i in alarms if i > 1100]) <= 2  # the budget is one a day
        assert sum(verdicts.anomaly[3000:3010]) > 1


def test_watch_keeps_to_what_is_asked():
    def asked(**options):
        settings = libanomaly.Watch(**options).options
        return settings["alarms"], settings["alarm_rate"], settings["rest"]

    assert asked() == asked(threshold=None) == ("auto", 0, 150)
    assert asked(threshold=6) == ("off", 0, "off")
    assert asked(alarm_rate=0.01) == ("off", 0.01, "off")
    assert asked(alarms="2/day") == ("2/1d", 0, "off")
    assert asked(rest="30m") == ("auto", 0, "30m")
    assert asked(alarms="off") == ("off", 0, "off")
    detector = libanomaly.Watch()
    assert libanomaly.Watch.restore(detector.snapshot()).options == detector.options


def test_watch_takes_the_hour_from_the_index():
    values = daily(288 * 4)
    index = pandas.date_range("2024-01-01", periods=len(values), freq="5min")
    series = pandas.Series(values, index)
    timed = libanomaly.watch(values, index)
    assert list(libanomaly.watch(series).score[1:]) == list(timed.score[1:])
    assert list(libanomaly.watch(values).score[1:]) != list(timed.score[1:])
    pool = libanomaly.Pool("watch")
    assert list(pool.update_rows(["a"] * len(series), series).score[1:]) == list(timed.score[1:])


MINUTE = 60 * 10**9


def test_a_stream_that_stops_is_overdue() -> None:
    start = 1_700_000_000 * 10**9
    detector = libanomaly.ZScore(silence="1/7d")
    assert detector.overdue(start) is None  # too few events
    for i in range(50):
        detector.update(5, time=start + i * MINUTE)
    last = start + 49 * MINUTE
    assert detector.overdue(last + 2 * MINUTE) is None
    silence = detector.overdue(last + 5 * MINUTE)
    assert silence == libanomaly.Silence(last, MINUTE, last + 2 * MINUTE, 3 * MINUTE)
    assert libanomaly.Detector.restore(detector.snapshot()).overdue(last + 5 * MINUTE) == silence
    with pytest.raises(libanomaly.ArgumentError, match="needs a time"):
        detector.overdue(None)
    with pytest.raises(libanomaly.ConfigError, match="needs the option silence"):
        libanomaly.ZScore().overdue(last)
