# SPDX-License-Identifier: MIT
"""Killed, moved, overtaken, left alone: each message is judged once, as if nothing had been."""

import itertools
import random
import signal
import threading
import time

import psycopg
import pytest

from common.events import Reading, sensors
from common.interrupted import interrupted, same
from common.servers import wait_until
from conftest import QUICK


def judged(pipeline):
    """What there is in the end of a topic's messages, to the last bit."""
    columns = "id, sensor_id, metric_type, value, timestamp, expected, lower, upper, is_anomaly"
    return (
        pipeline.rows(f"SELECT {columns} FROM sensor_data ORDER BY id"),
        pipeline.rows("SELECT * FROM anomalies ORDER BY id"),
        pipeline.rows("SELECT id FROM outbox ORDER BY id"),
        pipeline.snapshots(),
        pipeline.rows("SELECT partition, next FROM offsets ORDER BY partition"),
    )


def compare_with_an_uninterrupted_run(pipeline, make_pipeline):
    """Of the same topic, into a database of its own."""
    whole = make_pipeline(kafka_topic=pipeline.settings.kafka_topic)
    with whole.consumer():
        whole.wait_for(pipeline.count())
    for disturbed, undisturbed in zip(judged(pipeline), judged(whole)):
        same(disturbed, undisturbed)
    assert pipeline.anomalies()


class Killer:
    """One of several consumers, each time another, at a random moment while readings are being written."""

    def __init__(self, pipeline, victims, times, seed):
        self.pipeline, self.victims, self.left, self.chance = pipeline, victims, times, random.Random(seed)

    def kill(self):
        self.victim = self.chance.choice(self.victims)
        before = self.pipeline.count()
        wait_until(lambda: self.pipeline.count() > before, "readings are written")
        time.sleep(self.chance.uniform(0, 0.5))
        self.victim.kill()

    def start(self):
        self.victim.start()
        self.left -= 1


def test_two_consumers_that_are_killed_again_and_again(make_pipeline):
    pipeline = make_pipeline(batch_events=200)
    times, source, sent = 3 if QUICK else 10, sensors(seed=11), 0

    def work():
        nonlocal sent
        while killer.left or sent < 6000:
            pipeline.send(itertools.islice(source, 200))
            sent += 200
            time.sleep(0.1)  # so much a second
        pipeline.wait_for(sent)

    with pipeline.consumer("one") as one, pipeline.consumer("two") as two:
        killer = Killer(pipeline, [one, two], times, seed=4)
        interrupted(killer, work, times, seed=1)
    assert pipeline.count() == sent
    compare_with_an_uninterrupted_run(pipeline, make_pipeline)


def test_a_rebalance_moves_the_windows(make_pipeline):
    pipeline, source = make_pipeline(), sensors(seed=12)
    with pipeline.consumer("one") as one:
        pipeline.send(itertools.islice(source, 1200))
        pipeline.wait_for(1200)
        with pipeline.consumer("two") as two:
            wait_until(lambda: "consumer two has partitions" in two.log(), "the second has partitions")
            odd = [Reading(f"sensor-{k:02}", "temperature", 99.0, True) for k in range(1, 11)]
            pipeline.send(odd)
            pipeline.wait_for(1210)
            assert len(pipeline.rows("SELECT id FROM anomalies WHERE value = 99")) == 10
            assert "messages_processed_total 0.0" not in two.metrics()
            assert one.stop() == 0
            pipeline.send(itertools.islice(source, 300))
            pipeline.wait_for(1510)
    compare_with_an_uninterrupted_run(pipeline, make_pipeline)


def waits_for_a_lock(pipeline):
    """A consumer that has judged a batch and is about to write it."""
    blocked = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'UPDATE offsets SET next%%'"
    wait_until(lambda: pipeline.rows(blocked + " AND datname = current_database()"), "the write waits")


def test_a_write_of_a_former_owner_is_refused(make_pipeline):
    pipeline, source = make_pipeline(), sensors(seed=13)
    with pipeline.consumer() as consumer:
        pipeline.send(itertools.islice(source, 1200))
        pipeline.wait_for(1200)
        with psycopg.connect(pipeline.url) as rival:
            rival.execute("UPDATE offsets SET epoch = epoch + 1")  # another owner, whose claim is not yet committed
            pipeline.send(itertools.islice(source, 300))
            waits_for_a_lock(pipeline)
            assert pipeline.count() == 1200
        wait_until(lambda: "writes_refused_total 1.0" in consumer.metrics(), "the write is refused")
        assert "is refused, the database is at epoch" in consumer.log()
        pipeline.wait_for(1500)  # it has claimed the partitions anew
    compare_with_an_uninterrupted_run(pipeline, make_pipeline)


def test_a_consumer_that_was_asleep_writes_nothing_when_it_wakes(make_pipeline):
    pipeline, source = make_pipeline(), sensors(seed=14)
    with pipeline.consumer("zombie") as zombie, psycopg.connect(pipeline.url) as lock:
        pipeline.send(itertools.islice(source, 1200))
        pipeline.wait_for(1200)
        lock.execute("SELECT * FROM offsets FOR UPDATE")
        pipeline.send(itertools.islice(source, 300))
        waits_for_a_lock(pipeline)
        zombie.process.send_signal(signal.SIGSTOP)  # in the middle of its transaction
        lock.rollback()
        with pipeline.consumer("heir") as heir:
            pipeline.wait_for(1500)  # once PostgreSQL has given the sleeper up
            assert "messages_processed_total 300.0" in heir.metrics()
            zombie.process.send_signal(signal.SIGCONT)
            wait_until(lambda: "is refused, the database is at epoch" in zombie.log(), "the write is refused")
            assert "writes_refused_total 1.0" in zombie.metrics()
    assert pipeline.count() == 1500
    compare_with_an_uninterrupted_run(pipeline, make_pipeline)


@pytest.mark.parametrize("which", ["postgres", "kafka"])
def test_a_server_that_is_killed_and_comes_back(which, request, make_pipeline):
    server = request.getfixturevalue(which)
    pipeline, source = make_pipeline(), sensors(seed=15)
    with pipeline.consumer() as consumer:
        pipeline.send(itertools.islice(source, 1200))
        wait_until(lambda: pipeline.count() > 0, "it has begun")
        server.kill()
        sending = threading.Thread(target=pipeline.send, args=(itertools.islice(source, 300),))
        sending.start()
        if which == "kafka":
            ask = "SELECT problem FROM health WHERE part = 'consumer one'"
            wait_until(lambda: pipeline.rows(ask) == [("Kafka does not answer",)], "the consumer says so")
        else:
            wait_until(lambda: "the database does not answer" in consumer.log(), "the consumer says so")
        server.start()
        sending.join()
        pipeline.wait_for(1500)
        wait_until(lambda: pipeline.rows("SELECT problem FROM health") == [("",)], "all is well again")
        assert consumer.stop() == 0
    assert pipeline.count() == 1500
    compare_with_an_uninterrupted_run(pipeline, make_pipeline)
