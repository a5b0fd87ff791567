# SPDX-License-Identifier: MIT
"""Settings: from the environment, then from .env; .env.example explains each."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

Names = Annotated[tuple[str, ...], NoDecode]  # separated by commas


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True)

    environment: str = "development"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535)

    # How events are judged.
    detector: Literal["zscore", "percentile", "watch"] = "zscore"
    window_seconds: float = Field(300.0, gt=0)
    anomaly_threshold: float = Field(3.0, gt=0)
    anomaly_min_count: int = Field(5, ge=2)
    max_metrics: int = Field(10_000, ge=1)

    # What is kept, and where.
    backend: Literal["memory", "redis"] = "memory"
    batch_size: int = Field(100, ge=1, le=10_000)
    max_queue_size: int = Field(10_000, ge=1)
    keep_anomalies: int = Field(10_000, ge=1)
    keep_points: int = Field(600, ge=1)
    max_pool_bytes: int = Field(256 * 1024 * 1024, ge=1024)
    processors: int = Field(1, ge=1, le=256)
    keep_events: int = Field(10_000, ge=1)
    state_file: Path | None = None
    snapshot_seconds: float = Field(60.0, gt=0)
    redis_url: str = "redis://localhost:6379/0"
    redis_raw_events_key: str = "raw_events"
    redis_processed_prefix: str = "event:"
    alerts_channel: str = "anomalies"

    # Mail.
    email_enabled: bool = False
    smtp_host: str = "smtp.gmail.com"
    smtp_port: int = Field(587, ge=1, le=65535)
    smtp_user: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_tls: bool = True
    email_from: str = "alerts@example.com"
    email_to: Names = ("admin@example.com",)
    email_rate_limit_seconds: float = Field(60.0, gt=0)

    # Who may do what.
    max_body_bytes: int = Field(64 * 1024, ge=1)
    max_upload_bytes: int = Field(10 * 1024 * 1024, ge=1)
    max_files: int = Field(20, ge=1)
    api_keys: Names = ()
    rate_limit: float = Field(5000.0, ge=0)
    rate_limit_burst: float = Field(10_000.0, ge=1)
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
