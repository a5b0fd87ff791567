# SPDX-License-Identifier: MIT
"""Transactions with labelled anomalies, the same for the same seed.

Each user has a level; ordinary amounts are about it, with a standard deviation of 2, anomalies 20 above. Of a user's first
fifty transactions none is odd.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from common.events import noisy

START = 1_753_000_000_000  # ms


def transactions(count: int, users: int, seed: int, share: float = 0.005, start: int = START) -> Iterator[dict[str, Any]]:
    """The users in turn, a tenth of a second apart; `label` is `anomaly` or `normal`, and no part of a transaction."""
    chance = random.Random(seed)
    events = noisy(seed, users, -(-count // users), start / 1000, share)
    for i, event in zip(range(count), events):
        yield {
            "userId": f"user{i % users + 1}",
            "amount": round(event.value, 2),
            "timestamp": start + 100 * i,
            "transactionId": f"txn_{i}",
            "merchantId": f"merchant_{chance.randint(1, 50)}",
            "label": "anomaly" if event.odd else "normal",
        }


@contextmanager
def to(target: str) -> Iterator[Callable[[dict[str, Any]], None]]:
    """What sends one record: to `-`, a file, `kafka:TOPIC` or `kinesis:STREAM`, where a user's stay in their order."""
    kind, _, name = target.partition(":")
    if kind in ("kafka", "kinesis") and name:
        from keyed_stream import brokers

        with (brokers.to_kafka if kind == "kafka" else brokers.to_kinesis)(name) as send:
            yield send
    elif target == "-":
        yield lambda one: print(json.dumps(one))
    else:
        with open(target, "w", encoding="utf-8") as file:
            yield lambda one: print(json.dumps(one), file=file)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", default="-", metavar="TARGET", help="-, a file, kafka:TOPIC or kinesis:STREAM")
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--users", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--share", type=float, default=0.005, help="how many of them are odd")
    parser.add_argument("--rate", type=float, help="so many a second, with times of now; else at once, with times of 2025")
    given = parser.parse_args()
    start = int(time.time() * 1000) if given.rate else START
    with to(given.to) as send:
        for i, one in enumerate(transactions(given.count, given.users, given.seed, given.share, start)):
            if given.rate:
                time.sleep(max(0.0, start / 1000 + i / given.rate - time.time()))
                one["timestamp"] = int(time.time() * 1000)
            send(one)
            if given.rate and given.to != "-":
                print("Sent transaction:", json.dumps(one), flush=True)
    if given.to != "-":
        print(f"{given.count} transactions sent to {given.to}", file=sys.stderr)


if __name__ == "__main__":
    main()
