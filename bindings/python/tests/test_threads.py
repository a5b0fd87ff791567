# SPDX-License-Identifier: MIT
"""Threads, forks and subinterpreters: an error or an answer, never a broken detector."""

import os
import subprocess
import sys
import threading
import time
from contextlib import suppress

import numpy as np
import pytest

import libanomaly
from libanomaly import BusyError, IsolationForest, Percentile, Pool, ZScore

LONG = np.random.default_rng(4).normal(size=400_000)


def beside(work, call, least=1):
    """What `call` raised or returned while `work` was running in another thread; `work` runs until they have met."""
    seen = []
    for _ in range(40):
        thread = threading.Thread(target=work)
        thread.start()
        while thread.is_alive():
            try:
                seen.append(call())
            except BusyError as error:
                seen.append(error)
            time.sleep(0)
        thread.join()
        if len(seen) >= least:
            return seen
    pytest.fail("the calls never met")


@pytest.mark.parametrize(
    "call",
    [
        lambda d: d.update(1.0),
        lambda d: d.learn(1.0),
        lambda d: d.score(1.0),
        lambda d: d.stats(),
        lambda d: d.update_rows([1.0]),
        lambda d: d.snapshot(),
        lambda d: d.reset(),
        lambda d: d.close(),
        lambda d: setattr(d, "threshold", 9),
    ],
    ids=["update", "learn", "score", "stats", "rows", "snapshot", "reset", "close", "threshold"],
)
def test_a_second_thread_is_kept_out(call):
    for attempt in range(40):  # the other thread has to be met inside
        detector, want = Percentile(window=5000), Percentile(window=5000)
        want.update_rows(LONG)
        rows, begun = [], threading.Event()

        def work(detector=detector, rows=rows, begun=begun):
            begun.set()
            with suppress(libanomaly.Error):  # where the main thread came first
                rows.append(detector.update_rows(LONG))

        thread = threading.Thread(target=work)
        thread.start()
        begun.wait()
        time.sleep(0.0005 * (attempt + 1))
        kept_out = None
        try:
            call(detector)
        except BusyError as error:
            kept_out = str(error)
        thread.join()
        if kept_out:
            assert "another thread" in kept_out
            assert detector.snapshot() == want.snapshot()
            assert len(rows[0]) == len(LONG)
            detector.update(1.0)
            return
    pytest.fail("the calls never met")


def test_reading_beside_reading():
    detector = Percentile(window=5000)
    detector.learn_rows(LONG[:5000])
    want, scored = detector.score(7.0), []

    def work():
        scored.append(detector.score_rows(LONG).score)

    seen = beside(work, lambda: (detector.score(7.0), detector.stats().count))
    assert all(answer == (want, 5000) for answer in seen)
    assert np.array_equal(scored[0], detector.score_rows(LONG).score)


def test_the_interpreter_goes_on_during_long_calls():
    forest = IsolationForest(features=1)
    ticks = beside(lambda: forest.update_rows(LONG[:100_000]), lambda: time.perf_counter(), least=3)
    assert len(ticks) >= 3


def test_threads_in_a_pool():
    """Each key goes through one thread, all through the same pool; meanwhile the main thread asks and saves."""
    pool, keys = Pool("zscore", window=50), [f"key {i}" for i in range(8)]
    values = LONG[:4000].tolist()

    def work(mine):
        for start in range(0, 4000, 1000):
            for key in mine:
                for x in values[start : start + 500]:
                    pool.update(key, x)
                pool.update_rows([key] * 500, values[start + 500 : start + 1000])

    threads = [threading.Thread(target=work, args=(keys[i::4],)) for i in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert len(Pool.restore(pool.snapshot())) <= 8
        assert pool.counters().events <= 32_000
        list(pool)
    for thread in threads:
        thread.join()
    alone = ZScore(window=50)
    alone.update_rows(values)
    assert all(pool.export_key(key) == alone.snapshot() for key in keys)


def test_evictions_are_told_from_any_thread_without_a_deadlock():
    gone = []
    pool = Pool("zscore", max_keys=16, shards=4, on_evict=lambda key, _: gone.append((key, len(pool))))

    def work(number):
        for i in range(300):
            pool.update(f"{number}/{i}", float(i))
            pool.update_rows([f"{number}-{i}", f"{number}+{i}"], [1.0, 2.0])

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert len(gone) == pool.usage.evicted == 4 * 900 - len(pool)


def test_a_pool_is_not_closed_under_a_thread():
    pool = Pool("percentile", window=5000)
    for attempt in range(40):
        begun = threading.Event()

        def work(pool=pool, begun=begun):
            begun.set()
            with suppress(libanomaly.Error):
                pool.update_rows(["k"] * len(LONG), LONG)

        thread = threading.Thread(target=work)
        thread.start()
        begun.wait()
        time.sleep(0.008 * (attempt + 1))
        try:
            pool.close()
        except BusyError:
            thread.join()
            assert len(pool) == 1
            return
        thread.join()
        pool = Pool("percentile", window=5000)
    pytest.fail("the calls never met")


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_after_a_fork_both_go_on_by_themselves():
    detector, pool = ZScore(window=50), Pool("zscore", window=50)
    detector.learn_rows(LONG[:50])
    pool.update_rows(["k"] * 50, LONG[:50])
    read, write = os.pipe()
    child = os.fork()
    if child == 0:  # nothing of pytest may run here
        detector.learn(1000.0)
        pool.update("k", 1000.0)
        os.write(write, f"{detector.stats().max} {pool.stats('k').max} {len(detector.snapshot())}".encode())
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert os.read(read, 1000).decode().split()[:2] == ["1000.0", "1000.0"]
    assert detector.stats().max == pool.stats("k").max < 10


def test_a_subinterpreter_gets_the_module_or_an_import_error():
    """CFFI's modules are for the main interpreter and those that share its lock."""
    code = """
import sys
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
import libanomaly
libanomaly.ZScore().update(1.0)
each = interpreters.create()
try:
    print(interpreters.run_string(each, "import libanomaly; libanomaly.ZScore().update(1.0)") or "fine")
except Exception as error:
    print(type(error).__name__, error)
print(libanomaly.ZScore().update(1.0).names)
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    first, last = told.stdout.strip().splitlines()[0], told.stdout.strip().splitlines()[-1]
    assert first == "fine" or "ImportError" in told.stdout
    assert last == "('warming_up',)"


def test_errors_do_not_leave_a_claim():
    detector = ZScore(window="10s")
    for _ in range(3):
        with pytest.raises(libanomaly.ArgumentError):
            detector.update_rows([1.0, 2.0])
        with pytest.raises(libanomaly.KindError):
            detector.quantile(0.5)
    detector.update(1.0, 0.0)
