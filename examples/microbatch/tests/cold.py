# SPDX-License-Identifier: MIT
"""How long a cold start takes: each step in a new process, ten times; median and worst. With a directory, and with moto."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile

import store
from common.servers import moto_server
from handler import wake
from judge import Settings

CLIENTS, HISTORY, RUNS = 10_000, 20, 10

COLD = """
import time; begin = time.perf_counter()
import handler, batch, json, store
from judge import Settings, State
done = [time.perf_counter()]
def step(value):
    done.append(time.perf_counter())
    return value
settings = step(Settings(threshold=5.0))
where = step(store.opened("dev"))
version, data = step(where.get("state"))
state = step(State(settings, data))
rows = step(batch.read(where.get("traffic/next.csv")[1], settings.max_batch_bytes, 0.0))
step(state.judge("next.csv", rows, 0.0))
step(where.put("state", state.dump(), version))
names = ["import", "settings", "open", "read state", "restore", "read batch", "judge", "save"]
print(json.dumps(dict(zip(names, [b - a for a, b in zip([begin, *done], done)]), bytes=len(data), rows=len(rows.times))))
"""


def rows(first: int, seconds: int) -> bytes:
    lines = (f"{first + s},10.0.{i // 250}.{i % 250},{1 + (i + s) % 3}\n" for s in range(seconds) for i in range(CLIENTS))
    return ("time,client,requests\n" + "".join(lines)).encode()


def measure(where: store.Store, environment: dict[str, str]) -> None:
    for part in range(0, HISTORY, 5):
        where.put(f"traffic/{part:02}.csv", rows(part, 5), 0)
    wake(where, Settings())
    where.put("traffic/next.csv", rows(HISTORY, 1), 0)
    found = []
    for _ in range(RUNS):
        told = subprocess.run(
            [sys.executable, "-c", COLD], env={**os.environ, **environment}, check=True, capture_output=True, text=True
        )
        found.append(json.loads(told.stdout))
    print(f"  {found[0]['rows']:,} rows of {CLIENTS:,} clients, state of {found[0]['bytes']:,} bytes")
    for name in found[0]:
        if name not in ("rows", "bytes", "settings"):
            times = [1000 * one[name] for one in found]
            print(f"  {name:11} {statistics.median(times):7.1f} ms   at most {max(times):7.1f}")
    whole = [1000 * sum(value for name, value in one.items() if name not in ("rows", "bytes")) for one in found]
    print(f"  {'together':11} {statistics.median(whole):7.1f} ms   at most {max(whole):7.1f}")
    print(f"  load average {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        print("a directory:")
        measure(store.Directory(f"{folder}/dev"), {"DATA": folder})
    with moto_server() as moto:
        os.environ.update(moto.environment, BUCKET="cold")
        import boto3

        boto3.client("s3").create_bucket(Bucket="cold")
        print("S3, of moto on this machine:")
        measure(store.opened("dev"), {})


if __name__ == "__main__":
    main()
