# SPDX-License-Identifier: MIT
"""The Flink job between topics of a real Kafka."""

import json
import subprocess

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from common.servers import kafka_server
from conftest import EXAMPLE, Job, in_order, loop, program
from keyed_stream import brokers


@pytest.fixture(scope="module")
def kafka(tmp_path_factory):
    jars = tmp_path_factory.getbasetemp().parent  # kept from run to run
    jar = subprocess.run([EXAMPLE / "connector.sh", jars], capture_output=True, text=True, check=True).stdout.strip()
    with kafka_server() as server:
        yield {"kafka_bootstrap_servers": server.broker, "flink_jars": jar}


def make(topic, settings):
    admin = AdminClient({"bootstrap.servers": settings["kafka_bootstrap_servers"]})
    for made in admin.create_topics([NewTopic(topic, num_partitions=4)]).values():
        made.result()


def committed(topic, settings, monkeypatch):
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", settings["kafka_bootstrap_servers"])
    messages = brokers.from_kafka(topic, f"test of {topic}")
    return [json.loads(message) for some, _ in messages for message in some]


def test_alerts_are_those_of_the_loop_each_once(kafka, generated, tmp_path, monkeypatch):
    make("t1", kafka)
    sent = program("generate", "--to", "kafka:t1", "--count", 3000, cwd=tmp_path, **kafka)
    assert sent.returncode == 0, sent.stderr
    with Job("kafka:t1", tmp_path, "--bounded", kafka_alerts_topic="a1", kafka_refused_topic="r1", **kafka) as job:
        job.finish()
    alerts, _ = loop(generated, tmp_path)
    assert in_order(committed("a1", kafka, monkeypatch)) == in_order(alerts)


@pytest.mark.on_demand
def test_by_savepoint_while_transactions_come(kafka, generated, tmp_path, monkeypatch):
    topics = {"kafka_alerts_topic": "a2", "kafka_refused_topic": "r2"}
    make("t2", kafka)
    lines = generated.read_text().splitlines()
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", kafka["kafka_bootstrap_servers"])
    for stage, parallelism in enumerate((1, 2, 1)):
        with brokers.to_kafka("t2") as send:
            for line in lines[1000 * stage : 1000 * (stage + 1)]:
                send(json.loads(line))
        end = ["--bounded"] if stage == 2 else []
        with Job("kafka:t2", tmp_path, *end, noted=True, pause=0.0, flink_parallelism=parallelism, **topics, **kafka) as job:
            if stage == 2:
                job.finish()
            else:
                job.until_midway()
                assert job.stop() == 0
            assert ("going on from" in job.log()) == (stage > 0)
    assert in_order(committed("a2", kafka, monkeypatch)) == in_order(loop(generated, tmp_path)[0])
