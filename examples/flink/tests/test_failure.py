# SPDX-License-Identifier: MIT
"""Failures, ends by force and other parallelism: the alerts of the plain loop, none doubled, none lost."""

import os
import signal

import pytest

from conftest import Job, in_order, loop, program

SLOW = {"noted": True, "flink_bundle_size": 50}


@pytest.fixture(scope="module")
def transactions(tmp_path_factory):
    folder = tmp_path_factory.mktemp("slow")
    assert program("generate", "--to", "t", "--count", 3000, "--share", 0.02, cwd=folder).returncode == 0
    alerts, _ = loop(folder / "t", folder)
    assert len(alerts) > 20
    return folder / "t", in_order(alerts)


def goes_on(job, restored="from Checkpoint"):
    """A worker has begun in the middle of the stream, and Flink says that it restored a checkpoint."""
    first = [int(start["first"].removeprefix("txn_")) for start in job.first_records()]
    assert min(first) < 10
    assert first[-1] > 100, first
    assert restored in job.java_log()


@pytest.mark.on_demand
def test_an_exception_in_the_middle_of_the_stream(tmp_path, transactions):
    source, alerts = transactions
    with Job(source, tmp_path, fail=1, **SLOW) as job:
        job.finish()
        assert (job.notes / "failed").exists()
        goes_on(job)
        assert in_order(job.lines("anomaly-alerts")) == alerts


def test_a_python_worker_is_killed(tmp_path, transactions):
    source, alerts = transactions
    with Job(source, tmp_path, flink_worker_processes=True, **SLOW) as job:
        job.until_midway()
        os.kill(job.first_records()[0]["process"], signal.SIGKILL)
        job.finish()
        goes_on(job)
        assert in_order(job.lines("anomaly-alerts")) == alerts


@pytest.mark.on_demand
def test_java_is_killed(tmp_path, transactions):
    source, alerts = transactions
    with Job(source, tmp_path, **SLOW) as job:
        job.until_midway()
        job.kill()
        job.start()
        job.finish()
        assert "checkpoints/" in job.log().split("going on from")[1]
        goes_on(job, "from Savepoint")  # as Flink calls whatever it is given a path of
        assert in_order(job.lines("anomaly-alerts")) == alerts


def test_other_parallelism_by_savepoint(tmp_path, transactions):
    source, alerts = transactions
    for stage, parallelism in enumerate((1, 2, 1)):
        with Job(source, tmp_path, flink_parallelism=parallelism, **SLOW) as job:
            if stage:
                assert "going on from" in job.log()
                assert "savepoints/savepoint-" in job.log()
            if stage == 2:
                job.finish()
            else:
                job.until_midway()
                assert job.stop() == 0
                assert "stopped, to go on from" in job.log()
    goes_on(job, "from Savepoint")
    assert in_order(job.lines("anomaly-alerts")) == alerts
