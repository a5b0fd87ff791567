# SPDX-License-Identifier: MIT
"""What Prometheus sees and what it tells people: real Prometheus, its own promtool."""

import json
import pathlib
import re
import subprocess
import sys
import urllib.request

import httpx
import pytest

from common.servers import Server, free_port, wait_until
from conftest import EXAMPLE, Service, cloud
from inference.model import fit

MONITORING = EXAMPLE / "monitoring"


def prometheus_server(target):
    """Real Prometheus with our rules, which asks the target each second."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"

    def up():
        return urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url + "/-/ready", timeout=5).status == 200

    server = Server(["prometheus", f"--web.listen-address=127.0.0.1:{port}"], up)
    config = (MONITORING / "prometheus.yml").read_text()
    assert "127.0.0.1:8000" in config
    for before, after in (("127.0.0.1:8000", target), ("5s", "1s"), ("alerts.yml", f"{MONITORING}/alerts.yml")):
        config = config.replace(before, after)
    (server.folder / "prometheus.yml").write_text(config)
    server.command += [f"--config.file={server.folder}/prometheus.yml", f"--storage.tsdb.path={server.folder}/data"]
    server.url = url
    return server


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """The model of S12, served, and Prometheus."""
    service = Service(tmp_path_factory.mktemp("models"), fit(cloud()), retrain=False, drift_rows=100)
    with service, prometheus_server(f"127.0.0.1:{service.port}") as prometheus:
        yield service, prometheus


def ask(prometheus, query):
    """The values of a query."""
    answer = httpx.get(prometheus.url + "/api/v1/query", params={"query": query}, trust_env=False, timeout=60).json()
    assert answer["status"] == "success", answer
    return [float(one["value"][1]) for one in answer["data"]["result"]]


def test_prometheus_counts_what_was_predicted(watched):
    """S13"""
    service, prometheus = watched
    assert service.predict(0, 0).json()["prediction"] == 1
    assert service.predict(6, 6).json()["prediction"] == -1
    refused = service.predict(1)
    assert refused.status_code == 422
    assert "the model has 2 features: x, y" in refused.json()["detail"][0]["msg"]
    metrics = service.metrics()
    assert (metrics["inference_requests_total"], metrics["anomaly_predictions_total"]) == (2, 1)
    assert metrics['inference_refused_total{status="422"}'] == 1
    wait_until(lambda: ask(prometheus, "inference_requests_total") == [2], "Prometheus has asked")
    assert ask(prometheus, "anomaly_predictions_total") == [1]
    assert ask(prometheus, "model_info")


def test_each_alert_is_of_metrics_that_the_service_has(watched):
    _service, prometheus = watched
    wait_until(lambda: ask(prometheus, "up") == [1], "Prometheus has asked")
    rules = httpx.get(prometheus.url + "/api/v1/rules", trust_env=False).json()["data"]["groups"][0]["rules"]
    assert len(rules) == 6
    for rule in rules:
        for name in set(re.findall(r"[a-z]+(?:_[a-z]+)+", rule["query"])) - {"histogram_quantile"}:
            assert ask(prometheus, f"count({name})") != [], (rule["name"], name)


@pytest.mark.parametrize("words", ["check rules alerts.yml", "check config prometheus.yml", "test rules alerts_test.yml"])
def test_promtool_finds_nothing_wrong(words):
    told = subprocess.run(["promtool", *words.split()], cwd=MONITORING, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr


def test_each_alert_has_a_test_that_it_tells():
    rules, tests = (pathlib.Path(MONITORING / name).read_text() for name in ("alerts.yml", "alerts_test.yml"))
    told = set(re.findall(r"alertname: (\w+)\n +exp_alerts", tests))
    assert told >= set(re.findall(r"alert: (\w+)", rules))


def test_the_dashboard_is_as_its_program_writes_it():
    told = subprocess.run([sys.executable, MONITORING / "dashboard.py"], capture_output=True, text=True, check=True)
    assert told.stdout == (MONITORING / "dashboard.json").read_text()


def test_each_expression_of_the_dashboard_is_of_metrics_that_the_service_has(watched):
    service, prometheus = watched
    rows = [{"features": row} for row in cloud(1).values[:100].tolist()]
    assert service.client.post("/predict/batch", json={"rows": rows}).status_code == 200
    service.predict(6, 6)
    service.predict(1)
    wait_until(lambda: service.metrics()["drift_checks_total"] == 1, "a window was compared")
    panels = json.loads((MONITORING / "dashboard.json").read_text())["panels"]
    expressions = [target["expr"] for panel in panels for target in panel["targets"]]
    assert len(expressions) > len(panels) == 9
    for expression in expressions:
        wait_until(lambda: ask(prometheus, expression), expression)  # noqa: B023  # a rate needs two samples
