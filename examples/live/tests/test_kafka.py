# SPDX-License-Identifier: MIT
"""Events from Kafka, on both backends: each is judged once, whichever of the parts is killed and brought back."""

import asyncio
import os
import subprocess
import sys

import libanomaly
import pytest
import redis
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete

from common.events import noisy
from common.quick import QUICK
from common.servers import Server, kafka_server, redis_server, wait_until
from common.state import SqliteStates
from conftest import EXAMPLE, START, Service, csv_of, minute_of_tens
from load import fill

TIMES = 1 if QUICK else 3
KEYS, EACH = 20, 100
EVENTS = [{"metric": e.key, "value": e.value, "timestamp": e.time} for e in noisy(seed=7, keys=KEYS, each=EACH, start=START)]
HALF = len(EVENTS) // 2


@pytest.fixture(scope="module")
def kafka():
    with kafka_server() as server:
        yield server


def admin(kafka, ask):
    async def asked():
        client = AIOKafkaAdminClient(bootstrap_servers=kafka.broker)
        await client.start()
        try:
            return await ask(client)
        finally:
            await client.close()

    return asyncio.run(asked())


@pytest.fixture
def topic(request, kafka):
    """Of four partitions, with a name and a group of its own."""
    name = request.node.name.replace("[", ".").replace("]", "")
    admin(kafka, lambda client: client.create_topics([NewTopic(name, 4, 1)]))
    return {"kafka_broker": kafka.broker, "kafka_topic": name, "kafka_group_id": name}


def records_of(rows):
    return [{"metric": m, "value": v, "timestamp": t} for m, v, t in rows]


def counted(service):
    """How many events of each metric were judged."""
    answer = service.client.get("/metrics", params={"limit": 1000})
    return {row["metric"]: row["events"] for row in answer.json()["metrics"]} if answer.status_code == 200 else {}


def wait_for_all(service):
    wait_until(lambda: sum(counted(service).values()) >= len(EVENTS), "all events are judged")
    wait_until(lambda: service.health()["kafka_waiting"] == 0, "nothing waits in Kafka")


def bits(snapshot):
    """The state of each detector."""
    pool = libanomaly.Pool.restore(snapshot)
    return {event["metric"]: bytes(pool.export_key(event["metric"])) for event in EVENTS}


def told_to_kafka(kafka, group):
    """How many messages have been read, as Kafka knows it."""
    offsets = admin(kafka, lambda client: client.list_consumer_group_offsets(group))
    return sum(at.offset for at in offsets.values())


def test_events_beside_messages_that_are_none(backend, topic, kafka):
    broker, name = topic["kafka_broker"], topic["kafka_topic"]
    rows = minute_of_tens("m")
    fill(broker, name, records_of(rows[:30]))
    bad = [b"{", b'{"metric": "m", "value": "x", "timestamp": 1737460800}', b"\xff\xfe", b"[" * 10_000, b"[]"]
    for message in bad:
        kcat = ["kcat", "-P", "-b", broker, "-t", name, "-p", "2", "-D", "end of message"]
        subprocess.run(kcat, input=message, check=True)
    with Service(**backend, **topic) as one:
        wait_until(lambda: one.health()["kafka_wrong"] == len(bad), "the bad ones are counted")
        wait_until(lambda: counted(one).get("m") == 30, "the good ones are judged")
        assert one.health()["parts"]["kafka"] == "ok"
        fill(broker, name, records_of(rows[30:]))
        wait_until(lambda: counted(one)["m"] == 60, "all are judged")
        (found,) = one.settled("m")
        assert (found["value"], found["timestamp"]) == (95, START + 400)
        assert found["z_score"] == pytest.approx(13.863294, abs=1e-6)
        log = one.log()
        assert log.count("is no event") == len(bad)
        assert f"{name}, partition 2, offset " in log
        assert "value: Input should be a valid number" in log
        # What HTTP brings goes the same way, once.
        one.upload("a.csv", csv_of([("m", 50, START + 700)]))
        wait_until(lambda: counted(one)["m"] == 61, "the file is judged too")
        wait_until(lambda: told_to_kafka(kafka, name) == 60 + len(bad), "tools that show the lag see none")
        assert one.stop() == 0


@pytest.mark.parametrize("kind", ["memory", pytest.param("redis", marks=pytest.mark.on_demand)])
def test_a_broker_that_is_not_there_is_told_and_the_rest_works(kind):
    settings = {"backend": kind, "kafka_broker": "127.0.0.1:1"}
    with redis_server() as store, Service(redis_url=store.url, **settings, wait=False) as one:
        wait_until(lambda: "127.0.0.1:1" in one.health()["parts"]["kafka"], "the health names it")
        assert one.health()["status"] == "degraded"
        one.upload("a.csv", csv_of(minute_of_tens("without")))
        assert len(one.settled("without")) == 1
        assert one.stop() == 0
        assert "127.0.0.1:1" in one.log()


