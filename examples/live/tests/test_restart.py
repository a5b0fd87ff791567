# SPDX-License-Identifier: MIT
"""Stopped, killed, brought back: what was acknowledged is judged once, as if nothing had been."""

import json
import os
import subprocess
import sys

import httpx
import pytest
import redis
from libanomaly import key_hash
from websockets.sync.client import connect

from common.events import keyed, noisy
from common.interrupted import interrupted, same
from common.quick import QUICK
from common.servers import Server, redis_server, wait_until
from conftest import EXAMPLE, START, Inside, Service, csv_of, minute_of_tens


@pytest.fixture(scope="module")
def store():
    with redis_server() as one:
        yield one


@pytest.fixture(scope="module")
def shared(store):
    """The service with its processor, for tests that keep apart by their metrics."""
    with Service(backend="redis", redis_url=store.url) as one:
        yield one


def told(anomalies):
    """What of an anomaly does not depend on when it was found; oldest first."""
    return [{k: v for k, v in one.items() if k not in ("anomaly_id", "detected_at")} for one in reversed(anomalies)]


def by_metric(anomalies):
    return sorted(told(anomalies), key=lambda one: (one["metric"], one["timestamp"]))


def test_after_a_stop_it_goes_on_where_it_was_and_only_new_anomalies_are_told(tmp_path, caplog):
    rows = minute_of_tens("m")
    with Service(state_file=tmp_path / "state") as one:
        one.upload("a.csv", csv_of(rows[:35]))
        one.upload("b.csv", csv_of([("other", 50, START)] * 10 + [("other", 200, START)]))
        one.settled()
        assert one.stop() == 0
        assert "the state is kept" in one.log()
        one.start()
        assert [a["metric"] for a in one.anomalies()] == ["other"]
        with connect(one.url.replace("http", "ws") + "/ws/anomalies") as socket:
            one.upload("c.csv", csv_of(rows[35:]))
            found = json.loads(socket.recv(30))
        assert one.settled("m") == [found]
        one.stop()
    assert (found["value"], found["window_count"], found["mean"]) == (95, 30, 54.5)
    assert found["z_score"] == pytest.approx(13.863294, abs=1e-6)
    with Inside(state_file=tmp_path / "state", window_seconds=60) as one:
        assert "the detectors begin anew" in caplog.text
        assert len(one.anomalies()) == 2


def test_without_a_state_file_it_begins_anew(tmp_path):
    # That the test before this one can fail.
    with Service() as one:
        one.upload("a.csv", csv_of(minute_of_tens("m")[:35]))
        one.settled()
        one.stop()
        assert "the state is gone: there is no STATE_FILE" in one.log()
        one.start()
        one.upload("c.csv", csv_of(minute_of_tens("m")[35:]))
        assert one.settled()[0]["window_count"] == 5


def test_a_damaged_state_is_told_and_left_alone(tmp_path):
    (tmp_path / "state").write_bytes(b"no database" * 100)
    command = [sys.executable, "-m", "anomaly.main", "api", "--port", "0"]
    run = subprocess.run(
        command, env={**os.environ, "STATE_FILE": str(tmp_path / "state")}, cwd=EXAMPLE, capture_output=True, text=True
    )
    assert run.returncode != 0
    assert "not a database" in run.stderr
    assert (tmp_path / "state").read_bytes() == b"no database" * 100


def send_all(service, rows, size=50):
    """Every row in its order."""
    for start in range(0, len(rows), size):
        some = csv_of(rows[start : start + size])
        assert service.upload("a.csv", some).json()["success_count"] == len(rows[start : start + size])


def rows_of(events):
    return [(e.key, repr(e.value), e.time) for e in events]


def test_redis_as_the_description_has_it(store, shared):
    client = redis.Redis.from_url(store.url, decode_responses=True)
    listening = client.pubsub(ignore_subscribe_messages=True)
    listening.subscribe("anomalies")
    listening.get_message(timeout=5)
    shared.upload("day.csv", csv_of(minute_of_tens("m")))
    (found,) = shared.settled("m")
    message = listening.get_message(timeout=10)
    assert json.loads(message["data"]) == found
    assert listening.get_message(timeout=0.5) is None
    event = shared.send("m", 51, START + 600).json()["event_id"]
    shared.settled()
    assert client.llen("raw_events") == 0
    assert client.hget(f"event:{event}", "value") == "51.0"
    assert client.hget(f"event:{event}", "is_anomaly") == "false"


