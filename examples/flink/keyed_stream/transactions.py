# SPDX-License-Identifier: MIT
"""A line of JSON becomes a transaction, or a refusal that says what is wrong with it."""

from __future__ import annotations

import json
from typing import Annotated, NamedTuple

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict

MOST_CHARACTERS = 64 * 1024

Name = Annotated[str, Field(min_length=1, max_length=255)]


@with_config(ConfigDict(strict=True))
class Transaction(TypedDict):
    userId: Name
    amount: Annotated[float, Field(allow_inf_nan=False)]
    timestamp: Annotated[int, Field(ge=946_684_800_000, le=4_102_444_800_000)]  # ms, 2000 to 2100: seconds are refused
    transactionId: Name
    merchantId: Name


class Refusal(NamedTuple):
    problem: str
    record: str

    def as_json(self) -> str:
        return json.dumps(self._asdict())


_adapter = TypeAdapter(Transaction)


def parse(line: str | bytes) -> Transaction | Refusal:
    if len(line) > MOST_CHARACTERS:
        return refusal(f"longer than {MOST_CHARACTERS} characters", line)
    try:
        return _adapter.validate_json(line)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        return refusal(": ".join([*map(str, first["loc"]), first["msg"]]), line)


def refusal(problem: str, record: str | bytes | Transaction) -> Refusal:
    if isinstance(record, bytes):
        record = record.decode(errors="replace")
    text = record.rstrip("\r\n") if isinstance(record, str) else json.dumps(record)
    return Refusal(problem, text[:1000])
