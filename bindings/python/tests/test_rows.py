# SPDX-License-Identifier: MIT
"""Rows: whatever holds the numbers and however it is cut, the verdicts are those of the loop."""

import subprocess
import sys
from array import array
from datetime import datetime, timedelta, timezone

import numpy as np
import pytest
from conftest import FIELDS, KINDS, of_verdict, of_verdicts
from hypothesis import given, settings
from hypothesis import strategies as st

import libanomaly
from libanomaly import IsolationForest, Percentile, Verdicts, ZScore

OPTIONS = {
    "zscore": {"window": 20},
    "percentile": {"window": 30},
    "iforest": {"window": 64, "trees": 9, "sample": 16, "warmup": 20},
    "mahalanobis": {"window": 128},
}


def loop(detector, rows, times=None):
    times = [None] * len(rows) if times is None else times
    return [of_verdict(detector.update(row, t)) for row, t in zip(rows, times)]


# ---- any memory ----


@st.composite
def matrices(draw):
    """A 2-D view of any dtype, stride and order, with NaN and infinities where the dtype has them."""
    rows, features = draw(st.integers(0, 60)), draw(st.integers(1, 4))
    dtype = draw(st.sampled_from(["f8", ">f8", "f4", "f2", "i8", "i4", "u1", ">i2", "bool"]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    step_r, step_f = draw(st.sampled_from([1, 2, 3, -1, -2])), draw(st.sampled_from([1, 2, -1]))
    whole = rng.normal(0, 20, size=(rows * abs(step_r), features * abs(step_f)))
    if draw(st.booleans()):
        whole = np.abs(whole) % 3  # many equal values
    whole = whole.astype("i8").astype(dtype) if dtype[-2] in "iu" else whole.astype(dtype)
    if whole.dtype.kind == "f":
        odd = draw(st.sampled_from([0, 0.05, 0.4]))
        whole[rng.random(whole.shape) < odd] = np.nan
        whole[rng.random(whole.shape) < odd / 8] = np.inf
    whole = np.asarray(whole, order=draw(st.sampled_from(["C", "F"])))
    return whole[::step_r, ::step_f]


@settings(max_examples=150, deadline=None)
@given(matrices(), st.sampled_from(sorted(OPTIONS)), st.lists(st.integers(1, 30), max_size=6), st.booleans())
def test_any_matrix_in_any_pieces_equals_the_loop(matrix, kind, cuts, score_too):
    options = {**OPTIONS[kind], "features": matrix.shape[1]}
    want = loop(KINDS[kind](**options), matrix.astype("f8").tolist())
    detector, got = KINDS[kind](**options), []
    places = [0, *np.cumsum(cuts).clip(max=len(matrix)).tolist(), len(matrix)]
    for start, end in zip(places, places[1:]):
        piece = matrix[start:end]
        if score_too:
            scored = detector.score_rows(piece, columns="score").score
            assert len(scored) == len(piece)
        got += of_verdicts(detector.update_rows(piece, columns="all"))
    assert got == want


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.none(), st.floats(-100, 100), st.integers(-5, 5)), max_size=50), st.sampled_from([0, 1, 2]))
def test_plain_lists_with_holes_equal_the_loop(values, how):
    given_as = [values, tuple(values), iter(values)][how]
    assert of_verdicts(ZScore(window=10).update_rows(given_as, columns="all")) == loop(ZScore(window=10), values)


BASE = [float((i * 7) % 13) for i in range(40)]


@pytest.mark.parametrize(
    "values",
    [
        array("d", BASE),
        array("f", BASE),
        array("i", map(int, BASE)),
        memoryview(array("d", BASE)),
        memoryview(array("d", [v for x in BASE for v in (x, 99)]))[::2],
        memoryview(array("d", BASE[::-1]))[::-1],
        np.array(BASE),
        np.array(BASE).reshape(-1, 1),
        np.asfortranarray(np.array(BASE)[:, None]),
        np.array(BASE)[None, :].T,
        np.rec.fromarrays([BASE, BASE], names="a,b").a,
        np.frombuffer(b"\0" + np.array(BASE).tobytes(), "V1")[1:].view("f8"),
        np.ma.masked_array(BASE, mask=False),
        np.array(BASE, object),
        range(0),
        (x for x in BASE),
        [[x] for x in BASE],
    ],
    ids=lambda v: type(v).__name__,
)
def test_one_feature_in_any_container(values):
    want = [] if isinstance(values, range) else loop(ZScore(window=20), BASE)
    assert of_verdicts(ZScore(window=20).update_rows(values, columns="all")) == want


def test_float64_is_not_copied():
    from libanomaly._values import layout

    values = np.arange(20.0).reshape(10, 2)[::-2]
    found = layout(values, 2)
    assert found.keep is values
    assert (found.count, found.row_stride, found.feature_stride) == (5, -32, 8)


