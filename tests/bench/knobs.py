#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Draws docs/img/knob-*.svg, a picture for each option that docs/knobs.md explains, from real runs of the library.

    build/python/venv-3.11/bin/python tests/bench/knobs.py docs/img      `make figures` does it

Needs the Python package and nothing else. The same bytes each time: the numbers come from a fixed seed.
"""

import math
import random
import sys
from pathlib import Path

from libanomaly import Flag, IsolationForest, Mahalanobis, Percentile, Pool, ZScore
from small_svg import Panel, picture

DAY, HOUR, MINUTE = 86400.0, 3600.0, 60.0


def noise(count, spread=1.0, level=0.0, seed=1):
    """Nearly normal, by sums alone: the same numbers on every machine."""
    chance = random.Random(seed)
    return [level + spread * (sum(chance.random() for _ in range(12)) - 6) for _ in range(count)]


def every(seconds, count):
    return [i * seconds for i in range(count)]


def run(caption, detector, values, times=None, bounds=True, **how):
    v = detector.update_rows(values, times, columns="all")
    pairs = list(zip(v.lower, v.upper)) if bounds else None
    return Panel(caption, values, bounds=pairs, flags=[int(f) for f in v.flags], **how)


def scores(caption, detector, values, times=None, **how):
    """The scores in place of the values, and the threshold."""
    v = detector.update_rows(values, times, columns="all")
    return Panel(caption, [float(s) for s in v.score], what="score", limit=[float(t) for t in v.threshold],
                 flags=[int(f) for f in v.flags], **how)


def with_shift(count=170, at=110, by=8.0):
    return [v + (by if i >= at else 0) for i, v in enumerate(noise(count, level=20))]


def window():
    x = with_shift()
    return [run(f"window={n}", ZScore(window=n), x, low=12, high=34) for n in (20, 150)]


def threshold():
    x = noise(180, level=20, seed=4)
    x[90], x[150] = 24.2, 27.5
    return [run(f"threshold={n}", ZScore(window=100, threshold=n), x, low=13, high=29) for n in (2, 3, 5)]


def warmup():
    x = [v + 0.02 * i for i, v in enumerate(noise(160, level=20, seed=5))]
    x[12] = 27.0
    return [run(f"warmup={n}", ZScore(window=100, warmup=n), x, low=14, high=30) for n in (5, 50)]


def robust():
    x = noise(220, level=20, seed=6)
    x[60], x[110], x[150] = 200.0, 27.0, 27.0
    return [run(f"robust={n}", ZScore(window=100, robust=bool(n), threshold=4), x, low=8, high=34) for n in (0, 1)]


def side():
    x = noise(220, level=20, seed=7)
    x[80], x[150] = 12.0, 28.0
    return [run(f"side={n}", ZScore(window=100, side=n, threshold=4), x, low=9, high=31) for n in ("both", "upper")]


def bounds():
    x = [10 * v for v in skewed(400, seed=18)]
    return [run(f"lower={low} upper={high}", Percentile(window=200, lower=low, upper=high), x, first=200, low=0, high=50)
            for low, high in ((5, 95), (1, 99))]


def min_stddev():
    x = [20 + round(0.2 * v) * 0.1 for v in noise(220, seed=8)]
    x[70], x[150] = 20.3, 21.5
    return [run(f"min_stddev={n}", ZScore(window=100, min_stddev=n), x, low=18.8, high=21.8) for n in (0, 0.2)]


def learn():
    x = with_shift(at=60)
    x[30] = 30.0
    return [run(f"learn={n}", ZScore(window=100, threshold=4, learn=n), x, low=10, high=36)
            for n in ("always", "normal", "normal:5")]


def skewed(count, by=0.6, seed=9):
    return [math.exp(by * v) for v in noise(count, seed=seed)]


def alarms():
    count, quarter = 4000, every(15 * MINUTE, 4000)
    x = skewed(count, 1.2, seed=24)
    x[3900] = 150.0
    how = {"first": 3712, "low": 0, "high": 16, "planted": [(3900, 3901)]}
    return [scores("threshold=3", ZScore(window=1000, side="upper"), x, quarter, **how),
            scores("alarms=1/day", ZScore(window=1000, side="upper", alarms="1/day"), x, quarter, **how)]


def alarm_rate():
    x = skewed(4000)
    return [scores(f"alarm_rate={n}", ZScore(window=1000, side="upper", alarm_rate=n), x, first=3760, low=0, high=8)
            for n in (0.05, 0.01)]


def incident(count=240):
    """Half an hour of trouble that grows worse, with a pause."""
    x = noise(count, level=20, seed=10)
    for i in range(100, 130):
        x[i] += 0 if 112 <= i < 116 else 9 if i < 116 else 22
    x[200] += 9
    return x


TROUBLE = {"low": 8, "high": 56, "planted": [(100, 130), (200, 201)]}


def rest():
    x, minute = incident(), every(MINUTE, 240)
    settings = [("rest=off", {}), ("rest=30m", {"rest": "30m"})]
    return [run(words, ZScore(window=200, threshold=5, learn="normal", **more), x, minute, **TROUBLE) for words, more in settings]


def margin():
    x, minute = incident(), every(MINUTE, 240)
    return [run(f"rest=30m margin={n}", ZScore(window=200, threshold=5, learn="normal", rest="30m", margin=n), x, minute, **TROUBLE)
            for n in (0, 10)]


def confirm():
    x, minute = noise(240, level=20, seed=11), every(MINUTE, 240)
    for i in (40, 90, *range(150, 162)):
        x[i] += 10
    return [run(f"rest=30m confirm={n}", ZScore(window=200, threshold=5, learn="normal", rest="30m", confirm=n), x, minute,
                low=12, high=34, planted=[(150, 162)]) for n in ("1/1", "2/3")]


def min_change():
    x, minute = noise(240, level=20, spread=0.2, seed=12), every(MINUTE, 240)
    x[70] += 3
    x[160] += 10
    return [run(f"rest=30m min_change={n}", ZScore(window=200, threshold=6, rest="30m", min_change=n), x, minute, low=17, high=32)
            for n in ("0", "30%")]


def season():
    quarter, days = 15 * MINUTE, 12
    count = days * 96
    spread = noise(count, seed=13)
    x = [200 - 160 * math.cos(2 * math.pi * i / 96) + 12 * v for i, v in enumerate(spread)]
    busy, quiet = 10 * 96 + 4, 11 * 96 + 46
    for i in range(6):
        x[busy + i], x[quiet + i] = 250 + 12 * spread[i], 120 + 12 * spread[i]
    how = {"first": 9 * 96 + 48, "low": -120, "high": 520, "planted": [(busy, busy + 6), (quiet, quiet + 6)]}
    settings = [("season=off", {}), ("season=1d", {"season": "1d"})]
    return [run(words, ZScore(window="1d", threshold=4 if more else 3, learn="normal", **more), x, every(quarter, count), **how)
            for words, more in settings]


def transform():
    x = [20 * v for v in skewed(600)]
    x[480], x[560] = 1.2, 300.0
    return [run(f"transform={n}", ZScore(window=400, threshold=4, transform=n), x, first=400, low=-40, high=310,
                planted=[(480, 481), (560, 561)]) for n in ("none", "log")]


def lags():
    count = 3000
    wave = [10 * math.sin(2 * math.pi * i / 40) for i in range(count)]
    x = [w + 0.5 * v for w, v in zip(wave, noise(count, seed=14))]
    x[2905:2925] = [v - 2 * w for v, w in zip(x[2905:2925], wave[2905:2925])]
    return [run(f"lags={n}", Mahalanobis(lags=n), x, bounds=False, first=2800, low=-12, high=12, planted=[(2905, 2925)])
            for n in ("0", "pyramid")]


def contamination():
    x = noise(3000, level=20, seed=15)
    x[2860], x[2930] = 27.0, 12.0
    return [run(f"contamination={n}", IsolationForest(window=2048, contamination=n), x, bounds=False, first=2780, low=11, high=28)
            for n in (0.05, 0.01, 0.001)]


def silence():
    return [waiting(words) for words in ("silence=3x", "silence=1/1d")]


def waiting(words):
    """How long the stream has been silent, minute by minute, and from when on that is too long."""
    chance, detector = random.Random(16), ZScore(silence=words.split("=")[1])
    silent, due, flags, last, told = [], [], [], 0, None
    for minute in range(3 * 1440):
        if chance.random() < 0.2 and not 3960 <= minute < 4080:
            detector.update(1.0, minute * MINUTE)
            last = minute
        far = detector.overdue(minute * MINUTE + 10 * DAY)
        too_long = far is not None and minute * MINUTE * 1e9 > far.due_ns
        flags.append(Flag.ALARM if too_long and told != last else 0)
        told = last if too_long else told
        silent.append(float(minute - last))
        due.append((far.due_ns - far.last_ns) / 60e9 if far else math.nan)
    first = 2880
    count = sum(1 for f in flags[first:] if f)
    return Panel(words, silent, what="minutes since the last event", limit=due, flags=flags, first=first, low=0, high=120,
                 planted=[(3960, 4080)], words=f"{count} told in a day")


def population():
    chance, events = random.Random(17), []
    for minute in range(400):
        events += [(f"client {k}", 3 + 4 * chance.random()) for k in range(8) if chance.random() < 0.5]
        if minute >= 392:
            events.append(("bot", 60 + 20 * chance.random()))
    panels = []
    for n in (0, 1):
        pool = Pool("zscore", window=1000, warmup=20, threshold=6, learn="normal", population=bool(n))
        flags = [pool.update(key, value).flags for key, value in events]
        panels.append(Panel(f"population={n}", [v for _, v in events], flags=flags, first=len(events) - 120, low=0, high=90))
    return panels


KNOBS = (window, threshold, warmup, robust, side, bounds, min_stddev, learn, alarms, alarm_rate, rest, margin, confirm, min_change, season,
         transform, lags, contamination, silence, population)


def main():
    folder = Path(sys.argv[1])
    for knob in KNOBS:
        (folder / f"knob-{knob.__name__}.svg").write_text(picture(knob.__name__, knob()), encoding="utf-8")


if __name__ == "__main__":
    main()
