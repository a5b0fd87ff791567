# SPDX-License-Identifier: MIT
"""Configuration: .env.example names every setting with its default; wrong ones are refused with their names."""

import os
import re
import subprocess
import sys

import pytest
from pydantic import ValidationError

from common.servers import Server, free_port, wait_until
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


def program(module, **settings):
    return [sys.executable, "-m", f"pipeline.{module}"], {"cwd": EXAMPLE, "env": {**os.environ, **settings}}


@pytest.mark.parametrize("module", ["kafka_consumer", "kafka_producer", "local", "shown", "webhook"])
def test_a_program_names_the_settings_that_are_wrong_and_does_not_show_them(module):
    command, options = program(module, DATABASE_URL="mysql://iot:hunter2@db/iot", BATCH_EVENTS="0")
    run = subprocess.run(command, **options, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert run.stderr == (
        "DATABASE_URL: Value error, it begins with sqlite:/// or postgresql:// and names a file or a host\n"
        "BATCH_EVENTS: Input should be greater than or equal to 1\n"
    )


@pytest.mark.parametrize("module", ["kafka_consumer", "kafka_producer"])
def test_without_kafka_a_program_waits_says_so_and_ends_when_it_is_told(module, tmp_path):
    nowhere, database = f"127.0.0.1:{free_port()}", f"sqlite:///{tmp_path}/iot.sqlite"
    command, options = program(module, KAFKA_BOOTSTRAP_SERVERS=nowhere, DATABASE_URL=database)
    with Server(command, lambda: True, module, **options) as waiting:
        wait_until(lambda: re.search("WARNING pipeline.*Kafka.*_TIMED_OUT", waiting.log()), "that is told")
        assert waiting.process.poll() is None
        assert waiting.stop() == 0
        assert "Traceback" not in waiting.log()


def test_of_two_that_judge_into_one_file_the_first_ends_and_says_why(tmp_path):
    command, options = program("local", DATABASE_URL=f"sqlite:///{tmp_path}/iot.sqlite")
    with Server(command, lambda: True, "first", **options) as first:
        wait_until(lambda: "anomaly: " in first.log(), "the first judges")
        with Server(command, lambda: True, "second", **options):
            wait_until(lambda: first.process.poll() is not None, "the first ends")
        assert first.process.returncode == 1
        assert first.log().endswith("another process judges into this database now: this one ends\n")
