# SPDX-License-Identifier: MIT
"""The endpoints, by a client over the network."""

import contextlib
import json
import socket
import time

import pytest
from websockets.sync.client import connect

from conftest import START, csv_of, minute_of_tens


def test_an_event_is_acknowledged_and_judged(service, metric):
    answer = service.send(metric, 85.5, 1737460800.5, meta={"host": "server-01"})
    assert answer.status_code == 201
    body = answer.json()
    assert body["success"] is True
    assert len(body["event_id"]) == 16
    assert int(body["event_id"], 16) >= 0
    assert service.settled(metric) == []
    listed = service.client.get("/metrics", params={"limit": 1000}).json()
    row = {"metric": metric, "events": 1, "anomalies": 0, "last": 85.5, "timestamp": 1737460800.5}
    assert row in listed["metrics"]
    assert listed["count"] == len(listed["metrics"])
    assert service.health()["parts"]["kafka"] == "off"


def test_twenty_values_and_an_odd_one(service, metric):
    for i in range(20):
        service.send(metric, 50 + i % 10, START + i)
    service.send(metric, 95, START + 20, meta={"host": "a"})
    (found,) = service.settled(metric)
    # Mean 54.5, standard deviation of 50 to 59 twice with divisor n - 1: sqrt(165 / 19)
    assert found["mean"] == 54.5
    assert found["stddev"] == pytest.approx((165 / 19) ** 0.5, rel=1e-12)
    assert found["z_score"] == pytest.approx(13.743263, abs=1e-6)
    assert (found["metric"], found["value"], found["window_count"]) == (metric, 95, 20)
    assert (found["is_anomaly"], found["direction"], found["event_meta"]) == (True, "above", {"host": "a"})
    assert abs(found["detected_at"] - time.time()) < 60


def test_ten_equal_values_and_another_one(service, metric):
    # The recipe "test anomaly": all at the same second. The window has no spread, so there is no z-score.
    for value in [50] * 10 + [200]:
        assert service.send(metric, value).status_code == 201
    (found,) = service.settled(metric)
    assert (found["value"], found["z_score"], found["mean"], found["lower"], found["upper"]) == (200, None, 50, 50, 50)


def test_a_value_below_has_a_negative_score(service, metric):
    service.upload("a.csv", csv_of([*((metric, 50 + i % 10, START + i) for i in range(20)), (metric, 14, START + 20)]))
    (found,) = service.settled(metric)
    assert found["z_score"] == pytest.approx(-13.743263, abs=1e-6)  # 54.5 - 40.5
    assert found["direction"] == "below"


def test_a_file_reaches_every_websocket_once(service, metric):
    address = service.url.replace("http", "ws") + "/ws/anomalies"
    with connect(address) as one, connect(address) as other:
        answer = service.upload("day.csv", csv_of(minute_of_tens(metric)))
        assert answer.status_code == 201
        assert answer.json() == {
            "success": True,
            "message": "60 of 60 rows taken",
            "filename": "day.csv",
            "total_rows": 60,
            "success_count": 60,
            "error_count": 0,
            "errors": [],
        }
        for client in (one, other):
            message = json.loads(client.recv(10))
            assert (message["metric"], message["value"]) == (metric, 95)
            assert message["z_score"] == pytest.approx(13.863294, abs=1e-6)
            client.send("ping")
            assert client.recv(10) == "pong"  # and no second anomaly before it
        assert service.settled(metric) == [message]
        assert service.health()["websockets"] >= 2


def test_a_websocket_that_goes_does_not_stop_the_others(service, metric):
    address = service.url.replace("http", "ws") + "/ws/anomalies"
    with connect(address) as stays:
        with contextlib.suppress(Exception), connect(address, close_timeout=0.1) as gone:
            gone.socket.shutdown(socket.SHUT_RDWR)  # without a word
        service.upload("day.csv", csv_of(minute_of_tens(metric)))
        assert json.loads(stays.recv(10))["value"] == 95


