# SPDX-License-Identifier: MIT
"""The database and the judge, without Kafka; on SQLite and on PostgreSQL."""

import json
import random

import pytest

from conftest import new_database
from pipeline.config import Settings
from pipeline.judge import Judge
from pipeline.store import FencedError, PartitionsError, open_store

TIME = "2025-07-20T10:19:16.123456+00:00"


@pytest.fixture(params=["sqlite", "postgres"])
def store(request, tmp_path):
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/iot.sqlite"
    else:
        url, _ = new_database(request.getfixturevalue("postgres"))
    one = open_store(url)
    one.fix_partitions(4)
    yield one
    one.close()


def rows(store, sql):
    with store.transaction():
        return store.execute(sql)


def message(value, sensor="sensor-01", metric="temperature", time=TIME):
    return json.dumps({"sensor_id": sensor, "metric_type": metric, "value": value, "timestamp": time}).encode()


def judge_of(store, partition=0):
    return Judge(Settings(), partition, 4, store.claim(partition))


def test_the_tables_have_what_was_judged(store):
    judge = judge_of(store, 2)
    values = [20 + 0.1 * (i % 10) for i in range(30)] + [100.0, 20.0]
    store.write([judge.judge(list(enumerate(map(message, values))))])
    found = rows(store, "SELECT id, sensor_id, metric_type, value, z_score, timestamp FROM anomalies")
    # Thirty values 20.0 to 20.9, three of each: mean 20.45, variance 0.0825 * 30 / 29.
    z = (100 - 20.45) / (0.0825 * 30 / 29) ** 0.5
    assert [one[:4] for one in found] == [(30 * 4 + 2, "sensor-01", "temperature", 100.0)]
    assert found[0][4] == pytest.approx(z, rel=1e-9)
    assert str(found[0][5]).startswith("2025-07-20 10:19:16.123456")
    assert rows(store, "SELECT count(*), min(id), max(id) FROM sensor_data") == [(32, 2, 31 * 4 + 2)]
    assert rows(store, "SELECT partition, next, epoch FROM offsets WHERE partition = 2") == [(2, 32, 1)]
    ((number, text),) = rows(store, "SELECT id, message FROM outbox")
    assert number == 122
    assert "sensor-01" in text


def test_below_has_a_sign_and_no_spread_is_infinite(store):
    judge = judge_of(store)
    values = [20 + 0.1 * (i % 10) for i in range(30)] + [-60.0]
    some = [message(value) for value in values] + [message(7, metric="humidity")] * 10 + [message(8, metric="humidity")]
    store.write([judge.judge(enumerate(some))])
    low, flat = (z for (z,) in rows(store, "SELECT z_score FROM anomalies ORDER BY id"))
    assert low == pytest.approx((-60 - 20.45) / (0.0825 * 30 / 29) ** 0.5, rel=1e-9)
    assert flat == float("inf")


def test_who_claims_goes_on_with_the_same_bits(store):
    some = [(i, message(20 + 0.1 * (i * 7 % 10), sensor=f"s{i % 3}")) for i in range(100)]
    whole = judge_of(store, 0)
    whole.judge(some)
    parts = judge_of(store, 1)
    for begin in range(0, 100, 30):
        store.write([parts.judge(some[begin : begin + 30])])
        parts = judge_of(store, 1)
    assert list(parts.pool) == list(whole.pool)
    assert {key: parts.pool.export_key(key) for key in parts.pool} == {key: whole.pool.export_key(key) for key in whole.pool}
    kept = rows(store, "SELECT sensor_id, metric_type, snapshot FROM states")
    assert {(s, m): bytes(kept) for s, m, kept in kept} == {key: whole.pool.export_key(key) for key in whole.pool}


def test_a_former_owner_is_refused_and_nothing_is_changed(store):
    former = judge_of(store)
    store.write([former.judge([(0, message(1))])])
    late = former.judge([(1, message(2)), (2, message(3))])
    owner = judge_of(store)
    with pytest.raises(FencedError, match="by epoch 1 is refused, the database is at epoch 2, offset 1"):
        store.write([judge_of(store, 3).judge([(0, message(9))]), late])
    assert rows(store, "SELECT count(*) FROM sensor_data") == [(1,)]
    store.write([owner.judge([(1, message(2))])])
    with pytest.raises(FencedError):
        store.write([late])
    assert rows(store, "SELECT value FROM sensor_data ORDER BY id") == [(1.0,), (2.0,)]
    assert rows(store, "SELECT next, epoch FROM offsets WHERE partition = 0") == [(2, 2)]


def test_the_same_write_again_writes_nothing(store):
    judge = judge_of(store)
    batch = judge.judge([(0, message(1)), (1, message(2))])
    store.write([batch])
    store.write([batch])  # as after a commit of which no answer came
    assert rows(store, "SELECT count(*) FROM sensor_data") == [(2,)]


