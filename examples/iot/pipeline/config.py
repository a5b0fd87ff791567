# SPDX-License-Identifier: MIT
"""Settings: from the environment, then from .env; .env.example explains each."""

from __future__ import annotations

import re
import socket
from typing import Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True)

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    database_url: SecretStr = SecretStr("sqlite:///iot.sqlite")  # may have a password

    kafka_bootstrap_servers: str = "localhost:29092"
    kafka_topic: str = "iot-data-stream"
    kafka_group: str = "iot-data-processing-group"
    kafka_session_seconds: float = Field(default=10.0, ge=6, le=300)
    partitions: int = Field(default=4, ge=1, le=1000)
    consumer_name: str = Field(default_factory=socket.gethostname, max_length=80)
    metrics_port: int = Field(default=0, ge=0, le=65535)  # 0: none
    metrics_host: str = "127.0.0.1"

    # How readings are judged.
    window_events: int = Field(default=30, ge=3)
    anomaly_threshold: float = Field(default=3.0, gt=0)
    anomaly_min_count: int = Field(default=10, ge=2)
    max_keys: int = Field(default=100_000, ge=1)  # sensors and metrics in a partition

    # Alerts.
    slack_webhook_url: SecretStr = SecretStr("")  # without it they wait
    webhook_per_second: float = Field(default=1.0, gt=0, le=1000)  # Slack takes one a second
    webhook_seconds: float = Field(default=10.0, gt=0, le=300)  # for its answer

    # How much is written at once.
    batch_events: int = Field(default=5000, ge=1, le=100_000)
    batch_seconds: float = Field(default=0.5, gt=0, le=60)

    @field_validator("database_url")
    @classmethod
    def _has_a_place(cls, url: SecretStr) -> SecretStr:
        if not re.fullmatch(r"(sqlite:///|postgres(ql)?://).+", url.get_secret_value()):
            raise ValueError("it begins with sqlite:/// or postgresql:// and names a file or a host")
        return url


def read_settings() -> Settings:
    """Ends the program, with the names of the settings that are wrong, without their values."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = [f"{str(one['loc'][0]).upper()}: {one['msg']}" for one in error.errors()]
        raise SystemExit("\n".join(wrong)) from None
