#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The isolation forest's speed beside others, in one run on one core.

    python3 -m venv venv && venv/bin/pip install river isotree pandas scikit-learn
    make bench-forest                       # builds build/tests/bench/forest
    taskset -c 0 venv/bin/python tests/bench/forest_peers.py [build/tests/bench/forest]

Ten standard normal features. river's HalfSpaceTrees has its defaults and gets events one by one, score_one then learn_one (the
dicts are made beforehand and not timed), once behind the MinMaxScaler that its documentation puts there, since the trees expect
values between 0 and 1, and once bare. isotree (100 trees of 256)
and scikit-learn (its defaults) are fitted beforehand, and predict a batch in one thread. Each round measures all of them, ours
among them; the figure is the best round, CPU time. A peer that is not installed is left out.
"""
import json
import os
import subprocess
import sys
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np  # noqa: E402

ROUNDS, FEATURES, FIT, BATCH, STREAM = 5, 10, 4096, 20000, 3000


def timed(count, call):
    begin = time.process_time()
    call()
    return (time.process_time() - begin) / count * 1e9


def river_peer(x, scaled):
    import river
    from river import anomaly, preprocessing

    events = [dict(enumerate(row)) for row in x[: FIT + STREAM].tolist()]
    model = anomaly.HalfSpaceTrees(seed=1)
    model = preprocessing.MinMaxScaler() | model if scaled else model

    def run(part):
        for event in part:
            model.score_one(event)
            model.learn_one(event)

    run(events[:FIT])
    title = "MinMaxScaler | HalfSpaceTrees" if scaled else "HalfSpaceTrees alone"
    return f"river {river.__version__} {title}, score and learn", lambda: timed(STREAM, lambda: run(events[FIT:]))


def isotree_peer(x):
    from importlib.metadata import version

    from isotree import IsolationForest

    model = IsolationForest(ndim=1, ntrees=100, sample_size=256, missing_action="fail", nthreads=1, random_seed=1)
    model.fit(np.asfortranarray(x[:FIT]))
    # rows and columns are laid out either way: the better one counts
    layouts = [np.ascontiguousarray(x[:BATCH]), np.asfortranarray(x[:BATCH])]
    return (f"isotree {version('isotree')}, predict a batch",
            lambda: min(timed(BATCH, lambda data=data: model.predict(data)) for data in layouts))


def sklearn_peer(x):
    import sklearn
    from sklearn.ensemble import IsolationForest

    model = IsolationForest(random_state=1, n_jobs=1).fit(x[:FIT])
    return f"scikit-learn {sklearn.__version__} IsolationForest, score a batch", lambda: timed(BATCH, lambda: model.score_samples(x[:BATCH]))


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else "build/tests/bench/forest"
    x = np.random.default_rng(42).standard_normal((BATCH, FEATURES))
    peers = {}
    for key, make in (("river", lambda x: river_peer(x, True)), ("river bare", lambda x: river_peer(x, False)), ("isotree", isotree_peer), ("scikit-learn", sklearn_peer)):
        try:
            peers[key] = make(x)
        except ImportError as error:
            print(f"{key} is left out: {error}", file=sys.stderr)
    best, ours = {}, {}
    for _ in range(ROUNDS):
        for profile, costs in json.loads(subprocess.run([program, "--json"], capture_output=True, check=True, text=True).stdout).items():
            for what, ns in costs.items():
                ours[profile, what] = min(ns, ours.get((profile, what), ns))
        for key, (_, run) in peers.items():
            best[key] = min(run(), best.get(key, float("inf")))
    print("| 10 features, ns an event | | " + " | ".join(f"{key} / ours" for key in peers) + " |")
    print("| --- | --- |" + " --- |" * len(peers))
    for (profile, what), ns in ours.items():
        words = {"event": "event by event, score and learn", "rows": "rows, score and learn", "score_rows": "rows, score only"}[what]
        print(f"| {profile}, {words} | {ns:.0f} | " + " | ".join(f"{best[key] / ns:.1f}" for key in peers) + " |")
    for key, (title, _) in peers.items():
        print(f"| {title} | {best[key]:.0f} | " + " | ".join("" for _ in peers) + " |")
    bars = [("balanced", "river", 12.0), ("balanced", "river bare", 12.0), ("balanced", "isotree", 1.8), ("fast", "river", 30.0),
            ("fast", "river bare", 30.0)]
    print()
    for profile, key, bar in bars:
        if key in best:
            ratio = best[key] / ours[profile, "event"]
            print(f"{profile}: {ratio:.1f} times {key}, wanted {bar:g}: {'reached' if ratio >= bar else 'NOT reached'}")


if __name__ == "__main__":
    main()
