#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Judges the Numenta Anomaly Benchmark (github.com/numenta/NAB) with one configuration for all files.

    python3 tests/bench/nab.py build/anomaly DIRECTORY [--sweep] [NAME=VALUE ...]

DIRECTORY is a checkout of NAB: data/GROUP/FILE.csv and labels/combined_windows.json. An alarm is an event that the program
calls one, with `watch`, rest=150, margin=0.2 and its default threshold; NAME=VALUE changes these. Nothing is known of a
file beforehand: no label, no least or greatest value. The score is NAB's: alarms in the first 15 % of a file (at most
750 rows) do not count, an early alarm in a window counts more, one outside costs the more the further off it is.

dev and test: within each group the second, fourth, ... and the first, third, ... of the files by name; choose on dev. With
--sweep thresholds from 5.5 to 9 are tried too, and the best for dev is told, as NAB's own table has a best threshold for
each profile. Needs nothing but Python. Ends with 1 where the standard score of all files is less than 66.
"""
import json
import math
import subprocess
import sys
from pathlib import Path

PROFILES = {"standard": (1.0, 1.0, 0.11), "low FP": (1.0, 1.0, 0.22), "low FN": (1.0, 2.0, 0.11)}  # found, missed, false
SETTINGS = {"rest": "150", "margin": "0.2"}
BAR = 66


def worth(position):
    """From 1 well before the end of a window (-1) to -1 well behind it (3)."""
    return -1.0 if position > 3 else 2 / (1 + math.exp(5 * position)) - 1


class File:
    def __init__(self, root, name, windows, is_dev):
        self.path, self.is_dev = root / "data" / name, is_dev
        times = [line.split(",")[0] for line in self.path.read_text().splitlines()[1:]]
        self.skipped = min(int(0.15 * len(times)), 750)
        self.windows = [tuple(times.index(t.split(".")[0]) for t in window) for window in windows]

    def alarms(self, program, settings):
        """Rows of the program's alarms."""
        options = [word for name, value in settings.items() for word in ("-s", f"{name}={value}")]
        command = [program, "-q", "-d", "watch", *options, "-o", "csv", "--fields", "line,flags", str(self.path)]
        out = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[1:]
        rows = [int(line.split(",")[0]) - 2 for line in out if "alarm" in line.split(",")[1].split("|")]
        return [row for row in rows if row >= self.skipped]

    def score(self, alarms, profile):
        """NAB's score, that of a silent detector and that of a perfect one."""
        found, missed, false = PROFILES[profile]
        judged = [w for w in self.windows if w[1] >= self.skipped]
        total = 0.0
        for first, last in judged:
            worths = [worth(-(last - row + 1) / (last - first + 1)) for row in alarms if first <= row <= last]
            total += found * max(worths) / worth(-1.0) if worths else -missed
        for row in alarms:
            if not any(first <= row <= last for first, last in self.windows):
                before = [w for w in self.windows if w[1] < row]
                total += false * (worth((row - before[-1][1]) / (before[-1][1] - before[-1][0])) if before else -1.0)
        return total, -missed * len(judged), found * len(judged)


def read_files(root):
    files, number = [], {}
    for name, windows in sorted(json.loads((root / "labels" / "combined_windows.json").read_text()).items()):
        group = name.split("/")[0]
        number[group] = number.get(group, -1) + 1
        files.append(File(root, name, windows, number[group] % 2 == 1))
    return files


def normalised(files, alarms, profile):
    total, silent, perfect = (sum(part) for part in zip(*(f.score(alarms[f], profile) for f in files)))
    return 100 * (total - silent) / (perfect - silent)


def judge(files, program, settings):
    alarms = {f: f.alarms(program, settings) for f in files}
    parts = {"all": files, "dev": [f for f in files if f.is_dev], "test": [f for f in files if not f.is_dev]}
    return {(part, profile): normalised(of_part, alarms, profile) for part, of_part in parts.items() for profile in PROFILES}


def show(words, scores):
    for part in ("all", "dev", "test"):
        print(f"{words:<18} {part:<5}" + "".join(f" {scores[part, profile]:10.2f}" for profile in PROFILES), flush=True)


def main(arguments):
    sweep = "--sweep" in arguments
    program, root, *more = [a for a in arguments if a != "--sweep"]
    settings = {**SETTINGS, **dict(a.split("=", 1) for a in more)}
    files = read_files(Path(root))
    print(f"{'':<24}" + "".join(f" {profile:>10}" for profile in PROFILES))
    scores = judge(files, program, settings)
    show("as set", scores)
    if sweep:
        tried = {t / 10: judge(files, program, {**settings, "threshold": t / 10}) for t in range(55, 91, 2)}
        for profile in PROFILES:
            best = max(tried, key=lambda t: tried[t]["dev", profile])
            show(f"{profile}: {best}", tried[best])
    return 1 if scores["all", "standard"] < BAR else 0


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
