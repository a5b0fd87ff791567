# SPDX-License-Identifier: MIT
"""What must not come in: a clear 4xx each time, and the service goes on."""

import contextlib
import gzip
import json
import select
import socket
import time

import pytest
from websockets.sync.client import connect

from common.quick import QUICK
from common.servers import wait_until
from conftest import START, Service, csv_of, minute_of_tens


@pytest.fixture(scope="module")
def backend():
    """What is refused does not reach a store."""
    return {"backend": "memory"}


GOOD = {"metric": "m", "value": 1, "timestamp": START}


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"value": "50"}, "a valid number"),
        ({"value": True}, "a valid number"),
        ({"value": None}, "a valid number"),
        ({"value": float("nan")}, "finite"),
        ({"value": float("inf")}, "finite"),
        ({"value": 10**400}, "a valid number"),
        ({"metric": ""}, "at least 1"),
        ({"metric": "x" * 256}, "at most 255"),
        ({"metric": 5}, "string"),
        ({"metric": "\ud800"}, "unicode"),
        ({"timestamp": "yesterday"}, "no timestamp"),
        ({"timestamp": "nan"}, "between 2000 and 2100"),
        ({"timestamp": 1234.5}, "between 2000 and 2100"),
        ({"timestamp": START * 1000}, "in seconds"),
        ({"timestamp": 10**400}, "between 2000 and 2100"),
        ({"timestamp": 4000000000}, "a day ahead"),
        ({"timestamp": [START]}, "number of seconds"),
        ({"meta": {"a": "x" * 5000}}, "4096"),
        ({"meta": [1]}, "dictionary"),
    ],
)
def test_a_wrong_field_is_named(service, change, word):
    body = json.dumps({**GOOD, **change})
    answer = service.client.post("/events/raw", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422, answer.text
    (problem,) = answer.json()["detail"]
    assert problem["loc"] == ["body", *change]
    assert word in problem["msg"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"5", b'"x"', b"\xff\xfe", b"[" * 60_000, b'{"value": 1}', b"\x00"])
def test_what_is_no_event_is_refused(service, body):
    answer = service.client.post("/events/raw", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422), answer.text


