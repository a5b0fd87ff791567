# SPDX-License-Identifier: MIT
"""Settings: from the environment, then from .env; .env.example explains each."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

import libanomaly
from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True)

    # How transactions are judged.
    rules: Literal["zscore", "tumbling", "both"] = "zscore"
    anomaly_window: str = "1000"
    anomaly_threshold: float = Field(default=4.0, gt=0)
    anomaly_warmup: int = Field(default=30, ge=1)
    anomaly_learn: str = "normal:5"
    tumbling_seconds: int = Field(default=300, ge=1, le=86400 * 366)
    tumbling_threshold: float = Field(default=2.5, gt=0)
    allowed_lateness_seconds: int = Field(default=60, ge=0, le=86400 * 366)

    # The Flink job.
    flink_parallelism: int = Field(default=2, ge=1, le=128)
    flink_state: Path = Path("flink-state")
    flink_jars: str = ""
    flink_checkpoint_ms: int = Field(default=1000, ge=10)
    flink_bundle_size: int = Field(default=100_000, ge=1)
    flink_bundle_ms: int = Field(default=200, ge=1)
    flink_state_cache: int = Field(default=10_000, ge=1)
    flink_worker_processes: bool = True
    flink_restarts: int = Field(default=10, ge=0)
    flink_rest_port: int = Field(default=0, ge=0, le=65535)

    # Where records come from and where alerts go.
    kafka_bootstrap_servers: str = "localhost:9092"
    kafka_alerts_topic: str = "anomaly-alerts"
    kafka_refused_topic: str = "transactions-refused"
    kinesis_shard_count: int = Field(default=2, ge=1, le=500)
    cdk_default_region: str = "us-east-1"
    alerts_topic_arn: str = ""
    anomaly_detection_email: str = ""

    @model_validator(mode="after")
    def _makes_a_detector(self) -> Settings:
        try:
            self.detector()
        except libanomaly.ConfigError as error:
            raise ValueError(f"ANOMALY_{error.field.upper()}: {error}") from None
        return self

    def detector(self) -> libanomaly.ZScore:
        """The detector of one user, who is new."""
        return libanomaly.ZScore(
            window=self.anomaly_window,
            threshold=self.anomaly_threshold,
            warmup=self.anomaly_warmup,
            learn=self.anomaly_learn,
        )


def settings() -> Settings:
    """Those in force; what is wrong with them ends the program, by name."""
    try:
        return Settings()
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, one['loc'])).upper()}: {one['msg']}".lstrip(": ") for one in error.errors()]
        sys.exit("\n".join(problems))
