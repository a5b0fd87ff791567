# SPDX-License-Identifier: MIT
"""Generator, rules and the plain loop."""

import json
import math

import pytest

from conftest import START, loop, program, record, scenario_15, scenario_16, write
from keyed_stream.generate import transactions
from keyed_stream.rules import tumbling
from keyed_stream.transactions import parse

# Thirty values of 50 to 59: the standard deviation of the sample is sqrt(247.5 / 29).
SCORE_15 = 40.5 / math.sqrt(247.5 / 29)


def test_scenario_15(tmp_path):
    found, refused = loop(write(tmp_path / "t", scenario_15()), tmp_path, anomaly_window=30)
    assert [(one["userId"], one["transactionId"]) for one in found] == [("m07", "m07-30"), ("m13", "m13-30")]
    assert [one["score"] for one in found] == pytest.approx([SCORE_15] * 2, rel=1e-12)
    assert refused == []


def test_scenario_16_by_both_rules(tmp_path):
    found, _ = loop(write(tmp_path / "t", scenario_16()), tmp_path, rules="both")
    zscore, recipe = found
    assert (zscore["rule"], zscore["userId"], zscore["amount"], zscore["count"]) == ("zscore", "user3", 5000, 45)
    assert zscore["score"] == pytest.approx(340.7668, abs=5e-5)
    assert (recipe["rule"], recipe["userId"], recipe["amount"], recipe["count"]) == ("tumbling", "user3", 5000, 60)
    assert recipe["limit"] == pytest.approx(1779.4429, abs=5e-5)
    assert recipe["message"].startswith("ANOMALY DETECTED: User user3 has transaction of 5000.00 (avg: ")
    assert recipe["message"].endswith(", threshold: 1779.44, count: 60)")


def test_the_recipe_needs_nine_transactions_whatever_the_amount():
    # With the value in its own window (n - 1) / sqrt(n) is the most that a score can be.
    def window(n):
        return [record("u", 1.0, START + i, i) for i in range(n - 1)] + [record("u", 1e9, START + n, n)]

    assert [n for n in range(1, 12) if tumbling(window(n), 2.5)] == [9, 10, 11]


def test_the_generator_has_labelled_anomalies_which_are_found(generated, tmp_path):
    sent = [json.loads(line) for line in generated.read_text().splitlines()]
    assert len(sent) == 3000
    odd = {one["transactionId"] for one in sent if one["label"] == "anomaly"}
    assert len(odd) > 5
    found, refused = loop(generated, tmp_path)
    assert {one["transactionId"] for one in found} == odd
    assert refused == []


def test_the_generator_gives_the_same_for_the_same_seed():
    assert list(transactions(100, 7, 1)) == list(transactions(100, 7, 1)) != list(transactions(100, 7, 2))
    assert all(isinstance(parse(json.dumps(one)), dict) for one in transactions(100, 7, 1))


def test_the_score_of_the_rules_is_told(generated, tmp_path):
    done = program("loop", generated, cwd=tmp_path)
    (tmp_path / "alerts").write_bytes(done.stdout)
    told = program("score", generated, tmp_path / "alerts", cwd=tmp_path).stdout.decode()
    n = len(done.stdout.splitlines())
    assert told == f"zscore: {n} of {n} odd transactions found, 0 others flagged\n"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"userId": "u"', "Invalid JSON"),
        ("", "Invalid JSON"),
        ("[1]", "Input should be an object"),
        (json.dumps(record("", 1.0)), "userId: String should have at least 1 character"),
        (json.dumps(record("u", "12")), "amount: Input should be a valid number"),
        (json.dumps(record("u", math.nan)), "amount: Input should be a finite number"),
        (json.dumps(record("u", 1.0, START // 1000)), "timestamp: Input should be greater than or equal to 946684800000"),
        (json.dumps({"userId": "u", "amount": 1}), "timestamp: Field required"),
        (b"\xff" + b"x" * 70_000, "longer than 65536 characters"),
    ],
)
def test_what_is_no_transaction_is_refused_and_says_why(line, problem):
    told = parse(line)
    assert told.problem.startswith(problem)
    assert len(told.record) <= 1000


def test_a_bad_line_does_not_stop_the_others(tmp_path):
    lines = [json.dumps(one) for one in scenario_16()]
    lines[10:10] = ["nonsense"]
    (tmp_path / "t").write_text("\n".join(lines) + "\n")
    found, refused = loop(tmp_path / "t", tmp_path)
    assert len(found) == 1
    assert refused == [{"problem": "Invalid JSON: expected ident at line 1 column 2", "record": "nonsense"}]


def test_late_is_by_the_clock_of_the_user(tmp_path):
    # Another user's clock, far ahead, makes nobody late.
    records = [record("ahead", 1.0, START + 86_400_000), record("u", 1.0, START), record("u", 1.0, START + 70_000, 1)]
    records += [record("u", 1.0, START + 10_000, 2), record("u", 1.0, START + 9_999, 3)]
    _, refused = loop(write(tmp_path / "t", records), tmp_path, allowed_lateness_seconds=60)
    assert [one["problem"] for one in refused] == ["late: 60.001 s behind the newest of u"]
    assert json.loads(refused[0]["record"])["transactionId"] == "u-3"


def test_no_spread_at_all_is_told_without_infinity(tmp_path):
    records = [record("u", 50.0, START + i, i) for i in range(40)] + [record("u", 51.0, START + 40, 40)]
    (found,), _ = loop(write(tmp_path / "t", records), tmp_path)
    assert (found["score"], found["mean"], found["stddev"], found["limit"]) == (None, 50.0, 0.0, 50.0)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"anomaly_window": "five"}, "ANOMALY_WINDOW: "),
        ({"anomaly_learn": "sometimes"}, "ANOMALY_LEARN: "),
        ({"flink_parallelism": "0"}, "FLINK_PARALLELISM: Input should be greater than or equal to 1"),
        ({"rules": "all"}, "RULES: Input should be 'zscore', 'tumbling' or 'both'"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path, setting, message):
    done = program("loop", "-", cwd=tmp_path, stdin=b"", **setting)
    assert done.returncode == 1
    assert message in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()
