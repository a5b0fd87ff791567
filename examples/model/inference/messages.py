# SPDX-License-Identifier: MIT
"""What goes in and out as JSON."""

from __future__ import annotations

from typing import Annotated, Any, Optional

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

Values = Annotated[list[Optional[FiniteFloat]], Field(min_length=1, max_length=4096)]  # null is missing


class Row(BaseModel):
    model_config = ConfigDict(extra="forbid")

    features: Values = Field(description="in the order that GET / tells; null where a value is missing")
    time: FiniteFloat | None = Field(None, ge=0, lt=4102444800, description="seconds since 1970; left out: now")


class Batch(BaseModel):
    model_config = ConfigDict(extra="forbid")

    rows: list[Row] = Field(min_length=1)


class Verdict(BaseModel):
    prediction: int = Field(description="-1: an anomaly, 1: none")
    score: float = Field(description="0 to 1; .5 is typical")
    threshold: float
    explanation: dict[str, float] = Field(description="of an anomaly: the share of each feature, the largest first")


class Prediction(Verdict):
    drift_score: float | None = Field(description="share of anomalies among the last predictions; null: too few yet")
    model: str


class Predictions(BaseModel):
    predictions: list[Verdict]
    drift_score: float | None
    model: str


class Dispatch(BaseModel):
    ref: str = Field("main", max_length=255)


class Running(BaseModel):
    status: str = "running"
    model: str
    features: list[str]
    trained_rows: int
    measured: dict[str, Any]


class Told(BaseModel):
    detail: str