def test_redis_a_processor_that_is_killed_again_and_again(shared):
    events = list(noisy(seed=7, keys=20, each=100 if QUICK else 400, start=START))
    rows = rows_of(events)
    send_all(shared, rows)
    undisturbed = by_metric([one for one in shared.settled() if one["metric"].startswith("k")])
    assert len(undisturbed) > 5
    with redis_server() as other:
        settings = {"backend": "redis", "redis_url": other.url, "snapshot_seconds": 0.5}
        with Service("api", **settings, wait=False) as api, processor(api) as judge:
            interrupted(judge, lambda: send_all(api, rows), times=4, seed=1)
            found = by_metric(api.settled())
            counted = api.client.get("/metrics", params={"limit": 1000}).json()["metrics"]
    same(found, undisturbed)
    assert {row["events"] for row in counted} == {len(events) // 20}


def processor(api):
    """A processor of the store that the service uses."""
    command = [sys.executable, "-m", "anomaly.processor"]
    return Server(command, lambda: api.health()["status"] == "ok", name="processor", **api.options)


def test_redis_what_a_service_that_is_killed_has_acknowledged_is_judged_once():
    rows, sent = rows_of(noisy(seed=5, keys=5, each=100 if QUICK else 400, start=START)), []

    def send():
        for metric, value, at in rows:
            try:
                answer = api.send(metric, float(value), at)
            except httpx.TransportError:
                wait_until(lambda: api.health(), "it is back")
            else:
                assert answer.status_code == 201
                sent.append(answer.json()["event_id"])

    with redis_server() as store:
        settings = {"backend": "redis", "redis_url": store.url}
        with Service("api", **settings, wait=False) as api, processor(api):
            interrupted(api, send, times=3, seed=2)
            api.settled()
            judged = redis.Redis.from_url(store.url, decode_responses=True).lrange("event_ids", 0, -1)
    assert len(judged) == len(set(judged))
    assert set(sent) <= set(judged)
    assert len(rows) - len(sent) <= 3  # one for each kill had no answer; it may have been taken or not


def test_redis_away_is_told_and_waited_for_and_holds_up_nobody_who_has_to_leave(store, shared):
    rows = [(f"away{e.key}", repr(e.value), e.time) for e in noisy(seed=9, keys=10, each=100, start=START)]
    half = len(rows) // 2
    send_all(shared, rows[:half])
    store.kill()
    assert shared.send("awayk000", 1, START).status_code == 503
    wait_until(lambda: shared.health()["status"] == "degraded", "the health tells it")
    assert "Redis" in shared.health()["parts"]["store"]
    wait_until(lambda: "processor waits: Redis" in shared.log(), "the processor tells it")
    store.start()
    wait_until(lambda: shared.health()["status"] == "ok", "all is well again")
    store.kill()
    assert shared.stop() == 0
    assert "stopped without the store" in shared.log()
    store.start()
    shared.start()
    send_all(shared, rows[half:])
    shared.settled()
    found = shared.client.get("/metrics", params={"search": "away"}).json()["metrics"]
    assert {row["metric"]: row["events"] for row in found} == {f"awayk{k:03}": 100 for k in range(10)}


def test_redis_a_full_queue_is_told_and_loses_nothing_nor_do_two_processors_of_a_number():
    with redis_server() as store, Service("api", backend="redis", redis_url=store.url, max_queue_size=10, wait=False) as api:
        answers = [api.send("m", i, START + i) for i in range(12)]
        assert [answer.status_code for answer in answers] == [201] * 10 + [429] * 2
        assert answers[-1].headers["retry-after"] == "1"
        health = api.health()
        assert (health["queue_size"], health["status"], health["parts"]["processor"]) == (10, "degraded", "no sign of it")
        with processor(api) as first:
            api.settled()
            points = api.client.get("/series", params={"metric": "m"}).json()["points"]
            assert [point[1] for point in points] == list(range(10))
            with processor(api) as second:
                wait_until(lambda: "events since the snapshot" in second.log(), "the second is at work")
                assert first.stop() == 1
                assert "another processor 0 is at work" in first.log()
                assert api.send("m", 1, START + 20).status_code == 201
                api.settled()
                assert api.client.get("/metrics").json()["metrics"][0]["events"] == 11


def test_redis_twenty_metrics_by_five_processors_which_end_well():
    events = list(keyed(20, 40, START, {7: 30, 13: 30}))
    assert key_hash("m07") % 5 != key_hash("m13") % 5
    with redis_server() as store, Service(backend="redis", redis_url=store.url, processors=5) as one:
        send_all(one, [(e.key, e.value, e.time) for e in events])
        found = by_metric(one.settled())
        wait_until(lambda: one.health()["processed"] == len(events), "all processors have told")
        counted = [json.loads(beat)["processed"] for beat in redis.Redis.from_url(store.url).hgetall("beats").values()]
        assert len(counted) == 5
        assert all(0 < processed < len(events) for processed in counted)  # each has a share
        assert one.stop() == 0
        assert one.log().count("the state is kept") == 5
        assert [(a["metric"], a["timestamp"] - START) for a in found] == [("m07", 30), ("m13", 30)]
        # Thirty values of 50 to 59: the standard deviation of the sample is sqrt(247.5 / 29).
        assert [a["z_score"] for a in found] == pytest.approx([40.5 / (247.5 / 29) ** 0.5] * 2, rel=1e-9)
