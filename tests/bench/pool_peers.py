#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Many keys: the pool beside what one would use instead, in one run.

    make build/tests/bench/pool
    python3 -m venv venv && venv/bin/pip install river
    venv/bin/python tests/bench/pool_peers.py [KEYS [EVENTS]]        default 100000 2000000

Keys come by Zipf's law; every time is processor time of an event whose key is known. river: a dict of GaussianScorer with a
window of 300, score_one then learn_one, over a tenth of the events. C++: tests/bench/pool_peer.cc with c++ -O3.
"""
import math
import os
import random
import re
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
POOL = os.path.join(HERE, "..", "..", "build", "tests", "bench", "pool")


def zipf(keys, count):
    return [min(int(math.exp(random.random() * math.log(keys + 1))), keys) - 1 for _ in range(count)]


def of_pool(keys, count):
    out = subprocess.run([POOL, str(keys), str(count), "1000"], check=True, capture_output=True, text=True).stdout
    return [(f"libanomaly, {what}", float(re.search(rf"  {what} +([0-9.]+) ns", out).group(1)))
            for what in ("a known key", "a known key, by rows")]


def of_cpp(keys, count):
    with tempfile.TemporaryDirectory() as tmp:
        program = os.path.join(tmp, "peer")
        subprocess.run([os.environ.get("CXX", "c++"), "-O3", "-std=c++17", "-o", program, os.path.join(HERE, "pool_peer.cc")],
                       check=True)
        return "C++ unordered_map of Welford windows", float(subprocess.check_output([program, str(keys), str(count)]))


def of_river(keys, count):
    import river
    from river import anomaly

    events = [(f"host-{key * 2654435761 % 2**32:08x}", random.gauss(0, 1)) for key in zipf(keys, count)]
    detectors = {}
    for _ in range(2):
        start = time.thread_time()
        for key, x in events:
            detector = detectors.get(key)
            if detector is None:
                detector = detectors[key] = anomaly.GaussianScorer(window_size=300)
            detector.score_one(None, x)
            detector.learn_one(None, x)
        took = time.thread_time() - start
    return f"river {river.__version__}, dict of GaussianScorer", took / count * 1e9


def main():
    keys = int(sys.argv[1]) if len(sys.argv) > 1 else 100000
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 2000000
    random.seed(1)
    found = of_pool(keys, count)
    found += [of_cpp(keys, count), of_river(keys, count // 10)]
    for name, ns in found:
        print(f"{name:45} {ns:10.0f} ns {ns / found[0][1]:8.2f} of a known key")


if __name__ == "__main__":
    main()