def test_messages_that_were_judged_come_again(store):
    judge = judge_of(store)
    some = [(i, message(i)) for i in range(5)]
    store.write([judge.judge(some)])
    store.write([judge.judge([*some, (9, message(9))])])  # offsets may have gaps
    assert rows(store, "SELECT value FROM sensor_data ORDER BY id") == [(float(i),) for i in (0, 1, 2, 3, 4, 9)]
    assert rows(store, "SELECT next FROM offsets WHERE partition = 0") == [(10,)]


BAD = {
    b"": "not JSON",
    b"\xff\xfe": "not JSON",
    b"[" * 100_000: "not JSON",
    b"[1]": "not a JSON object",
    message(1, sensor=""): "sensor_id is not a text of 1 to 50 characters",
    message(1, sensor="x" * 51): "sensor_id is not",
    message(1, sensor="a\x00b"): "sensor_id is not",
    message(1, sensor="\ud800"): "sensor_id is not",
    message(1, metric=7): "metric_type is not",
    message("20"): "value is not a number",
    message(True): "value is not a number",
    message(None): "value is not a number",
    message(float("nan")): "value is not a finite number",
    message(10**400): "value is not a finite number",
    message(1, time="yesterday"): "timestamp is not a time like",
    message(1, time=5): "timestamp is not a time like",
    message(1, time="0001-01-01T00:00:00+14:00"): "timestamp is not a time like",
    message(1, time="1999-12-31T23:59:59Z"): "timestamp is not between the years 2000 and 2100",
    message(1, time="2100-01-01T00:00:00Z"): "timestamp is not between the years 2000 and 2100",
}


def test_what_is_not_understood_is_kept_with_the_reason(store):
    judge = judge_of(store)
    some = [*BAD, None, message(5)]
    store.write([judge.judge(enumerate(some))])
    found = rows(store, "SELECT reason, message FROM rejected ORDER BY id")
    for (reason, kept), (sent, expected) in zip(found, [*BAD.items(), (b"", "not JSON")], strict=True):
        assert reason.startswith(expected), sent[:80]
        assert bytes(kept) == sent[:4096]
    assert rows(store, "SELECT value FROM sensor_data") == [(5.0,)]


def test_names_are_kept_as_they_are(store):
    names = ["'; DROP TABLE sensor_data; --", "a\\N\tb".replace("\t", " "), "Größe 温度 😀", "%s", '"<b>"']
    judge = judge_of(store)
    store.write([judge.judge(enumerate(message(1, sensor=name, metric=name) for name in names))])
    assert rows(store, "SELECT sensor_id, metric_type FROM sensor_data ORDER BY id") == [(name, name) for name in names]


def test_more_keys_than_may_be_are_rejected_the_others_go_on(store):
    judge = Judge(Settings(max_keys=2), 0, 4, store.claim(0))
    some = [message(1, sensor=name) for name in "abcab"]
    store.write([judge.judge(enumerate(some))])
    assert rows(store, "SELECT sensor_id FROM sensor_data ORDER BY id") == [(name,) for name in "abab"]
    assert rows(store, "SELECT id, reason FROM rejected") == [
        (8, "more than 2 sensors and metrics in this partition (MAX_KEYS)")
    ]


def test_the_number_of_partitions_stays(store):
    store.fix_partitions(4)
    for number in (3, 5):
        with pytest.raises(PartitionsError, match=f"has {number} partitions, the database was made for 4"):
            store.fix_partitions(number)
    assert rows(store, "SELECT count(*) FROM offsets") == [(4,)]


def test_health_is_the_latest_word(store):
    store.tell("consumer a", "Kafka does not answer")
    store.tell("consumer a")
    store.tell("consumer b", "x")
    assert rows(store, "SELECT part, problem FROM health ORDER BY part") == [("consumer a", ""), ("consumer b", "x")]
    store.part_ended("consumer b")
    assert rows(store, "SELECT part FROM health") == [("consumer a",)]


def test_whatever_comes_is_a_reading_or_is_rejected(store):
    chance, judge = random.Random(3), judge_of(store)
    some = []
    for _ in range(3000):
        text = bytearray(message(chance.choice([20.5, -1e308, 5e-324, 0]), sensor=chance.choice(["a", "\u00e9\U0001f600"])))
        for _ in range(chance.randrange(4)):
            at = chance.randrange(len(text))
            text[at : at + chance.randrange(3)] = bytes(
                chance.choices(b'0123456789eE+-.:,"{}[]\\u\x00\xff dN', k=chance.randrange(3))
            )
        some.append(bytes(text))
    for begin in range(0, len(some), 500):
        store.write([judge.judge(enumerate(some[begin : begin + 500], begin))])
    ((readings,),) = rows(store, "SELECT count(*) FROM sensor_data")
    ((rejected,),) = rows(store, "SELECT count(*) FROM rejected")
    assert readings + rejected == len(some)
    assert min(readings, rejected) > 300
