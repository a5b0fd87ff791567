# SPDX-License-Identifier: MIT
"""The same rules as a job of Apache Flink, with the state in Flink's hands.

The state of a user is the live detector, in a ValueState. PyFlink keeps the object of each key that is in use and pickles it
at the end of a bundle of events, which is also before a checkpoint; so value.update() after every event costs little.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from pyflink.common import Duration, Encoder, SimpleStringSchema, Time, Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import (
    DataStream,
    KeyedProcessFunction,
    OutputTag,
    ProcessFunction,
    ProcessWindowFunction,
    RuntimeContext,
    StreamExecutionEnvironment,
)
from pyflink.datastream.connectors import DeliveryGuarantee
from pyflink.datastream.connectors.file_system import (
    BucketAssigner,
    FileSink,
    FileSource,
    OnCheckpointRollingPolicy,
    StreamFormat,
)
from pyflink.datastream.connectors.kafka import (
    KafkaOffsetResetStrategy,
    KafkaOffsetsInitializer,
    KafkaRecordSerializationSchema,
    KafkaSink,
    KafkaSource,
)
from pyflink.datastream.state import ValueStateDescriptor
from pyflink.datastream.window import TumblingEventTimeWindows

from keyed_stream.rules import User, tumbling
from keyed_stream.transactions import Refusal, Transaction, parse, refusal

if TYPE_CHECKING:
    from pathlib import Path

    from keyed_stream.config import Settings

REFUSED = OutputTag("refused", Types.STRING())
LATE = OutputTag("late", Types.PICKLED_BYTE_ARRAY())


class Parse(ProcessFunction):
    def process_element(self, value: str, ctx: ProcessFunction.Context) -> Iterator[Any]:
        one = parse(value)
        if isinstance(one, Refusal):
            yield REFUSED, one.as_json()
        else:
            yield one


class Detect(KeyedProcessFunction):
    """The library's rule, for each user."""

    def __init__(self, given: Settings) -> None:
        self.given, self.lateness = given, given.allowed_lateness_seconds * 1000

    def open(self, runtime_context: RuntimeContext) -> None:
        self.user = runtime_context.get_state(ValueStateDescriptor("user", Types.PICKLED_BYTE_ARRAY()))

    def process_element(self, value: Transaction, ctx: KeyedProcessFunction.Context) -> Iterator[Any]:
        user = self.user.value() or User(self.given)
        found = user.judge(value, self.lateness)
        self.user.update(user)  # at every event, although the object is the same: it marks the key as changed
        if isinstance(found, Refusal):
            yield REFUSED, found.as_json()
        elif found:
            yield json.dumps(found)


class Tumble(ProcessWindowFunction):
    """The recipe's rule, for each user and window."""

    def __init__(self, threshold: float) -> None:
        self.threshold = threshold

    def process(self, key: str, context: ProcessWindowFunction.Context, elements: Iterable[Transaction]) -> Iterator[str]:
        if found := tumbling(list(elements), self.threshold):
            yield json.dumps(found)


class OwnTime(TimestampAssigner):
    def extract_timestamp(self, value: Transaction, record_timestamp: int) -> int:
        return value["timestamp"]


def watermarks(given: Settings) -> WatermarkStrategy:
    """Of event time. A subtask that has had nothing for ten seconds holds nobody up."""
    strategy = WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_seconds(given.allowed_lateness_seconds))
    return strategy.with_idleness(Duration.of_seconds(10)).with_timestamp_assigner(OwnTime())


def from_file(environment: StreamExecutionEnvironment, path: Path) -> DataStream:
    source = FileSource.for_record_stream_format(StreamFormat.text_line_format(), str(path)).build()
    return environment.from_source(source, WatermarkStrategy.no_watermarks(), "transactions").uid("transactions")


def from_kafka(environment: StreamExecutionEnvironment, topic: str, given: Settings, bounded: bool) -> DataStream:
    offsets = KafkaOffsetsInitializer
    source = (
        KafkaSource.builder()
        .set_bootstrap_servers(given.kafka_bootstrap_servers)
        .set_topics(topic)
        .set_group_id("keyed-stream")
        .set_starting_offsets(offsets.committed_offsets(KafkaOffsetResetStrategy.EARLIEST))
        .set_value_only_deserializer(SimpleStringSchema())
    )
    if bounded:
        source = source.set_bounded(offsets.latest())
    return environment.from_source(source.build(), WatermarkStrategy.no_watermarks(), "transactions").uid("transactions")


def to_files(folder: Path) -> FileSink:
    """A file appears when a checkpoint holds what led to it."""
    return (
        FileSink.for_row_format(str(folder), Encoder.simple_string_encoder())
        .with_bucket_assigner(BucketAssigner.base_path_bucket_assigner())
        .with_rolling_policy(OnCheckpointRollingPolicy.on_checkpoint_rolling_policy())
        .build()
    )


def to_kafka(topic: str, given: Settings) -> KafkaSink:
    """In transactions, which a checkpoint commits: read with isolation.level=read_committed."""
    serializer = (
        KafkaRecordSerializationSchema.builder().set_topic(topic).set_value_serialization_schema(SimpleStringSchema())
    )
    return (
        KafkaSink.builder()
        .set_bootstrap_servers(given.kafka_bootstrap_servers)
        .set_record_serializer(serializer.build())
        .set_delivery_guarantee(DeliveryGuarantee.EXACTLY_ONCE)
        .set_transactional_id_prefix(f"keyed-stream-{topic}")
        .set_property("transaction.timeout.ms", "60000")
        .build()
    )


def build(lines: DataStream, given: Settings) -> tuple[DataStream, DataStream]:
    """From lines to alerts and refusals, both lines of JSON."""
    parsed = lines.process(Parse(), Types.PICKLED_BYTE_ARRAY()).uid("parse").name("parse")
    alerts, refused = [], [parsed.get_side_output(REFUSED)]
    timed = parsed.assign_timestamps_and_watermarks(watermarks(given)) if given.rules != "zscore" else parsed
    by_user = timed.key_by(lambda one: one["userId"], Types.STRING())
    if given.rules != "tumbling":
        found = by_user.process(Detect(given), Types.STRING()).uid("detect").name("detect")
        alerts.append(found)
        refused.append(found.get_side_output(REFUSED))
    if given.rules != "zscore":
        windows = by_user.window(TumblingEventTimeWindows.of(Time.seconds(given.tumbling_seconds))).side_output_late_data(
            LATE
        )
        found = windows.process(Tumble(given.tumbling_threshold), Types.STRING()).uid("tumble").name("tumble")
        alerts.append(found)
        late = found.get_side_output(LATE)
        refused.append(
            late.map(lambda one: refusal("late: the window has ended", one).as_json(), Types.STRING()).uid("late")
        )
    return alerts[0].union(*alerts[1:]), refused[0].union(*refused[1:])
