# SPDX-License-Identifier: MIT
"""From Kafka to the queue: the store takes events and how far they have been read in one step, so none is counted twice.

Where reading goes on is what the store says, and never what Kafka knows of the group: that is for tools that show the lag.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import signal
import time

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from pydantic import ValidationError

from anomaly.config import Settings, prepare
from anomaly.models import Event, queued
from anomaly.persistence import Origin, OvertakenError, Record, Store, answer, push_when_there_is_room
from anomaly.readers import explain

log = logging.getLogger("anomaly.ingest")
logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it says many times a second what is told here once
ROWS = 500  # messages that are taken in one step
PAUSE = 0.5  # seconds until Kafka is tried again
PATIENCE = 3.0  # seconds that Kafka may take to say how much there is


def _name(partition: TopicPartition) -> str:
    return f"{partition.topic}/{partition.partition}"


class Ingest(ConsumerRebalanceListener):
    def __init__(self, store: Store, settings: Settings) -> None:
        self.store, self.settings = store, settings
        self._consumer: AIOKafkaConsumer | None = None
        self._at: dict[TopicPartition, int] = {}  # how far the store is, of the partitions that are read
        self._state, self._waiting, self._wrong = "no connection yet", 0, 0

    # Which partitions this process reads has changed: of each, the store is asked again.
    def on_partitions_revoked(self, _revoked: object) -> None:
        self._at.clear()

    def on_partitions_assigned(self, _assigned: object) -> None:
        self._at.clear()

    async def run(self) -> None:
        """Until it is cancelled; Kafka and store are waited for."""
        beating = asyncio.create_task(self._beat())
        try:
            while True:
                try:
                    await self._follow()
                except KafkaError as error:
                    log.debug("%r", error)
                await asyncio.sleep(PAUSE)
        finally:
            beating.cancel()

    async def _follow(self) -> None:
        settings = self.settings
        self._consumer = consumer = AIOKafkaConsumer(
            bootstrap_servers=settings.kafka_broker,
            group_id=settings.kafka_group_id,
            auto_offset_reset=settings.kafka_auto_offset_reset,
            isolation_level="read_committed",
            session_timeout_ms=6000,  # so long are the partitions of a process that was killed left alone
        )
        consumer.subscribe([settings.kafka_topic], listener=self)
        try:
            await consumer.start()
            while True:
                if new := consumer.assignment() - self._at.keys():
                    await self._begin(consumer, new)
                rows = min(ROWS, settings.max_queue_size)
                await self._take(await consumer.getmany(timeout_ms=1000, max_records=rows))
        finally:
            with contextlib.suppress(asyncio.TimeoutError, KafkaError):
                await asyncio.wait_for(consumer.stop(), PATIENCE)

    async def _begin(self, consumer: AIOKafkaConsumer, new: set[TopicPartition]) -> None:
        """Goes to where the store says; where it says nothing, to an end of what there is."""
        kept = await answer(self.store.offsets, "Kafka")
        self._wrong = kept.get("wrong", 0)
        unknown = [partition for partition in new if _name(partition) not in kept]
        ends = consumer.beginning_offsets if self.settings.kafka_auto_offset_reset == "earliest" else consumer.end_offsets
        found = await ends(unknown) if unknown else {}
        with contextlib.suppress(OvertakenError):  # by somebody who has answered the same question
            await self._push([], Origin({_name(one): (-1, at) for one, at in found.items()}))
        for partition in new:
            at = found[partition] if partition in found else kept[_name(partition)]
            consumer.seek(partition, at)
            self._at[partition] = at
            log.info("%s is read from offset %d", _name(partition), at)

    async def _take(self, found: dict[TopicPartition, list[ConsumerRecord]]) -> None:
        found = {partition: messages for partition, messages in found.items() if partition in self._at}
        await self._tell_gaps({partition: messages[0].offset for partition, messages in found.items()})
        ends = {partition: messages[-1].offset + 1 for partition, messages in found.items()}
        events = [self._event(message) for messages in found.values() for message in messages]
        good = [event for event in events if event is not None]
        origin = Origin({_name(one): (self._at[one], end) for one, end in ends.items()}, len(events) - len(good))
        try:
            await self._push(good, origin)
        except OvertakenError:  # or it had happened, and the answer was lost
            self._at.clear()
            return
        self._wrong += origin.wrong
        self._at |= {partition: end for partition, end in ends.items() if partition in self._at}

    async def _tell_gaps(self, firsts: dict[TopicPartition, int]) -> None:
        """Offsets may be left out (marks of transactions), but not where Kafka has deleted events before they were read."""
        gaps = {partition: at for partition, first in firsts.items() if first != (at := self._at[partition])}
        assert self._consumer
        for partition, begin in (await self._consumer.beginning_offsets(gaps)).items() if gaps else ():
            if not begin <= gaps[partition] <= firsts[partition]:
                places = gaps[partition], firsts[partition]
                log.warning("%s: offset %d is not there any more, goes on at %d", _name(partition), *places)

    def _event(self, message: ConsumerRecord) -> Record | None:
        try:
            return queued(Event.model_validate_json(message.value or b""))
        except ValidationError as error:
            place = (message.topic, message.partition, message.offset)
            log.warning("%s, partition %d, offset %d is no event: %s", *place, explain(error))
            return None

    async def _push(self, events: list[Record], origin: Origin) -> None:
        await answer(lambda: push_when_there_is_room(self.store, events, origin), "Kafka")

    async def _beat(self) -> None:
        """Each second: how it is, for /health and the log."""
        while True:
            state = await self._look()
            if state != self._state:
                log.log(logging.INFO if state == "ok" else logging.WARNING, "Kafka: %s", state)
            self._state = state
            told = {"at": time.time(), "state": state, "kafka_waiting": self._waiting, "kafka_wrong": self._wrong}
            await answer(lambda: self.store.beat("kafka", told), "the state of Kafka")  # noqa: B023  # awaited
            await asyncio.sleep(1)

    async def _look(self) -> str:
        """ok, or what is wrong."""
        consumer = self._consumer
        if not consumer or not (mine := consumer.assignment()):
            return f"{self.settings.kafka_broker} has given no partition of {self.settings.kafka_topic!r} yet"
        try:
            ends = await asyncio.wait_for(consumer.end_offsets(mine), PATIENCE)
        except (KafkaError, asyncio.TimeoutError):
            return f"{self.settings.kafka_broker} does not answer"
        self._waiting = sum(end - self._at.get(partition, end) for partition, end in ends.items())
        return "ok"


async def alone(settings: Settings) -> None:
    from anomaly.persistence_redis import RedisStore

    store = RedisStore(settings)
    task = asyncio.create_task(Ingest(store, settings).run())
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task
    await store.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m anomaly.ingest", description="Brings the events of Kafka to Redis.")
    parser.parse_args()
    settings = prepare(Settings())
    if settings.backend != "redis" or not settings.kafka_broker:
        parser.error("set KAFKA_BROKER and BACKEND=redis; in memory the service reads Kafka by itself")
    asyncio.run(alone(settings))


if __name__ == "__main__":
    main()