def test_broadcast_rows():
    same = np.broadcast_to(np.array([1.0, 2.0]), (30, 2))
    wide = np.broadcast_to(np.arange(30.0)[:, None], (30, 2))
    for values in (same, wide):
        got = of_verdicts(ZScore(window=10, features=2).update_rows(values, columns="all"))
        assert got == loop(ZScore(window=10, features=2), values.tolist())


def test_masked_values_are_missing():
    masked = np.ma.masked_array([1.0, 2, 3, 4, 5, 6, 1000], mask=[0, 0, 0, 0, 0, 0, 1])
    assert not ZScore().update_rows(masked).anomaly.any()
    assert ZScore().update_rows(masked.data).anomaly.any()
    integers = np.ma.masked_array([1, 2, 3, 4, 5, 6, 1000], mask=[0, 0, 0, 0, 0, 0, 1])
    assert not ZScore().update_rows(integers).anomaly.any()


@pytest.mark.parametrize(
    ("values", "features", "words"),
    [
        (np.zeros((5, 3)), 2, "3 values each, the detector 2"),
        (np.zeros(5), 2, "1 values each, the detector 2"),
        (np.zeros((5, 1, 1)), 1, "3 dimensions"),
        (np.zeros(()), 1, "0 dimensions|not iterable"),
        (np.array(["1", "2"]), 1, "not numbers"),
        (np.array([1j]), 1, "not numbers"),
        (np.array(["2020-01-01"], "M8[s]"), 1, "not numbers"),
        (["1", "2"], 1, "not"),
        ([[1, 2], [3]], 2, "shape|different"),
        (5, 1, "not a sequence"),
        (b"12345678", 1, "not"),
    ],
)
def test_what_are_no_rows_is_refused(values, features, words):
    detector = ZScore(features=features)
    with pytest.raises((TypeError, ValueError), match=words):
        detector.update_rows(values)
    assert detector.counters().events == 0


# ---- times ----

EPOCH = datetime(2024, 2, 29, 12, tzinfo=timezone.utc)
NS = [int(EPOCH.timestamp()) * 10**9 + i * 1_500_000_000 for i in range(40)]


def several_times():
    naive = [EPOCH.replace(tzinfo=None) + timedelta(seconds=1.5 * i) for i in range(40)]
    ns = np.array(NS)
    return {
        "int": NS,
        "int array": ns,
        "strided": np.repeat(ns, 3)[::3],
        "reversed": ns[::-1].copy()[::-1],
        "big-endian": ns.astype(">i8"),
        "uint64": ns.astype("u8"),
        "float": [t / 1e9 for t in NS],
        "float array": ns / 1e9,
        "datetime": naive,
        "aware": [EPOCH + timedelta(seconds=1.5 * i) for i in range(40)],
        "elsewhere": [(EPOCH + timedelta(seconds=1.5 * i)).astimezone(timezone(timedelta(hours=-7))) for i in range(40)],
        "ns": ns.view("M8[ns]"),
        "us": ns.view("M8[ns]").astype("M8[us]"),
        "ms": ns.view("M8[ns]").astype("M8[ms]"),
        "scalars": list(ns.view("M8[ns]")),
        "array": array("q", NS),
        "objects": np.array(naive, object),
        "generator": (t for t in NS),
    }


@pytest.mark.parametrize("form", several_times())
def test_times_in_any_form(form):
    want = loop(ZScore(window="20s", warmup=3), BASE, NS)
    assert of_verdicts(ZScore(window="20s", warmup=3).update_rows(BASE, several_times()[form], "all")) == want
    if form != "generator":
        assert loop(ZScore(window="20s", warmup=3), BASE, list(several_times()[form])) == want


def test_a_time_that_is_missing_stops_there():
    detector = ZScore(window="20s")
    times = [*NS[:7], None, *NS[8:]]
    with pytest.raises(libanomaly.ArgumentError, match="row 7: it has no time") as caught:
        detector.update_rows(BASE, times)
    assert caught.value.done == 7
    assert len(caught.value.verdicts.score) == 7
    assert detector.counters().events == 7
    nat = np.array(NS).view("M8[ns]")
    nat[3] = "NaT"
    with pytest.raises(libanomaly.ArgumentError, match="row 3"):
        ZScore(window="20s").update_rows(BASE, nat)
    with pytest.raises(libanomaly.ArgumentError, match="row 3"):
        ZScore(window="20s").update_rows(BASE, nat.astype("M8[s]"))
    with pytest.raises(libanomaly.ArgumentError, match="row 3"):
        ZScore(window="20s").update_rows(BASE, [0.0, 1.0, 2.0, float("nan"), *map(float, range(36))])


