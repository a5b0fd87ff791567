# SPDX-License-Identifier: MIT
"""The reference scenarios, with figures worked out elsewhere."""

import os
import subprocess
from pathlib import Path

import pytest
from conftest import START, TOP

import libanomaly
from libanomaly import Flag, LibanomalyWarning, Percentile, ZScore

SECOND = 10**9
BUILD = Path(os.environ.get("BUILD") or TOP / "build")  # where `make` has put the program and the library
CC = (os.environ.get("CC") or "cc").split()
CLIENT = [50 + i % 10 for i in range(20)] + [95]


def client(**options):
    detector = ZScore(window="300s", **options)
    return [detector.update(x, START + i * SECOND) for i, x in enumerate(CLIENT)]


def test_s01_the_client_finds_the_one_anomaly():
    verdicts = client()
    assert [i for i, v in enumerate(verdicts) if v.anomaly] == [20]
    assert verdicts[20].score == pytest.approx(13.743263, abs=5e-7)
    assert verdicts[20].expected == 54.5
    assert verdicts[20].events == 20


@pytest.mark.filterwarnings("ignore::libanomaly.LibanomalyWarning")
@pytest.mark.parametrize(
    ("options", "score"),
    [({"include_self": True}, 4.150655), ({"ddof": 0}, 14.100290), ({"include_self": True, "ddof": 0}, 4.253155)],
)
def test_s01_with_other_definitions(options, score):
    assert client(**options)[20].score == pytest.approx(score, abs=5e-7)


def test_s01_statistics():
    detector = ZScore(window=100)
    detector.learn_rows(CLIENT[:20])
    assert detector.stats().mean == 54.5
    assert detector.stats().stddev == pytest.approx(2.946898, abs=5e-7)


@pytest.mark.parametrize(("quantile", "lower", "upper"), [("nearest", 1, 99), ("linear", 1.99, 99.01)])
def test_s06_percentiles_of_one_to_hundred(quantile, lower, upper):
    detector = Percentile(window=1000, quantile=quantile)
    detector.learn_rows(range(1, 101))
    usual, high, low = (detector.score(x) for x in (50, 101, 0))
    assert (usual.lower, usual.upper) == (lower, upper)
    assert [v.anomaly for v in (usual, high, low)] == [False, True, True]
    assert high.flags & Flag.ABOVE
    assert low.flags & Flag.BELOW
    assert detector.stats().count == 100


def test_s06_a_detector_that_cannot_flag_says_so():
    with pytest.warns(LibanomalyWarning, match="can never flag"):
        Percentile(window=99, include_self=True, quantile="nearest")


def stored():
    """k, t = 10k s, 50 + k % 10, but 95 at k = 40; time begins somewhere."""
    return [(START + 10 * k * SECOND, 95.0 if k == 40 else 50.0 + k % 10) for k in range(60)]


@pytest.mark.parametrize("piece", [1, 7, 60])
def test_s10_single_batched_and_again(piece):
    times, values = zip(*stored())
    single = ZScore(window="300s")
    want = [single.update(x, t) for t, x in stored()]
    batched, got = ZScore(window="300s"), []
    for i in range(0, 60, piece):
        got += batched.update_rows(values[i : i + piece], times[i : i + piece], "score").score.tolist()
    assert [repr(x) for x in got] == [repr(v.score) for v in want]
    assert [k for k, v in enumerate(want) if v.anomaly] == [40]
    assert want[40].score == pytest.approx(13.863294, abs=5e-7)
    # The window's edge belongs to it: the events of 100 s to 390 s are in.
    assert want[40].events == 30
    assert want[40].expected == 54.5


def test_s26_the_same_doubles_as_the_program(tmp_path):
    table = tmp_path / "s10.csv"
    table.write_text("timestamp,value\n" + "".join(f"{t // SECOND},{x}\n" for t, x in stored()))
    command = [BUILD / "anomaly", "-a", "-o", "csv", "-w", "300s", "--fields", "score,expected,lower,upper", table]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[1:]
    detector = ZScore(window="300s")
    for line, (t, x) in zip(printed, stored()):
        v = detector.update(x, t)
        want = [repr(field) for field in (v.score, v.expected, v.lower, v.upper)]
        got = [repr(float(field)) if field else "nan" for field in line.split(",")]
        assert got == want
    assert len(printed) == 60


def test_s26_the_same_doubles_as_c(tmp_path):
    program = tmp_path / "s26.c"
    program.write_text("""
        #include <anomaly.h>
        #include <stdio.h>
        int main(void)
        {
            anomaly_config c;
            anomaly_detector *d;
            anomaly_verdict v;
            anomaly_config_init(&c, sizeof c, ANOMALY_ZSCORE);
            anomaly_config_set(&c, "window", "300s", NULL);
            anomaly_create(&c, NULL, &d, NULL);
            for (int k = 0; k < 60; k++) {
                double x = k == 40 ? 95 : 50 + k % 10;
                anomaly_update(d, &x, (int64_t)k * 10000000000, &v);
                printf("%.17g %.17g %.17g %.17g\\n", v.score, v.expected, v.lower, v.upper);
            }
            anomaly_destroy(d);
        }""")
    library = BUILD / "libanomaly.a"
    subprocess.run([*CC, f"-I{TOP / 'include'}", program, library, "-lm", "-o", tmp_path / "s26"], check=True)
    printed = subprocess.run([tmp_path / "s26"], capture_output=True, text=True, check=True).stdout.splitlines()
    detector = ZScore(window="300s")
    for line, (t, x) in zip(printed, stored()):
        v = detector.update(x, t)
        # C prints a NaN with its sign, Python without.
        got = [field.replace("-nan", "nan") for field in line.split()]
        assert got == [f"{field:.17g}" for field in (v.score, v.expected, v.lower, v.upper)]


def test_s26_missing_and_infinite_are_not_learned():
    detector = ZScore(window=100)
    detector.learn_rows(CLIENT[:20])
    before = detector.stats()
    assert detector.update(float("nan")).names == ("missing",)
    assert detector.update(None).names == ("missing",)
    infinite = detector.update(float("inf"))
    assert infinite.anomaly
    assert infinite.flags & Flag.NONFINITE
    assert detector.stats() == before


def test_s26_an_empty_key_is_refused():
    with pytest.raises(libanomaly.ArgumentError, match="1 to 65535 bytes"):
        libanomaly.Pool("zscore").update("", 1.0)
