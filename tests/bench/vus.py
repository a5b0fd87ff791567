#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How well scores find labelled incidents of operational series: VUS-PR, and incidents found within a budget.

    python3 tests/bench/vus.py build/anomaly DIRECTORY [SET ...]

DIRECTORY has a file SET__NAME.npz for each series: X [n, d], y [n] (not 0 in an incident), start (the first event that
counts), dt (seconds between events). Sets of one value: ms (Microsoft's cloud monitoring), smap, msl (NASA's telemetry);
of several: smd, asd, smap-m, msl-m. Every series has the same configuration, the kind's defaults; each event is judged
before it is learned, and nothing is known beforehand.

VUS-PR is the volume under the surface of precision, recall and tolerance around the incidents (Paparrizos et al. 2022,
with the definition of TSB-AD). "1 %" is the share of a set's incidents with an event that is flagged: online with
alarm_rate=0.01, and with the threshold that 1 % of a series' scores exceed, which is known only afterwards.
Needs NumPy. Ends with 1 where a bar is missed: VUS-PR .45 over ms, smap, msl in the mean, for watch and mahalanobis; 79 %
of the incidents of smd, online, for mahalanobis.
"""
import subprocess
import sys
from pathlib import Path

import numpy as np

SINGLE, SEVERAL = ("ms", "smap", "msl"), ("smd", "asd", "smap-m", "msl-m")
METHODS = {
    "watch": (SINGLE, ["-d", "watch"]),
    "mahalanobis": (SINGLE + SEVERAL, ["-d", "mahalanobis"]),
    "iforest": (SINGLE + SEVERAL, ["-d", "iforest"]),
    "zscore": (SINGLE, ["-d", "zscore", "-w", "1000"]),
}
RATE, TOLERANCES, LEAST_VUS, LEAST_FOUND = 0.01, 9, 0.45, 0.79


# ---- scores ----

def judge(program, options, x, dt):
    """Scores and flags, by the program."""
    names = [f"v{k}" for k in range(x.shape[1])]
    text = ",".join(["time", *names]) + "\n"
    text += "\n".join(",".join([repr(i * dt), *map(repr, row)]) for i, row in enumerate(x.tolist())) + "\n"
    command = [program, "-q", "-a", *options, "-s", f"alarm_rate={RATE}", "-T", "time", "--time-unit", "s", "-v", ",".join(names),
               "-o", "csv", "--fields", "score,anomaly,flags"]
    out = subprocess.run(command, input=text, check=True, capture_output=True, text=True).stdout.splitlines()[1:]
    rows = [line.split(",") for line in out]
    return np.array([score_of(r[0], r[2]) for r in rows]), np.array([r[1] == "1" for r in rows])


def score_of(text, flags):
    """CSV has no number for an infinite score and none for one that is missing; the flags tell them apart."""
    return float(text) if text else np.inf if {"flat", "nonfinite"} & set(flags.split("|")) else np.nan


def finite(score):
    """Infinite scores as the largest, missing ones as the least."""
    known = score[np.isfinite(score)]
    most, least = (known.max(), known.min()) if len(known) else (0.0, 0.0)
    return np.where(np.isposinf(score), most + abs(most) + 1, np.where(np.isfinite(score), score, least))


# ---- VUS-PR ----

def incidents(y):
    step = np.diff(np.r_[0, (y > 0).astype(int), 0])
    return np.flatnonzero(step == 1), np.flatnonzero(step == -1) - 1


def period(x, longest=400):
    """The lag of the highest peak of the autocorrelation, which sets the largest tolerance."""
    x = x[:20000] - x[:20000].mean()
    if len(x) < 10 or x.std() == 0:
        return 125
    spectrum = np.fft.rfft(x, 2 * len(x))
    lags = np.fft.irfft(spectrum * np.conj(spectrum))[: min(longest + 1, len(x))]
    lags = lags[3:] / lags[0]
    peaks = 1 + np.flatnonzero((lags[1:-1] > lags[:-2]) & (lags[1:-1] > lags[2:]))
    best = peaks[np.argmax(lags[peaks])] if len(peaks) else 0
    return int(best + 3) if 3 <= best <= 300 else 125


def soft_labels(y, begins, ends, width):
    """Labels that fall off within half a width of each incident."""
    soft, half, n = y.astype(float), width // 2, len(y)
    for a, b in zip(begins, ends):
        after, before = np.arange(b + 1, min(b + half + 1, n)), np.arange(max(a - half, 0), a)
        soft[after] += np.sqrt(1 - (after - b) / width)
        soft[before] += np.sqrt(1 - (a - before) / width)
    return np.minimum(soft, 1)


def stretches(begins, ends, half, n):
    """Incidents with the tolerance around them, joined where they touch."""
    joined, first = [], max(begins[0] - half, 0)
    for k in range(len(begins) - 1):
        if ends[k] + half < begins[k + 1] - half:
            joined.append((first, ends[k] + half))
            first = begins[k + 1] - half
    return [*joined, (first, min(ends[-1] + half, n - 1))]


def area(y, score, order, counts, width):
    begins, ends = incidents(y)
    soft = soft_labels(y, begins, ends, width) if width > 1 else y.astype(float)
    hits, extra = np.cumsum(soft[order]), np.cumsum(np.where(y[order] > 0, 0, soft[order]))
    largest = np.sort([-score[a : b + 1].max() for a, b in stretches(begins, ends, width // 2, len(y))])
    met = np.searchsorted(largest, -score[order][counts - 1], side="right") / len(largest)
    recall = np.minimum(hits[counts - 1] / (y.sum() + extra[counts - 1] / 2), 1) * met
    return np.dot(np.diff(np.r_[0, recall]), hits[counts - 1] / counts)


def vus_pr(y, score, longest, thresholds=250):
    order = np.argsort(-score, kind="stable")
    at = np.unique(np.linspace(0, len(y) - 1, thresholds).astype(int))
    counts = np.searchsorted(-score[order], -score[order][at], side="right")
    widths = np.unique(np.linspace(0, longest, min(TOLERANCES, longest + 1)).astype(int))
    return np.mean([area(y, score, order, counts, w) for w in widths])


# ---- the table ----

def found(y, flagged):
    begins, ends = incidents(y)
    return sum(flagged[a : b + 1].any() for a, b in zip(begins, ends)), len(begins)


def judge_set(program, options, paths):
    """Mean VUS-PR; incidents found online, with hindsight, and planted."""
    volumes, tally = [], np.zeros(3, int)
    for path in paths:
        data = np.load(path)
        x, y, start = np.atleast_2d(data["X"].astype(float).T).T, (data["y"] != 0).astype(int), int(data["start"])
        if not y[start:].any():
            continue
        score, flagged = judge(program, options, x, float(data["dt"]))
        score = finite(score[start:])
        volumes.append(vus_pr(y[start:], score, period(x[:, 0])))
        online, planted = found(y[start:], flagged[start:])
        above = score > np.sort(score)[::-1][int(RATE * len(score))]
        tally += (online, found(y[start:], above)[0], planted)
    return np.mean(volumes), *tally


def main(program, directory, *wanted):
    missed = False
    print(f"{'method':<12} {'set':<7} {'VUS-PR':>7}  incidents at 1 %: online, in hindsight")
    for method, (sets, options) in METHODS.items():
        volumes = {}
        for name in sets:
            paths = sorted(Path(directory).glob(f"{name}__*.npz"))
            if not paths or (wanted and name not in wanted):
                continue
            volumes[name], online, after, planted = judge_set(program, options, paths)
            print(f"{method:<12} {name:<7} {volumes[name]:7.3f}  {online}/{planted} {online / planted:4.0%}"
                  f"  {after}/{planted} {after / planted:4.0%}", flush=True)
            missed |= name == "smd" and method == "mahalanobis" and online < LEAST_FOUND * planted
        for group in (SINGLE, SEVERAL):
            of_group = [volumes[name] for name in group if name in volumes]
            if len(of_group) == len(group):
                print(f"{method:<12} {'mean':<7} {np.mean(of_group):7.3f}  over {' '.join(group)}", flush=True)
                missed |= group == SINGLE and method in ("watch", "mahalanobis") and np.mean(of_group) < LEAST_VUS
    return 1 if missed else 0


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
