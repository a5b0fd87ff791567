# SPDX-License-Identifier: MIT
"""Files of events: CSV with a header, JSON, text with commas or tabs. Row by row: a bad one does not stop the others."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any, BinaryIO

from pydantic import ValidationError

from anomaly.models import Event

NEEDED = ("metric", "value", "timestamp")
FIELD_CHARS = 8192
csv.field_size_limit(FIELD_CHARS)

Row = tuple[int, Event | str]  # where it is, and the event or what is wrong with it


class FileError(Exception):
    """Nothing of the file can be read."""


def rows(name: str, file: BinaryIO) -> Iterator[Row]:
    """The events of a file, by its extension."""
    extension = name.rsplit(".", 1)[-1].lower() if "." in name else ""
    readers = {"csv": _csv, "json": _json, "txt": _text}
    if extension not in readers:
        raise FileError("a file of events is .csv, .json or .txt")
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    try:
        yield from readers[extension](text)
    except UnicodeDecodeError:
        raise FileError("the file is not UTF-8") from None
    finally:
        text.detach()


def message(first: Any) -> str:
    return str(first["msg"]).removeprefix("Value error, ")


def explain(error: ValidationError) -> str:
    """The first thing that is wrong, in words."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {message(first)}" if where else message(first)


def _event(fields: Any) -> Event | str:
    try:
        return Event.model_validate(fields)
    except ValidationError as error:
        return explain(error)


def _cells(cells: dict[str, str]) -> Event | str:
    """An event of cells, which are text."""
    fields: dict[str, Any] = {"metric": cells["metric"].strip(), "timestamp": cells["timestamp"]}
    try:
        fields["value"] = float(cells["value"])
    except ValueError:
        return f"value: {cells['value'][:40]!r} is no number"
    if cells.get("meta", "").strip():
        try:
            fields["meta"] = json.loads(cells["meta"])
        except (ValueError, RecursionError):
            return "meta: not JSON"
    return _event(fields)


def _csv(text: io.TextIOWrapper) -> Iterator[Row]:
    table = csv.reader(text)
    try:
        names = [name.strip().lower() for name in next(table, [])]
    except csv.Error as error:
        raise FileError(f"line 1: {error}") from None
    missing = [name for name in NEEDED if name not in names]
    if missing:
        raise FileError(f"the header has no column {', '.join(missing)}; it must name {', '.join(NEEDED)}")
    while True:
        try:
            row = next(table)
        except StopIteration:
            return
        except csv.Error as error:
            yield table.line_num, str(error)
            continue
        if not row:
            continue
        whole = len(row) == len(names)
        yield table.line_num, _cells(dict(zip(names, row))) if whole else f"{len(row)} fields, the header has {len(names)}"


def _text(text: io.TextIOWrapper) -> Iterator[Row]:
    for number, line in enumerate(text, 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        parts = [part.strip() for part in line.split("\t" if "\t" in line else ",", 3)]
        if len(parts) < 3:
            yield number, "fewer than three fields: metric, value, timestamp"
        else:
            yield number, _cells(dict(zip((*NEEDED, "meta"), parts)))


def _json(text: io.TextIOWrapper) -> Iterator[Row]:
    try:
        found = json.load(text)
    except UnicodeDecodeError:
        raise
    except ValueError as error:
        raise FileError(f"not JSON: {error}") from None
    except RecursionError:
        raise FileError("not JSON: nested too deeply") from None
    for number, fields in enumerate(found if isinstance(found, list) else [found], 1):
        yield number, _event(fields)