@pytest.mark.parametrize(
    ("times", "error"),
    [
        (NS[:-1], ValueError),
        (NS[0], TypeError),
        (EPOCH, TypeError),
        (np.array([b"2024-02-29"] * 40), TypeError),
        (np.ones(40, bool), TypeError),
        (np.array(NS).reshape(-1, 1), ValueError),
        (np.array(["9999-01-01"] * 40, "M8[s]"), OverflowError),
        (np.full(40, 2**64 - 1, "u8"), OverflowError),
        ([2**63] * 40, OverflowError),
    ],
)
def test_what_are_no_times_is_refused(times, error):
    detector = ZScore(window="20s")
    with pytest.raises(error):
        detector.update_rows(BASE, times)
    assert detector.counters().events == 0


# ---- verdicts ----


def test_columns_that_are_asked_for():
    default = ZScore().update_rows(BASE)
    assert default.keys() == ("score", "flags", "anomaly")
    one = ZScore().update_rows(BASE, columns="expected")
    assert one.keys() == ("expected",)
    everything = ZScore().update_rows(BASE, columns="all")
    assert everything.keys() == (*FIELDS, "anomaly")
    assert ZScore().update_rows(BASE, columns=()).keys() == ()
    with pytest.raises(ValueError, match='no column "scores"'):
        ZScore().update_rows(BASE, columns=("scores",))
    with pytest.raises(AttributeError, match="ask for it"):
        _ = default.lower
    with pytest.raises(AttributeError, match="flags"):
        _ = one.anomaly
    with pytest.raises(AttributeError):
        _ = one.no_such_thing
    with pytest.raises(KeyError):
        default["lower"]


def test_types_of_the_columns():
    verdicts = ZScore().update_rows(BASE, columns="all")
    assert {name: verdicts[name].dtype.str[1:] for name in verdicts} == {
        **dict.fromkeys(FIELDS[:5], "f8"),
        "flags": "u4",
        "feature": "u4",
        "events": "u8",
        "tail": "f8",
        "anomaly": "b1",
    }
    assert len(verdicts) == 40
    assert isinstance(verdicts, Verdicts)
    assert "40 events, " in repr(verdicts)


def test_learning_rows_is_learning_each():
    one, two = Percentile(window=30), Percentile(window=30)
    one.learn_rows(BASE)
    for x in BASE:
        two.learn(x)
    assert one.snapshot() == two.snapshot()


def test_scoring_rows_moves_nothing():
    detector = ZScore(window=20)
    detector.learn_rows(BASE)
    before = detector.snapshot()
    got = of_verdicts(detector.score_rows(BASE, columns="all"))
    assert detector.snapshot() == before
    assert got == [of_verdict(detector.score(x)) for x in BASE]


def test_a_batch_fit_of_a_forest():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(500, 3))
    x[::50] += 9
    forest = IsolationForest(features=3, window=500, contamination=0.02)
    forest.learn_rows(x)
    forest.rebuild()
    assert set(np.flatnonzero(forest.score_rows(x).anomaly)) >= set(range(0, 500, 50)) - {-1}


def test_without_numpy():
    """The same numbers, as array.array, where there is no NumPy; and importing the package imports none."""
    code = """
import sys
import libanomaly
assert "numpy" not in sys.modules and "pandas" not in sys.modules
sys.modules["numpy"] = None  # importing it now fails
from array import array
from datetime import datetime
base = [float((i * 7) % 13) for i in range(40)]
d = libanomaly.ZScore(window=20)
want = [d.update(x).score for x in base]
two = array("d", [v for x in base for v in (x, x)])
for values in (base, array("d", base), array("f", base), memoryview(array("d", base)), iter(base), [[x] for x in base]):
    v = libanomaly.ZScore(window=20).update_rows(values, columns="all")
    assert repr(list(v.score)) == repr(want), values
    assert type(v.score) is array and v.score.typecode == "d" and v.flags.typecode == "I" and v.events.typecode == "Q"
    assert list(v.anomaly) == [f & 1 for f in v.flags]
wide = memoryview(two).cast("B").cast("d", (40, 2))
v = libanomaly.ZScore(window=20, features=2).update_rows(wide)
assert repr(list(v.score)) == repr(want)
timed = libanomaly.ZScore(window="1h")
whole = array("q", range(10**18, 10**18 + 40))
for times in (whole, list(whole), ["2024-02-29T12:00Z"] * 40, [datetime(2024, 1, 1)] * 40, [i / 2 for i in range(40)]):
    timed.reset()
    timed.update_rows(base, times)
    assert timed.counters().events == 40
for times in (array("q", range(40)), range(40)):
    try:
        timed.update_rows(base, times)
    except libanomaly.ArgumentError as error:
        assert str(error).startswith("row 0: a time of 0 is too small"), error
    else:
        raise AssertionError("taken for nanoseconds")
pool = libanomaly.Pool("zscore", window=20)
assert repr(list(pool.update_rows(["k"] * 40, base).score)) == repr(want)
forest = libanomaly.IsolationForest(features=2, window=64, sample=32)
forest.learn_rows(list(zip(base, base)))
assert len(forest.explain([1, 2])) == 2
print(v)
"""
    told = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    assert told.stdout == "<Verdicts of 40 events, 0 anomalies: score, flags>\n"
