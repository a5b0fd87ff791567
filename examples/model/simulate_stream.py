#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A machine with five sensors and a daily rhythm, a row a minute, as a stream to the service or as a file.

python simulate_stream.py                              a day as the model knows it, with some faults
python simulate_stream.py --drift 500 --rows 6000      from row 500 on the machine wears: warmer, with less flow
python simulate_stream.py --write week.csv             a week as CSV, with a column that says which rows are faults
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import random
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

SENSORS = ("temperature", "vibration", "pressure", "current", "flow")
RUNNING = ((31.0, 0.4, 1.2, 2.1, 4.0), (48.0, 1.1, 2.6, 7.5, 21.0), (66.0, 1.9, 4.1, 12.4, 38.0))  # idle, half, full speed
NOISE = (1.0, 0.07, 0.05, 0.3, 0.65)
WARM = 3.0  # degrees that the afternoon is warmer than the mean of the day
WORN = (8.0, 0.0, 0.0, 0.0, -5.0)  # what wear adds
FAULTS = 0.01  # share of rows
DAY, MINUTE = 86400, 60
START = 1741132800  # 2025-03-05T00:00:00Z
WEEK = 7 * DAY // MINUTE


class Reading(NamedTuple):
    time: float
    values: tuple[float, ...]
    fault: str  # the sensor that was planted with an odd value, or ok


def readings(rows: int, seed: int, start: float = START, drift: int | None = None) -> Iterator[Reading]:
    """The same for the same seed. By day the machine runs faster than at night, in each way for ten minutes or so."""
    chance = random.Random(seed)
    running = RUNNING[0]
    for row in range(rows):
        at = start + row * MINUTE
        day = math.sin(2 * math.pi * (at % DAY / DAY - 0.3))  # highest in the afternoon
        if chance.random() < 0.1:
            running = chance.choices(RUNNING, (1.1 - day, 1.0, 1.1 + day))[0]
        worn = drift is not None and row >= drift
        values = [level + chance.gauss(0, noise) + wear * worn for level, noise, wear in zip(running, NOISE, WORN)]
        values[0] += WARM * day
        fault = "ok"
        if chance.random() < FAULTS:
            sensor = chance.randrange(len(SENSORS))
            fault = SENSORS[sensor]
            values[sensor] += chance.choice((-1, 1)) * chance.uniform(10, 20) * NOISE[sensor]
        yield Reading(at, tuple(round(value, 3) for value in values), fault)


def write(rows: Iterator[Reading], file: Any) -> None:
    lines = csv.writer(file, lineterminator="\n")
    lines.writerow(["timestamp", *SENSORS, "fault"])
    lines.writerows([reading.time, *reading.values, reading.fault] for reading in rows)


def post(url: str, body: dict[str, Any], key: str = "") -> Any:
    headers = {"Content-Type": "application/json", **({"X-API-Key": key} if key else {})}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def send(rows: Iterator[Reading], url: str, batch: int, pause: float, key: str = "", shown: int = 3) -> Counter[str]:
    """What came of it: faults found and missed, others flagged, by version of the model how many rows it judged."""
    told: Counter[str] = Counter()
    chunk: list[Reading] = []
    for reading in rows:
        chunk.append(reading)
        if len(chunk) == batch:
            _send_chunk(chunk, url, told, key, shown)
            chunk = []
            time.sleep(pause)
    if chunk:
        _send_chunk(chunk, url, told, key, shown)
    return told


def _send_chunk(chunk: list[Reading], url: str, told: Counter[str], key: str, shown: int) -> None:
    body = {"rows": [{"features": reading.values, "time": reading.time} for reading in chunk]}
    answer = post(url + "/predict/batch", body, key)
    told[f"rows judged by {answer['model']}"] += len(chunk)
    for reading, verdict in zip(chunk, answer["predictions"]):
        odd, fault = verdict["prediction"] == -1, reading.fault != "ok"
        told["faults found" if fault and odd else "faults missed" if fault else "others flagged" if odd else "usual"] += 1
        if odd and fault and told["faults found"] <= shown:
            causes = ", ".join(f"{name} {share:.0%}" for name, share in list(verdict["explanation"].items())[:2])
            print(f"{reading.fault} is odd: score {verdict['score']:.2f}, because of {causes}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--rows", type=int, default=DAY // MINUTE)
    parser.add_argument("--drift", type=int, metavar="ROW", help="from this row on the machine is worn")
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--start", type=float, default=START + 7 * DAY, help="seconds since 1970 of the first row")
    parser.add_argument("--batch", type=int, default=100, help="rows in a request")
    parser.add_argument("--pause", type=float, default=0.0, help="seconds between requests")
    parser.add_argument("--api-key", default="")
    parser.add_argument("--write", metavar="FILE", help="writes the rows as CSV and sends nothing; - is the output")
    options = parser.parse_args()
    rows = readings(options.rows, options.seed, options.start, drift=options.drift)
    if options.write:
        with sys.stdout if options.write == "-" else open(options.write, "w", encoding="utf-8") as file:
            write(rows, file)
        return
    for name, count in sorted(send(rows, options.url.rstrip("/"), options.batch, options.pause, options.api_key).items()):
        print(f"{count:6} {name}")


if __name__ == "__main__":
    main()