def test_json_must_say_that_it_is_json(service):
    body = json.dumps(GOOD)
    form = {"Content-Type": "application/x-www-form-urlencoded"}  # what curl -d says
    assert service.client.post("/events/raw", content=body, headers=form).status_code == 422


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("a.xlsx", b"PK", ".csv, .json or .txt"),
        ("a", b"m,1,2", ".csv, .json or .txt"),
        ("a.csv.gz", b"\x1f\x8b", ".csv, .json or .txt"),
        ("a.csv", b"\xff\xfe\x00", "UTF-8"),
        ("a.csv", b"metric,value\nm,1\n", "no column timestamp"),
        ("a.csv", b"", "no column metric, value, timestamp"),
        ("a.csv", b"x" * 10_000, "field"),
        ("a.json", b"{", "not JSON"),
        ("a.json", b"[" * 100_000, "not JSON"),
        ("a.json", b"\xff", "UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(service, name, content, word):
    answer = service.upload(name, content)
    assert answer.status_code == 400, answer.text
    assert word in answer.json()["detail"]


@pytest.mark.parametrize(
    ("name", "content", "row", "word"),
    [
        ("a.csv", "metric,value,timestamp\nm,1\n", 2, "2 fields"),
        ("a.csv", "metric,value,timestamp\nm,nan,1737460800\n", 2, "finite"),
        ("a.csv", 'metric,value,timestamp\nm,"' + "9" * 10_000 + '",1737460800\n', 2, "field"),
        ("a.txt", "m,1\n", 1, "three fields"),
        ("a.txt", "m,1,1737460800,{\n", 1, "meta"),
        ("a.txt", "m,1,1737460800," + "[" * 50_000 + "\n", 1, "meta"),
        ("a.json", "[1]", 1, "dictionary"),
        ("a.json", '{"metric": "m"}', 1, "required"),
        ("a.json", '[{"metric": "m", "value": NaN, "timestamp": 1737460800}]', 1, "finite"),
    ],
)
def test_a_wrong_row_is_named_and_the_next_one_is_taken(service, name, content, row, word):
    body = service.upload(name, content).json()
    assert (body["success"], body["error_count"], body["success_count"]) == (False, 1, 0)
    assert body["errors"][0]["row"] == row
    assert word in body["errors"][0]["error"]


def test_ten_errors_are_listed_and_all_are_counted(service):
    body = service.upload("a.txt", "m,x,1737460800\n" * 50 + "m,1,1737460800\n").json()
    assert (body["error_count"], body["success_count"], len(body["errors"])) == (50, 1, 10)


def test_bytes_that_are_not_utf8_further_on_lose_nothing_before_them(service):
    content = csv_of(minute_of_tens("late") * 40).encode() + b"\xff\xff\n"
    body = service.upload("a.csv", content).json()
    assert body["errors"][-1] == {"row": 0, "error": "the file is not UTF-8"}
    assert body["success_count"] == body["total_rows"] > 0


def test_a_name_in_html_stays_a_name(service):
    name = '<img src=x onerror="alert(1)">'
    for value in [50] * 10 + [200]:
        assert service.send(name, value).status_code == 201
    (found,) = service.settled(name)
    assert found["value"] == 200
    answer = service.client.get("/series", params={"metric": name})
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["metric"] == name


def test_a_lost_surrogate_in_the_address_is_no_error_of_the_service(service):
    assert service.client.get("/series?metric=%ff%fe").status_code in (404, 422)
    assert service.client.get("/series?metric=%ed%a0%80").status_code in (404, 422)


def slowly(service, path, headers, pieces, patience=30):
    """A request whose body comes in pieces, as long as the server takes them; the status, and how many bytes it took."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=patience) as s:
        s.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n\r\n".encode())
        sent = 0
        s.setblocking(False)
        end = time.monotonic() + patience
        for piece in pieces:
            while piece and time.monotonic() < end:
                readable, writable, _ = select.select([s], [s], [], 1)
                if readable:
                    return s.recv(4096), sent
                if writable:
                    n = s.send(piece)
                    piece, sent = piece[n:], sent + n
        select.select([s], [], [], patience)
        return s.recv(4096), sent


def test_a_gigabyte_is_refused_by_its_header(service):
    form = "Content-Type: multipart/form-data; boundary=b"
    answer, sent = slowly(service, "/upload", f"Content-Length: {1 << 30}\r\n{form}", [])
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert sent == 0


def test_a_gigabyte_without_its_size_is_refused_at_the_limit(service):
    before = service.memory()
    start = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    pieces = [b"%x\r\n%s\r\n" % (len(start), start), *[b"100000\r\n" + b"x" * (1 << 20) + b"\r\n"] * 1024]
    form = "Content-Type: multipart/form-data; boundary=b"
    answer, sent = slowly(service, "/upload", f"Transfer-Encoding: chunked\r\n{form}", pieces)
    assert answer.startswith(b"HTTP/1.1 413 "), answer
    assert sent < 32 << 20
    assert service.memory() < before + (64 << 20)


def test_packed_requests_are_not_unpacked(service):
    body = gzip.compress(b"0" * (50 << 20))
    answer = service.client.post(
        "/events/raw", content=body, headers={"Content-Encoding": "gzip", "Content-Type": "application/json"}
    )
    assert answer.status_code == 415


def test_too_many_files_are_refused(service):
    files = [("files", (f"{i}.txt", "")) for i in range(21)]
    assert service.client.post("/upload/bulk", files=files).status_code == 413


def test_a_client_that_sends_slowly_holds_nobody_up(service, metric):
    with socket.create_connection(("127.0.0.1", service.port)) as s:
        s.sendall(b"POST /events/raw HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
        assert service.send(metric, 1).status_code == 201


def test_more_metrics_than_are_kept(metric):
    count = 20_000 if QUICK else 1_000_000
    with Service(max_metrics=1000, max_upload_bytes=1 << 30, max_queue_size=20_000) as one:
        for start in range(0, count, 20_000):
            rows = ((f"{metric}{i}", 1, START) for i in range(start, start + 20_000))
            assert one.upload("a.csv", csv_of(rows)).json()["success_count"] == 20_000
            if start == 20_000:
                before = one.memory()
        one.settled()
        wait_until(lambda: one.health()["processed"] == count, "all are judged")
        assert one.health()["metrics"] == 1000
        assert one.client.get("/series", params={"metric": f"{metric}0"}).status_code == 404
        assert one.client.get("/series", params={"metric": f"{metric}{count - 1}"}).status_code == 200
        if count > 20_000:
            assert one.memory() < before + (32 << 20)


def test_a_websocket_that_does_not_read_holds_up_no_other_and_is_cut_off(metric):
    with (
        Service(rate_limit=0, client_timeout=2) as one,
        connect(one.url.replace("http", "ws") + "/ws/anomalies", max_queue=None) as reads,
        socket.create_connection(("127.0.0.1", one.port)) as sleeps,
    ):
        sleeps.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        ask = "GET /ws/anomalies HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        sleeps.sendall(f"{ask}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode())
        wait_until(lambda: one.health()["websockets"] == 2, "both are connected")
        meta, parts = json.dumps({"text": "x" * 4000}), []
        for i in range(3000):
            lines = [f"{metric}{i},50,{START}\n"] * 6 + [f"{metric}{i},200,{START},{meta}\n"]
            parts.append("".join(lines))
        for at in range(0, 3000, 1000):
            assert one.upload("a.txt", "".join(parts[at : at + 1000])).json()["success_count"] == 7000
        got = [json.loads(reads.recv(30))["metric"] for _ in range(3000)]
        assert got == [f"{metric}{i}" for i in range(3000)]
        wait_until(lambda: one.health()["websockets"] == 1, "who reads nothing is cut off")
        read = 0
        with contextlib.suppress(ConnectionResetError):
            while some := sleeps.recv(1 << 20):
                read += len(some)
        assert read < 3000 * 4000  # by far not all
