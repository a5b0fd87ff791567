# SPDX-License-Identifier: MIT
"""Configuration: .env.example names every setting with its default; wrong ones are refused with their names."""

import re

import pytest
from pydantic import ValidationError

from anomaly.config import Settings
from conftest import EXAMPLE


def test_the_example_file_has_every_setting_with_its_default(monkeypatch):
    text = (EXAMPLE / ".env.example").read_text()
    shown = dict(re.findall(r"^([A-Z_]+)=(.*)$", text, re.MULTILINE))
    named = set(re.findall(r"^#?([A-Z_]+)=", text, re.MULTILINE))
    assert named == {name.upper() for name in Settings.model_fields}
    plain = Settings(_env_file=None)
    for name, value in shown.items():
        monkeypatch.setenv(name, value)
    assert Settings(_env_file=None) == plain


@pytest.mark.parametrize(
    ("name", "value"),
    [("WINDOW_SECONDS", "0"), ("PORT", "http"), ("DETECTOR", "magic"), ("MAX_QUEUE_SIZE", "-1"), ("PROCESSORS", "2")],
)
def test_a_wrong_setting_is_named(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError, match=f"(?i){name}"):
        Settings(_env_file=None)


def test_lists_are_separated_by_commas(monkeypatch):
    monkeypatch.setenv("EMAIL_TO", "admin@example.com, ops@example.com,")
    assert Settings(_env_file=None).email_to == ("admin@example.com", "ops@example.com")
