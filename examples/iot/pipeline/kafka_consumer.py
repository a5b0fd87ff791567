# SPDX-License-Identifier: MIT
"""From Kafka to the database: `python -m pipeline.kafka_consumer`. Several share the partitions, each partition has one."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import TypeVar

import confluent_kafka
from confluent_kafka import KafkaException, TopicPartition

from pipeline.config import Settings, read_settings
from pipeline.judge import Judge
from pipeline.kafka_producer import make_topic
from pipeline.metrics import Metrics
from pipeline.store import DownError, FencedError, Key, PartitionsError, Store, open_store

log = logging.getLogger("pipeline.consumer")
PAUSE, BEAT = 0.5, 2.0  # seconds until what does not answer is asked again; between two signs of life
TOLD = 20  # anomalies of a batch that are printed
T = TypeVar("T")


class StoppedError(Exception):
    """It is to stop while something does not answer: what was not written is read again by the next."""


class Consumer:
    def __init__(self, settings: Settings, store: Store) -> None:
        self.settings, self.store = settings, store
        self.part = f"consumer {settings.consumer_name}"
        self.metrics = Metrics(self._newest)
        self.stopping = threading.Event()
        self._judges: dict[int, Judge] = {}
        self._partitions, self._problem, self._beaten = 0, "", 0.0
        self._kafka = confluent_kafka.Consumer(
            {
                "bootstrap.servers": settings.kafka_bootstrap_servers,
                "group.id": settings.kafka_group,
                "session.timeout.ms": int(settings.kafka_session_seconds * 1000),
                "enable.auto.commit": False,  # the database knows how far was read
                "auto.offset.reset": "earliest",
                "reconnect.backoff.max.ms": 1000,
            },
            logger=log,
        )

    def run(self) -> None:
        """Until it is told to stop; what does not answer is waited for."""
        try:
            self._partitions = self._until_it_answers(self._number_of_partitions)
            self._until_it_answers(lambda: self.store.fix_partitions(self._partitions))
            self._join()
            while not self.stopping.is_set():
                messages = self._kafka.consume(self.settings.batch_events, self.settings.batch_seconds)
                try:
                    self._handle(messages)
                except FencedError as error:
                    log.warning("%s", error)
                    self.metrics.refused.inc()
                    self._kafka.unsubscribe()
                    self._join()
                self._beat(heard=bool(messages))
            self.store.part_ended(self.part)
        except (StoppedError, DownError):
            pass
        finally:
            self._kafka.close()
            self.store.close()

    def _number_of_partitions(self) -> int:
        make_topic(self.settings)
        return len(
            self._kafka.list_topics(self.settings.kafka_topic, timeout=10).topics[self.settings.kafka_topic].partitions
        )

    def _join(self) -> None:
        self._kafka.subscribe(
            [self.settings.kafka_topic], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked
        )

    def _assigned(self, kafka: confluent_kafka.Consumer, partitions: list[TopicPartition]) -> None:
        """Its detectors, and where to read on, come from the database."""
        for one in partitions:
            claim = self._until_it_answers(lambda: self.store.claim(one.partition))  # noqa: B023  # called at once
            self._judges[one.partition] = Judge(self.settings, one.partition, self._partitions, claim)
            one.offset = claim.begin
            self._until_it_answers(lambda: self._check(one))  # noqa: B023
        log.info("%s has partitions %s", self.part, sorted(self._judges))
        kafka.assign(partitions)

    def _check(self, one: TopicPartition) -> None:
        _, end = self._kafka.get_watermark_offsets(one, timeout=10)
        if end < one.offset:
            raise PartitionsError(
                f"partition {one.partition}: {one.offset} messages were read, Kafka has had {end}: this is another topic"
            )

    def _revoked(self, _: confluent_kafka.Consumer, partitions: list[TopicPartition]) -> None:
        for one in partitions:
            self._judges.pop(one.partition, None)

    def _handle(self, messages: list[confluent_kafka.Message]) -> None:
        begin = time.monotonic()
        by_partition: dict[int, list[tuple[int, bytes | None]]] = defaultdict(list)
        for message in messages:
            partition, offset = message.partition(), message.offset()
            if message.error() or partition is None or offset is None:
                log.warning("Kafka: %s", message.error())
            elif partition in self._judges:  # else it has just been taken away
                by_partition[partition].append((offset, message.value()))
        for partition, some in by_partition.items():
            if some[0][0] > (position := self._judges[partition].position):
                log.warning("partition %d: offsets %d to %d are not in Kafka any more", partition, position, some[0][0] - 1)
        batches = [self._judges[partition].judge(some) for partition, some in by_partition.items()]
        batches = [batch for batch in batches if batch.end > batch.begin]
        if not batches:
            return
        self._until_it_answers(lambda: self.store.write(batches))
        self.metrics.written(batches, time.monotonic() - begin)
        found = [anomaly for batch in batches for anomaly in batch.anomalies]
        for _, sensor, metric, value, z, *_ in found[:TOLD]:
            log.info("anomaly: %s, %s = %g, z %+.2f", sensor, metric, value, z)
        if len(found) > TOLD:
            log.info("and %d further anomalies", len(found) - TOLD)

    def _until_it_answers(self, ask: Callable[[], T]) -> T:
        told = ""
        while True:
            try:
                return ask()
            except (DownError, KafkaException) as error:
                problem = f"the database does not answer: {error}" if isinstance(error, DownError) else f"Kafka: {error}"
                if problem != told:
                    log.warning("%s", problem)
                if isinstance(error, KafkaException):
                    self._tell("Kafka does not answer")
                told = problem
                if self.stopping.wait(PAUSE):
                    raise StoppedError from None

    def _beat(self, heard: bool) -> None:
        """A sign of life now and then; where nothing comes it looks whether Kafka is there."""
        if heard:
            self._problem = ""
        if time.monotonic() < self._beaten + BEAT:
            return
        if not heard:
            try:
                self._kafka.list_topics(self.settings.kafka_topic, timeout=2)
                self._problem = ""
            except KafkaException:
                self._problem = "Kafka does not answer"
        self._tell(self._problem)
        self._beaten = time.monotonic()

    def _tell(self, problem: str) -> None:
        try:
            self.store.tell(self.part, problem)
        except DownError as error:
            log.debug("the database does not answer: %s", error)

    def _newest(self) -> Iterator[tuple[Key, float]]:
        for judge in list(self._judges.values()):
            yield from list(judge.last.items())


def main() -> None:
    settings = read_settings()
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        consumer = Consumer(settings, open_store(settings.database_url.get_secret_value()))
    except DownError as error:
        raise SystemExit(str(error)) from None
    if settings.metrics_port:
        consumer.metrics.serve(settings.metrics_port, settings.metrics_host)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: consumer.stopping.set())
    try:
        consumer.run()
    except PartitionsError as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
