#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares rows with those that a model was trained on, once. Status 0: no drift; 1: drift; 2: it cannot be said.

python drift_check.py --live http://127.0.0.1:8000/rows              what the service judged last
python drift_check.py --reference then.csv --live now.csv            two files
python drift_check.py --live now.csv --post https://.../dispatches   and asks for a retraining if there is drift,
                                                                     once in a while (--cooldown), with $RETRAIN_TOKEN
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import sys
import time
import urllib.request
from pathlib import Path

from common.state import DirectoryStates
from inference import retrain
from inference.drift import LEAST, Report, Rules, compare
from inference.model import ModelError, Models
from inference.rows import Rows, RowsError, read


def rows_in(place: str) -> Rows:
    if place.startswith(("http://", "https://")):
        request = urllib.request.Request(place, headers={"X-API-Key": os.environ.get("API_KEY", "")})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return read(io.StringIO(answer.read().decode()))
    with open(place, encoding="utf-8-sig", newline="") as file:
        return read(file)


def check(options: argparse.Namespace, states: DirectoryStates) -> Report:
    if options.reference:
        reference = rows_in(options.reference)
    else:
        models = Models(states)
        reference = models.load(models.current()).reference
    live = rows_in(options.live)
    if live.names != reference.names:
        raise RowsError(f"it has the features {', '.join(live.names)}, not {', '.join(reference.names)}")
    report = compare(reference, live, Rules(options.alpha, options.shift, options.period))
    if report.rows < LEAST:
        raise RowsError(f"{report.rows} rows that can be compared; at least {LEAST} are needed")
    return report


def ask(options: argparse.Namespace, states: DirectoryStates) -> str:
    """Posts, unless that was done a short time ago: what came of it."""
    target = hashlib.sha256(options.post.encode()).hexdigest()[:12]
    trigger = retrain.Trigger(states, target, options.cooldown)
    try:
        trigger.fire(lambda: retrain.post(options.post, options.ref, os.environ.get("RETRAIN_TOKEN", "")), time.time())
    except (retrain.CoolingError, OSError) as error:
        return f"not asked: {error}"
    return "asked for a retraining"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--live", required=True, metavar="FILE-OR-URL")
    parser.add_argument("--reference", metavar="FILE-OR-URL", help="default: the training rows of the current model")
    parser.add_argument("--models", type=Path, default=Path(os.environ.get("MODEL_DIR", "models")))
    parser.add_argument("--alpha", type=float, default=Rules.alpha, help="chance of a false alarm in a check")
    parser.add_argument("--shift", type=float, default=Rules.shift, help="what matters, in standard deviations")
    parser.add_argument("--period", type=float, default=Rules.period, help="seconds of the rhythm")
    parser.add_argument("--post", metavar="URL", help="where a retraining is asked for")
    parser.add_argument("--ref", default="main")
    parser.add_argument("--cooldown", type=float, default=86400.0, help="seconds until it is asked for again")
    options = parser.parse_args()
    states = DirectoryStates(options.models)
    try:
        report = check(options, states)
    except (RowsError, ModelError, OSError) as error:
        print(f"drift_check.py: {error}", file=sys.stderr)
        return 2
    print(json.dumps(report.to_dict(), indent=2))
    if report.drift_detected and options.post:
        print(ask(options, states), file=sys.stderr)
    return int(report.drift_detected)


if __name__ == "__main__":
    sys.exit(main())
