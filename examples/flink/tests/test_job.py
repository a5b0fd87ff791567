# SPDX-License-Identifier: MIT
"""The Flink job beside the plain loop: the same alerts, to the last bit."""

import json

import pytest

from conftest import START, Job, in_order, loop, record, scenario_15, scenario_16, write


@pytest.mark.parametrize("parallelism", [1, 2])
def test_scenario_15(tmp_path, parallelism):
    source = write(tmp_path / "t", scenario_15())
    with Job(source, tmp_path, anomaly_window=30, flink_parallelism=parallelism) as job:
        job.finish()
        found = job.lines("anomaly-alerts")
        assert sorted(one["transactionId"] for one in found) == ["m07-30", "m13-30"]
        assert in_order(found) == in_order(loop(source, tmp_path, anomaly_window=30)[0])


def test_scenario_16_by_both_rules_with_what_is_refused(tmp_path):
    source = write(tmp_path / "t", scenario_16())
    late = record("user1", 1.0, START - 90_000, "late")  # late by the user's clock; its window has not ended
    with open(source, "a") as file:
        file.write("nonsense\n" + json.dumps(late) + "\n")
    settings = {"rules": "both", "allowed_lateness_seconds": 100}
    with Job(source, tmp_path, **settings) as job:
        job.finish()
        alerts, refused = loop(source, tmp_path, **settings)
        assert [(one["rule"], one["userId"]) for one in alerts] == [("zscore", "user3"), ("tumbling", "user3")]
        assert in_order(job.lines("anomaly-alerts")) == in_order(alerts)
        assert [one["problem"][:20] for one in refused] == ["Invalid JSON: expect", "late: 149 s behind t"]
        assert in_order(job.lines("transactions-refused")) == in_order(refused)


def test_a_wrong_setting_is_named_before_java_is_started(tmp_path):
    with (
        pytest.raises(RuntimeError, match="FLINK_PARALLELISM: Input should be a valid integer"),
        Job("t", tmp_path, flink_parallelism="x"),
    ):
        pass
