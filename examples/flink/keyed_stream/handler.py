# SPDX-License-Identifier: MIT
"""The alert handler, in the form of a Lambda function behind an SQS queue: each alert goes to SNS and counts in CloudWatch.

ALERTS_TOPIC_ARN names the topic. What could not be sent is returned, so that the queue brings only that again.
"""

from __future__ import annotations

import functools
import json
import logging
import os
from typing import Any

log = logging.getLogger("keyed_stream.handler")


@functools.cache
def _client(service: str) -> Any:
    import boto3

    return boto3.client(service)


def _send(alert: dict[str, Any]) -> None:
    attributes = {name: {"DataType": "String", "StringValue": alert[name]} for name in ("rule", "userId")}
    _client("sns").publish(
        TopicArn=os.environ["ALERTS_TOPIC_ARN"],
        Subject="Transaction Anomaly Alert",
        Message=json.dumps(alert),
        MessageAttributes=attributes,
    )
    count = {"MetricName": "AnomalyCount", "Value": 1, "Unit": "Count"}
    _client("cloudwatch").put_metric_data(Namespace="AnomalyDetection", MetricData=[count])


def handler(event: dict[str, Any], context: object = None) -> dict[str, Any]:
    failed = []
    for record in event["Records"]:
        try:
            _send(json.loads(record["body"]))
        except Exception as error:  # whatever it is, the others go out
            log.error("%s: not sent: %s: %s", record["messageId"], type(error).__name__, error)
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}
