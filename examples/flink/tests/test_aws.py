# SPDX-License-Identifier: MIT
"""Kinesis, SNS, SQS and CloudWatch, for which moto stands."""

import datetime
import json

import boto3
import pytest

from common.servers import moto_server
from conftest import in_order, loop, program, record, scenario_16, write
from keyed_stream import brokers


@pytest.fixture
def aws(monkeypatch):
    with moto_server() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield server


def subscribed_queue(topic):
    """A queue that gets what the topic tells, and what takes its messages."""
    sqs, sns = boto3.client("sqs"), boto3.client("sns")
    url = sqs.create_queue(QueueName="subscriber")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return lambda: sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])


def anomaly_count():
    now = datetime.datetime.now(datetime.timezone.utc)
    span = {"StartTime": now - datetime.timedelta(hours=1), "EndTime": now + datetime.timedelta(hours=1), "Period": 7200}
    name = {"Namespace": "AnomalyDetection", "MetricName": "AnomalyCount"}
    points = boto3.client("cloudwatch").get_metric_statistics(**name, **span, Statistics=["Sum"])["Datapoints"]
    return sum(point["Sum"] for point in points)


def test_scenario_16_from_kinesis_to_the_subscriber(aws, tmp_path):
    with brokers.to_kinesis("transaction-stream") as send:
        for one in scenario_16():
            send(one)
    shards = boto3.client("kinesis").list_shards(StreamName="transaction-stream")["Shards"]
    assert len(shards) == 2
    found, _ = loop("kinesis:transaction-stream", tmp_path)
    assert [(one["userId"], one["amount"]) for one in found] == [("user3", 5000)]
    assert in_order(found) == in_order(loop(write(tmp_path / "t", scenario_16()), tmp_path)[0])

    topic = boto3.client("sns").create_topic(Name="anomaly-alerts")["TopicArn"]
    receive = subscribed_queue(topic)
    told = program("notify", write(tmp_path / "alerts", found), cwd=tmp_path, anomaly_detection_email="alerts@company.com")
    assert told.stdout.decode() == f"1 alerts sent to {topic}\n", told.stderr.decode()
    (message,) = receive()
    envelope = json.loads(message["Body"])
    assert envelope["Subject"] == "Transaction Anomaly Alert"
    assert json.loads(envelope["Message"]) == found[0]
    assert anomaly_count() == 1
    subscriptions = boto3.client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert {"email": "alerts@company.com"}.items() <= {one["Protocol"]: one["Endpoint"] for one in subscriptions}.items()


def test_the_generator_fills_a_stream(aws, tmp_path):
    done = program("generate", "--to", "kinesis:s", "--count", 40, "--rate", 1000, cwd=tmp_path, kinesis_shard_count=3)
    lines = done.stdout.decode().splitlines()
    assert len(lines) == 40, done.stderr.decode()
    sent = [json.loads(line.removeprefix("Sent transaction: ")) for line in lines]
    read = [json.loads(line) for line in brokers.from_kinesis("s")]
    assert len(boto3.client("kinesis").list_shards(StreamName="s")["Shards"]) == 3
    for user in {one["userId"] for one in sent}:
        assert [one for one in read if one["userId"] == user] == [one for one in sent if one["userId"] == user]


def test_the_handler_returns_what_it_could_not_send(aws, monkeypatch):
    from keyed_stream.handler import handler

    topic = boto3.client("sns").create_topic(Name="t")["TopicArn"]
    monkeypatch.setenv("ALERTS_TOPIC_ARN", topic)
    receive = subscribed_queue(topic)
    good = {"rule": "zscore", **record("u", 1.0)}
    bodies = {"a": json.dumps(good), "b": "nonsense", "c": json.dumps({"rule": "zscore"}), "d": json.dumps(good)}
    answer = handler({"Records": [{"messageId": i, "body": body} for i, body in bodies.items()]})
    assert answer == {"batchItemFailures": [{"itemIdentifier": "b"}, {"itemIdentifier": "c"}]}
    assert len(receive()) == 2
    assert anomaly_count() == 2
