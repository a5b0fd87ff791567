# SPDX-License-Identifier: MIT
"""When the world has changed, and when not; what is done about it, and how often."""

import asyncio
import os
import shutil
import subprocess
import sys
import threading

import numpy as np
import pytest

import inference.service
from common.servers import Webhook, wait_until
from common.state import DirectoryStates
from conftest import EXAMPLE, Service, column, rows_of
from inference.drift import Rules, Share, compare
from inference.model import Models, fit
from inference.retrain import CoolingError, Trigger
from inference.rows import write
from inference.settings import Settings
from simulate_stream import DAY, START, WEEK, readings

QUICK = bool(os.environ.get("TEST_QUICK"))
TEN = [i % 10 for i in range(1000)]


def file_of(path, rows):
    with open(path, "w", encoding="utf-8") as file:
        write(file, rows.names, zip(rows.times, rows.values))
    return path


def drift_check(tmp_path, *words):
    command = [sys.executable, EXAMPLE / "drift_check.py", "--models", tmp_path / "models", *words]
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)


def count(watching, name, **labels):
    return watching.metrics.registry.get_sample_value(name, labels)


def windows(rows, size=1000):
    return [rows.where(np.arange(len(rows.values)) // size == i) for i in range(len(rows.values) // size)]


@pytest.mark.parametrize(("odd", "drifted"), [(6, False), (7, True)])
def test_more_than_three_in_ten_of_the_last_twenty_are_too_many(odd, drifted):
    """S17"""
    share = Share(20, 20, 0.3)
    for i in range(20):
        share.add(i < odd)
    assert (share.value, share.drifted) == (odd / 20, drifted)


def test_the_first_prediction_alone_says_nothing():
    """S17"""
    share = Share(20, 20, 0.3)
    share.add(True)
    assert (share.value, share.drifted) == (None, False)


@pytest.mark.parametrize(("more", "drifted"), [(0.2, False), (0.3, True)])
def test_a_tenth_of_a_deviation_matters(tmp_path, more, drifted):
    """S17: the limit is .287228, a tenth of the standard deviation of 0 to 9 with divisor n; one POST, and only then."""
    reference, live = file_of(tmp_path / "then.csv", column(TEN)), file_of(tmp_path / "now.csv", column(np.add(TEN, more)))
    with Webhook() as hook:
        for _ in range(2):  # the second time it is too early
            told = drift_check(tmp_path, "--reference", reference, "--live", live, "--post", hook.url)
            assert told.returncode == int(drifted), told.stderr
        assert hook.posts == ([{"ref": "main"}] if drifted else [])


def test_what_could_not_be_posted_is_posted_the_next_time(tmp_path):
    reference, live = file_of(tmp_path / "then.csv", column(TEN)), file_of(tmp_path / "now.csv", column(np.add(TEN, 5)))
    with Webhook() as hook:
        hook.answers = [(503, {}, "not now")]
        for said in ("not asked: HTTP Error 503", "asked for a retraining", "a short time ago"):
            told = drift_check(tmp_path, "--reference", reference, "--live", live, "--post", hook.url)
            assert (told.returncode, said in told.stderr) == (1, True), told.stderr
        assert len(hook.posts) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("value\n1\n2\n", "2 rows that can be compared"),
        ("other\n" + "1\n" * 200, "not value"),
        ("value\n1\nx\n", "line 3: value: 'x' is no finite number"),
        ("value\n1\n1,2\n", "line 3: 2 values"),
        ("", "line 1"),
    ],
)
def test_where_it_cannot_be_said_the_status_is_two(tmp_path, text, words):
    (tmp_path / "now.csv").write_text(text)
    told = drift_check(tmp_path, "--reference", file_of(tmp_path / "then.csv", column(TEN)), "--live", tmp_path / "now.csv")
    assert (told.returncode, words in told.stderr) == (2, True), told.stderr


