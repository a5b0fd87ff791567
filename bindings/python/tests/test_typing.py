# SPDX-License-Identifier: MIT
"""What mypy and pyright tell somebody who uses the package."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent / "typing"


def mypy(directory: Path) -> list[tuple[str, int]]:
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--cache-dir", ".cache", "."]
    told = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    assert not told.stderr
    return [(found[1], int(found[2])) for found in re.finditer(r"^(\w+\.py):(\d+): error", told.stdout, re.MULTILINE)]


def pyright(directory: Path) -> list[tuple[str, int]]:
    (directory / "pyrightconfig.json").write_text('{"typeCheckingMode": "standard"}')
    command = [sys.executable, "-m", "basedpyright", "--outputjson", "--pythonpath", sys.executable]
    told = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    found = [entry for entry in json.loads(told.stdout)["generalDiagnostics"] if entry["severity"] == "error"]
    return [(Path(entry["file"]).name, entry["range"]["start"]["line"] + 1) for entry in found]


@pytest.mark.parametrize("checker", [mypy, pyright])
def test_users_code_is_checked(checker, tmp_path):
    for source in HERE.glob("*.py"):
        shutil.copy(source, tmp_path)
    lines = (HERE / "wrong.py").read_text().splitlines()
    marked = {("wrong.py", number) for number, line in enumerate(lines, 1) if line.endswith("# wrong")}
    assert set(checker(tmp_path)) == marked
