# SPDX-License-Identifier: MIT
"""What holds for every example in Python: examples/common/pytest.sh runs this with the tests of each, named EXAMPLE."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest

from common.servers import free_port

EXAMPLES = pathlib.Path(__file__).resolve().parents[2]
EXAMPLE = EXAMPLES / os.environ["EXAMPLE"]
BUILD = pathlib.Path(sys.executable).parents[2]  # its environment is BUILD/venv


def run(*command: object, **environment: object) -> str:
    env = {**os.environ, **{name: str(value) for name, value in environment.items()}}
    words = [str(word) for word in command]
    told = subprocess.run(words, cwd=EXAMPLES, env=env, capture_output=True, text=True, check=False, timeout=900)
    assert told.returncode == 0, told.stdout + told.stderr
    return told.stdout


@pytest.mark.parametrize("check", ["check", "format --check"])
def test_ruff_finds_nothing(check: str) -> None:
    run(sys.executable, "-m", "ruff", *check.split(), "--no-cache", EXAMPLE)


def test_mypy_finds_nothing() -> None:
    files = [path for path in sorted(EXAMPLE.rglob("*.py")) if "tests" not in path.parts]
    mypy = [sys.executable, "-m", "mypy", "--config-file", "pyproject.toml", "--cache-dir", BUILD / "mypy"]
    package = (EXAMPLE / "__init__.py").exists()  # examples/common
    run(*mypy, *files, MYPYPATH=EXAMPLES if package else f"{EXAMPLE}:{EXAMPLES}")


if (EXAMPLE / "Dockerfile").exists():

    def test_hadolint_finds_nothing() -> None:
        no_versions = ["--ignore", "DL3008"]  # Debian keeps no older version of a package, so its number cannot be given
        run(BUILD / "venv/bin/hadolint", *no_versions, "--failure-threshold", "warning", EXAMPLE / "Dockerfile")

    def test_compose_takes_the_file() -> None:
        check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
        run(*check, EXAMPLE / "compose.yml")


def copy_works_by_itself(tmp_path: pathlib.Path) -> None:
    copied, build = tmp_path / "copied", tmp_path / "build"
    run("common/copy.sh", EXAMPLE.name, copied, BUILD=BUILD.parent)
    if os.environ.get("TEST_QUICK"):  # does not install the same packages again
        (build / EXAMPLE.name).mkdir(parents=True)
        (build / EXAMPLE.name / "venv").symlink_to(BUILD / "venv")
    settings = {"BUILD": build, "PORT": free_port(), "PYTHONPATH": ""}
    try:
        assert run(copied / "run.sh", "demo", **settings)
    finally:
        run(copied / "run.sh", "down", **settings)


if (EXAMPLE / "run.sh").exists():  # examples/common has nothing to start
    test_a_copy_works_by_itself = copy_works_by_itself
