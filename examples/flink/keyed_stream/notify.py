# SPDX-License-Identifier: MIT
"""Gives alerts to the handler, as SQS does on AWS: ten at a time, and those again that it could not send.

Without ALERTS_TOPIC_ARN it makes the topic `anomaly-alerts`, with ANOMALY_DETECTION_EMAIL as its subscriber.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from keyed_stream import brokers
from keyed_stream.config import settings
from keyed_stream.handler import handler

TRIES = 3


def topic() -> str:
    given = settings()
    if given.alerts_topic_arn:
        return given.alerts_topic_arn
    sns = brokers.aws("sns")
    arn = str(sns.create_topic(Name="anomaly-alerts")["TopicArn"])
    if given.anomaly_detection_email:
        sns.subscribe(TopicArn=arn, Protocol="email", Endpoint=given.anomaly_detection_email)
    return arn


def batches(sources: list[str]) -> Iterator[tuple[list[bytes], Callable[[], object]]]:
    for source in sources:
        if source.startswith("kafka:"):
            yield from brokers.from_kafka(source.partition(":")[2], "keyed-stream-notify")
        else:
            lines = Path(source).read_bytes().splitlines()
            yield from ((lines[at : at + 10], lambda: None) for at in range(0, len(lines), 10))


def deliver(alerts: list[bytes]) -> None:
    waiting = {str(i): alert.decode() for i, alert in enumerate(alerts)}
    for _ in range(TRIES):
        answer = handler({"Records": [{"messageId": i, "body": body} for i, body in waiting.items()]})
        failed = {one["itemIdentifier"] for one in answer["batchItemFailures"]}
        waiting = {i: body for i, body in waiting.items() if i in failed}
        if not waiting:
            return
    sys.exit(f"{len(waiting)} alerts not sent, first: {next(iter(waiting.values()))}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="+", help="files of alerts, or kafka:TOPIC")
    asked = parser.parse_args()
    logging.basicConfig(level="INFO")
    os.environ["ALERTS_TOPIC_ARN"] = topic()
    os.environ.setdefault("AWS_DEFAULT_REGION", settings().cdk_default_region)
    sent = 0
    for alerts, acknowledge in batches(asked.sources):
        deliver(alerts)
        acknowledge()
        sent += len(alerts)
    print(f"{sent} alerts sent to {os.environ['ALERTS_TOPIC_ARN']}")


if __name__ == "__main__":
    main()