def test_files_of_all_kinds_at_once(service, metric):
    rows = minute_of_tens(metric)
    bad = csv_of(rows[:20]).replace(",55,", ",fifty,", 1)  # line 7
    objects = [{"metric": m, "value": v, "timestamp": t} for m, v, t in rows[20:40]]
    text = "# a comment\n\n" + "".join(f"{m}\t{v}\t{t}\n" for m, v, t in rows[40:])
    files = [("files", ("a.csv", bad)), ("files", ("b.json", json.dumps(objects))), ("files", ("c.txt", text))]
    answer = service.client.post("/upload/bulk", files=files)
    assert answer.status_code == 201
    body = answer.json()
    assert (body["total_files"], body["total_success_count"], body["total_error_count"]) == (3, 59, 1)
    assert body["files"][0]["errors"] == [{"row": 7, "error": "value: 'fifty' is no number"}]
    assert [one["success_count"] for one in body["files"]] == [19, 20, 20]
    (found,) = service.settled(metric)
    assert (found["value"], found["timestamp"]) == (95, START + 400)


def test_one_event_written_in_every_way_is_one_event(service, metric):
    iso, shifted = "2025-01-21T12:00:00Z", "2025-01-21T13:00:00+01:00"
    contents = {
        "a.csv": f'\ufefftimestamp,metric,value,meta\r\n{iso},{metric},50.5,"{{""room"": 1}}"\r\n',
        "b.json": json.dumps([{"metric": metric, "value": 50.5, "timestamp": shifted, "meta": {"room": 1}}]),
        "c.json": json.dumps({"metric": metric, "value": 50.5, "timestamp": START, "meta": None}),
        "d.txt": f'{metric},50.5,{iso},{{"room": 1, "floor": 2}}\n',
        "e.txt": f"{metric}\t50.5\t1737460800.0",
    }
    for name, content in contents.items():
        assert service.upload(name, content).json()["success_count"] == 1, name
    service.settled(metric)
    points = service.client.get("/series", params={"metric": metric}).json()["points"]
    assert [point[:2] for point in points] == [[START, 50.5]] * 5


def test_a_series_tells_what_was_usual_and_goes_on_from_where_it_was(service, metric):
    service.upload("day.csv", csv_of(minute_of_tens(metric)))
    service.settled(metric)
    ask = {"metric": metric, "after": 58}
    first = service.client.get("/series", params=ask).json()
    assert (first["next"], len(first["points"])) == (60, 2)
    service.send(metric, 51, START + 600)
    service.settled(metric)
    assert [p[1] for p in service.client.get("/series", params={**ask, "after": 60}).json()["points"]] == [51]
    whole = service.client.get("/series", params={"metric": metric}).json()["points"]
    assert whole[0] == [START, 50, None, None, None, False]  # nothing was known yet
    at, value, expected, lower, upper, anomaly = whole[40]
    assert (at, value, anomaly) == (START + 400, 95, True)
    assert lower < expected == 54.5 < upper < 95
    assert service.client.get("/series", params={"metric": "other"}).status_code == 404


def test_limits_of_the_list_of_anomalies(service, metric):
    service.upload("day.csv", csv_of([row for name in "abc" for row in minute_of_tens(metric + name)]))
    service.settled(metric)
    listed = service.client.get("/anomalies", params={"limit": 2}).json()
    assert [one["metric"] for one in listed["anomalies"]] == [metric + "c", metric + "b"]
    assert listed["count"] == 2
    for limit in (0, 1001, "x"):
        assert service.client.get("/anomalies", params={"limit": limit}).status_code == 422


def test_page_and_documentation(service, metric):
    for path in ("/", "/docs", "/openapi.json"):
        assert service.client.get(path).status_code == 200, path
    assert "text/html" in service.client.get("/").headers["content-type"]
