# SPDX-License-Identifier: MIT
"""Starts a retraining, but not again and again: after one there is a pause, whoever asks, and over restarts."""

from __future__ import annotations

import json
import sys
import tempfile
import urllib.request
from collections.abc import Callable
from pathlib import Path
from subprocess import PIPE, Popen

from common.state import ConflictError, DirectoryStates
from inference.rows import Rows, write

TRAIN = Path(__file__).resolve().parent.parent / "model" / "scripts" / "train.py"


class CoolingError(Exception):
    """One was started a short time ago."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"a retraining was started a short time ago; the next may start in {seconds:.0f} s")
        self.seconds = seconds


class Trigger:
    """Of several that fire at the same moment, in whatever processes, one does."""

    def __init__(self, states: DirectoryStates, name: str, cooldown: float) -> None:
        self._states, self._key, self._cooldown = states, f"started-{name}", cooldown

    def fire(self, start: Callable[[], None], now: float) -> None:
        """Starts; CoolingError if it is too early. Where start() raises, it counts as not started."""
        version, last = self._states.get(self._key) or (0, b"-inf")
        left = float(last) + self._cooldown - now
        if left > 0:
            raise CoolingError(left)
        try:
            claimed = self._states.put(self._key, repr(now).encode(), version)
        except ConflictError:
            raise CoolingError(self._cooldown) from None
        try:
            start()
        except BaseException:
            self._states.put(self._key, last, claimed)
            raise


def post(url: str, ref: str, token: str) -> None:
    """Asks for a retraining, as GitHub's `workflows/NAME/dispatches` wants it."""
    headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "model-service"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(url, json.dumps({"ref": ref}).encode(), headers)
    with urllib.request.urlopen(request, timeout=30):
        pass


def train(rows: Rows, folder: Path) -> str:
    """Trains on the rows in a process of its own and publishes the model in the folder: its version."""
    with tempfile.TemporaryDirectory() as temporary:
        data = Path(temporary) / "rows.csv"
        with open(data, "w", encoding="utf-8", newline="") as file:
            write(file, rows.names, zip(rows.times, rows.values, strict=True))
        command = [sys.executable, str(TRAIN), "--data", str(data), "--models", str(folder)]
        with Popen(command, stdout=PIPE, stderr=PIPE, text=True) as process:
            told, problem = process.communicate()
    if process.returncode:
        raise RuntimeError(f"train.py ended with status {process.returncode}: {problem.strip()[-500:]}")
    return told.splitlines()[-1].split()[-1]
