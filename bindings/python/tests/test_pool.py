# SPDX-License-Identifier: MIT
"""Pools: keys in any form, limits and evictions, questions about a key, snapshots."""

import copy
import io
import pickle
from array import array
from datetime import timedelta

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from conftest import of_verdict, of_verdicts

import libanomaly
from libanomaly import Percentile, Pool, ZScore

N = 600
KEYS = [("cpu", "memory", "a longer name, stored apart", "ключ")[i * i % 23 % 4] for i in range(N)]
VALUES = [float((i * 7) % 13) + (500 if i % 97 == 96 else 0) for i in range(N)]


def looped():
    pool = Pool("zscore", window=20)
    return pool, [of_verdict(pool.update(key, x)) for key, x in zip(KEYS, VALUES)]


def key_columns():
    columns = {
        "list": KEYS,
        "tuple": tuple(KEYS),
        "generator": (key for key in KEYS),
        "bytes": [key.encode() for key in KEYS],
        "numpy": np.array(KEYS),
        "objects": np.array(KEYS, object),
        "numpy bytes": np.array([key.encode() for key in KEYS], object),
    }
    columns["series"] = pd.Series(KEYS)
    columns["categorical"] = pd.Categorical(KEYS, categories=["unused", *sorted(set(KEYS))])
    columns["categorical series"] = pd.Series(KEYS, dtype="category")
    columns["index"] = pd.Index(KEYS)
    columns["arrow"] = pa.array(KEYS)
    columns["arrow dictionary"] = pa.array(KEYS).dictionary_encode()
    columns["arrow chunks"] = pa.chunked_array([pa.array(KEYS[:9]), pa.array(KEYS[9:])]).dictionary_encode()
    columns["polars"] = pl.Series(KEYS)
    columns["polars categorical"] = pl.Series(KEYS).cast(pl.Categorical)
    return columns


@pytest.mark.parametrize("form", key_columns())
def test_keys_in_any_form(form):
    pool = Pool("zscore", window=20)
    assert of_verdicts(pool.update_rows(key_columns()[form], VALUES, columns="all")) == looped()[1]
    assert sorted(pool) == sorted(set(KEYS))


def test_each_key_is_a_detector_of_its_own():
    pool, _ = looped()
    for key in set(KEYS):
        detector = ZScore(window=20)
        detector.learn_rows([x for k, x in zip(KEYS, VALUES) if k == key])
        assert pool.stats(key) == detector.stats()
        assert pool.score(key, 77) == detector.score(77)
        assert pool.detector(key).update(77) == detector.update(77)


@pytest.mark.parametrize(
    "key", [None, 1.5, True, ["a"], ("a", None), ("a", 1.5), ("a", b"b"), (True,), np.array([1])], ids=repr
)
def test_what_is_no_key_is_refused(key):
    pool = Pool("zscore")
    for call in (lambda: pool.update(key, 1.0), lambda: pool.slot(key), lambda: pool.remove(key)):
        with pytest.raises(TypeError, match="a key is str, bytes, int, or a tuple of str, int and tuples"):
            call()
    with pytest.raises((TypeError, ValueError), match=r"row 1: a key is str|row 1 has no key"):
        pool.update_rows(["a", key], [1.0, 2.0])
    assert key not in pool
    assert len(pool) == 0


TUPLES = [("web", 3), ("web", "3"), ("web,3",), ("web", ("a", -1)), ("é", 0), ('"', 1), (), ((),)]
ODD_KEYS = [0, 1, -1, "1", b"\xff\xff", 2**63, -(10**40), (1,), ("1",), *TUPLES]


def test_ints_and_tuples_are_keys_of_their_own():
    pool = Pool("zscore", window=20)
    for number, key in enumerate(ODD_KEYS):
        for _ in range(number + 1):
            pool.update(key, 1.0)
    assert len(pool) == len(ODD_KEYS) == len(set(ODD_KEYS))
    assert set(pool) == set(ODD_KEYS)
    assert [pool.stats(key).count for key in ODD_KEYS] == [number + 1 for number in range(len(ODD_KEYS))]
    again = pickle.loads(pickle.dumps(pool))
    assert set(again.slots()) == set(ODD_KEYS)
    assert all(key in again for key in ODD_KEYS)
    again.import_key(("new", 1), again.export_key(1))
    again.remove(1)
    assert again.stats(("new", 1)).count == 2
    assert 1 not in again
    assert "1" in again


