# SPDX-License-Identifier: MIT
"""An anomaly as a Slack message, and an incoming webhook that takes it. The webhook's address is a secret."""

from __future__ import annotations

import email.utils
import logging
import math
import re
import time
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3

from common.alerts import LaterError

logging.getLogger("urllib3").setLevel(logging.INFO)  # below it the paths of requests are logged
LONGEST_PAUSE = 3600.0  # what Retry-After can ask for


class RefusedError(Exception):
    """The webhook will never take this message."""


def escape(text: str) -> str:
    """What Slack reads as text: https://docs.slack.dev/messaging/formatting-message-text"""
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def message(anomaly: Mapping[str, Any]) -> dict[str, Any]:
    """Of sensor_id, metric_type, value, z_score (None or infinite without a spread) and timestamp (aware)."""
    z = anomaly["z_score"]
    fields = {
        "Sensor ID": escape(anomaly["sensor_id"]),
        "Metric": escape(anomaly["metric_type"]),
        "Anomalous Value": f"{anomaly['value']:.10g}",
        "Z-Score": f"{z:+.4f}" if z is not None and math.isfinite(z) else "none: the values before were all the same",
        "Timestamp (UTC)": f"{anomaly['timestamp'].astimezone(timezone.utc):%Y-%m-%d %H:%M:%S}",
    }
    told = [{"type": "mrkdwn", "text": f"*{name}:*\n{text}", "verbatim": True} for name, text in fields.items()]
    return {
        "text": "Anomaly: {Sensor ID}, {Metric} {Anomalous Value}".format(**fields),  # for notifications
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": ":warning: Anomaly Detected! :warning:"}},
            {"type": "section", "fields": told},
            {"type": "divider"},
        ],
    }


class Webhook:
    """Nothing that it raises or logs has the address, but for the name of the host."""

    def __init__(self, url: str, seconds: float = 10.0) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("SLACK_WEBHOOK_URL is no address that begins with https://")
        self.host = parts.hostname
        self._url, self._seconds, self._session = url, seconds, requests.Session()

    def post(self, body: dict[str, Any]) -> None:
        try:
            with self._session.post(
                self._url, json=body, timeout=self._seconds, allow_redirects=False, stream=True
            ) as answer:
                if answer.status_code == 200:
                    return
                said = answer.raw.read(100).decode(errors="replace")
                pause = _pause(answer.headers.get("Retry-After", ""))
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise ConnectionError(f"{self.host} does not answer: {type(error).__name__}") from None
        # Slack's own codes are words like invalid_payload; what else a page of errors says may have the address in it.
        code = f" ({said})" if re.fullmatch("[a-z_]{1,40}", said) and said not in self._url else ""
        told = f"{self.host} answers {answer.status_code}{code}"
        if answer.status_code in (400, 413, 422):
            raise RefusedError(told)
        raise LaterError(told, pause)


def _pause(retry_after: str) -> float:
    """Seconds, of seconds or of a date; 0 where it is neither."""
    try:
        seconds = float(retry_after)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(retry_after).timestamp() - time.time()
        except (TypeError, ValueError):
            return 0.0
    return min(max(seconds, 0.0), LONGEST_PAUSE) if math.isfinite(seconds) else 0.0


def example() -> dict[str, Any]:
    """For a test message."""
    now = datetime.now(timezone.utc)
    return {"sensor_id": "test", "metric_type": "temperature", "value": 100.0, "z_score": 12.5, "timestamp": now}
