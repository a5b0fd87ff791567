# SPDX-License-Identifier: MIT
"""How fast libanomaly is from Python, beside other libraries, on one core.

    pip install ./bindings/python -r bindings/python/bench/requirements.txt
    python bindings/python/bench/peers.py                              # everything: a quarter of an hour on a quiet machine
    python bindings/python/bench/peers.py --rows 1e6 zscore percentile # shorter; parts: zscore percentile shapes time events

Each pair takes turns in the same process: ours, theirs, ours, theirs; a turn is two runs, of which the second counts. A
figure is CPU time per event; a ratio is the median over the pairs of theirs / ours, so above 1 libanomaly is faster. Bars
are what libanomaly set itself: `MISS` is said, and is the exit status. First the results are compared, on a part of the
rows: the column `differs` has the largest relative difference from ours.

Peers judge an event by a window that holds it, libanomaly by the one before it. That is the same work; results are compared
with include_self, percentiles one row apart. Where a peer would take too long, both get fewer rows.
"""

from __future__ import annotations

import os

ONE_THREAD = ("POLARS_MAX_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
os.environ.update(dict.fromkeys(ONE_THREAD, "1"))  # read when the libraries are imported

import argparse  # noqa: E402
import math  # noqa: E402
import statistics  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
import warnings  # noqa: E402
from importlib import import_module, metadata  # noqa: E402
from importlib.util import find_spec  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import TYPE_CHECKING, Any  # noqa: E402

import numpy as np  # noqa: E402

import libanomaly  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

PEERS = ("numpy", "pandas", "polars", "bottleneck", "numba", "talib", "scipy", "river")
CHECKED_ROWS = 300_000
warnings.simplefilter("ignore", libanomaly.LibanomalyWarning)  # of include_self, where results are compared
missed: list[str] = []


def modules(wanted: list[str]) -> dict[str, Any]:
    found = {name: import_module(name) for name in wanted if find_spec(name)}
    for name in wanted:
        if name not in found:
            print(f"{name} is not installed: left out")
    return found


# ---- measuring ----


def cpu_seconds(run: Callable[[], object], clock: Callable[[], float] = time.process_time) -> float:
    """Of the second of two runs: the first puts the memory in order that the other side has left."""
    run()
    begin = clock()
    run()
    return clock() - begin


def pairs(ours: Callable[[], object], theirs: Callable[[], object], repeats: int) -> tuple[float, float, float]:
    """Median seconds of each, and the median of the pairs' ratios.

    libanomaly works in the thread that calls it. Peers may have their own, which tidy up after their turn.
    """
    both = [(cpu_seconds(ours, time.thread_time), cpu_seconds(theirs)) for _ in range(repeats)]
    return (*map(statistics.median, zip(*both)), statistics.median(b / a for a, b in both))


def rows_in(seconds: float, theirs: Callable[[Any], object], values: Any, window: int) -> int:
    """How many rows a peer manages in a time, at least ten windows; rounded so that the same run gives the same."""
    few, more = window + 20_000, window + 60_000
    if more >= len(values):
        return len(values)
    cost = (cpu_seconds(lambda: theirs(values[:more])) - cpu_seconds(lambda: theirs(values[:few]))) / (more - few)
    can = max(seconds / max(cost, 1e-9), 10 * window)
    return min(len(values), 10 ** max(5, int(math.log10(can))))


def difference(ours: Any, theirs: Any) -> float:
    """The largest relative difference where both are numbers."""
    ours, theirs = np.abs(np.asarray(ours, dtype=float)), np.abs(np.asarray(theirs, dtype=float))
    both = np.isfinite(ours) & np.isfinite(theirs)
    return float(np.max(np.abs(ours - theirs)[both] / np.maximum(ours[both], 1e-3), initial=0))


def heading(title: str) -> None:
    print(f"\n{title}")
    print(
        f"{'case':34s} {'peer':22s} {'rows':>10s} {'theirs, ns':>11s} {'ours, ns':>9s} {'ratio':>7s} {'bar':>5s}     differs"
    )


def report(
    case: str, peer: str, rows: int, times: tuple[float, float, float], bar: float, differs: float | None = None
) -> None:
    ours, theirs, ratio = times
    verdict = "" if not bar else "ok" if ratio >= bar else "MISS"
    if verdict == "MISS":
        missed.append(f"{case}, {peer}: {ratio:.2f} of {bar:g}")
    told = "" if differs is None else f"{differs:.0e}"
    print(
        f"{case:34s} {peer:22s} {rows:10d} {theirs / rows * 1e9:11.1f} {ours / rows * 1e9:9.1f} {ratio:7.2f}"
        f" {bar or '':>5} {verdict:4s} {told}",
        flush=True,
    )


# ---- data ----


def stream(shape: str, rows: int, window: int = 1000) -> Any:
    source = np.random.default_rng(7)
    if shape == "normal":
        return source.standard_normal(rows)
    if shape == "walk":
        return np.cumsum(source.standard_normal(rows))
    if shape == "ramp up":
        return np.arange(rows, dtype=float)
    if shape == "ramp down":
        return -np.arange(rows, dtype=float)
    return (np.arange(rows) // max(1, int(0.7 * window)) % 2).astype(float)  # two values


# ---- z-score ----


def zscore_peers(m: dict[str, Any]) -> dict[str, Callable[[Any, int], Any]]:
    found: dict[str, Callable[[Any, int], Any]] = {}
    if "pandas" in m:

        def by_pandas(x: Any, w: int) -> Any:
            series = m["pandas"].Series(x)
            rolling = series.rolling(w)
            return ((series - rolling.mean()) / rolling.std()).to_numpy()

        found["pandas"] = by_pandas
    if "polars" in m:

        def by_polars(x: Any, w: int) -> Any:
            c = m["polars"].col("x")
            frame = m["polars"].DataFrame({"x": x})
            return frame.select((c - c.rolling_mean(w)) / c.rolling_std(w))["x"].to_numpy()

        found["polars"] = by_polars
    if "bottleneck" in m:
        bn = m["bottleneck"]
        found["bottleneck"] = lambda x, w: (x - bn.move_mean(x, w)) / bn.move_std(x, w, ddof=1)
    if "talib" in m:
        ta = m["talib"]
        found["TA-Lib"] = lambda x, w: (x - ta.SMA(x, w)) / ta.STDDEV(x, w)
    if "numba" in m:
        found["numba, Welford"], found["numba, sums"] = numba_loops(m["numba"])
    return found


def numba_loops(numba: Any) -> tuple[Any, Any]:
    """The two loops that people write: each keeps what it has once taken in, rounding and spikes."""

    @numba.njit
    def welford(x: Any, w: int) -> Any:
        z = np.full(len(x), np.nan)
        mean = squares = 0.0
        for i in range(len(x)):
            if i < w:
                step = x[i] - mean
                mean += step / (i + 1)
                squares += step * (x[i] - mean)
            else:
                step, before = x[i] - x[i - w], mean
                mean += step / w
                squares += step * (x[i] - mean + x[i - w] - before)
            if i >= w - 1:
                z[i] = (x[i] - mean) / math.sqrt(max(squares, 0.0) / (w - 1))
        return z

    @numba.njit
    def sums(x: Any, w: int) -> Any:
        z = np.full(len(x), np.nan)
        total = squares = 0.0
        for i in range(len(x)):
            total += x[i]
            squares += x[i] * x[i]
            if i >= w:
                total -= x[i - w]
                squares -= x[i - w] * x[i - w]
            if i >= w - 1:
                z[i] = (x[i] - total / w) / math.sqrt(max(squares - total * total / w, 0.0) / (w - 1))
        return z

    return welford, sums


ZSCORE_BARS = {"pandas": 8.0, "polars": 6.0}
FASTEST_BARS = {"auto": 1.0, "avx2": 0.5}


def zscore(m: dict[str, Any], options: argparse.Namespace) -> None:
    values = stream("normal", options.rows)
    for simd in options.simd:
        heading(f"z-score of a column (simd={simd})")
        for window in options.windows:
            checked = (
                libanomaly.ZScore(window=window, include_self=True).update_rows(values[:CHECKED_ROWS], columns="score").score
            )

            def ours(window: int = window, simd: str = simd) -> Any:
                return libanomaly.ZScore(window=window, simd=simd).update_rows(values, columns="score")

            for name, peer in zscore_peers(m).items():
                differs = difference(checked[window:], peer(values[:CHECKED_ROWS], window)[window:])
                times = pairs(ours, lambda peer=peer, window=window: peer(values, window), options.repeats)
                bar = ZSCORE_BARS.get(name) if simd == "auto" else 0
                report(
                    f"window {window}",
                    name,
                    options.rows,
                    times,
                    bar or (0 if name in ZSCORE_BARS else FASTEST_BARS[simd]),
                    differs,
                )


# ---- percentiles ----


def percentile_peers(m: dict[str, Any]) -> dict[str, Callable[[Any, int], Any]]:
    found: dict[str, Callable[[Any, int], Any]] = {}
    if "polars" in m:

        def by_polars(x: Any, w: int) -> Any:
            series = m["polars"].Series(x)
            return [series.rolling_quantile(q, interpolation="linear", window_size=w).to_numpy() for q in (0.01, 0.99)]

        found["polars"] = by_polars
    if "scipy" in m:
        filtered = import_module("scipy.ndimage").percentile_filter

        def by_scipy(x: Any, w: int) -> Any:
            return [filtered(x, q, size=w, origin=w // 2 - 1 + w % 2) for q in (1, 99)]

        found["scipy"] = by_scipy
    if "pandas" in m:

        def by_pandas(x: Any, w: int) -> Any:
            rolling = m["pandas"].Series(x).rolling(w)
            return [rolling.quantile(q).to_numpy() for q in (0.01, 0.99)]

        found["pandas"] = by_pandas
    return found


def bounds(values: Any, window: int) -> Any:
    return libanomaly.Percentile(window=window).update_rows(values, columns=("lower", "upper"))


def compare_percentiles(
    case: str, m: dict[str, Any], values: Any, window: int, bars: dict[str, float], repeats: int
) -> None:
    for name, peer in percentile_peers(m).items():
        rows = rows_in(5, lambda x, peer=peer: peer(x, window), values, window)
        part = values[: min(len(values), window + 50_000)]
        ours, theirs = bounds(part, window), peer(part, window)
        differs = max(
            difference(ours.lower[window + 1 :], theirs[0][window:-1]),
            difference(ours.upper[window + 1 :], theirs[1][window:-1]),
        )
        times = pairs(
            lambda rows=rows: bounds(values[:rows], window),
            lambda rows=rows, peer=peer: peer(values[:rows], window),
            repeats,
        )
        report(case, name, rows, times, bars.get(name, 0), differs)


def percentile(m: dict[str, Any], options: argparse.Namespace) -> None:
    heading("p1 and p99 of a column, stationary data")
    values = stream("normal", options.rows)
    for window in options.windows:
        bars = {"polars": 8.0 if window >= 1000 else 1.0, "scipy": 2.0 if window >= 1000 else 0}
        compare_percentiles(f"window {window}", m, values, window, bars, options.repeats)


def shapes(m: dict[str, Any], options: argparse.Namespace) -> None:
    heading("p1 and p99 of a column, other data")
    only = {name: m[name] for name in m if name == "polars"}
    for shape in ("walk", "ramp up", "ramp down", "two values"):
        for window in options.windows:
            values = stream(shape, options.rows, window)
            compare_percentiles(f"{shape}, window {window}", only, values, window, {"polars": 1.0}, options.repeats)


# ---- windows of time ----


def by_time(m: dict[str, Any], options: argparse.Namespace) -> None:
    if "pandas" not in m:
        return
    heading("a window of 300 s, events at random distances")
    rows = min(options.rows, 1_000_000)
    values = stream("normal", rows)
    for inside in (300, 10_000):
        gaps = np.random.default_rng(3).exponential(300e9 / inside, rows).astype("int64")
        times = 1_700_000_000_000_000_000 + np.cumsum(gaps)
        series = m["pandas"].Series(values, index=m["pandas"].DatetimeIndex(times))

        def z(series: Any = series) -> Any:
            rolling = series.rolling("300s")
            return (series - rolling.mean()) / rolling.std()

        def quantiles(series: Any = series) -> Any:
            rolling = series.rolling("300s")
            return rolling.quantile(0.01), rolling.quantile(0.99)

        def ours_z(times: Any = times, **more: Any) -> Any:
            return libanomaly.ZScore(window=("300s", 65_536), **more).update_rows(values, times, columns="score").score

        def ours_quantiles(times: Any = times) -> Any:
            return libanomaly.Percentile(window=("300s", 65_536)).update_rows(values, times, columns=("lower", "upper"))

        warm = 10 * inside if 20 * inside < rows else 0
        case = f"about {inside} events"
        differs = difference(ours_z(include_self=True)[warm:], z().to_numpy()[warm:])
        report(f"z-score, {case}", "pandas", rows, pairs(ours_z, z, options.repeats), 2.0, differs)
        report(f"p1 and p99, {case}", "pandas", rows, pairs(ours_quantiles, quantiles, options.repeats), 6.0)


# ---- event by event ----


def each(use: Callable[[Any], object], events: list[Any]) -> None:
    for event in events:
        use(event)


def one_by_one(m: dict[str, Any], options: argparse.Namespace) -> None:
    if "river" not in m:
        return
    from river import anomaly

    from libanomaly import river as adapted

    heading("event by event")
    count = min(options.rows, 200_000)
    values = stream("normal", count + 1000)
    warm, events = values[:1000].tolist(), values[1000:].tolist()
    scorer, ours, adaptor = (
        anomaly.GaussianScorer(window_size=1000),
        libanomaly.ZScore(window=1000),
        adapted.TargetZScore(window=1000),
    )
    for detector in (scorer, adaptor):
        each(lambda y, detector=detector: detector.learn_one(None, y), warm)
    ours.learn_rows(warm)

    def score_and_learn(detector: Any) -> None:
        score, learn = detector.score_one, detector.learn_one
        for y in events:
            score(None, y)
            learn(None, y)

    def theirs() -> None:
        score_and_learn(scorer)

    report(
        "update()", "river GaussianScorer", count, pairs(lambda: each(ours.update, events), theirs, options.repeats), 15.0
    )
    report(
        "libanomaly.river",
        "river GaussianScorer",
        count,
        pairs(lambda: score_and_learn(adaptor), theirs, options.repeats),
        0,
    )
    forest(anomaly, adapted, min(options.rows, 20_000), options.repeats)


def forest(anomaly: Any, adapted: Any, count: int, repeats: int) -> None:
    rows = np.random.default_rng(5).uniform(size=(count + 2048, 10))
    names = [f"f{i}" for i in range(10)]
    warm, now = rows[:2048], rows[2048:]
    tuples = [tuple(row) for row in now.tolist()]
    dicts = [dict(zip(names, row)) for row in now.tolist()]
    trees, adaptor = anomaly.HalfSpaceTrees(seed=1), adapted.IsolationForest()
    detector = libanomaly.IsolationForest(features=10)
    for row in warm.tolist():
        trees.learn_one(dict(zip(names, row)))
        adaptor.learn_one(dict(zip(names, row)))
    detector.update_rows(warm)

    def score_and_learn(model: Any) -> None:
        for x in dicts:
            model.score_one(x)
            model.learn_one(x)

    def theirs() -> None:
        score_and_learn(trees)

    peer = "river HalfSpaceTrees"
    report("forest, update()", peer, count, pairs(lambda: each(detector.update, tuples), theirs, repeats), 8.0)
    report("forest, update_rows()", peer, count, pairs(lambda: detector.update_rows(now), theirs, repeats), 12.0)
    report("forest, libanomaly.river", peer, count, pairs(lambda: score_and_learn(adaptor), theirs, repeats), 0)


# ---- what it runs on ----


def machine() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return "unknown processor"
    known = dict(line.split(":", 1) for line in lines if ":" in line)
    known = {name.strip(): value.strip() for name, value in known.items()}
    flags = known.get("flags", "").split()
    simd = [name for name, flag in (("AVX-512", "avx512f"), ("AVX2", "avx2")) if flag in flags]
    return f"{known.get('model name', 'unknown processor')}, {' and '.join(simd) or 'neither AVX-512 nor AVX2'}"


def versions(m: dict[str, Any]) -> str:
    found = [f"{name} {getattr(m[name], '__version__', None) or metadata.version(name)}" for name in m]
    return ", ".join([f"libanomaly {libanomaly.__version__}", f"Python {sys.version.split()[0]}", *found])


def stay_on_one_core() -> str:
    if not hasattr(os, "sched_setaffinity"):
        return "on any core"
    core = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    return f"on core {core} only"


PARTS = {"zscore": zscore, "percentile": percentile, "shapes": shapes, "time": by_time, "events": one_by_one}


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help=f"of {', '.join(PARTS)}; all by default")
    parser.add_argument("--rows", type=lambda text: int(float(text)), default=10_000_000, help="of a column (1e7)")
    parser.add_argument(
        "--windows", type=lambda text: [int(float(w)) for w in text.split(",")], default=[100, 1000, 10_000, 100_000]
    )
    parser.add_argument("--peers", type=lambda text: text.split(","), default=list(PEERS), help=f"of {','.join(PEERS)}")
    parser.add_argument("--repeats", type=int, default=5, help="pairs of runs (5)")
    parser.add_argument(
        "--simd", type=lambda text: text.split(","), default=["auto", "avx2"], help="of the z-score (auto,avx2)"
    )
    return parser.parse_args()


def main() -> int:
    options = parse()
    m = modules(options.peers)
    print(machine() + ", " + stay_on_one_core())
    print(versions(m))
    for name in options.parts or PARTS:
        PARTS[name](m, options)
    if missed:
        print("\nmissed:", *missed, sep="\n  ")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
