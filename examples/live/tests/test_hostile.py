# SPDX-License-Identifier: MIT
"""What must not come in: a clear 4xx each time, and the service goes on."""

import json

import pytest
from conftest import START, csv_of, minute_of_tens

GOOD = {"metric": "m", "value": 1, "timestamp": START}


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"value": "50"}, "a number"),
        ({"value": True}, "a number"),
        ({"value": None}, "a number"),
        ({"value": float("nan")}, "finite"),
        ({"value": float("inf")}, "finite"),
        ({"value": 10**400}, "finite"),
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


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"5", b'"x"', b"\xff\xfe", b"[" * 100_000, b'{"value": 1}', b"\x00"])
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
