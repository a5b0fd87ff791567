# SPDX-License-Identifier: MIT
"""Many keys on many nodes: who gets how much, and what a checkpoint weighs and takes. `make bench-scaling`; docs/scaling.md.

What a snapshot weighs and costs is measured here; nodes, rates and bandwidths are the arguments. Keys have the popularity
of Zipf's law: the k-th has a share of 1 / k**skew. The most popular keys are routed one by one, by the library's hash; the
others are so many that every node gets the same of them. No network, no stragglers, no garbage collector are simulated.
"""

from __future__ import annotations

import argparse
import math
import pickle
import random
import time
import timeit
from dataclasses import dataclass

import libanomaly

HEAD = 200_000  # keys that are routed one by one


@dataclass(frozen=True)
class Cost:
    """Of one key."""

    bytes: int
    save: float  # seconds
    restore: float


def measured(window: int) -> Cost:
    chance = random.Random(1)
    detector = libanomaly.ZScore(window=window)
    detector.update_rows([chance.gauss(0, 1) for _ in range(2 * window)])
    data = pickle.dumps(detector)

    def least(work: object) -> float:
        return min(timeit.repeat(work, timer=time.process_time, number=200, repeat=15)) / 200  # type: ignore[arg-type]

    return Cost(len(data), least(lambda: pickle.dumps(detector)), least(lambda: pickle.loads(data)))


def ranks(keys: int, first: int = 1) -> list[tuple[float, int]]:
    """Ranges of ranks from `first` on, as (rank in the middle, how many): the first 1000 alone, then ever wider."""
    found: list[tuple[float, int]] = []
    at = first
    while at <= keys:
        width = min(max(1, at // 1000), keys + 1 - at)
        found.append((math.sqrt(at * (at + width - 1)), width))
        at += width
    return found


@dataclass(frozen=True)
class Load:
    hottest_key: float  # share of all events
    hottest_node: float  # times the mean
    total: float  # sum of 1 / k**skew


def load(keys: int, nodes: int, skew: float) -> Load:
    total = sum(count / rank**skew for rank, count in ranks(keys))
    node = [0.0] * nodes
    for rank in range(1, HEAD + 1):
        node[libanomaly.key_hash(f"user{rank}") % nodes] += rank**-skew / total
    rest = sum(count / rank**skew for rank, count in ranks(keys, HEAD + 1)) / total
    return Load(1 / total, (max(node) + rest / nodes) * nodes, total)


def touched(keys: int, skew: float, events: float, total: float) -> float:
    """How many keys have at least one of so many events."""
    return sum(count * -math.expm1(-events * rank**-skew / total) for rank, count in ranks(keys))


def key_groups(nodes: int, most: int) -> float:
    """Flink deals `most` groups of keys to the nodes: the fullest beside the mean."""
    return math.ceil(most / nodes) * nodes / most


def heading(*columns: str) -> None:
    print("", "| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns), sep="\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keys", type=int, default=10**9)
    parser.add_argument("--nodes", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=10_000, help="events a second and node")
    parser.add_argument("--interval", type=float, default=60, help="seconds between checkpoints")
    parser.add_argument("--bandwidth", type=float, default=200e6, help="bytes a second that a node writes or reads")
    given = parser.parse_args()
    a_node = given.keys / given.nodes
    events = given.rate * given.interval

    print(f"{given.keys:.0e} keys on {given.nodes} nodes, {given.rate:,.0f} events/s a node")
    heading("skew", "hottest key, events/s", "hottest node beside the mean", "keys touched a node and interval")
    active = {}
    for skew in (0.0, 0.8, 1.0, 1.2):
        found = load(given.keys, given.nodes, skew)
        active[skew] = touched(given.keys, skew, events * given.nodes, found.total) / given.nodes
        hottest = found.hottest_key * given.rate * given.nodes
        print(f"| {skew} | {hottest:,.2g} | {found.hottest_node:.2f} | {active[skew]:,.0f} of {a_node:,.0f} |")

    heading("window", "of a key: bytes, save, restore", "of a node: all, restored in", "changed in an interval, saved in")
    for window in (100, 1000):
        cost = measured(window)
        whole, changed = a_node * cost.bytes, active[0.8] * cost.bytes
        back = whole / given.bandwidth + a_node * cost.restore
        save = changed / given.bandwidth + active[0.8] * cost.save
        each = f"{cost.bytes} B, {cost.save * 1e6:.0f} us, {cost.restore * 1e6:.0f} us"
        print(f"| {window} | {each} | {whole / 1e9:.1f} GB, {back:.0f} s | {changed / 1e9:.2f} GB, {save:.1f} s |")

    heading("groups of keys (pipeline.max-parallelism)", "fullest node beside the mean")
    for most in (1024, 4096, 32768):
        print(f"| {most} | {key_groups(given.nodes, most):.2f} |")


if __name__ == "__main__":
    main()
