#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A client in a few lines: twenty ordinary values and an odd one, then the anomalies. It waits until the service is up."""

import argparse
import json
import time
import urllib.error
import urllib.request
from typing import Any


def call(url: str, event: dict[str, Any] | None = None) -> dict[str, Any]:
    body = None if event is None else json.dumps(event).encode()
    with urllib.request.urlopen(
        urllib.request.Request(url, body, {"Content-Type": "application/json"}), timeout=10
    ) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def until_up(url: str) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            call(url + "/health")
            return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    raise SystemExit(f"nothing answers at {url}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--metric", default="cpu_usage")
    parser.add_argument("--pause", type=float, default=0.0, help="seconds between two events")
    given = parser.parse_args()
    until_up(given.url)
    now = time.time() - 21
    for i in range(21):
        value = 95.0 if i == 20 else 50.0 + i % 10
        call(given.url + "/events/raw", {"timestamp": now + i, "metric": given.metric, "value": value})
        time.sleep(given.pause)
    time.sleep(0.5)
    found = call(given.url + "/anomalies?limit=10")
    print(f"21 events sent, {found['count']} " + ("anomaly" if found["count"] == 1 else "anomalies"))
    for one in found["anomalies"]:
        score = "no spread" if one["z_score"] is None else f"{one['detection_method']} {one['z_score']:.2f}"
        usual = "" if one["lower"] is None else f", usual is {one['lower']:.1f} to {one['upper']:.1f}"
        print(f"{one['metric']} = {one['value']:g}: {score}{usual}")


if __name__ == "__main__":
    main()