def test_the_bytes_of_ints_and_tuples_are_as_described():
    """docs/python.md: FF and JSON without blanks, so that other languages can write them."""
    pool = Pool("zscore")
    described = {17: b"\xff17", -3: b"\xff-3", ("web", 3): b'\xff["web",3]', ("é", ("a",)): '["é",["a"]]'.encode()}
    described["é", ("a",)] = b"\xff" + described["é", ("a",)]
    for key, name in described.items():
        pool.update(key, 1.0)
        assert name in pool
        assert libanomaly.key_hash(key) == libanomaly.key_hash(name)
    assert len(pool) == len(described)


@pytest.mark.parametrize(
    "text",
    [
        "1.5",
        "true",
        "null",
        "NaN",
        " 1",
        "01",
        "-0",
        '"a"',
        '{"a":1}',
        "[1, 2]",
        '["\\u0061"]',
        "[1.0]",
        "[null]",
        "",
        "[" * 60000,
        "9" * 60000,
        "[1",
        "\ud800",
    ],
    ids=lambda text: text[:12],
)
def test_bytes_that_are_no_ints_or_tuples_stay_bytes(text):
    key = b"\xff" + text.encode(errors="surrogatepass")
    pool = Pool("zscore")
    pool.update(key, 1.0)
    assert list(pool) == [key]
    assert key in pool


def test_ints_are_told_when_evicted():
    gone = []
    pool = Pool("zscore", max_keys=1, shards=1, on_evict=lambda key, snapshot: gone.append(key))
    for key in (1, ("a", 2), "b"):
        pool.update(key, 1.0)
    assert gone == [1, ("a", 2)]


def columns_of_pairs():
    """Of the keys ("a", 1), ("b", 2), ("a", 1)."""
    frame = pd.DataFrame({"host": ["a", "b", "a"], "disk": [1, 2, 1]})
    return {
        "list": [("a", 1), ("b", 2), ("a", np.int64(1))],
        "frame": frame,
        "index": pd.MultiIndex.from_frame(frame),
        "objects": pd.Series([("a", 1), ("b", 2), ("a", 1)]),
        "polars": pl.from_pandas(frame),
    }


@pytest.mark.parametrize("form", columns_of_pairs())
def test_columns_of_tuples(form):
    pool = Pool("zscore")
    pool.update_rows(columns_of_pairs()[form], [1.0, 2.0, 3.0])
    assert {key: pool.stats(key).count for key in pool} == {("a", 1): 2, ("b", 2): 1}


@pytest.mark.parametrize(
    "keys",
    [
        [7, 8, 7],
        np.array([7, 8, 7], "u2"),
        pd.Series([7, 8, 7]),
        pd.Series([7, 8, 7], dtype="Int64"),
        pd.Series([7, 8, 7], dtype=object),
        pd.Categorical([7, 8, 7]),
        pl.Series([7, 8, 7]),
        pa.array([7, 8, 7]),
    ],
    ids=lambda keys: type(keys).__module__,
)
def test_columns_of_ints(keys):
    pool = Pool("zscore")
    pool.update_rows(keys, [1.0, 2.0, 3.0])
    assert {key: pool.stats(key).count for key in pool} == {7: 2, 8: 1}


@pytest.mark.parametrize("keys", [[1, 1.0], [1, True], [("a", 1), ("a", 1.0)], pd.Series([1, 1.0], dtype=object)], ids=repr)
def test_keys_that_python_calls_equal_are_looked_at_each(keys):
    pool = Pool("zscore")
    with pytest.raises(TypeError, match="row 1: a key is"):
        pool.update_rows(keys, [1.0, 2.0])
    assert len(pool) == 0


@pytest.mark.parametrize("key", ["", b"", "x" * 65536])
def test_keys_of_a_wrong_length(key):
    pool = Pool("zscore")
    for call in (lambda: pool.update(key, 1.0), lambda: pool.slot(key), lambda: pool.update_rows([key], [1.0])):
        with pytest.raises(libanomaly.ArgumentError, match="1 to 65535 bytes"):
            call()
    assert len(pool) == 0
    pool.update("x" * 65535, 1.0)
    pool.update(b"\xff\x00", 1.0)
    assert b"\xff\x00" in pool
    assert set(pool) == {"x" * 65535, b"\xff\x00"}


