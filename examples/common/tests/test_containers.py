# SPDX-License-Identifier: MIT
"""Dockerfile, compose.yml and docker/docker-compose.yml of every example, as the linters see them."""

import pathlib
import subprocess
import sys

import pytest

EXAMPLES = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(sys.executable).parent


def linted(*command):
    told = subprocess.run(command, capture_output=True, text=True, timeout=120)
    return told.returncode, told.stdout + told.stderr


def dockerfile(path):
    # Not DL3008: which version of a Debian package there is, the image says that it is built from.
    return linted(BIN / "hadolint", "--no-color", "--failure-threshold", "warning", "--ignore", "DL3008", path)


def compose(path):
    return linted(BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", path)


LINTERS = {"Dockerfile": dockerfile, "compose.yml": compose, "docker-compose.yml": compose}
FILES = [path for name in LINTERS for at in ("*", "*/docker") for path in sorted(EXAMPLES.glob(f"{at}/{name}"))]


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_the_linter_finds_nothing(path):
    status, told = LINTERS[path.name](path)
    assert status == 0, told


@pytest.mark.parametrize(
    ("name", "text", "word"),
    [
        ("Dockerfile", "FROM python:3.11-slim\nRUN cd /tmp && sudo make\n", "DL3004"),
        ("compose.yml", "services:\n  api:\n    image: x\n    port: ['1:1']\n", "port"),
    ],
)
def test_the_linter_would_find_something(name, text, word, tmp_path):
    (tmp_path / name).write_text(text)
    status, told = LINTERS[name](tmp_path / name)
    assert status != 0
    assert word in told
