# SPDX-License-Identifier: MIT
"""API key, origin, rate, audit log."""

import json

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from common.servers import wait_until
from conftest import Inside, Service, csv_of, minute_of_tens

EVENT = {"metric": "m", "value": 1, "timestamp": 1737460800}


def test_without_the_key_there_is_only_the_page():
    with Inside(api_keys="first-key, second-key") as one:
        for path in ("/", "/health", "/docs", "/openapi.json"):
            assert one.client.get(path).status_code == 200, path
        for path in ("/anomalies", "/metrics", "/series?metric=m"):
            assert one.client.get(path).status_code == 401, path
        assert one.client.get("/static/../anomalies").status_code in (401, 404)
        for key in ({}, {"X-API-Key": "wrong"}, {"X-API-Key": "first-key, second-key"}, {"X-API-Key": b"\xff"}):
            assert one.client.post("/events/raw", json=EVENT, headers=key).status_code == 401
            assert one.client.post("/upload", files={"file": ("a.txt", "")}, headers=key).status_code == 401
        for key in ("first-key", "second-key"):
            assert one.client.post("/events/raw", json=EVENT, headers={"X-API-Key": key}).status_code == 201
        address = one.url.replace("http", "ws") + "/ws/anomalies"
        with pytest.raises(InvalidStatus, match="403"), connect(address):
            pass
        for options in (
            {"uri": address + "?api_key=second-key"},
            {"uri": address, "additional_headers": {"X-API-Key": "first-key"}},
        ):
            with connect(**options) as socket:
                socket.send("ping")
                assert socket.recv(10) == "pong"


def test_pages_of_other_sites_are_kept_out():
    with Inside(cors_origins="https://dash.example") as one:
        own, friend, other = one.url, "https://dash.example", "https://evil.example"
        for origin, status in ((own, 201), (friend, 201), (other, 403), ("null", 403)):
            assert one.client.post("/events/raw", json=EVENT, headers={"Origin": origin}).status_code == status, origin
        allow = "access-control-allow-origin"
        assert one.client.get("/anomalies", headers={"Origin": friend}).headers[allow] == friend
        assert allow not in one.client.get("/anomalies", headers={"Origin": other}).headers
        address = own.replace("http", "ws") + "/ws/anomalies"
        with connect(address, origin=own), connect(address, origin=friend):
            pass
        with pytest.raises(InvalidStatus, match="403"), connect(address, origin=other):
            pass


def test_a_client_that_asks_too_often_waits():
    with Inside(rate_limit=5, rate_limit_burst=20) as one:
        answers = [one.client.get("/anomalies") for _ in range(60)]
        refused = [answer for answer in answers if answer.status_code == 429]
        assert {answer.status_code for answer in answers} == {200, 429}
        assert refused[0].headers["retry-after"] == "1"
        # Others have buckets of their own: another address of loopback.
        other = httpx.HTTPTransport(local_address="127.0.0.9")
        with httpx.Client(base_url=one.url, transport=other) as client:
            assert client.get("/anomalies").status_code == 200


def test_a_file_larger_than_the_queue_waits_for_room():
    with Inside(max_queue_size=250, batch_size=1) as one:
        body = one.upload("a.csv", csv_of(minute_of_tens("m") * 20)).json()
        assert (body["success_count"], body["total_rows"]) == (1200, 1200)
        one.settled()
        wait_until(lambda: one.health()["processed"] == 1200, "all are judged")


def test_who_changed_something_is_noted(tmp_path):
    with Service(audit_log=tmp_path / "audit", api_keys="secret-key") as one:
        key = {"X-API-Key": "secret-key"}
        one.client.post("/events/raw", json=EVENT, headers=key)
        one.client.get("/anomalies", headers=key)
        one.client.get("/anomalies?secret=1%0A2")
        one.upload("a.xlsx", b"x" * 100, headers=key)
    text = (tmp_path / "audit").read_text()
    assert "secret" not in text
    entries = [json.loads(line) for line in text.splitlines()]
    assert [(e["method"], e["path"], e["status"]) for e in entries] == [
        ("POST", "/events/raw", 201),
        ("GET", "/anomalies", 401),
        ("POST", "/upload", 400),
    ]
    assert entries[0]["client"] == "127.0.0.1"
    assert entries[0]["key"] == entries[2]["key"] != entries[1]["key"] is None
    assert entries[2]["bytes"] > 100
