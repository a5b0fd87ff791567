#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Trains an isolation forest on a CSV file, measures it where there are labels, and publishes it to be served.

python model/scripts/train.py                                             a week of the simulated machine
python model/scripts/train.py --data machine.csv --label fault            your own, with a column of labels
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.stats import mannwhitneyu

EXAMPLE = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(EXAMPLE), str(EXAMPLE.parent)]  # as the service has it; a copy has common/ in EXAMPLE

import simulate_stream  # noqa: E402
from common.state import DirectoryStates  # noqa: E402
from inference.model import Model, Models, fit  # noqa: E402
from inference.rows import Rows, RowsError, read  # noqa: E402

Labels = npt.NDArray[np.bool_]


def week() -> Rows:
    file = io.StringIO()
    simulate_stream.write(simulate_stream.readings(simulate_stream.WEEK, seed=1), file)
    file.seek(0)
    return read(file, "fault")


def held_out(odd: Labels) -> Labels:
    """Every fifth of the anomalies and of the others: a stratified split, 80 to 20."""
    chosen = np.zeros(len(odd), bool)
    for kind in (True, False):
        chosen[np.flatnonzero(odd == kind)[4::5]] = True
    return chosen


def measure(model: Model, rows: Rows) -> dict[str, float]:
    """How well the labels are found."""
    assert rows.odd is not None
    found = model.forest.score_rows(rows.values, columns=("score", "flags"))
    hits, flagged, known = int(np.sum(found.anomaly & rows.odd)), int(np.sum(found.anomaly)), int(np.sum(rows.odd))
    measured = {"precision": hits / max(flagged, 1), "recall": hits / max(known, 1), "flagged": flagged, "known": known}
    measured["f1-score"] = 2 * hits / max(flagged + known, 1)
    if 0 < known < len(rows.odd):
        above = mannwhitneyu(found.score[rows.odd], found.score[~rows.odd]).statistic
        measured["auc"] = float(above) / known / (len(rows.odd) - known)
    return measured


def train(rows: Rows, contamination: float, trees: int, seed: int) -> Model:
    """Of all rows; where there are labels of four fifths, measured on the fifth that it has not seen."""
    if rows.odd is None:
        return fit(rows, contamination, trees, seed)
    out = held_out(rows.odd)
    model = fit(rows.where(~out), contamination, trees, seed)
    model.facts["measured"] = measure(model, rows.where(out))
    return model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="CSV with a header; - is the input (default: the simulated machine)")
    parser.add_argument("--label", default="", help="the column that says which rows are known to be odd")
    parser.add_argument("--contamination", type=float, default=0.01, help="at most this share of rows is called odd")
    parser.add_argument("--trees", type=int, default=100)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--models", type=Path, default=Path(os.environ.get("MODEL_DIR", "models")))
    options = parser.parse_args()
    try:
        rows = read_from(options.data, options.label) if options.data else week()
    except (RowsError, OSError) as error:
        sys.exit(f"train.py: {options.data}: {error}")
    model = train(rows, options.contamination, options.trees, options.seed)
    print(f"{len(rows.values)} rows of {', '.join(rows.names)}")
    for name, value in model.facts.get("measured", {}).items():
        print(f"{name:10} {value:.4g}")
    print("published", Models(DirectoryStates(options.models)).publish(model))


def read_from(path: Path, label: str) -> Rows:
    with sys.stdin if str(path) == "-" else open(path, encoding="utf-8-sig", newline="") as file:
        return read(file, label)


if __name__ == "__main__":
    main()
