#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes server-day.csv: one server's day, every 30 seconds, with planted outliers; or machine.csv.

    python3 generate.py > server-day.csv
    python3 generate.py machine > machine.csv

Three metrics with a daily rhythm; `label` is 1 where something was planted: single spikes and drops, a short burst, and
the first reading of a level shift (memory, 15:00, after a deployment). The random numbers are splitmix64 and the rhythm is
arithmetic alone, no library function, so every machine writes the same bytes.

machine.csv: five sensors of a machine once a minute, in three ways of running with a level each; `fault` is ok, or names the
sensor that was planted with a value that may be usual in another way of running, or both sensors, as one+other.
"""
import sys
from datetime import datetime, timedelta, timezone

STEP = 30
START = datetime(2025, 3, 4, tzinfo=timezone.utc)
MASK = (1 << 64) - 1


class Random:
    """splitmix64"""

    def __init__(self, seed):
        self.state = seed

    def uniform(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return ((z ^ (z >> 31)) >> 11) / (1 << 53)

    def noise(self):
        """Bounded, without tails: -1 .. 1."""
        return self.uniform() * 2 - 1


def rhythm(seconds, peak_hour):
    """A day's wave, -1 .. 1, highest at peak_hour: two parabolas, near enough to a sine."""
    x = ((seconds / 3600 - peak_hour) / 24 + 1.25) % 1  # 0.25 at the peak
    half = x * 2 % 1
    wave = 4 * half * (1 - half)
    return wave if x < 0.5 else -wave


#           base  rhythm peak  noise
METRICS = {"cpu": (38.0, 14.0, 14, 3.0), "latency": (24.0, 6.0, 15, 1.5), "memory": (52.0, 4.0, 17, 0.8)}

# (metric, hh:mm:ss, what is added, for how many readings)
PLANTED = [
    ("cpu", "03:20:00", 41.5, 1),
    ("latency", "05:41:30", 62.0, 1),
    ("memory", "07:05:00", -9.5, 1),
    ("cpu", "09:48:30", -27.0, 1),
    ("latency", "11:15:00", 95.0, 3),
    ("cpu", "13:02:00", 38.0, 2),
    ("latency", "16:30:30", -19.0, 1),
    ("cpu", "18:44:00", 44.0, 1),
    ("memory", "20:10:30", 11.0, 1),
    ("latency", "22:59:30", 70.0, 1),
]
SHIFT = ("memory", 15 * 3600, 12.0)


def planted(metric, seconds):
    for name, clock, amount, count in PLANTED:
        h, m, s = (int(part) for part in clock.split(":"))
        first = h * 3600 + m * 60 + s
        if name == metric and first <= seconds < first + count * STEP:
            return amount
    return 0.0


def reading(metric, seconds, random):
    base, wave, peak, noise = METRICS[metric]
    extra = planted(metric, seconds)
    value = base + wave * rhythm(seconds, peak) + noise * random.noise() + extra
    label = extra != 0
    if metric == SHIFT[0] and seconds >= SHIFT[1]:
        value += SHIFT[2]
        label = label or seconds == SHIFT[1]
    return value, int(label)


SENSORS = ("temperature", "vibration", "pressure", "current", "flow")
#          idle, half and full speed: level of each sensor; and the noise
RUNNING = ((31.0, 0.4, 1.2, 2.1, 4.0), (48.0, 1.1, 2.6, 7.5, 21.0), (66.0, 1.9, 4.1, 12.4, 38.0))
NOISE = (1.6, 0.12, 0.09, 0.5, 1.1)
FAULTS = ((), (0,), (1,), (2,), (3,), (4,), (1, 3), (2, 4))
MACHINE_ROWS = 2500


def machine():
    random = Random(20250305)
    start = datetime(2025, 3, 5, tzinfo=timezone.utc)
    out = ["timestamp," + ",".join(SENSORS) + ",fault"]
    running, fault = 1, 0
    for row in range(MACHINE_ROWS):
        if random.uniform() < 0.1:
            running = int(random.uniform() * 3)
        running = row // 5 % 3 if row < 60 else running  # in the first hour it is tried out
        sensors = [level + noise * (random.noise() + random.noise()) for level, noise in zip(RUNNING[running], NOISE)]
        planted = FAULTS[1 + fault % 7] if row >= 300 and row % 96 == 17 else ()
        fault += bool(planted)
        for k in planted:
            sensors[k] += (7 + 5 * random.uniform()) * NOISE[k] * (1 if random.uniform() < 0.7 else -1) + (k == 1) * 1.5
        time = (start + timedelta(minutes=row)).strftime("%Y-%m-%dT%H:%MZ")
        name = "+".join(SENSORS[k] for k in planted) or "ok"
        out.append(f"{time}," + ",".join(f"{value:.2f}" for value in sensors) + f",{name}")
    return out


def main():
    if sys.argv[1:] == ["machine"]:
        sys.stdout.write("\n".join(machine()) + "\n")
        return
    random = Random(20250304)
    out = ["metric,value,timestamp,label"]
    for seconds in range(0, 86400, STEP):
        time = (START + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
        for metric in METRICS:
            value, label = reading(metric, seconds, random)
            out.append(f"{metric},{value:.2f},{time},{label}")
    sys.stdout.write("\n".join(out) + "\n")


if __name__ == "__main__":
    main()
