# SPDX-License-Identifier: MIT
"""Predictions, what is refused, models that are swapped, damaged or missing."""

import concurrent.futures
import os
import threading

import httpx
import numpy as np
import pytest

from common.servers import wait_until
from conftest import Service, cloud
from inference.model import ModelError, dump, fit, load
from simulate_stream import DAY, SENSORS, START, readings


@pytest.fixture(scope="module")
def service(tmp_path_factory, machine):
    with Service(tmp_path_factory.mktemp("models"), machine, retrain=False) as one:
        yield one


def test_it_tells_which_model_it_serves(service, machine):
    told = service.get()
    assert (told["status"], told["model"], told["features"]) == ("running", machine.version, list(SENSORS))


def test_an_anomaly_is_explained_by_the_names_of_its_features(service):
    usual = service.predict(48, 1.1, 2.6, 7.5, 21).json()
    assert (usual["prediction"], usual["explanation"]) == (1, {})
    odd = service.predict(48, 1.1, 2.6, 14.0, 21).json()
    assert odd["prediction"] == -1
    assert odd["score"] >= odd["threshold"] > usual["score"]
    assert next(iter(odd["explanation"])) == "current"
    assert sum(odd["explanation"].values()) == pytest.approx(1)


def test_a_batch_gets_the_verdicts_of_single_rows(service):
    stream = list(readings(50, seed=9, start=START + 7 * DAY))
    single = [service.predict(*one.values).json() for one in stream]
    for alone, together in zip(single, service.send(stream)):
        assert {name: alone[name] for name in together} == together


def test_a_missing_value_is_taken_all_missing_is_not(service):
    assert service.predict(48, None, 2.6, 7.5, 21).json()["prediction"] == 1
    assert service.predict(*[None] * 5).status_code == 422


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ('{"features": [1, 2]}', 422, "the model has 5 features: temperature"),
        ('{"features": [1, 2, 3, 4, "x"]}', 422, "valid number"),
        ('{"features": [1, 2, 3, 4, NaN]}', 422, "finite"),
        ('{"features": [1, 2, 3, 4, 1e999]}', 422, "finite"),
        ('{"features": []}', 422, "at least 1"),
        ('{"features": [1, 2, 3, 4, 5], "tiem": 1}', 422, "Extra inputs"),
        ("{", 422, "JSON"),
        (" " * 2_000_000, 413, "at most"),
    ],
)
def test_what_is_wrong_is_refused_with_the_reason(service, body, status, words):
    answer = service.client.post("/predict", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == status
    assert words in answer.text


def test_a_batch_that_is_too_large_is_refused(service):
    rows = [{"features": [1, 2, 3, 4, 5]}] * 1001
    assert service.client.post("/predict/batch", json={"rows": rows}).status_code == 413


def test_a_body_without_a_length_is_refused(service):
    answer = service.client.post("/predict", content=iter([b"{}"]), headers={"Content-Type": "application/json"})
    assert answer.status_code == 413


def test_with_a_key_only_who_has_it_may_ask(tmp_path, machine):
    with Service(tmp_path, machine, api_key="secret") as service:
        assert service.predict(1, 2, 3, 4, 5).status_code == 401
        assert service.client.get("/rows").status_code == 401
        assert service.client.get("/metrics").status_code == 200
        answer = service.client.post("/predict", json={"features": [1, 2, 3, 4, 5]}, headers={"X-API-Key": "secret"})
        assert answer.status_code == 200
        assert "secret" not in service.log()


def test_a_model_takes_the_place_of_another_under_load_without_a_failed_request(tmp_path, machine):
    """S20 in small, and 002-F13: every answer is 200, by the old model or the new, the last by the newest."""
    swaps = 3 if os.environ.get("TEST_QUICK") else 20
    ended, answers = threading.Event(), []
    row = {"features": [48, 1.1, 2.6, 7.5, 21]}

    def ask(url, batch):
        path, body = ("/predict/batch", {"rows": [row] * 50}) if batch else ("/predict", row)
        with httpx.Client(base_url=url, timeout=120, trust_env=False) as client:
            while not ended.is_set():
                answer = client.post(path, json=body)
                answers.append((answer.status_code, answer.json().get("model")))

    with Service(tmp_path, machine) as service, concurrent.futures.ThreadPoolExecutor(4) as threads:
        asking = [threads.submit(ask, service.url, i % 2) for i in range(4)]
        versions = [machine.version]
        try:
            wait_until(lambda: answers, "the first model answers")
            for seed in range(swaps):
                versions.append(service.models.publish(fit(machine.reference, trees=20, seed=seed)))
                wait_until(lambda: answers[-1][1] == versions[-1], "the new model answers")
        finally:
            ended.set()
        for thread in asking:
            thread.result()
        assert service.metrics()["model_swaps_total"] == swaps
    assert {status for status, _ in answers} == {200}
    assert {version for _, version in answers} == set(versions)


def test_a_damaged_model_is_not_taken_and_the_old_one_serves_on(tmp_path, machine):
    with Service(tmp_path, machine) as service:
        service.models.states.put("damaged", dump(machine)[:-1], 0)
        version, _ = service.models.states.get("current")
        service.models.states.put("current", b"damaged", version)
        wait_until(lambda: service.metrics()["model_load_failures_total"] == 1, "it was tried")
        assert service.get()["model"] == machine.version
        assert "still serving" in service.log()


def test_a_model_goes_to_another_process_as_it_is_and_no_flipped_byte_passes():
    """S14: the same scores; each damage refused with a message."""
    model = fit(cloud(), trees=20)
    data = dump(model)
    again = load(data)
    assert again.facts == {**model.facts, "features": ["x", "y"]}
    assert [one.score for one in again.judge(cloud(1).values)] == [one.score for one in model.judge(cloud(1).values)]
    chance = np.random.default_rng(5)
    places = {*range(200), *chance.integers(len(data), size=200).tolist(), len(data) - 1}
    for place in places:
        flipped = bytearray(data)
        flipped[place] ^= 1 << int(chance.integers(8))
        with pytest.raises(ModelError):
            load(bytes(flipped))
    for length in (0, 1, 100, len(data) // 2, len(data) - 1):
        with pytest.raises(ModelError):
            load(data[:length])
    with pytest.raises(ModelError, match="form '2' is not known"):
        load(data.replace(b"libanomaly-model 1 ", b"libanomaly-model 2 ", 1))


def test_it_serves_the_same_model_after_a_kill(tmp_path, machine):
    with Service(tmp_path, machine) as service:
        before = service.predict(48, 1.1, 2.6, 14.0, 21).json()
        service.kill()
        service.start()
        assert {**service.predict(48, 1.1, 2.6, 14.0, 21).json(), "drift_score": before["drift_score"]} == before
