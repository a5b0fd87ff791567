# SPDX-License-Identifier: MIT
"""Killed, moved, overtaken, left alone: each message is judged once, as if nothing had been."""

import itertools
import random
import signal
import threading
import time

import psycopg
import pytest

from common.events import sensors
from common.interrupted import interrupted, same
from common.servers import wait_until
from conftest import AFTER, AT, BEFORE, QUICK


def compare(pipeline, undisturbed):
    for mine, wanted in zip(pipeline.judged(), undisturbed, strict=True):
        same(mine, wanted)
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
    whole = make_pipeline(kafka_topic=pipeline.settings.kafka_topic)  # the same topic into a database of its own
    with whole.consumer():
        whole.wait_for(sent)
    compare(pipeline, whole.judged())


def test_a_rebalance_moves_the_windows(pipeline, undisturbed):
    with pipeline.consumer("one") as one:
        pipeline.send(BEFORE, AT)
        pipeline.wait_for(1200)
        with pipeline.consumer("two") as two:
            wait_until(lambda: "consumer two has partitions" in two.log(), "the second has partitions")
            odd, later = AFTER[:10], AFTER[10:]
            pipeline.send(odd, AT)
            pipeline.wait_for(1210)
            assert len(pipeline.rows("SELECT id FROM anomalies WHERE value = 99")) == 10
            assert "messages_processed_total 0.0" not in two.metrics()
            assert one.stop() == 0
            pipeline.send(later, AT)
            pipeline.wait_for(1500)
    compare(pipeline, undisturbed)


def waits_for_a_lock(pipeline):
    """A consumer that has judged a batch and is about to write it."""
    blocked = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'UPDATE offsets SET next%%'"
    wait_until(lambda: pipeline.rows(blocked + " AND datname = current_database()"), "the write waits")


def test_a_write_of_a_former_owner_is_refused(pipeline, undisturbed):
    with pipeline.consumer() as consumer:
        pipeline.send(BEFORE, AT)
        pipeline.wait_for(1200)
        with psycopg.connect(pipeline.url) as rival:
            rival.execute("UPDATE offsets SET epoch = epoch + 1")  # another owner, whose claim is not yet committed
            pipeline.send(AFTER, AT)
            waits_for_a_lock(pipeline)
            assert pipeline.count() == 1200
        wait_until(lambda: "writes_refused_total 1.0" in consumer.metrics(), "the write is refused")
        assert "is refused, the database is at epoch" in consumer.log()
        pipeline.wait_for(1500)  # it has claimed the partitions anew
    compare(pipeline, undisturbed)


def test_a_consumer_that_was_asleep_writes_nothing_when_it_wakes(pipeline, undisturbed):
    with pipeline.consumer("zombie") as zombie, psycopg.connect(pipeline.url) as lock:
        pipeline.send(BEFORE, AT)
        pipeline.wait_for(1200)
        lock.execute("SELECT * FROM offsets FOR UPDATE")
        pipeline.send(AFTER, AT)
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
    compare(pipeline, undisturbed)


@pytest.mark.parametrize("which", ["postgres", "kafka"])
def test_a_server_that_is_killed_and_comes_back(which, request, pipeline, undisturbed):
    server = request.getfixturevalue(which)
    with pipeline.consumer() as consumer:
        pipeline.send(BEFORE, AT)
        wait_until(lambda: pipeline.count() > 0, "it has begun")
        server.kill()
        sending = threading.Thread(target=pipeline.send, args=(AFTER, AT))
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
    compare(pipeline, undisturbed)
