# SPDX-License-Identifier: MIT
"""A trained model as one file, and the directory that says which is to be served.

The file: a line with a version of the form and a SHA-256 of what follows; a line of JSON (name, features, what was
measured); the snapshot of the forest; the rows it was trained on, with their times, which drift is measured against.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import libanomaly
import numpy as np

from common.state import ConflictError, DirectoryStates
from inference.rows import Floats, Rows

MAGIC, FORM = b"libanomaly-model", b"1"
CURRENT = "current"
MOST_REFERENCE = 20_000


class ModelError(Exception):
    """Why a model cannot be served."""


@dataclass(frozen=True)
class Judged:
    prediction: int  # -1 odd, 1 usual, as scikit-learn says it
    score: float  # .5 is typical, 1 as odd as can be
    threshold: float
    explanation: dict[str, float]  # of an anomaly: the share of each feature, the largest first


@dataclass(frozen=True)
class Model:
    forest: libanomaly.IsolationForest
    reference: Rows
    facts: dict[str, Any]

    @property
    def version(self) -> str:
        return str(self.facts["version"])

    @property
    def names(self) -> tuple[str, ...]:
        return self.reference.names

    def judge(self, values: Floats) -> list[Judged]:
        """Judges rows and learns nothing. Any number of threads may call it."""
        found = self.forest.score_rows(values, columns=("score", "threshold", "flags"))
        rows = zip(values, found.score.tolist(), found.threshold.tolist(), found.anomaly.tolist(), strict=True)
        return [Judged(-1 if odd else 1, score, bar, self._explain(row) if odd else {}) for row, score, bar, odd in rows]

    def _explain(self, row: Floats) -> dict[str, float]:
        shares = [max(float(share), 0.0) for share in self.forest.explain(row)]
        total = math.fsum(shares) or 1.0
        shown = {name: share / total for name, share in zip(self.names, shares, strict=True)}
        return dict(sorted(shown.items(), key=lambda item: -item[1]))


def fit(rows: Rows, contamination: float = 0.01, trees: int = 100, seed: int = 42) -> Model:
    """A forest of all rows, and its name: when it was made and what is in it."""
    count = len(rows.values)
    forest = libanomaly.IsolationForest(
        features=len(rows.names),
        window=max(count, 16),
        contamination=contamination,
        trees=trees,
        sample=min(256, max(count, 16)),
        seed=seed,
        warmup=16,
    )
    forest.learn_rows(rows.values)
    forest.rebuild()
    made = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    version = f"{made}-{hashlib.sha256(forest.snapshot()).hexdigest()[:8]}"
    facts = {"version": version, "features": rows.names, "rows": count, "contamination": contamination}
    return Model(forest, Rows(rows.names, rows.values[-MOST_REFERENCE:], rows.times[-MOST_REFERENCE:]), facts)


def dump(model: Model) -> bytes:
    snapshot = model.forest.snapshot()
    table = np.column_stack([model.reference.times, model.reference.values]).astype("<f8")
    facts = {**model.facts, "snapshot_bytes": len(snapshot), "reference_rows": len(table)}
    body = json.dumps(facts).encode() + b"\n" + snapshot + table.tobytes()
    return b" ".join([MAGIC, FORM, hashlib.sha256(body).hexdigest().encode()]) + b"\n" + body


def load(data: bytes) -> Model:
    """ModelError if it is damaged, or newer than this program."""
    first, _, body = data.partition(b"\n")
    magic, form, digest = ([*first.split(b" "), b"", b""])[:3]
    if magic != MAGIC:
        raise ModelError("this is no model of this service")
    if form != FORM:
        raise ModelError(f"the form {form.decode('ascii', 'replace')!r} is not known here: it is {FORM.decode()}")
    if hashlib.sha256(body).hexdigest().encode() != digest:
        raise ModelError("the model is damaged: its checksum differs")
    try:
        head, _, rest = body.partition(b"\n")
        facts = json.loads(head)
        size, names = facts.pop("snapshot_bytes"), tuple(facts["features"])
        forest = libanomaly.IsolationForest.restore(rest[:size])
        table = np.frombuffer(rest[size:], "<f8").reshape(facts.pop("reference_rows"), 1 + len(names))
    except (ValueError, KeyError, TypeError, libanomaly.Error) as error:
        raise ModelError(f"the model cannot be read: {error}") from error
    if forest.features != len(names):
        raise ModelError(f"the forest has {forest.features} features, the model names {len(names)}")
    return Model(forest, Rows(names, table[:, 1:].astype(float), table[:, 0].astype(float)), facts)


class Models:
    """Where models are kept; one of them is the current one."""

    def __init__(self, states: DirectoryStates) -> None:
        self.states = states

    def publish(self, model: Model) -> str:
        """Keeps the model under its version, then makes it the current one; a reader sees the old or the new, never half."""
        with contextlib.suppress(ConflictError):  # the same model, published again
            self.states.put(model.version, dump(model), 0)
        while True:
            version, _ = self.states.get(CURRENT) or (0, b"")
            try:
                self.states.put(CURRENT, model.version.encode(), version)
            except ConflictError:
                continue  # another has published at the same moment: the later wins
            return model.version

    def current(self) -> str:
        """Its version; empty where there is none."""
        found = self.states.get(CURRENT)
        return found[1].decode().strip() if found else ""

    def load(self, version: str) -> Model:
        found = self.states.get(version)
        if found is None:
            raise ModelError(f"there is no model {version!r}")
        return load(found[1])
