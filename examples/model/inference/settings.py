# SPDX-License-Identifier: MIT
"""Settings: from the environment, then from .env; .env.example explains each."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True, protected_namespaces=())

    model_dir: Path = Path("models")
    reload_seconds: PositiveFloat = 1.0

    # When the model no longer fits.
    share_window: PositiveInt = 20
    share_least: PositiveInt = 20
    share_limit: float = Field(default=0.3, gt=0, lt=1)
    drift_rows: int = Field(default=1000, ge=100)
    drift_alpha: float = Field(default=1e-4, gt=0, lt=1)
    drift_shift: NonNegativeFloat = 0.1
    drift_period_seconds: PositiveFloat = 86400.0

    # What is done about it.
    retrain: bool = True
    retrain_url: str = ""
    retrain_token: SecretStr = SecretStr("")
    retrain_ref: str = "main"
    retrain_cooldown_seconds: PositiveFloat = 86400.0
    retrain_rows: PositiveInt = 3000
    keep_rows: PositiveInt = 20_000

    # Who may do what.
    api_key: SecretStr = SecretStr("")
    max_body_bytes: PositiveInt = 1024 * 1024
    max_batch_rows: PositiveInt = 1000

    @model_validator(mode="after")
    def _fits(self) -> Settings:
        if self.share_least > self.share_window:
            raise ValueError("SHARE_LEAST is larger than SHARE_WINDOW: the share would never be judged")
        if self.keep_rows < max(self.drift_rows, self.retrain_rows):
            raise ValueError("KEEP_ROWS is smaller than DRIFT_ROWS or RETRAIN_ROWS: there would never be enough rows")
        return self
