# SPDX-License-Identifier: MIT
"""What comes in and what goes out, with its limits."""

from __future__ import annotations

import json
import math
import secrets
import time
from datetime import datetime, timezone
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field, StringConstraints, field_validator

EARLIEST, LATEST = 946684800.0, 4102444800.0  # 2000 to 2100
AHEAD = 86400.0  # a time further ahead of this machine's clock would make all that follows late
META_BYTES = 4096


def seconds(value: object) -> float:
    """Seconds since 1970, from a number or from ISO 8601; without a zone it is UTC."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError("a timestamp is a number of seconds or a text as 2025-01-21T12:00:00Z")
    try:
        at = float(value)
    except OverflowError:
        at = math.inf
    except ValueError:
        at = _moment(str(value)).timestamp()
    if not EARLIEST <= at <= LATEST:
        raise ValueError("a timestamp is between 2000 and 2100, in seconds")
    if at > time.time() + AHEAD:
        raise ValueError("a timestamp is at most a day ahead of the server's clock")
    return at


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except ValueError:
        raise ValueError(f"{text[:40]!r} is no timestamp: a number of seconds or a text as 2025-01-21T12:00:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


class Event(BaseModel):
    timestamp: Annotated[float, BeforeValidator(seconds, json_schema_input_type=float | str)]
    metric: Annotated[str, StringConstraints(min_length=1, max_length=255)]
    value: Annotated[float, Field(strict=True, allow_inf_nan=False)]
    meta: dict[str, Any] | None = None

    @field_validator("meta")
    @classmethod
    def _small(cls, meta: dict[str, Any] | None) -> dict[str, Any] | None:
        if meta is not None and len(json.dumps(meta)) > META_BYTES:
            raise ValueError(f"meta is larger than {META_BYTES} bytes")
        return meta


class Refusal(BaseModel):
    detail: str


def queued(event: Event) -> dict[str, Any]:
    """As it waits in the queue."""
    return event.model_dump() | {"event_id": secrets.token_hex(8)}


class Accepted(BaseModel):
    success: bool = True
    message: str
    event_id: str = Field(description="16 hexadecimal digits")


class RowError(BaseModel):
    row: int = Field(description="line of a CSV or text file, element of a JSON array, from 1")
    error: str


class Upload(BaseModel):
    success: bool = Field(description="every row was taken")
    message: str
    filename: str
    total_rows: int
    success_count: int
    error_count: int
    errors: list[RowError] = Field(description="the first ten")


class BulkUpload(BaseModel):
    total_files: int
    total_success_count: int
    total_error_count: int
    files: list[Upload]


class Anomaly(BaseModel):
    anomaly_id: str
    metric: str
    value: float
    timestamp: float
    mean: float | None
    stddev: float | None
    variance: float | None
    lower: float | None
    upper: float | None
    z_score: float | None = Field(description="signed; null where the window had no spread")
    threshold: float
    direction: str = Field(description="above or below")
    is_anomaly: bool
    detection_method: str
    window_count: int
    detected_at: float
    event_meta: dict[str, Any] | None


class Anomalies(BaseModel):
    anomalies: list[Anomaly]
    count: int


class Metric(BaseModel):
    metric: str
    events: int
    anomalies: int
    last: float
    timestamp: float


class Metrics(BaseModel):
    metrics: list[Metric]
    count: int = Field(description="all that match, also where fewer are listed")


class Series(BaseModel):
    metric: str
    next: int = Field(description="give this as after= to get only what is newer")
    points: list[tuple[float, float, float | None, float | None, float | None, bool]] = Field(
        description="timestamp, value, expected, lower, upper, anomaly; oldest first"
    )


class State(BaseModel):
    status: str = Field(description="ok or degraded")
    environment: str
    backend: str
    queue_size: int
    max_queue_size: int
    parts: dict[str, str] = Field(description="ok, off, or what is wrong: of the store, the processor, ...")
    anomalies_last_minute: int
    metrics: int
    websockets: int


class Health(State):
    processed: int
    anomalies: int
    events_per_second: float
    kafka_waiting: int = Field(description="messages that are not taken yet")
    kafka_wrong: int = Field(description="messages that were no event; the log names each")
    mails_sent: int
    mails_suppressed: int
    mails_waiting: int


COUNTS = Health.model_fields.keys() - State.model_fields.keys()  # the parts tell them by these names
