# SPDX-License-Identifier: MIT
"""Configuration: .env.example names every setting with its default; wrong ones are refused with their names."""

import re

import pytest
from pydantic import ValidationError

from conftest import EXAMPLE
from pipeline.config import Settings
from pipeline.store import open_store


def test_the_example_file_has_every_setting_with_its_default(monkeypatch):
    text = (EXAMPLE / ".env.example").read_text()
    named = set(re.findall(r"^#?([A-Z_]+)=", text, re.MULTILINE))
    assert named == {name.upper() for name in Settings.model_fields}
    for name in named:
        monkeypatch.delenv(name, raising=False)
    plain = Settings(_env_file=None)
    for name, value in re.findall(r"^([A-Z_]+)=(.*)$", text, re.MULTILINE):
        monkeypatch.setenv(name, value)
    assert Settings(_env_file=None) == plain


@pytest.mark.parametrize(
    ("name", "value"), [("BATCH_EVENTS", "0"), ("METRICS_PORT", "http"), ("ANOMALY_THRESHOLD", "-1"), ("LOG_LEVEL", "LOUD")]
)
def test_a_wrong_setting_is_named(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError, match=f"(?i){name}"):
        Settings(_env_file=None)


def test_a_password_is_not_shown():
    assert "hunter2" not in repr(Settings(_env_file=None, database_url="postgresql://iot:hunter2@db/iot"))


def test_another_database_is_refused():
    with pytest.raises(ValueError, match="DATABASE_URL begins with sqlite:/// or postgresql://"):
        open_store("mysql://iot@db/iot")