def test_a_wrong_key_in_a_column_is_told_with_its_row():
    for keys in (["a", ""], pd.Series(["a", ""]), pd.Categorical(["a", ""]), pl.Series(["a", ""])):
        with pytest.raises(libanomaly.ArgumentError, match="row 1: a key has 1 to 65535 bytes"):
            Pool("zscore").update_rows(keys, [1.0, 2.0])


def test_categories_without_a_row_are_no_keys():
    pool = Pool("zscore")
    pool.update_rows(pd.Categorical(["b", "a"], categories=["", "a", "b", "x" * 65536]), [1.0, 2.0])
    assert set(pool) == {"a", "b"}


@pytest.mark.parametrize("keys", ["ab", b"ab", {"a", "b"}, {"a": 1, "b": 2}, 7, None, np.array("ab")], ids=repr)
def test_what_is_no_column_of_keys_is_refused(keys):
    pool = Pool("zscore")
    with pytest.raises(TypeError, match="is not a sequence of keys"):
        pool.update_rows(keys, [1.0, 2.0])
    assert len(pool) == 0


def test_rows_and_keys_of_different_length():
    with pytest.raises(ValueError, match="2 keys for 3 rows"):
        Pool("zscore").update_rows(["a", "b"], [1.0, 2.0, 3.0])


def test_keys_that_are_missing_in_a_column():
    for keys in (pd.Series(["a", None]), pd.Categorical(["a", None])):
        with pytest.raises(ValueError, match="row 1 has no key"):
            Pool("zscore").update_rows(keys, [1.0, 2.0])


def test_slots():
    pool = Pool("zscore", window=20)
    slot = pool.slot("k")
    assert pool.slot("k") == pool.find("k") == pool.slots()["k"] == slot
    pool.update_at(slot, 1.0)
    pool.remove("k")
    with pytest.raises(libanomaly.NotFoundError):
        pool.update_at(slot, 1.0)
    with pytest.raises(libanomaly.NotFoundError, match="no key 'k'"):
        pool.find("k")
    with pytest.raises(KeyError):
        pool.remove("k")
    with pytest.raises((OverflowError, TypeError)):
        pool.update_at(-1, 1.0)


def test_evicted_keys_are_told_and_can_come_back():
    gone = []
    pool = Pool("zscore", window=20, max_keys=2, shards=1, on_evict=lambda *told: gone.append((told, len(pool))))
    for i in range(30):
        pool.update("one", i % 5)
        pool.update("two", i % 3)
    before = pool.stats("one")
    pool.update("two", 1.0)  # so "one" is the least recently used
    pool.update("three", 1.0)
    [((key, snapshot), keys)] = gone
    assert (key, keys) == ("one", 2)
    assert libanomaly.restore(snapshot).stats() == before
    pool.import_key("one", snapshot)
    assert pool.stats("one") == before
    assert [told[0] for told, _ in gone] == ["one", "two"]
    pool.update_rows(["x", "y", "z"], [1, 2, 3])
    assert [told[0] for told, _ in gone[2:]] == ["three", "one", "x"]
    assert pool.evict(keep_keys=0) == 2
    assert len(gone) == 7
    assert pool.usage.evicted == 7


def test_a_failing_on_evict_is_raised():
    gone = []

    def refuse(key, snapshot):
        gone.append(key)
        if key == "a":
            raise RuntimeError("no room for a")

    pool = Pool("zscore", max_keys=1, shards=1, on_evict=refuse)
    with pytest.raises(RuntimeError, match="no room for a"):
        pool.update_rows(["a", "b", "c"], [1.0, 2.0, 3.0])
    assert gone == ["a"]
    assert pool.update("c", 1.0).events == 1
    assert gone == ["a", "b"]


