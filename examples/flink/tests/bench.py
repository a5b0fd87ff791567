# SPDX-License-Identifier: MIT
"""What the live detector in Flink's keyed state costs, beside pure Python in the same state; `make bench-flink`.

Throughput: a stream of numbers over KEYS keys in turn, process mode, parallelism 1; each function in a job of its own,
REPEATS times in turn. `cpu` is what the worker's process needs for a record, making it included, start not.
Latency: records that carry the time when they were made, at RATE a second, until the detector has judged them and its result
has left the worker.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from pathlib import Path

from pyflink.common import Types, WatermarkStrategy
from pyflink.datastream import KeyedProcessFunction, ProcessFunction
from pyflink.datastream.connectors.number_seq import NumberSequenceSource
from pyflink.datastream.state import ValueStateDescriptor

from bench_rules import Live, Sliding, Welford
from keyed_stream.config import Settings
from keyed_stream.run import environment

KINDS = {"live": Live, "welford": Welford, "sliding": Sliding}


class Judge(KeyedProcessFunction):
    def __init__(self, kind, window, notes):
        self.make, self.window, self.notes = kind, window, notes

    def open(self, runtime_context):
        self.state = runtime_context.get_state(ValueStateDescriptor("state", Types.PICKLED_BYTE_ARRAY()))
        self.began = time.time(), time.process_time()

    def process_element(self, value, ctx):
        held = self.state.value() or self.make(self.window)
        odd = held.judge(value[1])
        self.state.update(held)
        if odd:
            yield "odd"

    def close(self):
        spent = time.time() - self.began[0], time.process_time() - self.began[1]
        Path(self.notes).write_text(json.dumps(spent))


def value_of(i, keys):
    """50 to 59 by turns of the keys; one in a thousand turns is odd."""
    return i % keys, 95.0 if i // keys % 1000 == 999 else 50.0 + i // keys % 10


def numbers(given, folder, last):
    settings = Settings(flink_state=folder / "state", flink_parallelism=1, flink_checkpoint_ms=10_000, **given)
    streams = environment(settings)
    source = NumberSequenceSource(0, last)
    return streams, streams.from_source(source, WatermarkStrategy.no_watermarks(), "numbers", Types.LONG())


def throughput(kind, asked, given):
    """Records a second, and microseconds of the worker's processor for each."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        streams, stream = numbers(given, folder, asked.records - 1)
        keys = asked.keys
        keyed = stream.map(lambda i: value_of(i, keys), Types.PICKLED_BYTE_ARRAY()).key_by(lambda one: one[0], Types.LONG())
        keyed.process(Judge(KINDS[kind], asked.window, str(folder / "notes")), Types.STRING()).print()
        streams.execute(kind)
        wall, cpu = json.loads((folder / "notes").read_text())
    return asked.records / wall, cpu / asked.records * 1e6


class Paced(ProcessFunction):
    """Lets numbers through at a rate, each with the time when it is due."""

    def __init__(self, rate):
        self.rate = rate

    def open(self, runtime_context):
        self.start = time.time()

    def process_element(self, value, ctx):
        due = self.start + value / self.rate
        time.sleep(max(0.0, due - time.time()))
        yield value % 1000, 50.0 + value // 1000 % 10, due


class Timed(KeyedProcessFunction):
    """The live detector; every record goes on with its time."""

    def __init__(self, window):
        self.window = window

    def open(self, runtime_context):
        self.state = runtime_context.get_state(ValueStateDescriptor("state", Types.PICKLED_BYTE_ARRAY()))

    def process_element(self, value, ctx):
        held = self.state.value() or Live(self.window)
        held.judge(value[1])
        self.state.update(held)
        yield value[2]


class Arrived(ProcessFunction):
    """After another worker: what the result of the detector has taken until somebody else has it."""

    def __init__(self, notes):
        self.notes, self.taken = notes, []

    def process_element(self, value, ctx):
        self.taken.append(time.time() - value)
        return []

    def close(self):
        Path(self.notes).write_text(json.dumps(self.taken))


def latency(asked, given):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        streams, stream = numbers(given, folder, asked.rate * asked.seconds - 1)
        paced = stream.process(Paced(asked.rate), Types.PICKLED_BYTE_ARRAY())
        judged = paced.key_by(lambda one: one[0], Types.LONG()).process(Timed(asked.window), Types.DOUBLE())
        judged.rebalance().process(Arrived(str(folder / "notes")), Types.DOUBLE()).print()
        streams.execute("latency")
        taken = json.loads((folder / "notes").read_text())
    taken = sorted(taken[len(taken) // 4 :])  # without the start
    return [taken[int(q * (len(taken) - 1))] * 1000 for q in (0.5, 0.95, 0.99)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=300_000)
    parser.add_argument("--keys", type=int, default=1000)
    parser.add_argument("--window", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--rate", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--bundle-size", type=int, default=100_000)
    parser.add_argument("--bundle-ms", type=int, nargs="*", default=[10, 50, 200, 1000])
    asked = parser.parse_args()
    given = {"flink_bundle_size": asked.bundle_size, "flink_bundle_ms": 1000, "flink_state_cache": 2 * asked.keys}
    print(f"{os.cpu_count()} cores; {asked.records} records, {asked.keys} keys, window {asked.window}, process mode")
    print(", ".join(f"{name.upper()}={value}" for name, value in given.items()))
    found = {kind: [] for kind in KINDS}
    for _ in range(asked.repeats):
        for kind in KINDS:
            found[kind].append(throughput(kind, asked, given))
    for kind, runs in found.items():
        rates, costs = zip(*runs)
        spread = f"{min(rates):,.0f} to {max(rates):,.0f}"
        print(f"{kind:8} {statistics.median(rates):10,.0f} records/s ({spread}), cpu {statistics.median(costs):.1f} us")
    for kind in ("welford", "sliding"):
        wall = statistics.median(a[0] / b[0] for a, b in zip(found["live"], found[kind]))
        cpu = statistics.median(b[1] / a[1] for a, b in zip(found["live"], found[kind]))
        print(
            f"live beside {kind}: {wall:.2f} times the records a second, by cpu {cpu:.2f} (medians of {asked.repeats} pairs)"
        )
    for ms in asked.bundle_ms:
        p50, p95, p99 = latency(asked, {**given, "flink_bundle_ms": ms})
        print(
            f"latency at {asked.rate} records/s, FLINK_BUNDLE_MS={ms}: p50 {p50:.0f} ms, p95 {p95:.0f} ms, p99 {p99:.0f} ms"
        )


if __name__ == "__main__":
    main()
