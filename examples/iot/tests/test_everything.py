# SPDX-License-Identifier: MIT
"""All parts by one command, as `run.sh up all` starts them. A Kafka and a PostgreSQL more: not in the short form."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from common.servers import Server, free_port, wait_until
from conftest import EXAMPLE

PARTS = {"kafka", "postgres", "consumer-1", "consumer-2", "producer", "webhook", "page"}


def started(port):
    command = [sys.executable, "-m", "pipeline.everything", "--port", port, "--rate", 300]
    one = Server(command, lambda: "until Ctrl-C" in one.log(), "everything", cwd=EXAMPLE)
    return one


def named(everything):
    """The processes, by name."""
    (line,) = re.findall(r"kill -9 any: (.*)", everything.log())
    return {name: int(pid) for name, pid in (part.split() for part in line.split(", "))}


@pytest.mark.on_demand
def test_all_parts_start_are_started_again_and_end():
    with started(free_port()) as everything:
        pids = named(everything)
        assert set(pids) == PARTS
        (url,) = re.findall(r"export DATABASE_URL=(.*)", everything.log())
        for name in ("consumer-1", "postgres"):
            os.kill(pids[name], signal.SIGKILL)
            again = rf"{name} has ended and is started again: (\d+)"
            wait_until(lambda: re.search(again, everything.log()), "it is started again")  # noqa: B023
            pids[name] = int(re.search(again, everything.log())[1])
        wait_until(lambda: "anomaly: sensor-" in everything.log(), "anomalies are told")
        with psycopg.connect(url) as database:
            ((readings, different),) = database.execute("SELECT count(*), count(DISTINCT id) FROM sensor_data")
        assert readings == different > 900
        assert everything.stop(signal.SIGINT) == 0
        assert not [name for name, pid in pids.items() if Path(f"/proc/{pid}").exists()]


def test_what_is_missing_is_named():
    command, nowhere = [sys.executable, "-m", "pipeline.everything"], {**os.environ, "PATH": "/nowhere"}
    run = subprocess.run(command, cwd=EXAMPLE, env=nowhere, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert run.stderr == "missing: Java, Maven, kcat. `make iot-all` in the repository installs them.\n"