def test_limits():
    full = Pool("zscore", max_keys=2, shards=1, refuse=True)
    full.update("a", 1)
    full.update("b", 1)
    with pytest.raises(libanomaly.FullError):
        full.update("c", 1)
    with pytest.raises(libanomaly.FullError):
        full.update_rows(["a", "c"], [1.0, 2.0])
    assert full.counters("a").events == 2
    small = Pool("zscore", window=1000, max_bytes=64 << 10, shards=1)
    for i in range(1000):
        small.update(str(i), 1.0)
    assert small.usage.bytes <= 64 << 10
    assert small.usage.evicted > 0
    for idle in ("10s", timedelta(seconds=10)):
        pool = Pool("zscore", window="1m", max_idle=idle, shards=1)
        pool.update("old", 1, 0.0)
        pool.update("new", 1, 60.0)
        pool.update("newer", 1, 61.0)
        assert sorted(pool) == ["new", "newer"]
    with pytest.raises(libanomaly.ConfigError):
        Pool("zscore", max_idle="soon")
    with pytest.raises(libanomaly.ConfigError):
        Pool("zscore", shards=3)
    with pytest.raises(ValueError, match="none of zscore"):
        Pool("zscores")
    with pytest.raises(libanomaly.ConfigError, match="windw"):
        Pool("zscore", windw=3)


def test_evict_by_time():
    pool = Pool("zscore", window="1m")
    pool.update("old", 1, 0.0)
    pool.update("new", 1, 60.0)
    assert pool.evict(before=30.0) == 1
    assert list(pool) == ["new"]


def test_questions_about_a_key():
    pool = Pool("percentile", window=1000)
    for i in range(101):
        pool.update("k", i)
    assert pool.quantile("k", 0.25) == 25
    assert pool.counters("k").events == pool.counters().events == 101
    pool.learn("k", 101)
    pool.learn("fresh", 1)
    assert pool.stats("k").count == 102
    with pytest.raises(libanomaly.KindError):
        pool.explain("k", 1)
    with pytest.raises(libanomaly.NotFoundError, match="'no'"):
        pool.stats("no")
    pool.reset("k")
    assert pool.stats("k").count == 0
    with pytest.raises(libanomaly.EmptyError):
        pool.quantile("k", 0.5)


def test_a_pool_of_forests():
    pool = Pool("iforest", features=2, window=64, sample=32, warmup=20)
    rng = np.random.default_rng(0)
    for x in rng.normal(size=(100, 2)):
        pool.update("k", x)
    pool.rebuild("k")
    shares = pool.explain("k", [0, 50])
    assert shares.argmax() == 1
    assert shares.sum() == pytest.approx(pool.score("k", [0, 50]).score - 0.5)


def test_time_windows():
    pool = Pool("zscore", window="10s")
    for key in "ab":
        pool.update(key, 1.0, 0.0)
    pool.advance(11.0, "a")
    assert (pool.stats("a").count, pool.stats("b").count) == (0, 1)
    pool.advance(11.0)
    assert pool.stats("b").count == 0
    for call in (lambda: pool.update("a", 1.0), lambda: pool.advance(None), lambda: pool.advance(None, "a")):
        with pytest.raises(libanomaly.ArgumentError):
            call()
    with pytest.raises(libanomaly.ArgumentError, match="row 1: it has no time"):
        pool.update_rows(["a", "a"], [1.0, 2.0], [20.0, None])


def test_threshold_and_options():
    pool = Pool("zscore", window=20, threshold=2.5)
    assert (pool.kind, pool.options["window"], pool.threshold, pool.features) == ("zscore", 20, 2.5, 1)
    pool.threshold = 4
    assert pool.update("k", 1.0).threshold == 4
    with pytest.raises(libanomaly.ArgumentError):
        pool.threshold = float("inf")


def test_usage():
    pool, _ = looped()
    pool.remove("cpu")
    usage = pool.usage
    assert (usage.keys, usage.created, usage.removed, usage.evicted) == (3, 4, 1, 0)
    assert usage.bytes > 0
    assert 'Pool("zscore", window=20): 3 keys' in repr(pool)


def from_file(pool):
    file = io.BytesIO()
    pool.snapshot_to(file)
    file.write(b"what follows")
    file.seek(0)
    again = Pool.restore(file)
    assert file.read() == b"what follows"
    return again