def test_four_stationary_weeks_with_a_daily_rhythm_are_no_drift():
    for seed in range(1 if QUICK else 12):
        reference = rows_of(readings(WEEK, seed=100 + seed))
        live = rows_of(readings(4 * WEEK, seed=200 + seed, start=START + 7 * DAY))
        reports = [compare(reference, window, Rules()) for window in windows(live)]
        assert len(reports) == 40
        assert [report.drift_detected for report in reports] == [False] * 40


def test_what_is_usual_by_day_is_a_drift_at_night():
    """So the test before does not hold by a rule that never fires: like is compared with like."""
    reference = rows_of(readings(WEEK, seed=100))
    day = rows_of(readings(600, seed=203, start=START + 7 * DAY + 8 * 3600))
    assert not compare(reference, day, Rules()).drift_detected
    night = compare(reference, day._replace(times=day.times + DAY / 2), Rules())
    assert night.drift_detected
    assert night.features["flow"].mean_diff > 1


@pytest.mark.parametrize("features", [1, 100])
def test_of_many_features_none_drifts_by_chance(features):
    chance = np.random.default_rng(features)
    reference = column(np.zeros(2000))._replace(
        names=tuple(f"f{i}" for i in range(features)), values=chance.normal(size=(2000, features))
    )
    for _ in range(3 if QUICK else 30):
        live = reference._replace(values=chance.normal(size=(1000, features)), times=np.full(1000, np.nan))
        assert not compare(reference, live, Rules()).drift_detected
    live.values[:, 0] += 0.5
    found = compare(reference, live, Rules())
    assert [name for name, feature in found.features.items() if feature.drift_detected] == ["f0"]


def test_a_larger_spread_is_a_drift_too():
    chance = np.random.default_rng(1)
    assert compare(column(chance.normal(size=2000)), column(2 * chance.normal(size=1000)), Rules()).drift_detected


def test_one_planted_drift_is_one_trigger_and_the_new_model_fits(tmp_path, machine):
    """An ordinary week, the machine wears, one retraining in a process of its own, the new model is served."""
    rows = 3000 if QUICK else WEEK
    settings = {"retrain_cooldown_seconds": 1, "retrain_rows": rows}  # the pause is not what makes it one
    with Service(tmp_path, machine, **settings) as service:
        service.send(readings(rows, seed=5, start=START + 7 * DAY))
        wait_until(lambda: service.metrics()["drift_checks_total"] == rows // 1000, "all windows were compared")
        assert service.metrics()["drift_alerts_total"] == 0
        service.send(readings(2000, seed=6, start=START + 14 * DAY, drift=0))
        wait_until(lambda: service.metrics()["drift_alerts_total"] == 1, "the drift is seen")
        wait_until(lambda: service.metrics()['retrainings_total{result="started"}'] == 1, "a retraining was started")
        service.send(readings(rows, seed=7, start=START + 14 * DAY + 2000 * 60, drift=0))
        wait_until(lambda: service.get()["model"] != machine.version, "the new model is served")
        found = service.send(readings(rows, seed=8, start=START + 28 * DAY, drift=0))
        wait_until(lambda: service.metrics()["drift_checks_total"] >= 2 * (rows // 1000), "as many windows were compared")
        after = service.metrics()
        assert (after["drift_alerts_total"], after['retrainings_total{result="started"}']) == (1, 1)
        assert after["model_swaps_total"] == 1
        assert sum(one["prediction"] == -1 for one in found) < 0.025 * rows


def test_windows_that_fill_while_one_is_compared_are_one_alert(tmp_path, machine):
    """And where a retraining has to pause, the next drift is told and is no error."""
    worn = rows_of(readings(1000, seed=6, start=START + 14 * DAY, drift=0))
    Models(DirectoryStates(tmp_path)).publish(machine)

    async def told(**settings):
        watching = inference.service.Service(Settings(model_dir=tmp_path, **settings))
        for _ in range(3):
            watching.note(watching.model, worn.values, worn.times.tolist(), [])
        await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()})
        retrainings = [count(watching, "retrainings_total", result=name) for name in ("started", "cooling")]
        return [count(watching, "drift_alerts_total"), *retrainings]

    assert asyncio.run(told()) == [1, 1, 0]
    assert asyncio.run(told(retrain_url="http://127.0.0.1:9/")) == [3, 0, 3]


def test_what_the_new_model_judges_counts_for_it_at_once(tmp_path, machine):
    """Its windows are compared though the retraining has not ended, and it is taken once, whoever notices it first."""
    worn = rows_of(readings(1000, seed=6, start=START + 14 * DAY, drift=0))
    models = Models(DirectoryStates(tmp_path))
    models.publish(machine)

    async def told():
        watching = inference.service.Service(Settings(model_dir=tmp_path, retrain_rows=10_000))
        watching.note(watching.model, worn.values, worn.times.tolist(), [])
        await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()})
        assert count(watching, "retrainings_total", result="started") == 1
        models.publish(fit(rows_of(readings(WEEK, seed=7, start=START + 14 * DAY, drift=0)), trees=20))
        await asyncio.gather(*(watching.follow_once() for _ in range(3)))
        watching.note(watching.model, worn.values, worn.times.tolist(), [])
        await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()})
        return [count(watching, name) for name in ("model_swaps_total", "drift_checks_total", "drift_alerts_total")]

    assert asyncio.run(told()) == [1, 2, 1]


