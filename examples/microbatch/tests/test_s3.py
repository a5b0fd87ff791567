# SPDX-License-Identifier: MIT
"""On object storage: a process for each batch, processes side by side, conditional writes."""

import io
import json
import os
import subprocess
import sys

from botocore.awsrequest import AWSResponse

import store
from conftest import EXAMPLE
from handler import wake
from judge import Settings
from test_handler import flagged, in_batches, insights, of_all_batches, scenario

COMMAND = [sys.executable, str(EXAMPLE / "handler.py")]


def run():
    return json.loads(subprocess.run(COMMAND, check=True, capture_output=True, text=True).stdout)


def test_ten_processes_with_carried_state_flag_exactly_the_attack(bucket, tmp_path):
    for first in range(0, 600, 60):
        bucket.put(f"traffic/{first:04}.csv", scenario(first, first + 60), 0)
        assert run()["batches"] == 1
    assert flagged(bucket) == list(range(298, 318))
    whole = store.Directory(tmp_path)
    whole.put("traffic/all.csv", scenario(0, 600), 0)
    wake(whole, Settings())
    assert insights(whole, "all.csv")["anomaly_list"] == [
        one for told in of_all_batches(bucket) for one in told["anomaly_list"]
    ]


def test_without_the_state_the_first_two_seconds_only_are_seen(bucket):
    for first in range(0, 600, 60):
        bucket.put(f"traffic/{first:04}.csv", scenario(first, first + 60), 0)
        wake(bucket, Settings())
        bucket.client.delete_object(Bucket=bucket.bucket, Key=bucket.prefix + "state")
    assert flagged(bucket) == [298, 299]


def side_by_side(count):
    started = [subprocess.Popen(COMMAND, stdout=subprocess.PIPE, text=True) for _ in range(count)]
    told = [json.loads(process.communicate(timeout=300)[0]) for process in started]
    assert all(process.returncode == 0 for process in started)
    return told


def check_that_nothing_is_lost_or_doubled(where, told):
    assert sum(one["batches"] for one in told) == 10
    assert sum(one["events"] for one in told) == 600
    assert flagged(where) == list(range(298, 318))
    assert [one["revision"] for one in of_all_batches(where)] == list(range(1, 11))
    assert json.loads(where.get("insights/latest.json")[1])["totals"] == {
        "batches": 10,
        "events": 600,
        "anomalies": 40,
        "rejected": 0,
    }
    assert (where.names("traffic/"), len(where.names("judged/"))) == ([], 10)


def test_eight_that_overlap_lose_nothing(bucket):
    in_batches(bucket)
    check_that_nothing_is_lost_or_doubled(bucket, side_by_side(8))


def test_eight_that_overlap_lose_nothing_in_a_directory_either(tmp_path, monkeypatch):
    monkeypatch.setenv("DATA", str(tmp_path))
    where = store.opened("dev")
    in_batches(where)
    check_that_nothing_is_lost_or_doubled(where, side_by_side(8))


def test_of_two_that_have_read_the_same_state_one_begins_again(bucket):
    """The other writes between reading and writing, each time."""

    class Overtaken(store.Bucket):
        times = 3

        def put(self, key, data, version):
            if key == "state" and self.times:
                self.times -= 1
                wake(bucket, Settings(), None)
                bucket.put(f"traffic/{1000 + self.times}.csv", scenario(600, 660), 0)
            return super().put(key, data, version)

    in_batches(bucket)
    slow = Overtaken(bucket.client, bucket.bucket, bucket.prefix)
    assert wake(slow, Settings())["conflicts"] == 3
    assert [told["revision"] for told in of_all_batches(bucket)] == [*range(1, 11), 13, 12, 11]
    assert json.loads(bucket.get("insights/latest.json")[1])["totals"]["batches"] == 13


def test_an_answer_that_is_lost_counts_once(bucket):
    """The write has happened, its answer has not come: sent again, it is refused."""

    class Deaf(store.Bucket):
        def put(self, key, data, version):
            super().put(key, data, version)
            return super().put(key, data, version) if key == "state" else None

    in_batches(bucket)
    wake(Deaf(bucket.client, bucket.bucket, bucket.prefix), Settings())
    assert json.loads(bucket.get("insights/latest.json")[1])["totals"]["events"] == 600
    assert flagged(bucket) == list(range(298, 318))


def test_more_than_a_page_of_names_is_listed(bucket):
    """Pages of 10 names, where S3 gives 1,000."""

    def small_pages(params, **_):
        params["query_string"]["max-keys"] = 10

    bucket.client.meta.events.register("before-call.s3.ListObjectsV2", small_pages)
    names = [f"{i:04}" for i in range(25)]
    for name in names:
        bucket.put(f"many/{name}", b"", 0)
    assert bucket.names("many/") == names


def test_a_batch_that_is_too_large_or_a_folder_of_the_console_stops_nothing(bucket):
    for name, data in (("", b""), ("1", b"x" * 3_000_000), ("2", scenario(0, 60))):
        bucket.put(f"traffic/{name}", data, 0)
    assert wake(bucket, Settings(max_batch_bytes=10_000)) == {
        "batches": 2,
        "events": 60,
        "anomalies": 0,
        "rejected": 1,
        "conflicts": 0,
    }
    assert bucket.names("judged/") == ["1", "2"]


def test_a_batch_that_s3_does_not_copy_stays_and_counts_once(bucket):
    def refuses(**_):
        body = b"<Error><Code>InvalidRequest</Code><Message>larger than the maximum allowable size</Message></Error>"
        return AWSResponse(bucket.client.meta.endpoint_url, 400, {}, Raw(body))

    class Raw(io.BytesIO):
        def stream(self, **_):
            yield self.read()

    bucket.client.meta.events.register("before-send.s3.CopyObject", refuses)
    bucket.put("traffic/1", scenario(0, 60), 0)
    assert [wake(bucket, Settings())["batches"] for _ in range(3)] == [1, 0, 0]
    bucket.put("traffic/2", scenario(60, 120), 0)
    assert [wake(bucket, Settings())["batches"] for _ in range(3)] == [1, 0, 0]
    assert bucket.names("traffic/") == ["1", "2"]


def test_nothing_is_asked_of_another_server(bucket):
    assert bucket.client.meta.endpoint_url == os.environ["AWS_ENDPOINT_URL"]
