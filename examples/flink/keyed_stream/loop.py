# SPDX-License-Identifier: MIT
"""The plain loop: judges a file of transactions, or what a Kinesis stream holds, in one process and without Flink.

Alerts go to standard output, a line of JSON each; what was refused, and a summary, to standard error.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator

from keyed_stream.config import Settings, settings
from keyed_stream.rules import Alert, User, tumbling
from keyed_stream.transactions import Refusal, Transaction, parse, refusal


class Windows:
    """Tumbling windows of event time, for each user; a window ends when the newest time is as much later as may be late."""

    def __init__(self, given: Settings) -> None:
        self.size, self.lateness = given.tumbling_seconds * 1000, given.allowed_lateness_seconds * 1000
        self.threshold = given.tumbling_threshold
        self.open: dict[tuple[int, str], list[Transaction]] = {}
        self.watermark = 0

    def add(self, one: Transaction) -> Iterator[Alert | Refusal]:
        start = one["timestamp"] - one["timestamp"] % self.size
        if start + self.size <= self.watermark:
            yield refusal("late: the window has ended", one)
            return
        self.open.setdefault((start, one["userId"]), []).append(one)
        if one["timestamp"] - self.lateness > self.watermark:
            self.watermark = one["timestamp"] - self.lateness
            yield from self.end(self.watermark)

    def end(self, watermark: int) -> Iterator[Alert]:
        for key in [key for key in self.open if key[0] + self.size <= watermark]:
            if found := tumbling(self.open.pop(key), self.threshold):
                yield found


def judge(lines: Iterable[str | bytes], given: Settings) -> Iterator[Alert | Refusal]:
    users: dict[str, User] = {}
    windows = Windows(given)
    for line in lines:
        one = parse(line)
        if isinstance(one, Refusal):
            yield one
            continue
        if given.rules != "tumbling":
            user = users.get(one["userId"]) or users.setdefault(one["userId"], User(given))
            if found := user.judge(one, windows.lateness):
                yield found
        if given.rules != "zscore":
            yield from windows.add(one)
    yield from windows.end(sys.maxsize)


def lines_of(source: str) -> Iterator[str | bytes]:
    if source.startswith("kinesis:"):
        from keyed_stream import brokers

        yield from brokers.from_kinesis(source.partition(":")[2])
    elif source == "-":
        yield from sys.stdin.buffer
    else:
        with open(source, "rb") as file:
            yield from file


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", help="a file, - or kinesis:STREAM")
    source = parser.parse_args().source
    counts: Counter[str] = Counter()

    def counted(lines: Iterable[str | bytes]) -> Iterator[str | bytes]:
        for line in lines:
            counts["records"] += 1
            yield line

    for found in judge(counted(lines_of(source)), settings()):
        if isinstance(found, Refusal):
            counts["refused"] += 1
            print(found.as_json(), file=sys.stderr)
        else:
            counts["alerts"] += 1
            print(json.dumps(found))
    print(", ".join(f"{counts[name]} {name}" for name in ("records", "alerts", "refused")), file=sys.stderr)


if __name__ == "__main__":
    main()
