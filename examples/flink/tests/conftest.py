# SPDX-License-Identifier: MIT
"""The example as the tests see it: programs that are run."""

import importlib.util
import json
import os
import pathlib
import subprocess
import sys

import pytest

from common.servers import Server, wait_until

if importlib.util.find_spec("pyflink") is None:  # run.sh has told it
    collect_ignore = ["test_job.py", "test_failure.py", "test_kafka.py"]

EXAMPLE = pathlib.Path(__file__).resolve().parent.parent
START = 1_753_000_000_000


def environment(**settings):
    return {**os.environ, **{name.upper(): str(value) for name, value in settings.items()}}


def program(name, *arguments, cwd, stdin=None, **settings):
    """Runs one of the example's programs to its end."""
    command = [sys.executable, "-m", f"keyed_stream.{name}", *map(str, arguments)]
    return subprocess.run(command, env=environment(**settings), cwd=cwd, input=stdin, capture_output=True, check=False)


def record(user, amount, at=START, i=0, **more):
    one = {"userId": user, "amount": amount, "timestamp": at, "transactionId": f"{user}-{i}", "merchantId": "m"}
    return {**one, **more}


def scenario_15():
    """20 users, 40 amounts each, of which two are odd."""
    odd = {("m07", 30), ("m13", 30)}
    users = [f"m{k:02}" for k in range(20)]
    return [record(u, 95.0 if (u, i) in odd else 50.0 + i % 10, START + 1000 * i, i) for i in range(40) for u in users]


def scenario_16():
    """5 users, 60 amounts each, of which one is odd."""

    def amount(u, i):
        return 5000 if (u, i) == (3, 45) else 100 + (37 * i + 11 * u) % 50

    return [record(f"user{u}", amount(u, i), START + 1000 * i, i) for i in range(60) for u in range(1, 6)]


def write(path, records):
    path.write_text("".join(json.dumps(one) + "\n" for one in records))
    return path


def loop(source, cwd, **settings):
    """Alerts and refusals of the plain loop."""
    done = program("loop", source, cwd=cwd, **settings)
    assert done.returncode == 0, done.stderr.decode()
    refused = done.stderr.decode().splitlines()[:-1]
    return [json.loads(line) for line in done.stdout.splitlines()], [json.loads(line) for line in refused]


class Job(Server):
    """The Flink job as a process of its own; `noted` makes it slow and lets it note what it does (noted.py)."""

    def __init__(self, source, folder, *arguments, noted=False, **settings):
        self.state = folder / "state"
        self.notes = folder / "notes"
        self.notes.mkdir(exist_ok=True)
        program = [EXAMPLE / "tests" / "noted.py"] if noted else ["-m", "keyed_stream.run"]
        settings = {"flink_checkpoint_ms": 300, "flink_worker_processes": False, **settings}
        env = environment(flink_state=self.state, notes=self.notes, **settings)
        super().__init__(
            [sys.executable, *program, source, *arguments], lambda: "running" in self.log(), "job", env=env, cwd=folder
        )

    def _ended(self):
        return super()._ended() and "finished" not in self.log()

    def finish(self):
        status = self.process.wait(300)
        assert status == 0, self.log()
        assert self.log().endswith("finished\n")

    def lines(self, topic):
        """What the files of a sink hold, without those that no checkpoint has finished."""
        files = [path for path in (self.state / topic).glob("*") if not path.name.startswith(".")]
        return [json.loads(line) for path in files for line in path.read_text().splitlines()]

    def first_records(self):
        """Of each start of a detector's worker, in their order: its process, and the first transaction it judged."""
        starts = [json.loads(path.read_text()) for path in self.notes.glob("start-*")]
        return sorted(starts, key=lambda start: start["at"])

    def until_midway(self):
        """Until a checkpoint is complete that was begun when some hundred records had been judged."""
        (self.notes / "midway").unlink(missing_ok=True)
        wait_until((self.notes / "midway").exists, "300 records are judged")
        at = (self.notes / "midway").stat().st_mtime_ns
        done = lambda: [path for path in self.state.glob("checkpoints/*/chk-*/_metadata") if path.stat().st_mtime_ns > at]  # noqa: E731
        wait_until(done, "a checkpoint is complete")

    def java_log(self):
        return "".join(path.read_text() for path in (self.state / "log").glob("*"))


def in_order(alerts):
    """As text, so that equal means the same to the last bit."""
    return sorted(json.dumps(one) for one in alerts)


@pytest.fixture(scope="session")
def generated(tmp_path_factory):
    """A file of transactions with labels."""
    path = tmp_path_factory.mktemp("generated") / "transactions.ndjson"
    assert program("generate", "--to", path, "--count", 3000, cwd=path.parent).returncode == 0
    return path
