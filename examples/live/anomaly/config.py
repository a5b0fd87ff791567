# SPDX-License-Identifier: MIT
"""Settings: from the environment, then from .env; .env.example explains each."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

Names = Annotated[tuple[str, ...], NoDecode]  # separated by commas


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True)

    environment: str = "development"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)

    # How events are judged.
    detector: Literal["zscore", "percentile", "watch"] = "zscore"
    window_seconds: PositiveFloat = 300.0
    anomaly_threshold: PositiveFloat = 3.0
    anomaly_min_count: int = Field(default=5, ge=2)
    max_metrics: PositiveInt = 10_000

    # What is kept, and where.
    backend: Literal["memory", "redis"] = "memory"
    batch_size: int = Field(default=100, ge=1, le=10_000)
    max_queue_size: PositiveInt = 10_000
    keep_anomalies: PositiveInt = 10_000
    keep_points: PositiveInt = 600
    max_pool_bytes: int = Field(default=256 * 1024 * 1024, ge=1024)
    processors: int = Field(default=1, ge=1, le=256)
    keep_events: PositiveInt = 10_000
    state_file: Path | None = None
    snapshot_seconds: PositiveFloat = 60.0
    redis_url: str = "redis://localhost:6379/0"
    redis_raw_events_key: str = "raw_events"
    redis_processed_prefix: str = "event:"
    alerts_channel: str = "anomalies"

    # Kafka, where events come from it too.
    kafka_broker: str = ""
    kafka_topic: str = "events"
    kafka_group_id: str = "anomaly-ingest-group"
    kafka_auto_offset_reset: Literal["earliest", "latest"] = "earliest"

    # Mail.
    email_enabled: bool = False
    smtp_host: str = "smtp.gmail.com"
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_user: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_tls: bool = True
    email_from: str = "alerts@example.com"
    email_to: Names = ("admin@example.com",)
    email_rate_limit_seconds: PositiveFloat = 60.0

    # Who may do what.
    client_timeout: float = Field(default=30.0, gt=0, le=3600)
    max_body_bytes: PositiveInt = 64 * 1024
    max_upload_bytes: PositiveInt = 10 * 1024 * 1024
    max_files: PositiveInt = 20
    api_keys: Names = ()
    rate_limit: NonNegativeFloat = 5000.0
    rate_limit_burst: float = Field(default=10_000.0, ge=1)
    cors_origins: Names = ()
    audit_log: Path | None = None

    @field_validator("api_keys", "cors_origins", "email_to", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @model_validator(mode="after")
    def _fits(self) -> Settings:
        if self.backend == "memory" and self.processors > 1:
            raise ValueError("PROCESSORS: several processors need BACKEND=redis")
        return self


def prepare(settings: Settings) -> Settings:
    """Sets the logs up."""
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    if settings.audit_log:
        audit = logging.getLogger("anomaly.audit")
        audit.propagate = False
        audit.addHandler(logging.FileHandler(settings.audit_log))
        audit.setLevel(logging.INFO)
    return settings
