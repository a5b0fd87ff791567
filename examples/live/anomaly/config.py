# SPDX-License-Identifier: MIT
"""Settings: from the environment, then from .env; .env.example explains each."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator
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

    # Who may do what.
    max_body_bytes: int = Field(64 * 1024, ge=1)
    max_upload_bytes: int = Field(10 * 1024 * 1024, ge=1)
    max_files: int = Field(20, ge=1)
    cors_origins: Names = ()

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value
