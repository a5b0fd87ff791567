# SPDX-License-Identifier: MIT
"""Producer, Kafka, consumers, PostgreSQL: the real ones."""

import datetime
import itertools
import json
import os
import subprocess
import sys

import pytest

from common.events import Reading, sensors
from common.servers import wait_until
from conftest import EXAMPLE


def thirty_one_rounds():
    bases = {"temperature": 20.0, "humidity": 40.0, "pressure": 1010.0}
    for i in range(31):
        for metric, base in bases.items():
            odd = i == 30 and metric == "temperature"
            yield Reading("sensor-01", metric, 100.0 if odd else round(base + 0.1 * (i % 10), 1), odd)


def test_one_anomaly_of_ninety_three_readings_and_nothing_twice_after_a_restart(pipeline):
    pipeline.send(thirty_one_rounds(), datetime.datetime(2025, 7, 20, 10, 19, 16, 123456, datetime.timezone.utc))
    with pipeline.consumer() as consumer:
        pipeline.wait_for(93)
        ((sensor, metric, value, z, _),) = pipeline.anomalies()
        assert (sensor, metric, value) == ("sensor-01", "temperature", 100.0)
        assert z == pytest.approx(272.3025, abs=1e-4)
        assert "anomaly: sensor-01, temperature = 100, z +272.30" in consumer.log()
        ((text,),) = pipeline.rows("SELECT message FROM outbox")
        for told in ("sensor-01", "temperature", "100", "272.3025", "2025-07-20 10:19:16"):
            assert told in json.dumps(json.loads(text), ensure_ascii=False)
        metrics = consumer.metrics()
        assert consumer.stop() == 0
    for line in (
        "messages_processed_total 93.0",
        'anomalies_detected_total{metric_type="temperature"} 1.0',
        'current_sensor_value{metric_type="temperature",sensor_id="sensor-01"} 100.0',
        'current_sensor_value{metric_type="humidity",sensor_id="sensor-01"} 40.0',
    ):
        assert line in metrics or line.replace('metric_type="', "") in metrics, metrics
    assert "processing_latency_seconds_count" in metrics
    assert pipeline.rows("SELECT * FROM health") == []  # a stop is no failure
    with pipeline.consumer() as consumer:
        pipeline.send([Reading("sensor-01", "temperature", 20.0, False)])
        pipeline.wait_for(94)
        assert "messages_processed_total 1.0" in consumer.metrics()
    assert pipeline.count() == 94
    assert len(pipeline.anomalies()) == 1


def test_the_producer_as_a_program(pipeline):
    command = [sys.executable, "-m", "pipeline.kafka_producer", "--count", "600", "--rate", "0", "--seed", "5"]
    run = subprocess.run(command, cwd=EXAMPLE, env=pipeline.environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert "600 readings sent" in run.stderr
    with pipeline.consumer():
        pipeline.wait_for(600)
    sent = sorted((one.sensor, one.metric, one.value) for one in itertools.islice(sensors(5), 600))
    assert sorted(pipeline.rows("SELECT sensor_id, metric_type, value FROM sensor_data")) == sent


def test_messages_that_nobody_understands_stop_nobody(pipeline):
    from pipeline.kafka_producer import producer_of

    producer = producer_of(pipeline.settings)
    for value in (b"\xff", b"{}", None, os.urandom(10_000)):
        producer.produce(pipeline.settings.kafka_topic, value, b"sensor-01")
    producer.flush(60)
    pipeline.send([Reading("sensor-01", "temperature", 20.0, False)])
    with pipeline.consumer() as consumer:
        pipeline.wait_for(1)
        wait_until(lambda: "messages_rejected_total 4.0" in consumer.metrics(), "they are counted", 20)
    assert len(pipeline.rows("SELECT reason FROM rejected")) == 4


def test_another_number_of_partitions_or_another_topic_is_refused(pipeline):
    pipeline.send(itertools.islice(sensors(1, 10), 300))
    with pipeline.consumer():
        pipeline.wait_for(300)
    others = {
        "another-topic-of-this-test": ({}, "this is another topic"),
        "a-topic-of-three": ({"partitions": 3}, "the topic has 3 partitions, the database was made for 4"),
    }
    for topic, (settings, told) in others.items():
        with pipeline.consumer(kafka_topic=topic, kafka_group=topic, **settings) as consumer:
            wait_until(lambda: consumer.process.poll() is not None, "it has ended", 60)
            assert consumer.process.returncode == 1
            assert told in consumer.log()
    assert pipeline.count() == 300
