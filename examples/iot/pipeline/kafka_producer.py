# SPDX-License-Identifier: MIT
"""Readings of simulated sensors to Kafka: `python -m pipeline.kafka_producer`."""

from __future__ import annotations

import argparse
import itertools
import json
import logging
import signal
import threading
import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from common.events import Reading, sensors
from pipeline.config import Settings, read_settings

if TYPE_CHECKING:
    from confluent_kafka import Producer

log = logging.getLogger("pipeline.producer")
ANSWER, PAUSE = 5.0, 1.0  # seconds for an answer of Kafka; until it is asked again


def encoded(reading: Reading, at: datetime | None = None) -> bytes:
    """As a message; the time is now where none is given."""
    time = (at or datetime.now(timezone.utc)).isoformat()
    return json.dumps(
        {"sensor_id": reading.sensor, "metric_type": reading.metric, "value": reading.value, "timestamp": time}
    ).encode()


def producer_of(settings: Settings) -> Producer:
    """Waits for a broker that is away as long as it takes, and sends nothing twice and nothing out of its order."""
    from confluent_kafka import Producer  # late: without Kafka there is no need of it

    return Producer(
        {
            "bootstrap.servers": settings.kafka_bootstrap_servers,
            "enable.idempotence": True,
            "message.timeout.ms": 0,
            "reconnect.backoff.max.ms": 1000,
            "linger.ms": 20,
            "compression.type": "lz4",
        }
    )


def make_topic(settings: Settings) -> None:
    """With its number of partitions, which must stay, for a sensor's history belongs to a partition."""
    from confluent_kafka import KafkaError, KafkaException
    from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

    admin = AdminClient({"bootstrap.servers": settings.kafka_bootstrap_servers})
    made = admin.create_topics([NewTopic(settings.kafka_topic, settings.partitions, 1)], request_timeout=ANSWER)
    try:
        made[settings.kafka_topic].result()
        log.info("topic %s with %d partitions is made", settings.kafka_topic, settings.partitions)
    except KafkaException as error:
        if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise


def send(producer: Producer, topic: str, reading: Reading, at: datetime | None = None) -> None:
    """All readings of a sensor go to one partition."""
    while True:
        try:
            producer.produce(topic, encoded(reading, at), reading.sensor)
        except BufferError:
            producer.poll(0.1)
        else:
            producer.poll(0)
            return


def main() -> None:
    from confluent_kafka import KafkaException

    parser = argparse.ArgumentParser(prog="python -m pipeline.kafka_producer", description="Simulates sensors.")
    parser.add_argument("--rate", type=float, default=30.0, help="readings a second; 0: as fast as it goes (30)")
    parser.add_argument("--count", type=int, help="ends after so many; else at Ctrl-C")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other values (1)")
    parser.add_argument("--sensors", type=int, default=10, help="how many sensors, of three metrics each (10)")
    parser.add_argument("--share", type=float, default=0.01, help="how many of the readings are odd (0.01)")
    given = parser.parse_args()
    settings = read_settings()
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    while not stopping.is_set():
        try:
            make_topic(settings)
            break
        except KafkaException as error:
            log.warning("Kafka does not answer: %s", error)
            stopping.wait(PAUSE)
    producer, begin = producer_of(settings), time.monotonic()
    sent = odd = 0
    for reading in itertools.islice(sensors(given.seed, given.sensors, given.share), given.count):
        wait = begin + sent / given.rate - time.monotonic() if given.rate else 0.0
        if stopping.wait(wait) if wait > 0 else stopping.is_set():
            break
        send(producer, settings.kafka_topic, reading)
        sent, odd = sent + 1, odd + reading.odd
    left = producer.flush(60)
    log.info("%d readings sent, %d of them odd%s", sent - left, odd, f"; {left} could not be sent" if left else "")
    raise SystemExit(1 if left else 0)


if __name__ == "__main__":
    main()