def test_what_kafka_has_deleted_before_it_was_read_is_told(topic, kafka):
    name = topic["kafka_topic"]
    kcat = ["kcat", "-P", "-b", kafka.broker, "-t", name, "-p", "0"]
    line = '{"metric": "m", "value": 1, "timestamp": 1737460800}\n'
    subprocess.run(kcat, input=line * 10, text=True, check=True)
    admin(kafka, lambda client: client.delete_records({TopicPartition(name, 0): RecordsToDelete(before_offset=5)}))
    with redis_server() as store:
        client = redis.Redis.from_url(store.url)
        client.hset("kafka_offsets", f"{name}/0", 2)
        settings = {"backend": "redis", "redis_url": store.url, **topic}
        environment = {**os.environ, **{setting.upper(): value for setting, value in settings.items()}}
        command = [sys.executable, "-m", "anomaly.ingest"]
        with Server(command, lambda: client.llen("raw_events") == 5, name="ingest", env=environment, cwd=EXAMPLE) as ingest:
            assert f"{name}/0: offset 2 is not there any more, goes on at 5" in ingest.log()


class Parts:
    """The service, a processor and an ingest, each a process, on a Redis."""

    def __init__(self, store, topic):
        settings = {"backend": "redis", "redis_url": store.url, "batch_size": 10, "snapshot_seconds": 0.5, **topic}
        self.store, self.api = store, Service("api", wait=False, **settings)
        self.processor, self.ingest = self._part("processor", "processor"), self._part("ingest", "kafka")

    def _part(self, name, told):
        command = [sys.executable, "-m", f"anomaly.{name}"]
        return Server(command, lambda: self.api.health()["parts"][told] == "ok", name=name, **self.api.options)

    def bits(self):
        """Once all are stopped, which they are in good order."""
        assert [part.stop() for part in (self.ingest, self.processor, self.api)] == [0, 0, 0]
        return bits(redis.Redis.from_url(self.store.url).get("processor:0"))


@pytest.fixture(scope="module")
def undisturbed(kafka):
    admin(kafka, lambda client: client.create_topics([NewTopic("undisturbed", 4, 1)]))
    fill(kafka.broker, "undisturbed", EVENTS)
    settings = {"kafka_broker": kafka.broker, "kafka_topic": "undisturbed", "kafka_group_id": "undisturbed"}
    with redis_server() as store:
        parts = Parts(store, settings)
        with parts.api, parts.processor, parts.ingest:
            wait_for_all(parts.api)
            assert counted(parts.api) == {event["metric"]: EACH for event in EVENTS}
            anomalies = sorted((one["metric"], one["timestamp"], one["z_score"]) for one in parts.api.anomalies())
            assert len(anomalies) > 5
            return anomalies, parts.bits()


def check(service, undisturbed):
    assert counted(service) == {event["metric"]: EACH for event in EVENTS}
    assert sorted((one["metric"], one["timestamp"], one["z_score"]) for one in service.anomalies()) == undisturbed[0]


def test_each_part_is_killed_and_brought_back(topic, kafka, undisturbed):
    with redis_server() as store:
        parts = Parts(store, topic)
        victims = [(parts.processor, "processor"), (parts.ingest, "kafka"), (store, "store"), (kafka, "kafka")] * TIMES
        share = len(EVENTS) // len(victims)
        fill(kafka.broker, topic["kafka_topic"], EVENTS[:share])
        with parts.api, parts.processor, parts.ingest:
            for k, (victim, name) in enumerate(victims, 1):
                wait_until(lambda: sum(counted(parts.api).values()) > (k - 1) * share, "it is at work")  # noqa: B023
                victim.kill()
                wait_until(lambda: parts.api.health()["parts"][name] not in ("ok", "off"), "the health tells it")  # noqa: B023
                assert parts.api.health()["status"] == "degraded"
                victim.start()
                fill(kafka.broker, topic["kafka_topic"], EVENTS[k * share : (k + 1) * share])
            wait_for_all(parts.api)
            wait_until(lambda: parts.api.health()["status"] == "ok", "all is well again")
            check(parts.api, undisturbed)
            assert parts.bits() == undisturbed[1]
            assert f"Kafka: {kafka.broker} does not answer" in parts.ingest.log()
            assert "Kafka: ok" in parts.ingest.log().split("does not answer")[-1]
            assert "processor waits: Redis" in parts.processor.log()


def test_in_memory_a_restart_reads_again_what_came_after_the_snapshot(topic, kafka, undisturbed, tmp_path):
    fill(kafka.broker, topic["kafka_topic"], EVENTS[:HALF])
    with Service(state_file=tmp_path / "state", snapshot_seconds=0.2, batch_size=10, **topic) as one:
        for k in range(TIMES):
            wait_until(lambda: sum(counted(one).values()) > k * HALF // TIMES, "it is at work")  # noqa: B023
            one.kill()
            one.start()
        fill(kafka.broker, topic["kafka_topic"], EVENTS[HALF:])
        wait_for_all(one)
        check(one, undisturbed)
        assert one.stop() == 0
    assert bits(SqliteStates(tmp_path / "state").get("live")[1].split(b"\n", 1)[1]) == undisturbed[1]
