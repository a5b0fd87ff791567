# SPDX-License-Identifier: MIT
"""The parts as the tests see them: processes, on one Kafka and one PostgreSQL, with topics and databases of their own."""

import itertools
import os
import pathlib
import sys
import urllib.request
from datetime import datetime, timezone

import psycopg
import pytest

from common.events import Reading, sensors
from common.servers import Server, free_port, kafka_server, postgres_server, wait_until
from pipeline.config import Settings
from pipeline.kafka_producer import make_topic, producer_of, send
from pipeline.store import open_store

EXAMPLE = pathlib.Path(__file__).resolve().parent.parent
NUMBERS = itertools.count()
QUICK = bool(os.environ.get("TEST_QUICK"))
AT = datetime(2025, 7, 20, 10, 19, 16, tzinfo=timezone.utc)

# What is judged under disturbances, which come between the two, and in `undisturbed` without any.
BEFORE = list(itertools.islice(sensors(seed=13), 1200))
AFTER = [
    *(Reading(f"sensor-{k:02}", "temperature", 99.0, True) for k in range(1, 11)),
    *itertools.islice(sensors(seed=13), 1200, 1490),
]


@pytest.fixture(scope="session")
def kafka():
    with kafka_server() as server:
        yield server


@pytest.fixture(scope="session")
def postgres():
    with postgres_server() as server:
        yield server


class Pipeline:
    """A topic and a database; consumers on them, by name."""

    def __init__(self, name, broker, database_url, **settings):
        self.settings = Settings(
            kafka_bootstrap_servers=broker,
            kafka_group=name,
            kafka_session_seconds=6,
            database_url=database_url,
            batch_seconds=0.2,
            **{"kafka_topic": name, **settings},
        )
        self.environment = {**os.environ}
        for field, value in self.settings:
            self.environment[field.upper()] = str(getattr(value, "get_secret_value", lambda value=value: value)())
        self.url, self.store = database_url, open_store(database_url)
        make_topic(self.settings)

    def consumer(self, name="one", **settings):
        """A process, which is up once it has partitions, or waits for some."""
        port = free_port()
        mine = {name.upper(): str(value) for name, value in settings.items()}
        environment = {**self.environment, "CONSUMER_NAME": name, "METRICS_PORT": str(port), **mine}
        command = [sys.executable, "-m", "pipeline.kafka_consumer"]
        url = f"http://127.0.0.1:{port}/metrics"

        def metrics():
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=5) as answer:
                return answer.read().decode()

        server = Server(command, metrics, name=f"consumer-{name}", env=environment, cwd=EXAMPLE)
        server.metrics = metrics
        return server

    def send(self, readings, at=None):
        """Waits until Kafka has them."""
        producer = producer_of(self.settings)
        for reading in readings:
            send(producer, self.settings.kafka_topic, reading, at)
        assert producer.flush(120) == 0

    def rows(self, sql, *values):
        with self.store.transaction():
            return self.store.execute(sql, values)

    def wait_for(self, readings, seconds=180):
        wait_until(lambda: self.count() >= readings, f"{readings} readings are written", seconds)

    def count(self):
        return self.rows("SELECT count(*) FROM sensor_data")[0][0]

    def anomalies(self):
        """What does not depend on when and where it was judged."""
        return self.rows("SELECT sensor_id, metric_type, value, z_score, lower FROM anomalies ORDER BY 1, 2, id")

    def snapshots(self):
        return self.rows("SELECT partition, sensor_id, metric_type, snapshot FROM states ORDER BY 1, 2, 3")

    def judged(self):
        """What there is in the end of a topic's messages, to the last bit."""
        columns = "id, sensor_id, metric_type, value, timestamp, expected, lower, upper, is_anomaly"
        return (
            self.rows(f"SELECT {columns} FROM sensor_data ORDER BY id"),
            self.rows("SELECT * FROM anomalies ORDER BY id"),
            self.rows("SELECT * FROM outbox ORDER BY id"),
            self.snapshots(),
            self.rows("SELECT partition, next FROM offsets ORDER BY partition"),
        )


def new_database(postgres):
    """Its address, and its name, which no other test has."""
    name = f"test-{next(NUMBERS)}"
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return postgres.url.rpartition("/")[0] + f"/{name}", name


def new_pipeline(kafka, postgres, **settings):
    """With a topic and a database of its own."""
    url, name = new_database(postgres)
    return Pipeline(name, kafka.broker, url, **settings)


@pytest.fixture(scope="session")
def undisturbed(kafka, postgres):
    """What comes of BEFORE and AFTER where nothing happens."""
    pipeline = new_pipeline(kafka, postgres)
    pipeline.send(BEFORE + AFTER, AT)
    with pipeline.consumer():
        pipeline.wait_for(1500)
    yield pipeline.judged()
    pipeline.store.close()


@pytest.fixture
def make_pipeline(kafka, postgres):
    made = []

    def make(**settings):
        made.append(new_pipeline(kafka, postgres, **settings))
        return made[-1]

    yield make
    for one in made:
        one.store.close()


@pytest.fixture
def pipeline(make_pipeline):
    return make_pipeline()
