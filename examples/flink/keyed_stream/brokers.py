# SPDX-License-Identifier: MIT
"""Transactions to and from Kafka and Kinesis. The key is the user, so a user's stay in their order."""

from __future__ import annotations

import heapq
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from keyed_stream.config import settings

MOST_WAITING = 10_000


def aws(service: str) -> Any:
    import boto3

    return boto3.client(service, region_name=settings().cdk_default_region)


@contextmanager
def to_kafka(topic: str) -> Iterator[Callable[[dict[str, Any]], None]]:
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": settings().kafka_bootstrap_servers, "enable.idempotence": True})
    failed: list[str] = []

    def told(error: Any, _: Any) -> None:
        if error is not None:
            failed.append(str(error))

    def send(one: dict[str, Any]) -> None:
        while len(producer) >= MOST_WAITING:
            producer.poll(1)
        producer.produce(topic, json.dumps(one), one["userId"], on_delivery=told)
        producer.poll(0)

    yield send
    producer.flush()
    if failed:
        sys.exit(f"kafka:{topic}: {len(failed)} transactions not sent: {failed[0]}")


def from_kafka(topic: str, group: str) -> Iterator[tuple[list[bytes], Callable[[], object]]]:
    """Messages that are committed, some at a time, and what acknowledges them; until none has come for five seconds."""
    from confluent_kafka import Consumer

    given = {"bootstrap.servers": settings().kafka_bootstrap_servers, "group.id": group, "isolation.level": "read_committed"}
    consumer = Consumer({**given, "auto.offset.reset": "earliest", "enable.auto.commit": False})
    consumer.subscribe([topic])
    try:
        while messages := consumer.consume(10, timeout=5):
            for message in messages:
                if error := message.error():
                    sys.exit(f"kafka:{topic}: {error}")
            yield [message.value() or b"" for message in messages], lambda: consumer.commit(asynchronous=False)
    finally:
        consumer.close()


@contextmanager
def to_kinesis(stream: str) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Makes the stream, of KINESIS_SHARD_COUNT shards, if there is none."""
    client = aws("kinesis")
    with suppress(client.exceptions.ResourceInUseException):  # it is there
        client.create_stream(StreamName=stream, ShardCount=settings().kinesis_shard_count)
    client.get_waiter("stream_exists").wait(StreamName=stream)
    yield lambda one: client.put_record(StreamName=stream, Data=json.dumps(one).encode(), PartitionKey=one["userId"])


def from_kinesis(stream: str) -> Iterator[bytes]:
    """What the stream holds now, the shards merged by the time of arrival; each shard stays in its order."""
    client = aws("kinesis")
    shards = client.get_paginator("list_shards").paginate(StreamName=stream).search("Shards[].ShardId")
    arrived = heapq.merge(*[_from_shard(client, stream, shard) for shard in shards], key=lambda record: record[0])
    return (data for _, data in arrived)


def _from_shard(client: Any, stream: str, shard: str) -> Iterator[tuple[Any, bytes]]:
    at = client.get_shard_iterator(StreamName=stream, ShardId=shard, ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
    while at:
        answer = client.get_records(ShardIterator=at)
        for record in answer["Records"]:
            yield record["ApproximateArrivalTimestamp"], record["Data"]
        at = answer.get("NextShardIterator") if answer["Records"] or answer["MillisBehindLatest"] else None