@pytest.mark.parametrize(
    "again",
    [
        lambda p: libanomaly.restore(p.snapshot()),
        lambda p: Pool.restore(p.snapshot(), limits={"max_keys": 100}),
        lambda p: Pool.restore(p.snapshot(), kind="zscore", window=20, threshold=3, simd="scalar"),
        lambda p: pickle.loads(pickle.dumps(p)),
        copy.copy,
        copy.deepcopy,
        from_file,
    ],
)
def test_a_copy_goes_on_by_itself(again):
    one, _ = looped()
    two = again(one)
    assert (sorted(two), two.counters(), two.options["window"]) == (sorted(one), one.counters(), 20)
    assert [one.update(key, 9) for key in KEYS[:50]] == [two.update(key, 9) for key in KEYS[:50]]


def test_a_restored_pool_with_limits_tells_too():
    gone = []
    one, _ = looped()
    two = Pool.restore(one.snapshot(), limits={"max_keys": 4, "shards": 1}, on_evict=lambda key, _: gone.append(key))
    two.update("fifth", 1.0)
    assert len(gone) == 1
    with pytest.raises(ValueError, match="limits"):
        Pool.restore(one.snapshot(), on_evict=print)


def test_other_options_are_refused_by_name():
    one, _ = looped()
    with pytest.raises(libanomaly.ConfigError, match="window"):
        Pool.restore(one.snapshot(), kind="zscore", window=21)
    with pytest.raises(libanomaly.ConfigError):
        one.import_key("k", Percentile(window=20).snapshot())
    with pytest.raises(libanomaly.CorruptError):
        one.import_key("k", b"nothing")
    with pytest.raises(libanomaly.CorruptError):
        Pool.restore(one.snapshot()[:-3])
    with pytest.raises(libanomaly.StoppedError, match="nobody reads"):
        Pool.restore(Unreadable())


class Unreadable:
    def read(self, size):
        raise OSError("nobody reads")


def test_export_is_a_detectors_snapshot():
    pool, _ = looped()
    assert pool.snapshot_size == len(pool.snapshot())
    assert type(libanomaly.restore(pool.export_key("cpu"))) is ZScore
    with pytest.raises(libanomaly.NotFoundError):
        pool.export_key("no")


def test_without_locks():
    pool = Pool("zscore", window=20, locks=False)
    assert of_verdicts(pool.update_rows(KEYS, VALUES, columns="all")) == looped()[1]


def test_closed():
    with Pool("zscore") as pool:
        pool.update("a", 1)
    assert repr(pool) == "<Pool, closed>"
    for call in (
        lambda: pool.update("a", 1),
        lambda: pool.update_at(0, 1),
        lambda: pool.update_rows(["a"], [1]),
        lambda: pool.usage,
        lambda: pool.slot("a"),
        lambda: "a" in pool,
        lambda: pool.snapshot(),
        lambda: list(pool),
    ):
        with pytest.raises((libanomaly.Error, ValueError)):
            call()
    assert len(pool) == 0


def test_key_hash_never_changes():
    # XXH64, seed 0: the test vector of its specification, and one of ours.
    assert libanomaly.key_hash(b"a") == 0xD24EC4F1A98C6E5B
    assert libanomaly.key_hash("ключ") == libanomaly.key_hash("ключ".encode())
    assert len({libanomaly.key_hash(key) % 8 for key in map(str, range(99))}) == 8


def test_array_values_of_a_row():
    pool = Pool("zscore", features=2)
    assert pool.update("k", array("d", [1, 2])) == pool.detector("k").__class__(features=2).update((1, 2))


def test_silent_keys() -> None:
    start, minute = 1_700_000_000 * 10**9, 60 * 10**9
    pool = Pool(silence="3x")
    for i in range(50):
        pool.update("web", 5, time=start + i * minute)
        if i < 40:
            pool.update(("db", 1), 5, time=start + i * minute)
        if i < 20:
            pool.update("old", 5, time=start + i * minute)
    now = start + 49 * minute
    found = pool.overdue(now)
    assert list(found) == ["old", ("db", 1)]  # for longest first
    assert found["old"] == (start + 19 * minute, minute, start + 22 * minute, 27 * minute)
    assert pool.detector("old").overdue(now) == found["old"]
    assert pool.overdue(start) == {}
    with pytest.raises(libanomaly.ConfigError, match="needs the option silence"):
        Pool().overdue(now)
    with pytest.raises(libanomaly.ArgumentError, match="needs a time"):
        pool.overdue(None)