def test_a_retraining_that_fails_is_told_and_the_old_model_serves_on(tmp_path, machine):
    folder = tmp_path / "models"
    with Service(folder, machine, retrain_rows=2000) as service:
        service.send(readings(1000, seed=5, start=START + 7 * DAY))
        assert service.client.post("/retrain", json={"ref": "main"}).status_code == 202
        shutil.rmtree(folder)
        folder.write_text("what was mounted here is gone")
        service.send(readings(1000, seed=6, start=START + 8 * DAY))
        wait_until(lambda: service.metrics()['retrainings_total{result="failed"}'] == 1, "the retraining has failed")
        assert service.get()["model"] == machine.version
        assert "the retraining failed: train.py ended with status 1" in service.log()


def test_of_several_services_that_see_a_drift_at_once_one_starts(tmp_path):
    begin, started, cooling = threading.Barrier(8), [], []

    def fire():
        trigger = Trigger(DirectoryStates(tmp_path), "service", 86400)
        begin.wait()
        try:
            trigger.fire(lambda: started.append(1), 1e9)
        except CoolingError:
            cooling.append(1)

    threads = [threading.Thread(target=fire) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(started), len(cooling)) == (1, 7)


def test_a_retraining_is_not_started_again_and_again(tmp_path, machine):
    """X002-10: also not over a restart."""
    with Service(tmp_path, machine, retrain_rows=20_000) as service:
        assert service.client.post("/retrain", json={"ref": "main"}).status_code == 202
        refused = service.client.post("/retrain", json={"ref": "main"})
        assert refused.status_code == 429
        assert 86000 < int(refused.headers["Retry-After"]) <= 86401
        service.kill()
        service.start()
        assert service.client.post("/retrain", json={"ref": "main"}).status_code == 429


def test_the_service_asks_elsewhere_where_it_is_told_to(tmp_path, machine):
    with Webhook() as hook, Service(tmp_path, machine, retrain_url=hook.url, retrain_token="secret") as service:
        hook.answers = [(500, {}, "broken")]
        assert service.client.post("/retrain", json={"ref": "main"}).status_code == 502
        service.send(readings(3000, seed=6, start=START + 14 * DAY, drift=0))
        wait_until(lambda: service.metrics()["drift_checks_total"] == 3, "three windows were compared")
        wait_until(lambda: service.metrics()['retrainings_total{result="started"}'] == 1, "one was started")
        assert hook.posts == [{"ref": "main"}]
        assert "secret" not in service.log()


def test_what_the_service_judged_last_can_be_checked_from_outside(tmp_path, machine):
    with Service(tmp_path / "models", machine, retrain=False) as service:
        service.send(readings(1000, seed=5, start=START + 7 * DAY))
        assert drift_check(tmp_path, "--live", service.url + "/rows").returncode == 0
        service.send(readings(20_000, seed=6, start=START + 8 * DAY, drift=0))
        assert drift_check(tmp_path, "--live", service.url + "/rows").returncode == 1
