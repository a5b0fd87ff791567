#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Shows the service at work: an ordinary day, then a machine that wears, until the model for it is served."""

from __future__ import annotations

import argparse
import json
import time
import urllib.request
from typing import Any

from simulate_stream import DAY, START, WEEK, readings, send


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=60) as answer:
        return json.load(answer)


def tell(title: str, told: dict[str, int]) -> None:
    print(f"{title}: " + ", ".join(f"{count} {name}" for name, count in sorted(told.items())))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    url = parser.parse_args().url
    first = get(url)["model"]
    tell("\nA day as the model knows it", send(readings(1440, 2, START + 7 * DAY), url, 100, 0))
    worn = readings(WEEK, 3, START + 8 * DAY, drift=0)
    print("\nThe machine wears: warmer, with less flow")
    drifted: set[str] = set()
    end = time.monotonic() + 600
    while (model := get(url)["model"]) == first:
        told = send((row for row, _ in zip(worn, range(1000))), url, 100, 0, shown=0)
        if not told:
            time.sleep(1)  # all is sent; the training takes its time
            if time.monotonic() > end:
                raise SystemExit("no new model is served")
            continue
        tell("A thousand rows of it", told)
        report = get(url + "/drift")["distribution"]
        for name, feature in (report or {"features": {}})["features"].items():
            if feature["drift_detected"] and name not in drifted:
                drifted.add(name)
                print(f"    {name} has drifted: mean {feature['mean_diff']:+.2f} deviations, p {feature['p']:.1g}")
        time.sleep(1)
    print(f"\nServed now: {model}, in the place of {first}")
    tell("A day of the worn machine", send(readings(1440, 4, START + 20 * DAY, drift=0), url, 100, 0, shown=0))


if __name__ == "__main__":
    main()
